// Everything that was seen beside an outcome and bears on a verdict. A closed union. Types only.
import type { Outcome } from './outcome.js';

/** What looked: the attempt's own socket, the second look, a peer's report. */
export type EvidenceSource = 'attempt' | 'diagnose' | 'peer';

export interface Hop {
  /** Counted from 1. */
  readonly hop: number;
  /** Absent where nothing answered. */
  readonly address?: string;
  readonly rttMs?: number;
}

export type EvidenceBody =
  /** An ICMP or ICMPv6 error about a packet of ours. `ttl` is that of the error packet itself; `hop` the TTL ours left with. */
  | {
      readonly kind: 'icmp';
      readonly from: string;
      readonly type: number;
      readonly code: number;
      readonly ttl?: number;
      readonly hop?: number;
    }
  /** A TCP reset in the target's name. */
  | { readonly kind: 'reset'; readonly ttl?: number; readonly phase: 'connect' | 'data' }
  /** A packet from that address that only a living host, or somebody in its name, sends. */
  | {
      readonly kind: 'alive';
      readonly address: string;
      readonly ttl?: number;
      readonly by: 'handshake' | 'data' | 'reply' | 'refusal' | 'echo' | 'neighbour';
    }
  | { readonly kind: 'path'; readonly hops: readonly Hop[]; readonly reached: boolean }
  /** Another port of the same host. `shut`: one that must not accept; `open`: another flow that passes. */
  | { readonly kind: 'control'; readonly port: number; readonly role: 'shut' | 'open'; readonly outcome: Outcome }
  /** Bytes of ours, and how many the far end's TCP acknowledged (TCP_INFO). */
  | { readonly kind: 'acked'; readonly sent: number; readonly acked: number }
  | {
      readonly kind: 'tls';
      readonly issuer?: string;
      readonly subject?: string;
      readonly pin?: string;
      readonly notBefore?: string;
      /** Signed by the CA that the site names, were it expired or for another name; absent where it names none. */
      readonly bySiteCa?: boolean;
    }
  /** A small and a large packet of one protocol, bytes, and whether each was answered. */
  | {
      readonly kind: 'size';
      readonly small: { readonly bytes: number; readonly answered: boolean };
      readonly large: { readonly bytes: number; readonly answered: boolean };
    }
  /** What the peer at the far end received. */
  | { readonly kind: 'receipt'; readonly arrived: boolean; readonly from?: string; readonly sentBack: boolean };

/** `t`: milliseconds since the check began. */
export type Evidence = EvidenceBody & { readonly t: number; readonly source: EvidenceSource };
export type EvidenceKind = Evidence['kind'];
