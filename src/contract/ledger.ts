// What the sockets of one attempt saw. Filled by net/, read by run/ when a probe throws. Types only.
import type { Evidence } from './evidence.js';
import type { Outcome, UnableReason, WireEvent } from './outcome.js';
import type { Kit } from './probe.js';

export type Refusal = Extract<Outcome, { kind: 'refused' }>;

/** One socket's life. Times are ms since the attempt began. */
export interface SocketRecord {
  /** `ip`: packets without ports, ICMP included. */
  readonly carrier: 'tcp' | 'udp' | 'ip';
  /** `opening` until the handshake is over; a socket without one is open at once. */
  state: 'opening' | 'open' | 'ended' | 'reset' | 'closed';
  readonly openedMs: number;
  connectedMs?: number;
  securedMs?: number;
  /** When the first bytes left, the first came back. */
  askedMs?: number;
  repliedMs?: number;
  /** Requests, for datagrams and packets; bytes written, for streams. */
  sent: number;
  received: number;
  /** Datagrams that came from the target and were not the protocol, and how the first of them looked. */
  strangers: number;
  strangerLook?: string;
  refusal?: Refusal;
  /** The kernel gave up before our deadline: ETIMEDOUT. */
  timedOut?: boolean;
  unable?: { readonly reason: UnableReason; readonly detail: string };
  localAddress?: string;
}

export interface Ledger {
  readonly sockets: readonly SocketRecord[];
  readonly evidence: readonly Evidence[];
  readonly wire: readonly WireEvent[];
  /** What the probe had seen so far, where it said so. */
  readonly seen?: Outcome;
  /** Why the attempt was cut short, if it was. */
  readonly aborted?: 'deadline' | 'interrupted';
}

/** A kit for one attempt, with what surrounds it. */
export interface KitSession {
  readonly kit: Kit;
  readonly ledger: Ledger;
  /** Milliseconds since the attempt began. */
  elapsedMs(): number;
  /** Ends every wait and destroys every socket. */
  abort(reason: 'deadline' | 'interrupted'): void;
  /** Destroys what is left. No handle outlives it. */
  close(): void;
}

/** Time, injected at the edge. */
export interface Clock {
  /** Monotonic, ms, with fractions. */
  monotonicMs(): number;
  /** Since 1970, ms, with fractions. */
  wallMs(): number;
}
