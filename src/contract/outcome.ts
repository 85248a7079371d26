// What one asking saw: never good or bad. Types only.
import type { Evidence } from './evidence.js';
import type { Depth } from './probe.js';

export type Fact = string | number | boolean | readonly string[];
export type Facts = Readonly<Record<string, Fact>>;

/**
 * Who said no to a packet of ours, as far as this machine's kernel tells.
 * `refused`: ECONNREFUSED, a reset or an ICMP port-unreachable, of the target or in its name.
 * `reset`, `port-unreachable`: the same, where the packet itself was seen.
 * `host-unreachable`, `net-unreachable`, `protocol-unreachable`, `prohibited`: an ICMP error from the network.
 * `no-neighbour`: this machine or a router got no answer from the host on the last link (EHOSTUNREACH after about 3 s).
 * `no-route`: this machine's own routing table. `local-firewall`: this machine's own packet filter or prohibit route.
 */
export type RefusalSignal =
  | 'refused'
  | 'reset'
  | 'port-unreachable'
  | 'host-unreachable'
  | 'net-unreachable'
  | 'protocol-unreachable'
  | 'prohibited'
  | 'no-neighbour'
  | 'no-route'
  | 'local-firewall';

/** Why this machine could not look. It proves nothing about the network. */
export type UnableReason =
  'no-resources' | 'no-permission' | 'address-in-use' | 'no-source' | 'no-family' | 'resolver' | 'interrupted' | 'bug';

export type Outcome =
  | { readonly kind: 'answered'; readonly depth: Depth; readonly facts: Facts }
  | {
      readonly kind: 'turned-away';
      /** What we presented. */
      readonly presented: 'secret' | 'credentials' | 'client';
      /** Who refused it, and with which word: `Access-Reject`. */
      readonly by: string;
      readonly facts: Facts;
    }
  | {
      readonly kind: 'stranger';
      /** What came instead of the protocol, after the connection was accepted or from the target's address. */
      readonly came: 'other-protocol' | 'silence' | 'close' | 'reset';
      /** For a person: `an SSH identification`, `TLS alert handshake_failure`. */
      readonly detail: string;
      readonly facts: Facts;
    }
  | {
      readonly kind: 'refused';
      readonly signal: RefusalSignal;
      /** Milliseconds from our packet to the refusal. */
      readonly afterMs: number;
      readonly by?: string;
      readonly ttl?: number;
      /** Its words, where it was a proxy and no packet that refused: `HTTP status 403 to CONNECT`. */
      readonly said?: string;
    }
  /** `sent` counts packets of ours where we know it (all but TCP); for TCP it is 1, the kernel repeats it. */
  | { readonly kind: 'silent'; readonly sent: number; readonly waitedMs: number }
  /** One-way: it left this machine and nothing refused it for `waitedMs`. `facts`: by what to find it at the far end. */
  | { readonly kind: 'sent'; readonly sent: number; readonly waitedMs: number; readonly facts?: Facts }
  | { readonly kind: 'unable'; readonly reason: UnableReason; readonly detail: string };

export type OutcomeKind = Outcome['kind'];

/** Milliseconds, absent where that step did not happen. */
export interface Timings {
  readonly resolveMs?: number;
  readonly connectMs?: number;
  readonly tlsMs?: number;
  readonly replyMs?: number;
}

/** Something on the wire or a remark, for `--verbose`. `t` in ms since the attempt began. */
export type WireEvent =
  | {
      readonly t: number;
      readonly kind: 'connecting' | 'connected' | 'secured' | 'ended' | 'reset' | 'refused';
      readonly text: string;
    }
  /** `hex` and `text` are absent for what was sent as secret. */
  | {
      readonly t: number;
      readonly kind: 'sent' | 'received';
      readonly bytes: number;
      readonly hex?: string;
      readonly text?: string;
    }
  | { readonly t: number; readonly kind: 'note'; readonly text: string };

export interface Attempt {
  readonly outcome: Outcome;
  /** What the attempt's own sockets saw beside the outcome. */
  readonly evidence: readonly Evidence[];
  readonly timings: Timings;
  /** Milliseconds since the run began. */
  readonly startedMs: number;
  readonly durationMs: number;
  /** Requests sent in this attempt, where the carrier is not TCP. */
  readonly sent?: number;
  /** The address the question left from, where known. */
  readonly localAddress?: string;
  readonly wire?: readonly WireEvent[];
}
