// The progress of a run as a stream; the progress line, `--format ndjson` and live pages share it. Types only.
import type { Attempt } from './outcome.js';
import type { Report, ReportedCheck, Summary, Tool } from './report.js';

/** `t`: milliseconds since the run began. */
export type RunEvent =
  | {
      readonly event: 'started';
      readonly t: number;
      readonly schema: 'linecheck/run-event/v1';
      readonly tool: Tool;
      readonly site?: string;
      readonly startedAt: string;
      /** Checks planned, after names were resolved. */
      readonly checks: number;
      /** Those of them that this machine asks; the others only a peer could. */
      readonly asked: number;
      readonly skipped: number;
    }
  /** One asking is over; several checks may share it. `retrying`: it will be asked again. */
  | {
      readonly event: 'attempt';
      readonly t: number;
      readonly checks: readonly string[];
      readonly attempt: number;
      readonly outcome: Attempt['outcome'];
      readonly timings: Attempt['timings'];
      readonly durationMs: number;
      readonly retrying: boolean;
      readonly wire?: Attempt['wire'];
    }
  | { readonly event: 'diagnosing'; readonly t: number; readonly check: string; readonly look: string }
  /** Final: judged with the whole run in view. */
  | { readonly event: 'check'; readonly t: number; readonly check: ReportedCheck }
  | {
      readonly event: 'finished';
      readonly t: number;
      readonly durationMs: number;
      readonly interrupted?: Report['interrupted'];
      readonly summary: Summary;
    };
