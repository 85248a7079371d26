// Workflow commands: read as the runner reads them, with the limits of what GitHub shows.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { github } from '../../src/report/github.js';
import { arbitraryReport, hostile } from './arbitrary.js';
import { expectGolden } from './golden.js';
import { many } from './many.js';
import { check, failures, ldapServer, report, samples, undecided } from './samples.js';

interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

const unescaped = (text: string): string =>
  text
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%');

/**
 * What the runner makes of a line of a step's output: a command in one of its two forms, `::name key=value,...::message` at
 * the line's beginning, or `##[name key=value;...]message` anywhere; else plain words.
 */
function commandIn(line: string): Command | undefined {
  const text = line.trimStart();
  if (text.includes('##[') && !text.startsWith('::')) return { name: '##[', properties: {}, message: text };
  const end = text.indexOf('::', 2);
  if (!text.startsWith('::') || end < 0) return undefined;
  const [, name = '', given = ''] = /^([^ ]*) ?(.*)$/.exec(text.slice(2, end)) ?? [];
  const pairs = given.split(',').filter((pair) => pair !== '');
  const properties = pairs.map((pair): [string, string] => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), unescaped(pair.slice(at + 1))];
  });
  return { name, properties: Object.fromEntries(properties), message: unescaped(text.slice(end + 2)) };
}

const commandsIn = (text: string): readonly Command[] => text.split('\n').flatMap((line) => commandIn(line) ?? []);
const of = (name: string, text: string): readonly Command[] => commandsIn(text).filter((each) => each.name === name);

describe('workflow commands', () => {
  it.each(['mixed-failures', 'left-out', 'all-pass', 'accepted'])('of %s read as their golden file does', (name) => {
    expectGolden(`${name}.github.txt`, github(samples[name] ?? report([])));
  });

  it('stand at the line of the site file that asks for the flow, whatever its name holds', () => {
    const place = { file: 'sites/a,b:c 100%.yaml', line: 12, column: 5 };
    const [error] = of(
      'error',
      github(
        report([
          { ...check({ flow: 'a', title: 'A, b: 100%', to: ldapServer }), ...failures[0], title: 'A, b: 100%', place },
        ]),
      ),
    );
    expect(error?.properties).toEqual({
      file: place.file,
      line: '12',
      col: '5',
      title: 'A, b: 100%: blocked (rejected)',
    });
    expect(error?.message).toContain('\n198.51.100.1 rejects it: ICMP 3/13');
    expect(error?.message).toContain('\nNext: Ask the firewall team');
  });

  it('are ten of a type at most, the worst first, the last saying how many more there are', () => {
    const text = github(many(5000));
    for (const type of ['error', 'warning']) {
      const shown = of(type, text);
      expect(shown).toHaveLength(10);
      expect(shown.at(-1)?.message).toMatch(/^16\d\d more flows like these/);
    }
    expect(of('error', text)[0]?.properties['title']).toContain('Flow number 0 ');
    expect(of('notice', text).length).toBeLessThanOrEqual(10);
  });

  it('are errors for what fails, warnings for what else keeps it from being green, notices for what is well to know', () => {
    const kinds = (text: string): readonly string[] =>
      commandsIn(text).flatMap(({ name, properties }) =>
        properties['title'] === 'linecheck' || name.endsWith('group') ? [] : [name],
      );
    const pass = check({ flow: 'a', title: 'A', to: ldapServer });
    const fail = { ...pass, result: 'fail' } as const;
    const doubt = { ...pass, result: 'unproven' } as const;
    const one = (checks: Parameters<typeof report>[0]): readonly string[] => kinds(github(report(checks)));
    expect(one([pass])).toEqual([]);
    expect(one([fail])).toEqual(['error']);
    expect(one([pass, { ...fail, uncounted: true }])).toEqual(['warning']);
    expect(one([doubt])).toEqual(['warning']);
    expect(one([{ ...pass, warning: 'Slow.' }])).toEqual(['warning']);
    expect(one([{ ...doubt, accepted: true }])).toEqual(['notice']);
    expect(one([pass, { ...fail, required: false }])).toEqual(['notice']);
  });

  it('sum up in a notice that names the site', () => {
    const [notice] = of('notice', github(report([...failures, ...undecided])));
    expect(notice?.message).toMatch(
      /^branch-12: \d+ of \d+ required flows fail.* Exit code 1: a required flow fails\.$/,
    );
  });

  it('are ours alone, whatever a host has said: none comes from its words, and every flow is in the log', () => {
    const injected = `x\n::stop-commands::y ##[add-mask]z ::error::w${hostile}`;
    const banner = { title: injected, summary: injected, advice: injected };
    const sample = report([{ ...check({ flow: 'a', title: 'A', to: ldapServer }), ...failures[0], ...banner }], {
      site: injected,
      notices: [injected],
      skipped: [{ profile: 'p', flow: 'f', title: injected, reason: injected, kind: 'elsewhere' }],
    });
    const names = (text: string): readonly string[] => commandsIn(text).map(({ name }) => name);
    expect(names(github(sample))).toEqual(['error', 'notice', 'group', 'endgroup']);
    fc.assert(
      fc.property(arbitraryReport, (given) => {
        const text = github(given);
        const known = ['error', 'warning', 'notice', 'group', 'endgroup'];
        expect(names(text).filter((name) => !known.includes(name))).toEqual([]);
        const log = text.slice(text.indexOf('::group::')).trimEnd().split('\n');
        expect(log).toHaveLength(2 + given.notices.length + given.checks.length + given.skipped.length);
        for (const { properties } of commandsIn(text)) {
          expect(Object.keys(properties).filter((key) => !['file', 'line', 'col', 'title'].includes(key))).toEqual([]);
        }
      }),
      { numRuns: 100 },
    );
  });
});
