// The echo probe: what was sent comes back, over TCP and UDP, and nothing else is taken for it.
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { MESSAGE_BYTES, isEchoOf, message, mustEcho } from '../../probes/echo/packet.js';
import * as echo from '../../probes/echo/probe.js';
import { standIn as udpStandIn } from '../../probes/udp/stand-in.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Family } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import { inetd, requireInetd } from '../lab/servers/inetd.js';
import { addresses, openLab } from '../lab/lab.js';
import { requireLab, requireServer } from '../lab/requirements.js';
import { sshd } from '../lab/servers.js';
import { describeConformance } from './conformance.js';
import { askOnce, closedPort, standInAt, tcpPeer, udpPeer, type Peer } from './scenes.js';
import { vector } from './vectors.js';

describeConformance(echo, { name: 'echo over TCP', carrier: 'tcp' });
describeConformance(
  { probe: echo.probe, standIn: { carrier: 'udp', reply: (request) => [request] } },
  { name: 'echo over UDP', carrier: 'udp', echoes: true },
);

const CLI = join(import.meta.dirname, '../../bin/linecheck.js');

const { probe } = echo;
const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface How {
  readonly carrier?: 'tcp' | 'udp';
  readonly deadlineMs?: number;
  readonly family?: Family;
}

async function ask(port: number, { carrier = 'tcp', deadlineMs = 10_000, family = 4 }: How = {}): Promise<Outcome> {
  const bound = probe.bind(carrier, probe.options.parse({}));
  return (await askOnce(bound, port, { deadlineMs, family })).outcome;
}

async function keep(opening: Promise<Peer>): Promise<Peer> {
  const peer = await opening;
  closing.push(() => peer.close());
  return peer;
}

describe('the message', () => {
  it('says whose it is, and holds the nonce', () => {
    expect(Buffer.from(message(nonce)).toString('latin1')).toBe('linecheck echo 0102030405060708\r\n');
    expect(message(nonce)).toHaveLength(MESSAGE_BYTES);
  });

  it('is echoed by itself and its beginnings, and by nothing else', () => {
    const sent = message(nonce);
    for (let size = 0; size <= sent.length; size += 1) expect(isEchoOf(sent.subarray(0, size), sent)).toBe(true);
    for (let at = 0; at < sent.length; at += 1) {
      const flipped = sent.map((byte, index) => (index === at ? byte ^ 0x20 : byte));
      expect(isEchoOf(flipped, sent)).toBe(false);
      expect(isEchoOf(flipped.subarray(0, at), sent)).toBe(true);
    }
    expect(isEchoOf(Uint8Array.from([...sent, 0x0a]), sent)).toBe(false);
    expect(isEchoOf(message(new Uint8Array(8)), sent)).toBe(false);
  });

  it('that comes back otherwise is told by what came, or by where it differs', () => {
    const sent = message(nonce);
    expect(() => mustEcho(bytesOf('SSH-2.0-Example\r\n'), sent)).toThrow(
      new ProtocolError('an SSH identification (SSH-2.0-Example), not what was sent'),
    );
    expect(() => mustEcho(bytesOf('linecheck?'), sent)).toThrow(
      new ProtocolError('an echo that differs from what was sent at byte 10'),
    );
    expect(() => mustEcho(Uint8Array.from([...sent, 0x0a]), sent)).toThrow(ProtocolError);
  });
});

describe('over TCP', () => {
  const stranger = (detail: string): unknown => ({
    kind: 'stranger',
    came: 'other-protocol',
    detail: expect.stringContaining(detail) as string,
  });

  it('an echo in two pieces is one', async () => {
    const peer = await keep(
      tcpPeer((socket) => {
        socket.once('data', (bytes: Buffer) => {
          socket.write(bytes.subarray(0, 5));
          setImmediate(() => socket.write(bytes.subarray(5)));
        });
      }),
    );
    expect(await ask(peer.port)).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { echoedBytes: MESSAGE_BYTES },
    });
  });

  it.each([
    ['capitals', (bytes: Buffer) => Buffer.from(bytes.toString('latin1').toUpperCase(), 'latin1'), 'not what was sent'],
    ['a bare line feed', (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace('\r\n', '\n\n')), 'byte 32'],
    ['more than was said', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('>')]), 'at byte 34'],
    ['a greeting before it', (bytes: Buffer) => Buffer.concat([Buffer.from('# '), bytes]), 'not what was sent'],
  ])('is no echo with %s', async (_, change, detail) => {
    const peer = await keep(
      tcpPeer((socket: Socket) => void socket.once('data', (bytes: Buffer) => socket.write(change(bytes)))),
    );
    expect(await ask(peer.port)).toMatchObject(stranger(detail) as object);
  });

  it('half an echo and a close is none', async () => {
    const peer = await keep(
      tcpPeer((socket) => void socket.once('data', (bytes: Buffer) => socket.end(bytes.subarray(0, 9)))),
    );
    expect(await ask(peer.port)).toMatchObject({ kind: 'stranger', came: 'close', facts: { receivedBytes: 9 } });
  });

  it.each([
    ['openbsd-inetd-chargen', 'not what was sent'],
    ['openbsd-inetd-daytime', 'not what was sent'],
    ['openbsd-inetd-echo', 'differs from what was sent at byte'],
  ])('%s, said to another, proves nothing to this one', async (name, detail) => {
    const peer = await keep(tcpPeer((socket) => void socket.write(vector(`echo/${name}.hex`))));
    expect(await ask(peer.port)).toMatchObject(stranger(detail) as object);
  });

  it('is what inetd answered to this very message', () => {
    expect(vector('echo/openbsd-inetd-echo.hex')).toEqual(message(nonce));
  });
});

