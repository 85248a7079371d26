// `npm run new-probe`: what it writes works at once, and what it refuses it leaves alone. In copies of the repository.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const root = path.join(import.meta.dirname, '../..');
const scratch = mkdtempSync(path.join(tmpdir(), 'linecheck-new-probe-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A copy of what is needed to compile, lint and test. */
function copyAs(name: string): string {
  const copy = path.join(scratch, name);
  for (const part of ['src', 'probes', 'test', 'scripts', 'bench', 'profiles']) {
    cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
  }
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (entry.isFile()) cpSync(path.join(root, entry.name), path.join(copy, entry.name));
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'), 'junction');
  return copy;
}

/** What is read here is read without colours. */
const plainEnv = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

function run(copy: string, ...args: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', env: plainEnv });
  return { status, output: `${stdout}${stderr}` };
}

const newProbe = (copy: string, ...names: readonly string[]): Ended => run(copy, 'scripts/new-probe.js', ...names);
const bin = (name: string): string => path.join('node_modules', name);
const read = (copy: string, file: string): unknown => JSON.parse(readFileSync(path.join(copy, file), 'utf8'));
const registryOf = (copy: string): string => readFileSync(path.join(copy, 'probes/index.ts'), 'utf8');

describe('a new probe', { timeout: 240_000 }, () => {
  const name = 'made-up-protocol';
  const written = [
    `probes/${name}/probe.ts`,
    `probes/${name}/packet.ts`,
    `probes/${name}/stand-in.ts`,
    `test/probes/${name}.test.ts`,
  ];
  let copy = '';

  beforeAll(() => {
    copy = copyAs('working');
    // Compiler and linter look at what is new and at all that it imports; the rest they see where it stands.
    const include = ['probes/index.ts', ...written];
    const config = z.looseObject({ include: z.array(z.string()) }).parse(read(copy, 'tsconfig.test.json'));
    writeFileSync(
      path.join(copy, 'tsconfig.test.json'),
      JSON.stringify({ ...config, include: [...include, 'src/**/*.d.ts'] }),
    );
    const ended = newProbe(copy, name);
    expect(ended.output).toContain(written.join('\n'));
    expect(ended.status).toBe(0);
  });

  it('stands in the registry, in its alphabetical place, as one line more', () => {
    const added = `  '${name}': () => import('./${name}/probe.js'),\n`;
    const text = registryOf(copy);
    expect(text.replace(added, '')).toBe(registryOf(root));
    const names = [...text.matchAll(/^ {2}'?([a-z0-9-]+)'?: /gm)].map((match) => match[1]);
    expect(names).toContain(name);
    expect(names).toEqual(names.toSorted());
  });

  it('passes the compiler', () => {
    expect(run(copy, bin('typescript/bin/tsc'), '-p', 'tsconfig.test.json')).toEqual({ status: 0, output: '' });
  });

  it('passes the linter', () => {
    expect(run(copy, bin('eslint/bin/eslint.js'), 'probes/index.ts', ...written)).toEqual({ status: 0, output: '' });
  });

  it('is formatted', () => {
    const formatted = run(copy, bin('prettier/bin/prettier.cjs'), '--check', 'probes/index.ts', ...written);
    expect(formatted).toMatchObject({ status: 0 });
  });

  it('passes its own test and the registry’s', () => {
    const tests = run(copy, bin('vitest/vitest.mjs'), 'run', `test/probes/${name}.test.ts`, 'test/registry.test.ts');
    expect(tests.output).toMatch(/Test Files {2}2 passed \(2\)/);
    expect(tests.status).toBe(0);
  });

  it('leaves no placeholder behind', () => {
    for (const file of written) expect(readFileSync(path.join(copy, file), 'utf8')).not.toMatch(/__[A-Z]+__/);
  });

  it('is not written a second time', () => {
    const before = registryOf(copy);
    expect(newProbe(copy, name)).toEqual({ status: 2, output: `probes/${name} is there already\n` });
    expect(registryOf(copy)).toBe(before);
  });
});

describe('the name of a new probe', () => {
  let copy = '';
  beforeAll(() => {
    copy = copyAs('refusing');
  });

  it.each([
    ['Ssh', 'expected at most 32 lower-case letters'],
    ['../x', 'expected at most 32 lower-case letters'],
    ['1st', 'expected at most 32 lower-case letters'],
    ['a--b', 'expected at most 32 lower-case letters'],
    ['a'.repeat(33), 'expected at most 32 lower-case letters'],
    ['utils', 'names no protocol'],
    ['--help', 'usage: npm run new-probe NAME'],
    ['tcp', 'probes/tcp is there already'],
  ])('%s is refused, and nothing is written', (name, words) => {
    const ended = newProbe(copy, name);
    expect(ended.output).toContain(words);
    expect(ended.status).toBe(2);
    expect(registryOf(copy)).toBe(registryOf(root));
    expect(existsSync(path.join(copy, 'probes', name, 'probe.ts'))).toBe(name === 'tcp');
  });

  it('must be given', () => {
    expect(newProbe(copy)).toEqual({ status: 2, output: expect.stringMatching(/^usage: /) as unknown });
  });

  it.each(['aaa', 'zzz'])('%s goes to its end of the registry', (name) => {
    expect(newProbe(copy, name).status).toBe(0);
    const names = [...registryOf(copy).matchAll(/^ {2}'?([a-z0-9-]+)'?: /gm)].map((match) => match[1]);
    expect(name === 'aaa' ? names.at(0) : names.at(-1)).toBe(name);
  });
});
