// What a probe meets in the suite: healthy stand-ins, peers that misbehave on purpose, and spoilt answers, all on loopback.
// What must come of it stands in conformance.ts.
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Family } from '../../src/contract/flow.js';
import type { Clock } from '../../src/contract/ledger.js';
import type { Attempt } from '../../src/contract/outcome.js';
import type { BoundProbe, StandIn, Target } from '../../src/contract/probe.js';
import { openKit } from '../../src/net/kit.js';
import type { RawSockets } from '../../src/net/raw.js';
import { listenTcp, listenUdp, secureAccepted } from '../../src/net/listen.js';
import { openStandIn } from '../../src/peer/stage.js';
import { startAttempt } from '../../src/run/attempt.js';
import type { RunningAttempt } from '../../src/run/attempt.js';

export const clock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => performance.timeOrigin + performance.now(),
};

export const loopbackAddress: Readonly<Record<Family, string>> = { 4: '127.0.0.1', 6: '::1' };

/** Why nothing can be asked over this family here; undefined where it can. */
export function noFamily(family: Family): string | undefined {
  const has = Object.values(networkInterfaces())
    .flat()
    .some((each) => each?.address === loopbackAddress[family]);
  return has ? undefined : `this machine has no ${loopbackAddress[family]}; ip -6 address add ::1/128 dev lo`;
}

/** Something that listens. */
export interface Peer {
  readonly port: number;
  close(): Promise<void>;
}

/** The probe's own stand-in, on its stage. */
export function standInAt(standIn: StandIn, family: Family = 4): Promise<Peer> {
  const net = { listenTcp, listenUdp, secureAccepted, random: (size: number) => new Uint8Array(randomBytes(size)) };
  return openStandIn(standIn, { address: loopbackAddress[family], port: 0 }, net, clock);
}

/** A TCP server that does with each connection what `serve` says. It takes in, and drops, whatever the client sends. */
export function tcpPeer(serve: (socket: Socket) => void, family: Family = 4): Promise<Peer> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    // A peer that stays open goes when the client does.
    socket.once('end', () => socket.end());
    socket.resume();
    serve(socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: loopbackAddress[family], port: 0 }, () => {
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of sockets) socket.destroy();
          }),
      });
    });
  });
}

/** A UDP socket that does with each datagram what `serve` says. */
export function udpPeer(
  serve: (request: Uint8Array, answer: (reply: Uint8Array) => void) => void,
  family: Family = 4,
): Promise<Peer> {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  let open = true;
  socket.on('message', (request, { address, port }) => {
    serve(request, (reply) => {
      // A late answer may come after the scene is over.
      if (open) socket.send(reply, port, address, () => undefined);
    });
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: loopbackAddress[family], port: 0 }, () => {
      // A client that has left answers with port-unreachable.
      socket.off('error', reject).on('error', () => undefined);
      resolve({
        port: socket.address().port,
        close: () => {
          open = false;
          return new Promise((closed) => socket.close(() => closed()));
        },
      });
    });
  });
}

/** A port of loopback on which nothing listens. */
export async function closedPort(carrier: 'tcp' | 'udp', family: Family): Promise<number> {
  const peer = carrier === 'tcp' ? await tcpPeer(() => undefined, family) : await udpPeer(() => undefined, family);
  await peer.close();
  return peer.port;
}

/** What is done to a healthy peer's answer on its way. Offsets count the bytes of a stream, or of a datagram. */
export type Spoil =
  | { readonly how: 'not' }
  | { readonly how: 'cut'; readonly after: number; readonly then: 'close' | 'silence' }
  | { readonly how: 'flip'; readonly bits: readonly { readonly at: number; readonly mask: number }[] }
  /** A byte at a time. */
  | { readonly how: 'trickle' };

/** What went over the wire between the probe and a healthy peer. */
export interface Traffic {
  fromProbe: { packets: number; bytes: number };
  readonly fromPeer: Uint8Array[];
}

export function bytesFromPeer({ fromPeer }: Traffic): number {
  return fromPeer.reduce((sum, bytes) => sum + bytes.length, 0);
}

