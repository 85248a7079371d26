// The report of one run: the JSON contract for programs, from which every other format is made. Types only.
import type { Evidence } from './evidence.js';
import type { Expect, Place, Problem, Reach, Skipped } from './flow.js';
import type { Facts, Timings } from './outcome.js';
import type { Certainty, Culprit, How, Proof, Result, VerdictWord } from './verdict.js';

/** What this machine can see, and which tier of sight that is: 1 plain Node, 2 koffi, 3 CAP_NET_RAW. */
export type Sight = 'errno' | 'error-queue' | 'ttl' | 'tcp-info' | 'raw';

export interface Tool {
  readonly name: 'linecheck';
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly tier: 1 | 2 | 3;
  readonly can: readonly Sight[];
}

export interface Tally {
  readonly pass: number;
  readonly fail: number;
  readonly unproven: number;
}

export type ExitCode = 0 | 1 | 2 | 3 | 4 | 130 | 143;

/** What monitoring systems call a result: OK, WARNING, CRITICAL, UNKNOWN. */
export type MonitoringState = 'ok' | 'warning' | 'critical' | 'unknown';

export interface ReportedCheck {
  readonly id: string;
  readonly profile: string;
  readonly flow: string;
  readonly title: string;
  readonly required: boolean;
  readonly group?: string;
  readonly expect: Expect;
  readonly reach: Reach;
  readonly from: { readonly role: string; readonly address?: string };
  readonly to: { readonly role: string; readonly host?: string; readonly address?: string; readonly port?: number };
  readonly via?: string;
  /** `tcp`, `udp`, `icmp`, or `ip-47`. */
  readonly carrier: string;
  readonly probe: string;
  readonly verdict: VerdictWord;
  readonly result: Result;
  readonly certain: Certainty;
  readonly proof: readonly Proof[];
  readonly how?: How;
  readonly by?: Culprit;
  readonly after?: { readonly hop: number; readonly address: string };
  readonly direction?: 'forward' | 'return' | 'unknown';
  /** True where it is unproven and the site or the command line accepts that. */
  readonly accepted?: boolean;
  /** True where it fails, would decide, and `--fail-on` does not name its verdict: it does not count for the exit code. */
  readonly uncounted?: boolean;
  readonly warning?: string;
  readonly summary: string;
  readonly advice?: string;
  readonly facts: Facts;
  readonly timings: Timings;
  /** Askings, the second look's included. */
  readonly attempts: number;
  readonly durationMs: number;
  readonly evidence: readonly Evidence[];
  readonly source: readonly string[];
  /** Where the site, or else the profile, asks for it. */
  readonly place?: Place;
}

export interface ReportedSkip {
  readonly profile: string;
  readonly flow: string;
  readonly title: string;
  /** A sentence. */
  readonly reason: string;
  readonly kind: Skipped['reason']['kind'];
}

export interface Summary {
  readonly required: Tally;
  readonly optional: Tally;
  readonly skipped: number;
  /** Unproven required checks that the user accepts; they count as unproven above. */
  readonly accepted: number;
  /** The verdicts whose failures count, where `--fail-on` named some; absent: all. */
  readonly failOn?: readonly VerdictWord[];
  /** With `failOn`: deciding checks that fail and do not count; they count as failing above. */
  readonly uncounted?: number;
  readonly exitCode: ExitCode;
  /** The same result for a monitoring system, whatever convention the exit code follows. Absent in older reports. */
  readonly state?: MonitoringState;
  readonly byVerdict: Readonly<Partial<Record<VerdictWord, number>>>;
}

export interface Report {
  readonly schema: 'linecheck/report/v1';
  readonly tool: Tool;
  readonly site?: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** The run was cut short: by a signal or by `--max-time`. */
  readonly interrupted?: 'SIGINT' | 'SIGTERM' | 'max-time';
  /** About the run as a whole: the source is not the role's address, this machine cannot see something. */
  readonly notices: readonly Problem['what'][];
  readonly summary: Summary;
  readonly checks: readonly ReportedCheck[];
  readonly skipped: readonly ReportedSkip[];
}
