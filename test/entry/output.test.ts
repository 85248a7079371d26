// Where a report goes, and what the screen looks like: files, pipes, terminals, colours, the progress line.
import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { CLOSED } from '../lab/linecheck.js';
import { skipFor } from '../lab/requirements.js';
import { ended, leftovers, linecheck, placeOf, readFrom, scratchFolder, start } from './linecheck.js';
import type { Ended, Settings } from './linecheck.js';
import { closePeersAfterwards, shutPort, tcpPeer } from './peers.js';
import { eventsIn, reportIn, verdictsOf } from './reading.js';

const scratch = scratchFolder();
closePeersAfterwards();

let open = 0;
let shut = 0;
beforeAll(async () => {
  ({ port: open } = await tcpPeer((socket) => socket.resume()));
  shut = await shutPort();
});

const VERDICTS = { quick: 'open', gone: CLOSED.tcp };
const ERASE = '\r\u001b[K';
const COLOUR = '\u001b[3';

/** One flow that is open and one that is shut: exit 1. */
function place(): string {
  return placeOf(scratch, [
    { id: 'quick', tcp: open, probe: 'tcp' },
    { id: 'gone', tcp: shut, probe: 'tcp' },
  ]);
}

const check = (flags: readonly string[], settings: Settings = {}): Promise<Ended> =>
  linecheck(['check', 'site.yaml', ...flags], { cwd: place(), ...settings });

describe.concurrent('a report', () => {
  it('is a table of 80 columns in a pipe, without colour and without progress', async () => {
    const { code, stdout, stderr } = await check([]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^branch-12: 1 of 2 required flows fails\./);
    expect(stdout).toMatch(/^FAIL {6}Flow gone: closed/m);
    expect(stdout).toMatch(/\nTook .*\. Exit code 1: a required flow fails\.\n$/);
    expect(stdout).not.toContain('\u001b');
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('goes to the screen and to files at once, each format valid', async () => {
    const cwd = place();
    writeFileSync(path.join(cwd, 'report.json'), 'an older one');
    const flags = ['--format', 'ndjson', '--format', 'json:report.json', '--format', 'table:report.txt'];
    const { code, stdout, stderr } = await check([...flags, '--format', 'ndjson:events.ndjson'], { cwd });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });

    const report = await reportIn(readFrom(cwd, 'report.json'));
    expect(verdictsOf(report)).toEqual(VERDICTS);
    expect(report.summary).toMatchObject({ exitCode: 1, required: { pass: 1, fail: 1, unproven: 0 } });
    const events = await eventsIn(stdout);
    expect(events[0]).toMatchObject({ event: 'started', checks: 2, site: 'branch-12' });
    expect(events.filter(({ event }) => event === 'check')).toHaveLength(2);
    expect(events.at(-1)).toMatchObject({ event: 'finished', summary: report.summary });
    expect(readFrom(cwd, 'events.ndjson')).toBe(stdout);
    expect(readFrom(cwd, 'report.txt')).toMatch(/^branch-12: 1 of 2 required flows fails\./);
    expect([...leftovers(cwd)].sort()).toEqual(['events.ndjson', 'report.json', 'report.txt']);
  });

  it('leaves the screen to the table where all formats go to files, and to nothing with --quiet', async () => {
    const [told, quiet, silent] = await Promise.all([
      check(['--format', 'json:report.json']),
      check(['--format', 'json:report.json', '--quiet']),
      check(['--quiet']),
    ]);
    expect(told.stdout).toMatch(/^branch-12: /);
    expect(quiet).toEqual({ code: 1, signal: null, stdout: '', stderr: '' });
    expect(silent).toEqual({ code: 1, signal: null, stdout: '', stderr: '' });
  });

  it('with --quiet says nothing of what is odd and no mistake', async () => {
    const cwd = placeOf(scratch, [{ id: 'quick', tcp: open, probe: 'tcp' }], {
      hosts: { far: ['127.0.0.1', '127.0.0.1'] },
    });
    const [told, quiet] = await Promise.all([check([], { cwd }), check(['--quiet'], { cwd })]);
    expect(told.stderr).toMatch(/^site\.yaml:\d+:\d+: warning: "127\.0\.0\.1" stands twice in the role "far"\n$/);
    expect(quiet).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
  });

  it('replaces a file, with its permissions, and what a link leads to', async () => {
    const cwd = place();
    writeFileSync(path.join(cwd, 'real.json'), 'an older one');
    chmodSync(path.join(cwd, 'real.json'), 0o600);
    symlinkSync('real.json', path.join(cwd, 'link.json'));
    expect(await check(['--format', 'json:link.json', '--quiet'], { cwd })).toMatchObject({ code: 1, stderr: '' });
    expect(verdictsOf(await reportIn(readFrom(cwd, 'real.json')))).toEqual(VERDICTS);
    expect(lstatSync(path.join(cwd, 'link.json')).isSymbolicLink()).toBe(true);
    expect(statSync(path.join(cwd, 'real.json')).mode & 0o777).toBe(0o600);
  });

  it('goes into a device or a pipe, and does not replace it', async () => {
    const cwd = place();
    const script = 'mkfifo pipe; cat pipe >copy.json & "$@"; code=$?; wait; exit $code';
    const flags = ['--format', 'json:pipe', '--format', 'ndjson:/dev/null'];
    const { code, stderr } = await check(flags, { cwd, through: ['sh', '-c', script, 'sh'] });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(verdictsOf(await reportIn(readFrom(cwd, 'copy.json')))).toEqual(VERDICTS);
    expect(statSync(path.join(cwd, 'pipe')).isFIFO()).toBe(true);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(readdirSync('/dev').filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('that finds no room keeps the others, and says so: exit 2', async () => {
    const cwd = place();
    const { code, stdout, stderr } = await check(['--format', 'ndjson:/dev/full', '--format', 'json:report.json'], {
      cwd,
    });
    expect({ code, stderr }).toEqual({ code: 2, stderr: '/dev/full: cannot write: no space left\n' });
    expect(stdout).toMatch(/^branch-12: /);
    expect(verdictsOf(await reportIn(readFrom(cwd, 'report.json')))).toEqual(VERDICTS);
    expect(leftovers(cwd)).toEqual(['report.json']);
  });

  it.each([['table'], ['json'], ['ndjson']])('as %s that the screen cannot take is no success', async (format) => {
    const shell = ['sh', '-c', '"$@" >/dev/full', 'sh'];
    const { code, stderr } = await check(['--format', format], { through: shell });
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'cannot write to standard output: no space left\n' });
  });

  it.each([['table'], ['json'], ['ndjson']])('as %s that its reader leaves early ends in silence', async (format) => {
    const cwd = placeOf(
      scratch,
      Array.from({ length: 300 }, (_, at) => ({ id: `quick-${at}`, tcp: open, probe: 'tcp' })),
    );
    const child = start(['check', 'site.yaml', '--format', format], { cwd });
    const errors = text(child.stderr);
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await ended(child)).toEqual({ code: 0, signal: null });
    expect(await errors).toBe('');
  });
});

