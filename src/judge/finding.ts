// What a rule hands on: a verdict with its grounds, not yet a result. The rules are the files beside.
import type { Facts } from '../contract/outcome.js';
import type { Certainty, Culprit, HowWords, Proof, VerdictWord } from '../contract/verdict.js';

/** A verdict with its `how`, which only `open` lacks. */
export type Words = {
  [V in VerdictWord]: [HowWords[V]] extends [never]
    ? { readonly verdict: V }
    : { readonly verdict: V; readonly how: HowWords[V] };
}[VerdictWord];

export interface Hop {
  readonly hop: number;
  readonly address: string;
}

export interface Grounds {
  readonly certain: Certainty;
  readonly proof: readonly Proof[];
  readonly by?: Culprit;
  readonly after?: Hop;
  readonly direction?: 'forward' | 'return' | 'unknown';
  readonly facts?: Facts;
  /** What deserves a look should this come out as a pass. */
  readonly warnings?: readonly string[];
  /** The particulars that only the rule knows, a clause for the sentence: `its issuer is CN=Proxy`. */
  readonly seen?: string;
  /** Advice beyond that of the verdict's word, whole sentences. */
  readonly hint?: string;
}

export type Finding = Words & Grounds;

/** The verdict and its word alone, without the grounds. */
export function wordsOf(finding: Finding): Words {
  switch (finding.verdict) {
    case 'open':
      return { verdict: finding.verdict };
    case 'denied':
      return { verdict: finding.verdict, how: finding.how };
    case 'closed':
      return { verdict: finding.verdict, how: finding.how };
    case 'blocked':
      return { verdict: finding.verdict, how: finding.how };
    case 'unreachable':
      return { verdict: finding.verdict, how: finding.how };
    case 'intercepted':
      return { verdict: finding.verdict, how: finding.how };
    case 'wrong-service':
      return { verdict: finding.verdict, how: finding.how };
    case 'unproven':
      return { verdict: finding.verdict, how: finding.how };
    case 'error':
      return { verdict: finding.verdict, how: finding.how };
  }
}
