// What outcomes and evidence mean for a flow. Types only; the rules live in judge/.
import type { BoundCheck } from './flow.js';
import type { Evidence } from './evidence.js';
import type { Attempt, Facts, Timings } from './outcome.js';

/** The words of `how`, by verdict. */
export interface HowWords {
  open: never;
  denied: 'secret' | 'credentials' | 'client';
  closed: 'reset' | 'port-unreachable' | 'refused';
  blocked: 'rejected' | 'reset' | 'dropped' | 'payload-dropped' | 'oversize-dropped' | 'local';
  unreachable: 'no-route' | 'no-host' | 'no-address' | 'silent';
  intercepted: 'issuer' | 'ttl' | 'control-port' | 'receipt';
  'wrong-service': 'stranger' | 'silent' | 'closed' | 'reset';
  /** `shallow`: the protocol answered, less deep than the flow's reach asks. `port-in-use`: another program holds the fixed source port. */
  unproven: 'silence' | 'one-way' | 'no-peer' | 'no-host' | 'no-permission' | 'port-in-use' | 'shallow' | 'interrupted';
  error: 'no-resources' | 'resolver' | 'bug';
}

export type VerdictWord = keyof HowWords;
export type Verdict = {
  [V in VerdictWord]: { readonly verdict: V; readonly how?: HowWords[V] };
}[VerdictWord];
export type How = HowWords[VerdictWord];

export type Result = 'pass' | 'fail' | 'unproven';
export type Certainty = 'proven' | 'likely';
/** What the verdict rests on. */
export type Proof =
  | 'service'
  | 'protocol'
  | 'secure'
  | 'port'
  | 'receipt'
  | 'rejection'
  | 'reset'
  | 'errno'
  | 'path'
  | 'control'
  | 'ttl'
  | 'tls'
  | 'acked'
  | 'size'
  | 'resolver'
  | 'neighbours'
  | 'silence';

export interface Culprit {
  readonly address: string;
  readonly icmp?: { readonly type: number; readonly code: number };
}

/** One check with all that was seen of it: what the judge takes. */
export interface CheckRecord {
  readonly check: BoundCheck;
  /** In order; those of the second look stand last. Empty where nothing was asked: inbound, no host, no address. */
  readonly attempts: readonly Attempt[];
  /** Beside what each attempt carries. */
  readonly evidence: readonly Evidence[];
  /** Why there is no address to ask, where the host is a name. */
  readonly resolution?:
    | { readonly ok: true; readonly ms: number }
    | { readonly ok: false; readonly reason: 'no-address' | 'resolver'; readonly detail: string };
  /** The run ended before this check did. */
  readonly interrupted?: boolean;
  /** The second look wanted to ask again and its budget was spent. */
  readonly undiagnosed?: boolean;
}

/** A whole run: host liveness, alternatives and common issuers are seen across checks. */
export interface RunRecord {
  readonly checks: readonly CheckRecord[];
  /** `how` words of `unproven` that the site or the command line accepts; `all` for `--accept-unproven`. */
  readonly accept: readonly string[] | 'all';
}

/** A check judged. `by`, `after` and `direction` are absent where nothing is known. */
export type Judged = Verdict & {
  readonly record: CheckRecord;
  /** After alternatives. */
  readonly required: boolean;
  readonly result: Result;
  readonly certain: Certainty;
  readonly proof: readonly Proof[];
  readonly by?: Culprit;
  readonly after?: { readonly hop: number; readonly address: string };
  readonly direction?: 'forward' | 'return' | 'unknown';
  /** Unproven, and the user said that is well. */
  readonly accepted: boolean;
  /** A pass that deserves a look: `denied` where that passes, an answer only after retries. */
  readonly warning?: string;
  readonly summary: string;
  readonly advice?: string;
  readonly facts: Facts;
  readonly timings: Timings;
};
