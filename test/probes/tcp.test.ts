// The tcp probe: what accepts, what only seems to, and what a spelled-out exchange proves.
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import * as tcp from '../../probes/tcp/probe.js';
import { contains, spelled } from '../../probes/tcp/packet.js';
import type { Family } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { StandIn } from '../../src/contract/probe.js';
import { requireServer } from '../lab/requirements.js';
import { nginxTls, sshd } from '../lab/servers.js';
import { describeConformance } from './conformance.js';
import { askOnce, tcpPeer } from './scenes.js';

describeConformance(tcp, { name: 'tcp', carrier: 'tcp' });
/** A server that speaks first, as SMTP's does. */
const greeter: StandIn = {
  carrier: 'tcp',
  async session(stream) {
    await stream.write(new TextEncoder().encode('a greeting of its own\r\n'));
    await stream.peek(10_000);
  },
};
describeConformance(
  { probe: tcp.probe, standIn: greeter },
  { name: 'tcp with a greeting expected', carrier: 'tcp', options: { 'expect-text': 'of its own\r\n' } },
);

const { probe } = tcp;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const peer = await tcpPeer(serve);
  closing.push(() => peer.close());
  return peer.port;
}

async function ask(port: number, options: Record<string, unknown> = {}, family: Family = 4): Promise<Outcome> {
  const bound = probe.bind('tcp', probe.options.parse(options));
  return (await askOnce(bound, port, { deadlineMs: 10_000, family })).outcome;
}

describe('without an expectation', () => {
  it('calls a port open that accepts and stays', async () => {
    expect(await ask(await listen(() => undefined))).toEqual({ kind: 'answered', depth: 'port', facts: {} });
  });

  it('names what greets it, and still proves no more than the port', async () => {
    const outcome = await ask(await listen((socket) => socket.write('220 mail.example.net ESMTP\r\n')));
    expect(outcome).toEqual({ kind: 'answered', depth: 'port', facts: { greeting: 'an SMTP or FTP greeting' } });
  });

  it('calls a port open whose server greets and then closes', async () => {
    const outcome = await ask(await listen((socket) => socket.end('Sun Nov 22 20:20:20 2026\r\n')));
    expect(outcome).toMatchObject({ kind: 'answered', depth: 'port' });
  });

  it('does not call a port open that accepts and closes at once', async () => {
    expect(await ask(await listen((socket) => socket.end()))).toMatchObject({ kind: 'stranger', came: 'close' });
  });

  it('does not call a port open that accepts and resets at once', async () => {
    expect(await ask(await listen((socket) => socket.resetAndDestroy()))).toMatchObject({
      kind: 'stranger',
      came: 'reset',
    });
  });

  it('does not let a greeting write to the terminal', async () => {
    const outcome = await ask(await listen((socket) => socket.write('\x1b]0;owned\x07\x1b[2J')));
    // eslint-disable-next-line no-control-regex -- control characters are what this is about
    expect(JSON.stringify(outcome)).not.toMatch(/[\u0000-\u001f]|\\u00/);
    expect(outcome).toMatchObject({ kind: 'answered', depth: 'port' });
  });
});

describe('with an expectation', () => {
  it('sends what is spelled out and finds what is expected', async () => {
    const port = await listen((socket) => {
      socket.once('data', (bytes) => socket.write(bytes.toString('latin1') === 'PING\r\n' ? '+PONG\r\n' : '-ERR\r\n'));
    });
    const sent = await ask(port, { 'send-hex': '50 49 4e 47 0d 0a', 'expect-text': '+PONG' });
    expect(sent).toMatchObject({ kind: 'answered', depth: 'protocol' });
    expect(await ask(port, { 'send-text': 'QUIT\r\n', 'expect-text': '+PONG' })).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
    });
  });

  it('finds it across packets', async () => {
    const port = await listen((socket) => {
      socket.write('wel');
      setImmediate(() => socket.write('come\r\n'));
    });
    expect(await ask(port, { 'expect-text': 'welcome' })).toMatchObject({ kind: 'answered', depth: 'protocol' });
  });

  it('names what came instead', async () => {
    const outcome = await ask(await listen((socket) => socket.end('SSH-2.0-Example\r\n')), { 'expect-hex': '00ff' });
    expect(outcome).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: expect.stringContaining('SSH identification') as string,
    });
  });

  it('reads no further than 4 KiB for it', async () => {
    const late = `${'x'.repeat(4096)}welcome`;
    const outcome = await ask(await listen((socket) => socket.end(late)), { 'expect-text': 'welcome' });
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
  });

  it('calls a close without a byte a close', async () => {
    const outcome = await ask(await listen((socket) => socket.end()), { 'expect-text': 'welcome' });
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'close' });
  });
});

describe('options', () => {
  it.each([
    [{ 'send-text': 'x' }, 'needs expect-text'],
    [{ 'send-text': 'x', 'send-hex': '00', 'expect-text': 'y' }, 'exclude each other'],
    [{ 'expect-text': 'x', 'expect-hex': '00' }, 'exclude each other'],
    [{ 'expect-hex': '0' }, 'hexadecimal'],
    [{ 'expect-hex': 'zz' }, 'hexadecimal'],
    [{ 'expect-text': '' }, '>=1'],
    [{ banner: 'x' }, 'banner'],
  ])('refuses %j', (options, words) => {
    const parsed = probe.options.safeParse(options);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.message).toContain(words);
  });

  it('reaches the protocol only where something is expected', () => {
    expect(probe.bind('tcp', {}).traits).toMatchObject({ depths: ['port'], defaultDepth: 'port' });
    const { traits } = probe.bind('tcp', { 'send-text': 'é', 'expect-text': 'x' });
    expect(traits).toMatchObject({ depths: ['port', 'protocol'], defaultDepth: 'protocol', silence: 'conclusive' });
    expect(traits.sends.at(-1)).toMatchObject({ packets: 1, bytes: 2 });
  });

  it('spells bytes', () => {
    expect(spelled(undefined, undefined)).toBeUndefined();
    expect(spelled('é', undefined)).toEqual(Uint8Array.of(0xc3, 0xa9));
    expect(spelled(undefined, '0D 0a')).toEqual(Uint8Array.of(13, 10));
    expect(spelled(undefined, '')).toEqual(new Uint8Array(0));
    expect(contains(Uint8Array.of(1, 2, 3, 4), Uint8Array.of(2, 3))).toBe(true);
    expect(contains(Uint8Array.of(1, 2, 3, 4), Uint8Array.of(3, 2))).toBe(false);
  });
});

describe('real servers', () => {
  it('finds the greeting of sshd over IPv4 and IPv6', async (ctx) => {
    requireServer(ctx, 'sshd', 'openssh-server');
    const server = await sshd({ addresses: ['127.0.0.1', '::1'] });
    closing.push(() => server.stop());
    for (const family of [4, 6] as const) {
      const outcome = await ask(server.port, { 'expect-text': 'SSH-2.0-OpenSSH' }, family);
      expect(outcome).toMatchObject({ kind: 'answered', depth: 'protocol' });
    }
  });

  it('calls the TLS port of nginx open, which says nothing first', async (ctx) => {
    requireServer(ctx, 'nginx', 'nginx-light');
    const server = await nginxTls();
    closing.push(() => server.stop());
    expect(await ask(server.port)).toEqual({ kind: 'answered', depth: 'port', facts: {} });
  });
});
