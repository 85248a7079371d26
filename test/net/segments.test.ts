// Segments that raw sockets overhear: read from bytes that a real kernel handed over, and followed on loopback.
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kernelAccess } from '../../src/net/kernel.js';
import { openSegments, segmentOf } from '../../src/net/segments.js';
import { skipFor } from '../lab/requirements.js';
import { answered, asking, type Asking } from './kit.js';
import { shutPort, tcpPeer } from './sockets.js';

const access = await kernelAccess();

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

// Linux 6.18, in the lab: from a server behind router and firewall.
const HANDSHAKE_4 =
  '4500003c000040003e0628ac0a03000b0a01000203e8d81827b22a41571a3ab8a012fe88143f0000020405b40402080a05468d60b2cff8530103030a';
const DATA_4 =
  '450000367ea240003e06aa0f0a03000b0a01000203e8d81827b22a42571a3aba80180040143900000101080a05468d63b2cff8556869';
const ACK_4 =
  '450000347ea140003e06aa120a03000b0a01000203e8d81827b22a42571a3aba80100040143700000101080a05468d62b2cff855';
const RESET_4 = '45000028000040003e0628c00a03000b0a0100020009caa80000000038426a43501400002e890000';
const DATA_6 = '03e8bb320d85aa5c2d640cc58018003ffa4000000101080a2545af611c95acba6869';
const RESET_6 = '0009833a00000000ff63bde750140000fa320000';

const plain = { handshake: false, reset: false, data: false };

describe('a segment', () => {
  it('is a handshake, data, a reset or nothing that matters, with ports and TTL', () => {
    const ports = { from: 1000, to: 55320, ttl: 62 };
    expect(segmentOf({ bytes: bytes(HANDSHAKE_4) }, 4)).toEqual({ ...plain, ...ports, handshake: true });
    expect(segmentOf({ bytes: bytes(DATA_4) }, 4)).toEqual({ ...plain, ...ports, data: true });
    expect(segmentOf({ bytes: bytes(ACK_4) }, 4)).toEqual({ ...plain, ...ports });
    expect(segmentOf({ bytes: bytes(RESET_4) }, 4)).toEqual({ ...plain, from: 9, to: 51880, ttl: 62, reset: true });
  });

  it('comes without its IP header over IPv6, and its hop limit beside it', () => {
    expect(segmentOf({ bytes: bytes(DATA_6), ttl: 62 }, 6)).toEqual({
      ...plain,
      from: 1000,
      to: 47922,
      ttl: 62,
      data: true,
    });
    expect(segmentOf({ bytes: bytes(RESET_6), ttl: 63 }, 6)).toMatchObject({ reset: true, data: false, ttl: 63 });
    expect(segmentOf({ bytes: bytes(RESET_6) }, 6)).toBeUndefined();
  });

  it('is none where it is cut short', () => {
    for (let length = 0; length < 40; length += 1) {
      expect(segmentOf({ bytes: bytes(RESET_4).subarray(0, length) }, 4)).toBeUndefined();
    }
  });
});

describe('an attempt that overhears its segments', () => {
  function segmentsOr(ctx: Parameters<typeof skipFor>[0]): Pick<Asking, 'kit'> {
    const segments = 'kernel' in access ? openSegments(access.kernel) : undefined;
    skipFor(ctx, segments === undefined ? 'no raw sockets of the kernel here; sudo npm test' : undefined);
    return { kit: { ...access, ...(segments === undefined ? {} : { segments }) } };
  }

  it.for(['127.0.0.1', '::1'])('tells how far away handshake and data of %s came from', async (address, ctx) => {
    const through = segmentsOr(ctx);
    const before = readdirSync('/proc/self/fd').length;
    const port = await tcpPeer((socket) => socket.end('hello'), address);
    const { evidence } = await asking(
      async (_, kit) => {
        await (await kit.tcp()).read({ atLeast: 5, max: 5 });
        return answered;
      },
      { address, port, ...through },
    );
    expect(evidence).toMatchObject([
      { kind: 'alive', by: 'handshake', ttl: 64 },
      { kind: 'alive', by: 'data', ttl: 64 },
    ]);
    // The peer's own, which listens until the test is over, is there yet.
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 2);
  });

  it('tells a reset that refuses from one that follows data, each with its TTL', async (ctx) => {
    const through = segmentsOr(ctx);
    const connecting = await asking(
      async (_, kit) => {
        await kit.tcp();
        return answered;
      },
      { port: await shutPort(), ...through },
    );
    expect(connecting.outcome).toMatchObject({ kind: 'refused', signal: 'reset', by: '127.0.0.1', ttl: 64 });
    expect(connecting.evidence).toMatchObject([{ kind: 'reset', phase: 'connect', ttl: 64 }]);
    const port = await tcpPeer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const asked = await asking(
      async (_, kit) => {
        const stream = await kit.tcp();
        await stream.write(Buffer.from('?'));
        await stream.read({ atLeast: 1, max: 1 });
        return answered;
      },
      { port, ...through },
    );
    expect(asked.outcome).toMatchObject({ kind: 'stranger', came: 'reset' });
    expect(asked.evidence).toMatchObject([
      { kind: 'alive', by: 'handshake', ttl: 64 },
      { kind: 'reset', phase: 'data', ttl: 64 },
    ]);
  });
});