/** The stand-in behind something that counts what passes and spoils its answers. Datagrams cannot trickle. */
export async function spoiltStandIn(standIn: StandIn, spoil: Spoil): Promise<Peer & { readonly traffic: Traffic }> {
  const traffic: Traffic = { fromProbe: { packets: 0, bytes: 0 }, fromPeer: [] };
  if (standIn.carrier === 'udp') {
    const peer = await udpPeer((request, answer) => {
      traffic.fromProbe.packets += 1;
      traffic.fromProbe.bytes += request.length;
      for (const reply of standIn.reply?.(request, { address: loopbackAddress[4], port: 9 }) ?? []) {
        traffic.fromPeer.push(reply);
        const spoilt = spoiltAt(reply, 0, spoil);
        if (spoil.how !== 'cut' || spoil.then === 'close' || spoilt.length > 0) answer(spoilt);
      }
    });
    return { ...peer, traffic };
  }
  const healthy = await standInAt(standIn);
  const proxy = await tcpPeer((socket) => {
    const upstream = connect({ host: loopbackAddress[4], port: healthy.port, noDelay: true });
    upstream.on('error', () => socket.destroy());
    socket.once('close', () => upstream.destroy());
    socket.on('data', (chunk: Buffer) => {
      traffic.fromProbe.packets += 1;
      traffic.fromProbe.bytes += chunk.length;
      upstream.write(chunk);
    });
    socket.once('end', () => upstream.end());
    void relay(upstream, socket, traffic, spoil);
  });
  return {
    port: proxy.port,
    traffic,
    close: async () => {
      await proxy.close();
      await healthy.close();
    },
  };
}

async function relay(upstream: Socket, socket: Socket, traffic: Traffic, spoil: Spoil): Promise<void> {
  let offset = 0;
  const cutAt0 = (): boolean => spoil.how === 'cut' && offset >= spoil.after;
  const cut = (): void => {
    if (spoil.how === 'cut' && spoil.then === 'close') socket.end();
  };
  if (cutAt0()) cut();
  try {
    for await (const chunk of upstream as AsyncIterable<Buffer>) {
      traffic.fromPeer.push(chunk);
      const before = offset;
      offset += chunk.length;
      const bytes = spoiltAt(chunk, before, spoil);
      if (spoil.how === 'trickle') {
        for (const byte of bytes) {
          if (socket.destroyed) return;
          socket.write(Uint8Array.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
      } else if (bytes.length > 0) socket.write(bytes);
      if (cutAt0()) cut();
    }
    if (spoil.how !== 'cut' || spoil.then === 'close') socket.end();
  } catch {
    // The upstream was destroyed with its client.
    socket.destroy();
  }
}

function spoiltAt(bytes: Uint8Array, offset: number, spoil: Spoil): Uint8Array {
  switch (spoil.how) {
    case 'cut':
      return bytes.subarray(0, Math.max(0, spoil.after - offset));
    case 'flip':
      return bytes.map((byte, i) =>
        spoil.bits.filter(({ at }) => at === offset + i).reduce((flipped, { mask }) => flipped ^ mask, byte),
      );
    case 'not':
    case 'trickle':
      return bytes;
  }
}

export interface Asking {
  readonly deadlineMs: number;
  readonly family?: Family;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly login?: boolean;
  /** A network in the place of this machine's raw sockets. */
  readonly raw?: RawSockets;
}

/** One attempt, with the real kit, verbose. */
export function startAsking(bound: BoundProbe, port: number, asking: Asking): RunningAttempt {
  const { deadlineMs, family = 4, secrets = {}, login = false, raw } = asking;
  const target: Target = { address: loopbackAddress[family], family, port, host: loopbackAddress[family] };
  const secret = (name: string): Uint8Array => {
    const value = secrets[name];
    if (value === undefined) throw new Error(`the site has no secret ${name}`);
    return Buffer.from(value);
  };
  return startAttempt(bound, target, {
    deadlineMs,
    clock,
    runBeganMs: clock.monotonicMs(),
    openKit: (to) => openKit(to, { clock, verbose: true, login, secret, ...(raw === undefined ? {} : { raw }) }),
    verbose: true,
  });
}

export function askOnce(bound: BoundProbe, port: number, asking: Asking): Promise<Attempt> {
  return startAsking(bound, port, asking).done;
}

/** Sockets and timers that keep this process alive, by kind. */
export function openHandles(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    if (/TCP|UDP|TLS|Timeout/.test(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/**
 * What is open beyond `before` and `besides`, once it had time to close: a socket's handle outlives its destroy() by a
 * turn or two.
 */
export async function leftOpen(
  before: Readonly<Record<string, number>>,
  besides: Readonly<Record<string, number>> = {},
): Promise<readonly string[]> {
  for (let tries = 0; ; tries += 1) {
    const more = Object.entries(openHandles())
      .map(([kind, count]) => ({ kind, count: count - (before[kind] ?? 0) - (besides[kind] ?? 0) }))
      .filter(({ count }) => count > 0)
      .map(({ kind, count }) => `${String(count)} ${kind}`);
    // The delay's own timer is gone when it resolves.
    if (more.length === 0 || tries === 200) return more;
    await delay(10);
  }
}
