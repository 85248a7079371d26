// Messages between linechecks: which flows to expect, what arrived. They know nothing of what carries them. Types only.
import type { Endpoint } from './probe.js';

export type ControlMessage = { readonly v: 'linecheck/control/v1'; readonly id: string } &
  /** A side introduces itself and its roles, `profile/role`. */
  (
    | { readonly kind: 'hello'; readonly version: string; readonly roles: readonly string[] }
    /** Answer for these flows until told otherwise; each with the probe whose stand-in serves it. */
    | { readonly kind: 'expect'; readonly flows: readonly ExpectedFlow[] }
    /** Which of them this side now answers, and which it cannot. */
    | {
        readonly kind: 'ready';
        readonly flows: readonly { readonly check: string; readonly ok: boolean; readonly reason?: string }[];
      }
    /** Ask these flows from your side and report. */
    | { readonly kind: 'ask'; readonly checks: readonly string[] }
    /** A packet with this attempt's nonce (hex) came in. */
    | {
        readonly kind: 'receipt';
        readonly check: string;
        readonly nonce: string;
        readonly from: Endpoint;
        readonly sentBack: boolean;
      }
    | { readonly kind: 'refuse'; readonly reason: string }
    | { readonly kind: 'bye' }
  );

export interface ExpectedFlow {
  readonly check: string;
  readonly probe: string;
  readonly carrier: 'tcp' | 'udp';
  readonly port: number;
}
