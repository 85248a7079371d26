// Runs that are cut short: by signals, by --max-time, by a crash. What was seen is reported, and nothing stays behind.
import { once } from 'node:events';
import { cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { ended, injected, leftovers, linecheck, placeOf, readFrom, root, scratchFolder, start } from './linecheck.js';
import { closePeersAfterwards, tcpPeer } from './peers.js';
import { eventsIn, reportIn, verdictsOf } from './reading.js';

const scratch = scratchFolder();
closePeersAfterwards();

/** One flow that is open at once, and one whose server accepts and never speaks. */
async function halfMute(): Promise<string> {
  const { port } = await tcpPeer((socket) => socket.resume());
  return placeOf(scratch, [
    { id: 'quick', tcp: port, probe: 'tcp' },
    { id: 'mute', tcp: port, probe: 'ssh' },
  ]);
}

const PARTIAL = { quick: 'open', mute: 'unproven interrupted' };

describe.concurrent('a run that is cut short', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s exits %i with the report of what was seen', async (signal, code) => {
    const cwd = await halfMute();
    const args = ['check', 'site.yaml', '--timeout', '60s', '--format', 'ndjson', '--format', 'json:report.json'];
    const child = start(args, { cwd });
    const [output, errors] = [text(child.stdout), text(child.stderr)];
    let sent = false;
    child.stdout.on('data', (chunk: Buffer) => {
      // The mute one's attempt ends too, by the signal: a second one would end the process.
      if (!sent && chunk.includes('"event":"attempt"')) sent = child.kill(signal);
    });
    expect(await ended(child)).toEqual({ code, signal: null });
    expect(await errors).toBe('');

    const report = await reportIn(readFrom(cwd, 'report.json'));
    expect(verdictsOf(report)).toEqual(PARTIAL);
    expect(report.interrupted).toBe(signal);
    expect(report.summary.exitCode).toBe(code);
    const last = (await eventsIn(await output)).at(-1);
    expect(last).toMatchObject({ event: 'finished', interrupted: signal, summary: { exitCode: code } });
    expect(leftovers(cwd)).toEqual(['report.json']);
  });

  it('by --max-time exits as what is unproven says', async () => {
    const cwd = await halfMute();
    const args = ['check', 'site.yaml', '--timeout', '60s', '--max-time', '500ms', '--format', 'json'];
    const { code, stdout, stderr } = await linecheck(args, { cwd });
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
    const report = await reportIn(stdout);
    expect(report.interrupted).toBe('max-time');
    expect(verdictsOf(report)).toMatchObject({ mute: 'unproven interrupted' });
  });

  it('by a second signal ends at once and leaves no half-written file', async () => {
    // More than a pipe holds, so that the report that follows the first signal cannot end while nobody reads.
    const { port } = await tcpPeer((socket) => socket.resume());
    const many = Array.from({ length: 600 }, (_, at) => ({ id: `quick-${at}`, tcp: port, probe: 'tcp' }));
    const cwd = placeOf(scratch, [...many, { id: 'mute', tcp: port, probe: 'ssh' }]);
    const args = ['check', 'site.yaml', '--timeout', '60s', '--format', 'json', '--format', 'ndjson:events.ndjson'];
    const child = start(args, { cwd });
    const errors = text(child.stderr);
    const end = ended(child);
    await expect.poll(() => leftovers(cwd), { timeout: 20_000 }).toHaveLength(1);
    const [pending = ''] = leftovers(cwd);
    expect(pending).toMatch(/^events\.ndjson\.[0-9a-f]{8}\.tmp$/);
    await expect.poll(() => readFrom(cwd, pending), { timeout: 20_000 }).toContain('"event":"attempt"');
    child.kill('SIGINT');
    await once(child.stdout, 'readable');
    child.kill('SIGINT');
    await once(child, 'exit');
    child.stdout.destroy();
    expect(await end).toEqual({ code: 130, signal: null });
    expect(await errors).toBe('');
    expect(leftovers(cwd)).toEqual([]);
  });

  it('by SIGINT while one probe is asked by hand says so', async () => {
    const peer = await tcpPeer((socket) => socket.resume());
    const child = start(['probe', 'ssh', `127.0.0.1:${peer.port}`, '--timeout', '60s', '--format', 'json']);
    const output = text(child.stdout);
    await expect.poll(() => peer.connections(), { timeout: 20_000 }).toBe(1);
    child.kill('SIGINT');
    expect(await ended(child)).toEqual({ code: 130, signal: null });
    expect(verdictsOf(await reportIn(await output))).toEqual({ ssh: 'unproven interrupted' });
  });
});

describe.concurrent('a crash', () => {
  it.each([
    ['of the run', `Date.prototype.toISOString = () => { throw new TypeError('injected fault'); };`],
    [
      'of something that nobody awaits',
      `import net from 'node:net';
       net.Socket.prototype.connect = () => void setImmediate(() => { throw new TypeError('injected fault'); });`,
    ],
    [
      'of a promise that nobody awaits',
      `import net from 'node:net';
       net.Socket.prototype.connect = () => void Promise.reject(new TypeError('injected fault'));`,
    ],
  ])('%s exits 4 with its stack, and nothing green', async (what, fault) => {
    const cwd = await halfMute();
    const args = ['check', 'site.yaml', '--format', 'table', '--format', 'json:report.json'];
    const env = injected(scratch, `fault-${what.replaceAll(' ', '-')}`, fault);
    const { code, stdout, stderr } = await linecheck(args, { cwd, env });
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(
      /^linecheck crashed; this is a fault of linecheck, not of the network\.\nTypeError: injected fault\n +at /,
    );
    expect(leftovers(cwd)).toEqual([]);
  });

  it('of one probe is an error of its check, unproven: exit 3', async () => {
    const cwd = await halfMute();
    // Standard output may be a socket too.
    const fault = `import net from 'node:net';
      const write = net.Socket.prototype.write;
      net.Socket.prototype.write = function (...args) {
        if (this.remoteAddress !== '127.0.0.1') return write.apply(this, args);
        throw new TypeError('injected fault');
      };`;
    const env = injected(scratch, 'fault-of-a-probe', fault);
    const { code, stdout } = await linecheck(['check', 'site.yaml', '--format', 'json'], { cwd, env });
    expect(verdictsOf(await reportIn(stdout))).toEqual({ quick: 'open', mute: 'error bug' });
    expect(code).toBe(3);
  });

  it('of a copy that was not built says what to do', async () => {
    const copy = path.join(scratch, 'unbuilt');
    mkdirSync(copy);
    for (const part of ['bin', 'package.json'])
      cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
    const bin = path.join(copy, 'bin/linecheck.js');
    const { code, stdout, stderr } = await linecheck(['demo'], { bin });
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/^linecheck is not complete: it was not built, or its dependencies are not there\.\n/);
    expect(stderr).toContain(`\nRun: npm ci   (in ${copy})\n`);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it('of a copy without its dependencies says what to do', async () => {
    const copy = path.join(scratch, 'bare');
    mkdirSync(copy);
    for (const part of ['bin', 'package.json', 'dist', 'profiles']) {
      cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
    }
    const { code, stderr } = await linecheck(['demo'], { bin: path.join(copy, 'bin/linecheck.js') });
    expect(code).toBe(4);
    expect(stderr).toContain("Cannot find package 'commander'");
    expect(stderr).toContain(`\nRun: npm ci   (in ${copy})\n`);
  });
});
