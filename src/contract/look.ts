// What a second look may ask of the network beside a probe's own question. Handed to diagnose; made in net/. Types only.
import type { Hop } from './evidence.js';
import type { Family } from './flow.js';
import type { RefusalSignal } from './outcome.js';

/** The flow whose path is searched: its packets go to this address and port, and differ from the flow's in their TTL only. */
export interface PathQuestion {
  /** Canonical; with a zone for link-local. */
  readonly address: string;
  readonly family: Family;
  readonly carrier: 'tcp' | 'udp';
  readonly port: number;
  /** UDP: what each packet holds, the flow's own first datagram at best. Default: nothing, an empty datagram. */
  readonly payload?: Uint8Array;
}

export interface PathOptions {
  /** Milliseconds after which no packet is sent and none awaited. */
  readonly budgetMs: number;
  /** The largest TTL that is tried; default 30. */
  readonly maxHops?: number;
  /** Ends the search early, with what was seen so far. */
  readonly signal?: AbortSignal;
}

/** Something that ended the flow, or the target itself that took it. */
export type PathEnd =
  /** The target, or somebody in its name. A `reset` or `port-unreachable`: nothing listens there. */
  | {
      readonly kind: 'reached';
      readonly by: 'handshake' | 'reset' | 'reply' | 'port-unreachable';
      /** Of the packet that says so, where the system shows it. */
      readonly ttl?: number;
    }
  /** An ICMP error that is no time exceeded; `ttl` is that of the error itself, `hop` where its sender stands. */
  | {
      readonly kind: 'rejected';
      readonly from: string;
      readonly type: number;
      readonly code: number;
      readonly signal: RefusalSignal;
      readonly ttl?: number;
      readonly hop?: number;
    }
  /** This machine let nothing leave. */
  | { readonly kind: 'local'; readonly signal: RefusalSignal }
  /** Nobody said anything to the packets that went farthest. */
  | { readonly kind: 'silent' };

export interface FoundPath {
  /** One for each TTL tried, up to the end; without an address where nobody answered. */
  readonly hops: readonly Hop[];
  readonly reached: boolean;
  readonly end: PathEnd;
  /** The last router that answered. */
  readonly last?: { readonly hop: number; readonly address: string; readonly rttMs?: number };
  /** The budget or the signal ended the search before it came to its own end. */
  readonly cut: boolean;
  /** Packets of ours; connection attempts, for TCP. */
  readonly sent: number;
}

/**
 * Searches the path of one flow. Never rejects. Undefined where this machine cannot: not Linux, no koffi.
 * The packets are the flow's own and no more than needed; a connection that is made is closed at once, without a byte.
 */
export type FindPath = (question: PathQuestion, options: PathOptions) => Promise<FoundPath | undefined>;
