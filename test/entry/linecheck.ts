// The command line as its user meets it: bin/linecheck.js as a process of its own, in a folder of its own. What it must
// say stands in the tests.
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect } from 'vitest';
import { expectGolden } from '../report/golden.js';

export const root = path.join(import.meta.dirname, '../..');
const bin = path.join(root, 'bin/linecheck.js');
/** Longer than any run here; one that still lasts has hung. */
const PATIENCE_MS = 25_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Settings {
  readonly cwd?: string;
  /** Beside PATH and HOME; nothing else of this process's environment gets through. */
  readonly env?: Readonly<Record<string, string>>;
  /** What runs it, and with which arguments before its own; default: this Node. */
  readonly through?: readonly string[];
  /** Another copy of bin/linecheck.js. */
  readonly bin?: string;
}

export type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Starts it and leaves its streams to the test. */
export function start(args: readonly string[], settings: Settings = {}): Child {
  const { env = {}, cwd = tmpdir(), through = [] } = settings;
  const [command = '', ...rest] = [...through, process.execPath, settings.bin ?? bin, ...args];
  return spawn(command, rest, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Rejects where the process has not ended by itself in time. */
export function ended(child: Child): Promise<Pick<Ended, 'code' | 'signal'>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${child.spawnargs.join(' ')} has not ended after ${PATIENCE_MS} ms`));
    }, PATIENCE_MS);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal });
    });
  });
}

/** Runs it to its end. */
export async function linecheck(args: readonly string[], settings: Settings = {}): Promise<Ended> {
  const child = start(args, settings);
  const [end, stdout, stderr] = await Promise.all([ended(child), text(child.stdout), text(child.stderr)]);
  return { ...end, stdout, stderr };
}

/** It ended for a mistake of its user's: exit 2, these lines on stderr and nothing else anywhere. */
export async function expectMistake(args: readonly string[], lines: readonly string[], settings: Settings = {}) {
  const { code, stdout, stderr } = await linecheck(args, settings);
  expect({ stderr, stdout, code }).toEqual({ stderr: lines.map((line) => `${line}\n`).join(''), stdout: '', code: 2 });
}

/** Text of the screen against golden/NAME: at most 80 columns, no colour, no space at a line's end. */
export function expectScreen(name: string, screen: string): void {
  for (const line of screen.split('\n')) {
    expect(line.length, line).toBeLessThanOrEqual(80);
    expect(line).toBe(line.trimEnd());
  }
  expect(screen).not.toContain('\u001b');
  expectGolden(`../../entry/golden/${name}`, screen);
}

function newest(folder: string, ending: string): { readonly file: string; readonly ms: number } {
  let found = { file: folder, ms: 0 };
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (!entry.isFile() || !entry.name.endsWith(ending)) continue;
    const ms = statSync(file).mtimeMs;
    if (ms > found.ms) found = { file, ms };
  }
  return found;
}

/** Fails where dist/ is older than what it was made of: a test of an old build proves nothing. `npm test` builds first. */
export function expectFreshBuild(): void {
  for (const part of ['src', 'probes']) {
    const source = newest(path.join(root, part), '.ts');
    const built = newest(path.join(root, 'dist', part), '.js');
    expect(built.ms, `${source.file} is newer than dist/: npm run build`).toBeGreaterThanOrEqual(source.ms);
  }
}

/** A folder for the tests of one file, removed after them; the build is looked at before them. */
export function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'linecheck-entry-'));
  beforeAll(expectFreshBuild);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Flow {
  readonly id: string;
  readonly tcp?: number | string;
  readonly udp?: number;
  readonly probe: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly required?: 'always' | 'optional';
}

/**
 * A new folder with `product.yaml`, the flows given, all from role near to role far, and `site.yaml`, in which this
 * machine is near. JSON is YAML.
 */
export function placeOf(scratch: string, flows: readonly Flow[], site: Readonly<Record<string, unknown>> = {}): string {
  const folder = mkdtempSync(path.join(scratch, 'place-'));
  const profile = {
    linecheck: 'profile/v1',
    id: 'product',
    title: 'A product',
    source: { title: 'The ports of a product' },
    roles: { near: { title: 'Near' }, far: { title: 'Far' } },
    flows: flows.map((flow) => ({
      title: `Flow ${flow.id}`,
      from: 'near',
      to: 'far',
      required: 'always',
      why: 'It is needed.',
      source: 'row 1',
      ...flow,
    })),
  };
  const whole = {
    linecheck: 'site/v1',
    name: 'branch-12',
    profiles: ['./product.yaml'],
    here: 'near',
    hosts: { far: '127.0.0.1' },
    ...site,
  };
  writeFileSync(path.join(folder, 'product.yaml'), JSON.stringify(profile, null, 2));
  writeFileSync(path.join(folder, 'site.yaml'), JSON.stringify(whole, null, 2));
  return folder;
}

/** A module for `node --import`, by which a test breaks or watches something in the process. */
export function injected(scratch: string, name: string, source: string): Readonly<Record<string, string>> {
  mkdirSync(path.join(scratch, 'injected'), { recursive: true });
  const file = path.join(scratch, 'injected', `${name}.mjs`);
  writeFileSync(file, source);
  return { NODE_OPTIONS: `--import=${file}` };
}

export const leftovers = (folder: string): readonly string[] =>
  readdirSync(folder).filter((name) => name !== 'product.yaml' && name !== 'site.yaml');

export const readFrom = (folder: string, name: string): string => readFileSync(path.join(folder, name), 'utf8');