describe('over UDP', () => {
  it('is proved by the very datagram, after others that are not it', async () => {
    const sent: Buffer[] = [];
    const peer = await keep(
      udpPeer((request, answer) => {
        sent.push(Buffer.from(request));
        answer(bytesOf('no'));
        answer(request.subarray(0, 10));
        answer(message(nonce));
        answer(request);
      }),
    );
    expect(await ask(peer.port, { carrier: 'udp' })).toMatchObject({ kind: 'answered', depth: 'protocol' });
    expect(sent).toHaveLength(1);
  });

  it.each([
    ['another attempt’s echo', message(nonce)],
    ['an empty datagram', new Uint8Array(0)],
  ])('is not proved by %s', async (_, reply) => {
    const peer = await keep(udpPeer((_request, answer) => answer(reply)));
    expect(await ask(peer.port, { carrier: 'udp', deadlineMs: 300 })).toMatchObject({ kind: 'stranger' });
  });

  it('is not proved by the stand-in of the udp probe', async () => {
    const peer = await keep(standInAt(udpStandIn));
    expect(await ask(peer.port, { carrier: 'udp', deadlineMs: 300 })).toMatchObject({ kind: 'stranger' });
  });

  it('has no stand-in: two of them would never stop', () => {
    expect(echo.standIn.carrier).toBe('tcp');
    expect('otherStandIns' in echo).toBe(false);
  });
});

it('is conclusive on both carriers, and says what it sends', () => {
  expect(probe.bind('tcp', {}).traits).toEqual({
    silence: 'conclusive',
    depths: ['protocol'],
    defaultDepth: 'protocol',
    sends: [
      { what: 'a TCP connection, opened and closed', packets: 4, bytes: 0 },
      { what: 'a line with a nonce, to be echoed', packets: 1, bytes: 33 },
    ],
  });
  expect(probe.bind('udp', {}).traits).toMatchObject({
    silence: 'conclusive',
    sends: [{ what: 'a line with a nonce, to be echoed, again each second until it is', packets: 1, bytes: 33 }],
  });
});

describe('real servers', () => {
  // inetd leaves datagrams from 127.0.0.0/8 unanswered, as it does those from broadcast and multicast addresses.
  const familiesOf = { tcp: [4, 6], udp: [6] } as const;
  it.for(['tcp', 'udp'] as const)('inetd echoes over %s, and refuses once it is gone', async (carrier, ctx) => {
    requireInetd(ctx);
    const server = await inetd({ addresses: ['127.0.0.1', '::1'] });
    closing.push(() => server.stop());
    for (const family of familiesOf[carrier]) {
      expect(await ask(server.port, { carrier, family })).toMatchObject({ kind: 'answered', depth: 'protocol' });
    }
    await server.stop();
    for (const family of [4, 6] as const) {
      expect(await ask(server.port, { carrier, family })).toMatchObject({ kind: 'refused', signal: 'refused' });
    }
  });

  it('inetd echoes over UDP and IPv4 to another host', async (ctx) => {
    requireLab(ctx);
    requireInetd(ctx);
    const lab = await openLab();
    closing.push(() => lab.close());
    await inetd({ on: lab.place('server1'), addresses: [addresses.server1[4]] });
    const words = ['probe', 'echo', addresses.server1[4], '--carrier', 'udp', '--format', 'json'];
    const { stdout, stderr } = await lab.exec('tech', [process.execPath, CLI, ...words]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ checks: [{ verdict: 'open', carrier: 'udp' }] });
  });

  it('sshd is a stranger', async (ctx) => {
    requireServer(ctx, 'sshd', 'openssh-server');
    const server = await sshd();
    closing.push(() => server.stop());
    expect(await ask(server.port)).toMatchObject({
      kind: 'stranger',
      came: 'other-protocol',
      detail: expect.stringContaining('an SSH identification') as string,
    });
  });

  it('nothing listens', async () => {
    expect(await ask(await closedPort('udp', 4), { carrier: 'udp' })).toMatchObject({ kind: 'refused' });
  });
});
