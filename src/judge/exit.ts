// The exit code of a run, computed here and nowhere else. Formats never do.
import type { ExitCode, MonitoringState, Report } from '../contract/report.js';
import type { How, Judged, RunRecord, VerdictWord } from '../contract/verdict.js';
import { accepts } from './acceptance.js';

export interface Ending {
  /** What is accepted beyond what the judge was told; absent: nothing more. */
  readonly accept?: RunRecord['accept'];
  /** The verdicts whose failures count; absent: all. */
  readonly failOn?: readonly VerdictWord[];
  readonly interrupted?: Report['interrupted'];
  /** linecheck itself crashed. */
  readonly crashed?: boolean;
}

type Weighed = Pick<Judged, 'verdict' | 'how' | 'result' | 'required' | 'accepted' | 'warning'> & {
  readonly record: { readonly check: Pick<Judged['record']['check'], 'acceptUnproven' | 'expect'> };
};

/**
 * The checks that decide: the required ones, or all where none is required. Else a run of optional flows alone would
 * assert nothing and always pass.
 */
function deciding(judged: readonly Weighed[]): readonly Weighed[] {
  const demanded = judged.filter(({ required }) => required);
  return demanded.length > 0 ? demanded : judged;
}

function unproven(judged: readonly Weighed[], accept: RunRecord['accept']): readonly Weighed[] {
  return judged.filter(
    (item) =>
      item.result === 'unproven' &&
      !item.accepted &&
      !accepts(
        accept,
        { ...(item.how === undefined ? {} : { how: item.how }), result: item.result },
        item.record.check,
      ),
  );
}

/**
 * The deciding checks that fail and do not count, since `failOn` does not name their verdict. A flow that must be blocked
 * and is not always counts: the words name what stops a flow, and somebody who lists them does not mean that one.
 */
export function uncounted<T extends Weighed>(judged: readonly T[], failOn: Ending['failOn']): readonly T[] {
  if (failOn === undefined) return [];
  const checks = new Set<Weighed>(deciding(judged));
  return judged.filter(
    (item) =>
      checks.has(item) &&
      item.result === 'fail' &&
      item.record.check.expect === 'open' &&
      !failOn.includes(item.verdict),
  );
}

interface Weights {
  /** Failures that count. */
  readonly fail: boolean;
  /** Failures that do not. */
  readonly leftOut: boolean;
  readonly pass: boolean;
  readonly warning: boolean;
  /** Not accepted. */
  readonly unproven: readonly Weighed[];
}

function weigh(judged: readonly Weighed[], { accept = [], failOn }: Ending): Weights {
  const checks = deciding(judged);
  const out = new Set(uncounted(judged, failOn));
  return {
    fail: checks.some((item) => item.result === 'fail' && !out.has(item)),
    leftOut: out.size > 0,
    pass: checks.some(({ result }) => result === 'pass'),
    warning: checks.some(({ warning }) => warning !== undefined),
    unproven: unproven(checks, accept),
  };
}

/**
 * 0 every required flow passes, is accepted as unproven or fails without counting; 1 one fails; 2 nothing to check; 3 none
 * fails and one is unproven and not accepted; 4 crashed; 130, 143 ended by SIGINT, SIGTERM. A run cut short by
 * `--max-time` is judged by what it has: its unfinished checks are unproven. Where failures are left out and nothing at all
 * passes it is 3: such a run has seen nothing that works, and `--fail-on` must not make it green.
 */
export function exitCode(judged: readonly Weighed[], ending: Ending): ExitCode {
  if (ending.crashed === true) return 4;
  if (ending.interrupted === 'SIGINT') return 130;
  if (ending.interrupted === 'SIGTERM') return 143;
  if (judged.length === 0) return 2;
  const { fail, leftOut, pass, unproven } = weigh(judged, ending);
  if (fail) return 1;
  return unproven.length > 0 || (leftOut && !pass) ? 3 : 0;
}

/** Reasons of this machine's own, for which plug-ins report UNKNOWN; timeouts and names are the network's. */
const OWN_TROUBLE: readonly How[] = ['no-resources', 'bug', 'no-permission', 'port-in-use', 'interrupted'];

/**
 * The same result as Nagios and its kin name it: CRITICAL where a required flow fails, though the run was cut short; UNKNOWN
 * where linecheck crashed, was ended, had nothing to check or could not look; WARNING where a required flow is unproven and
 * not accepted, fails without counting, or passes with a warning; else OK. UNKNOWN goes before WARNING, which would claim
 * that all was looked at. What is accepted is OK: somebody said so.
 */
export function monitoringState(judged: readonly Weighed[], ending: Ending): MonitoringState {
  if (ending.crashed === true || judged.length === 0) return 'unknown';
  const { fail, leftOut, warning, unproven } = weigh(judged, ending);
  if (fail) return 'critical';
  if (ending.interrupted === 'SIGINT' || ending.interrupted === 'SIGTERM') return 'unknown';
  if (unproven.some(({ how }) => how !== undefined && OWN_TROUBLE.includes(how))) return 'unknown';
  return unproven.length > 0 || leftOut || warning ? 'warning' : 'ok';
}

/** Monitoring Plugins guidelines, "Plugin Return Codes". */
const RETURN_CODES: Readonly<Record<MonitoringState, 0 | 1 | 2 | 3>> = { ok: 0, warning: 1, critical: 2, unknown: 3 };

export function nagiosExitCode(judged: readonly Weighed[], ending: Ending): 0 | 1 | 2 | 3 {
  return RETURN_CODES[monitoringState(judged, ending)];
}
