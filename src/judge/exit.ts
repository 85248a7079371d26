// The exit code of a run, computed here and nowhere else. Formats never do.
import type { ExitCode, Report } from '../contract/report.js';
import type { How, Judged, RunRecord } from '../contract/verdict.js';
import { accepts } from './acceptance.js';

export interface Ending {
  /** What is accepted beyond what the judge was told; absent: nothing more. */
  readonly accept?: RunRecord['accept'];
  readonly interrupted?: Report['interrupted'];
  /** linecheck itself crashed. */
  readonly crashed?: boolean;
}

type Weighed = Pick<Judged, 'verdict' | 'how' | 'result' | 'required' | 'accepted' | 'warning'> & {
  readonly record: Pick<Judged['record'], 'check'>;
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
 * 0 every required flow passes; 1 one fails; 2 nothing to check; 3 none fails and one is unproven and not accepted; 4
 * crashed; 130, 143 ended by SIGINT, SIGTERM. A run cut short by `--max-time` is judged by what it has: its unfinished checks
 * are unproven.
 */
export function exitCode(judged: readonly Weighed[], ending: Ending): ExitCode {
  if (ending.crashed === true) return 4;
  if (ending.interrupted === 'SIGINT') return 130;
  if (ending.interrupted === 'SIGTERM') return 143;
  if (judged.length === 0) return 2;
  const checks = deciding(judged);
  if (checks.some(({ result }) => result === 'fail')) return 1;
  return unproven(checks, ending.accept ?? []).length > 0 ? 3 : 0;
}

/** Reasons of this machine's own, for which plug-ins report UNKNOWN; timeouts and names are the network's. */
const OWN_TROUBLE: readonly How[] = ['no-resources', 'bug', 'no-permission', 'port-in-use', 'interrupted'];

/**
 * The same result for Nagios and its kin (Monitoring Plugins guidelines, "Plugin Return Codes"): 2 CRITICAL where a required
 * flow fails, though the run was cut short; 3 UNKNOWN where linecheck crashed, was ended, had nothing to check or could not
 * look; 1 WARNING where a required flow is unproven and not accepted, or passes with a warning; 0 OK. UNKNOWN goes before
 * WARNING, which would claim that all was looked at. What is accepted is OK: somebody said so.
 */
export function nagiosExitCode(judged: readonly Weighed[], ending: Ending): 0 | 1 | 2 | 3 {
  if (ending.crashed === true || judged.length === 0) return 3;
  const checks = deciding(judged);
  if (checks.some(({ result }) => result === 'fail')) return 2;
  if (ending.interrupted === 'SIGINT' || ending.interrupted === 'SIGTERM') return 3;
  const open = unproven(checks, ending.accept ?? []);
  if (open.some(({ how }) => how !== undefined && OWN_TROUBLE.includes(how))) return 3;
  return open.length > 0 || checks.some(({ warning }) => warning !== undefined) ? 1 : 0;
}
