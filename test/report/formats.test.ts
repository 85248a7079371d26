// The registry of formats: complete, lazy, and what each entry loads.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formats } from '../../src/report/formats.js';
import { events, full } from './events.js';

describe('the registry of formats', () => {
  it('has the formats of the command line', () => {
    const names = ['table', 'json', 'text', 'markdown', 'github', 'junit', 'nagios', 'prometheus', 'ndjson'];
    expect([...formats.keys()]).toEqual(names);
  });

  it.each([...formats])('loads %s, which renders', async (name, format) => {
    expect(format.summary).toMatch(/^[a-z].{10,70}$/);
    if (format.kind === 'report') {
      expect((await format.load())(full, { width: 80, colour: false })).toContain('branch-12');
    } else if (format.kind === 'parts') {
      expect([...(await format.load())(full)].join('')).toContain('branch-12');
    } else {
      const render = await format.load();
      expect(events.map(render).join('').trimEnd().split('\n')).toHaveLength(events.length);
    }
    expect(name).toMatch(/^[a-z]+$/);
  });
});

describe('the files of this room', () => {
  const folder = new URL('../../src/report/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts'));
  const source = (file: string): string => readFileSync(new URL(file, folder), 'utf8');

  it('load zod in schema.ts alone, and schema.ts from nowhere', () => {
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter((file) => /from 'zod'/.test(source(file)))).toEqual(['schema.ts']);
    expect(files.filter((file) => source(file).includes('./schema.js'))).toEqual([]);
  });

  it('touch no process, file, clock or socket', () => {
    const impure = /\bprocess\.|\bDate\b|performance\.|node:(?:fs|net|dgram|tls|child_process|process|os)\b/;
    expect(files.filter((file) => impure.test(source(file)))).toEqual([]);
  });
});
