// A network in the place of raw sockets: it answers packets of IP protocols in memory, needs no privilege, and shows what
// is left open. What must come of it stands in packet-conformance.ts.
import { encodeIpPacket } from '../../src/bytes/ip.js';
import type { Family } from '../../src/contract/flow.js';
import type { Heard, RawSocket, RawSockets } from '../../src/net/raw.js';
import { loopbackAddress } from './scenes.js';

/** A packet that the probe sent. */
export interface Sent {
  readonly protocol: number;
  readonly family: Family;
  readonly payload: Uint8Array;
  readonly to: string;
}

export interface Answering {
  /** The target answers, in the same protocol. */
  readonly answer: (payload: Uint8Array, from?: string) => void;
  /** Somebody answers in another protocol: ICMP. */
  readonly say: (protocol: number, payload: Uint8Array, from: string) => void;
}

export interface Network extends RawSockets {
  readonly sent: readonly Sent[];
  /** Sockets that are open now. */
  readonly openSockets: number;
}

export const ICMP: Readonly<Record<Family, number>> = { 4: 1, 6: 58 };

/** `missing`: no raw socket can be had. `refuses`: the errno of every packet that is sent. */
export function network(
  serve: (sent: Sent, answering: Answering) => void,
  { missing, refuses }: { readonly missing?: string; readonly refuses?: string } = {},
): Network {
  const sent: Sent[] = [];
  const hearers = new Map<string, Set<(packet: Heard) => void>>();
  let opened = 0;
  const deliver = (protocol: number, family: Family, payload: Uint8Array, source: string): void => {
    const packet = { source, payload, ...(family === 4 ? { ttl: 61 } : {}) };
    setImmediate(() => {
      for (const hear of [...(hearers.get(`${protocol} ${family}`) ?? [])]) hear(packet);
    });
  };
  return {
    sent,
    get openSockets() {
      return opened;
    },
    missing: () => Promise.resolve(missing),
    open: async (protocol, family, hear) => {
      await Promise.resolve();
      if (missing !== undefined) throw Object.assign(new Error(missing), { code: 'EPERM', syscall: 'socket' });
      const key = `${protocol} ${family}`;
      const here = hearers.get(key) ?? new Set();
      hearers.set(key, here);
      here.add(hear);
      opened += 1;
      const socket: RawSocket = {
        send: (payload, to, done) => {
          if (refuses !== undefined) {
            setImmediate(() => done(Object.assign(new Error(refuses), { code: refuses, syscall: 'sendto' })));
            return;
          }
          const packet: Sent = { protocol, family, payload: Uint8Array.from(payload), to };
          sent.push(packet);
          setImmediate(() => done(undefined));
          serve(packet, {
            answer: (reply, from = loopbackAddress[family]) => deliver(protocol, family, reply, from),
            say: (other, reply, from) => deliver(other, family, reply, from),
          });
        },
        close: () => {
          if (here.delete(hear)) opened -= 1;
        },
      };
      return socket;
    },
  };
}

/** An ICMP or ICMPv6 error about a packet, as its sender would hear it; the checksum is left to the kernel, which looks first. */
export function icmpError(type: number, code: number, { protocol, family, payload, to }: Sent): Uint8Array {
  const quoted = encodeIpPacket({ protocol, ttl: 61, source: loopbackAddress[family], destination: to, payload });
  return Uint8Array.from([type, code, 0, 0, 0, 0, 0, 0, ...quoted]);
}
