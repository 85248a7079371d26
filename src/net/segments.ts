// TCP segments as they come in from hosts that are being asked: how far away the sender of a handshake, of data, of a reset
// stands. Raw sockets of kernel.ts, which take CAP_NET_RAW; each hears one host. They only listen: nothing is sent here.
import { canonicalAddress } from '../bytes/ip.js';
import type { Family } from '../contract/flow.js';
import type { Kernel, KernelSocket, Received } from './kernel.js';

/** TTL or hop limit of the first segment of each kind, of one connection. */
export interface SegmentTtls {
  readonly handshake?: number;
  readonly data?: number;
  readonly reset?: number;
}

/** One who wants to know of segments from a host. */
export interface Following {
  /** Of the connection from our `localPort` to that host's `remotePort`, as far as it has come. */
  ttls(localPort: number, remotePort: number): SegmentTtls;
  /** Safe to call again. */
  close(): void;
}

export interface Segments {
  /** Undefined where it cannot be. Begin before the connection does. */
  follow(address: string, family: Family): Following | undefined;
}

/** Connections of one host that are remembered; those of other programs are among them. */
const CONNECTIONS = 1024;
/** Taken in at a time. */
const SEGMENTS_AT_ONCE = 4096;

type Kind = keyof SegmentTtls;

class Host {
  readonly #socket: KernelSocket;
  readonly #connections = new Map<string, Partial<Record<Kind, number>>>();
  followers = 0;

  constructor(kernel: Kernel, address: string, family: Family) {
    this.#socket = kernel.open('raw-tcp', family);
    try {
      if (family === 6) this.#socket.showTtl();
      this.#socket.connect({ address, port: 0 });
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  ttls(localPort: number, remotePort: number): SegmentTtls {
    this.#takeIn();
    return this.#connections.get(`${localPort} ${remotePort}`) ?? {};
  }

  #takeIn(): void {
    for (let taken = 0; taken < SEGMENTS_AT_ONCE; taken += 1) {
      let received: Received | undefined;
      try {
        received = this.#socket.receive();
      } catch {
        // An ICMP error about a connection to that host, which a raw socket hears of as well, once. It is that connection's.
        continue;
      }
      if (received === undefined) return;
      const segment = segmentOf(received, this.#socket.family);
      if (segment === undefined) continue;
      const key = `${segment.to} ${segment.from}`;
      const known = this.#connections.get(key) ?? {};
      if (segment.handshake) {
        // A new connection on the ports of an old one.
        this.#connections.delete(key);
        this.#connections.set(key, { handshake: segment.ttl });
      } else {
        if (segment.reset) known.reset ??= segment.ttl;
        if (segment.data) known.data ??= segment.ttl;
        this.#connections.set(key, known);
      }
      if (this.#connections.size > CONNECTIONS) {
        const [oldest] = this.#connections.keys();
        if (oldest !== undefined) this.#connections.delete(oldest);
      }
    }
  }

  close(): void {
    this.#socket.close();
  }
}

/** What a segment is, as far as it matters here. `from` and `to` are ports. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly ttl: number;
  readonly handshake: boolean;
  readonly reset: boolean;
  readonly data: boolean;
}

const SYN = 0x02;
const RST = 0x04;
const TCP_HEADER_BYTES = 20;

/** As a raw socket hands it over: with its IP header in IPv4, without in IPv6 (RFC 3542 §3). Undefined where it is cut short. */
export function segmentOf({ bytes, ttl: shown }: Pick<Received, 'bytes' | 'ttl'>, family: Family): Segment | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (family === 4 && bytes.length < 20) return undefined;
  const at = family === 4 ? (view.getUint8(0) & 0x0f) * 4 : 0;
  const ttl = family === 4 ? view.getUint8(8) : shown;
  if (ttl === undefined || bytes.length < at + TCP_HEADER_BYTES) return undefined;
  // RFC 9293 §3.1.
  const flags = view.getUint8(at + 13);
  const headerBytes = (view.getUint8(at + 12) >> 4) * 4;
  const reset = (flags & RST) !== 0;
  return {
    from: view.getUint16(at),
    to: view.getUint16(at + 2),
    ttl,
    handshake: (flags & SYN) !== 0,
    reset,
    // RFC 9293 §3.10.7: a reset may carry text, which is not the peer's data.
    data: !reset && bytes.length > at + headerBytes,
  };
}

/** Undefined where this process may open no raw socket: tried, not guessed. */
export function openSegments(kernel: Kernel): Segments | undefined {
  try {
    kernel.open('raw-tcp', 4).close();
  } catch {
    return undefined;
  }
  const hosts = new Map<string, Host>();
  return {
    follow(address, family) {
      const key = canonicalAddress(address);
      let host = hosts.get(key);
      try {
        host ??= new Host(kernel, address, family);
      } catch {
        // No route, or no descriptor left: the connection will tell.
        return undefined;
      }
      hosts.set(key, host);
      host.followers += 1;
      const followed = host;
      let open = true;
      return {
        ttls: (localPort, remotePort) => (open ? followed.ttls(localPort, remotePort) : {}),
        close: () => {
          if (!open) return;
          open = false;
          followed.followers -= 1;
          if (followed.followers > 0) return;
          followed.close();
          hosts.delete(key);
        },
      };
    },
  };
}