describe.concurrent('colour', () => {
  it.each<readonly [string, Readonly<Record<string, string>>, boolean]>([
    ['is not there in a pipe', {}, false],
    ['is there in a pipe where FORCE_COLOR asks for it', { FORCE_COLOR: '1' }, true],
    ['is not there where NO_COLOR speaks against it', { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ])('%s', async (_what, env, there) => {
    const { stdout, stderr } = await check([], { env });
    expect(stdout.includes(COLOUR)).toBe(there);
    expect(stderr).toBe('');
  });

  it('marks the place of a mistake where FORCE_COLOR asks for it', async () => {
    const cwd = placeOf(scratch, [], { here: 'naer' });
    const { stderr } = await linecheck(['plan', 'site.yaml'], { cwd, env: { FORCE_COLOR: '1' } });
    expect(stderr.startsWith('\u001b[1m')).toBe(true);
  });
});

describe.concurrent('on a terminal', () => {
  /** What a run draws, both streams on one terminal of 80 columns. */
  async function drawn(flags: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const cwd = placeOf(scratch, [
      { id: 'quick', tcp: open, probe: 'tcp' },
      { id: 'mute', tcp: open, probe: 'ssh' },
    ]);
    const command = ['stty cols 80 rows 24;', JSON.stringify(process.execPath), '"$LINECHECK"', 'check site.yaml'];
    const all = [...command, '--timeout 3500ms --diagnose off', ...flags].join(' ');
    const settings = { cwd, env: { TERM: 'xterm', ...env } };
    return linecheck([], { ...settings, through: ['sh', '-c', 'LINECHECK=$2 exec script -qec "$0" /dev/null', all] });
  }

  const noScript = (): string | undefined =>
    spawnSync('script', ['--version']).status === 0
      ? undefined
      : 'no terminal without script: apt-get install bsdutils';

  /** What is left of a screen's lines when all was drawn. */
  const seen = (screen: string): readonly string[] =>
    screen.split(/\r?\n/).map((line) => (line.split(ERASE).at(-1) ?? '').trimEnd());

  it('a line tells of the progress, and is gone when the report comes', async (ctx) => {
    skipFor(ctx, noScript());
    const { code, stdout } = await drawn([]);
    expect(code).toBe(1);
    expect(stdout.split(ERASE).some((line) => line.includes('1/2 done'))).toBe(true);
    expect(stdout).toContain(COLOUR);
    const lines = seen(stdout);
    expect(lines[0]).toContain('branch-12: 1 of 2 required flows fails');
    expect(lines.join('\n')).not.toContain('1/2 done');
    expect(lines.at(-2)).toMatch(/^Took .*Exit code 1: a required flow fails\.$/);
    expect(lines.at(-1)).toBe('');
  });

  it.for<readonly [string, readonly string[], Readonly<Record<string, string>>]>([
    ['--quiet', ['--quiet', '--format table'], {}],
    ['a dumb terminal', [], { TERM: 'dumb' }],
  ])('%s draws no progress', async ([, flags, env], ctx) => {
    skipFor(ctx, noScript());
    const { code, stdout } = await drawn(flags, env);
    expect(code).toBe(1);
    expect(stdout).not.toContain('\u001b[K');
    expect(stdout).toContain('branch-12: 1 of 2 required flows fails');
  });
});
