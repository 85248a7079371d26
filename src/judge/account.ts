// The report of a judged run: every check in plan order, every skipped flow with its reason, and the tallies.
import type { Skipped } from '../contract/flow.js';
import type { Report, ReportedCheck, ReportedSkip, Summary, Tally, Tool } from '../contract/report.js';
import type { Judged, RunRecord, VerdictWord } from '../contract/verdict.js';
import { exitCode, monitoringState, nagiosExitCode, uncounted } from './exit.js';
import { allEvidence } from './liveness.js';
import { carrierKey } from './wording.js';

export interface ReportMeta {
  readonly tool: Tool;
  readonly site?: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly interrupted?: Report['interrupted'];
  readonly notices: readonly string[];
  readonly skipped: readonly Skipped[];
  /** How the exit code is to be computed; `nagios` for `--exit nagios`, `failOn` for `--fail-on`. */
  readonly exit: {
    readonly nagios?: boolean;
    readonly accept?: RunRecord['accept'];
    readonly failOn?: readonly VerdictWord[];
    readonly crashed?: boolean;
  };
}

export function reportOf(run: RunRecord, judged: readonly Judged[], meta: ReportMeta): Report {
  const interrupted = meta.interrupted === undefined ? {} : { interrupted: meta.interrupted };
  const order = new Map(run.checks.map((record, index) => [record, index]));
  const inPlanOrder = judged.toSorted((a, b) => (order.get(a.record) ?? 0) - (order.get(b.record) ?? 0));
  const out = new Set(uncounted(inPlanOrder, meta.exit.failOn));
  return {
    schema: 'linecheck/report/v1',
    tool: meta.tool,
    ...(meta.site === undefined ? {} : { site: meta.site }),
    startedAt: meta.startedAt,
    durationMs: meta.durationMs,
    ...interrupted,
    notices: meta.notices,
    summary: summaryOf(inPlanOrder, meta),
    checks: inPlanOrder.map((each) => reportedCheck(each, out.has(each))),
    skipped: meta.skipped.map(reportedSkip),
  };
}

/** Tallies and exit code, which the last run event carries too. */
export function summaryOf(
  judged: readonly Judged[],
  meta: Pick<ReportMeta, 'interrupted' | 'skipped' | 'exit'>,
): Summary {
  const { nagios, ...rest } = meta.exit;
  const ending = { ...rest, ...(meta.interrupted === undefined ? {} : { interrupted: meta.interrupted }) };
  const { failOn } = ending;
  const byVerdict: Partial<Record<Judged['verdict'], number>> = {};
  for (const { verdict } of judged) byVerdict[verdict] = (byVerdict[verdict] ?? 0) + 1;
  return {
    required: tally(judged.filter(({ required }) => required)),
    optional: tally(judged.filter(({ required }) => !required)),
    skipped: meta.skipped.length,
    accepted: judged.filter(({ required, accepted }) => required && accepted).length,
    ...(failOn === undefined ? {} : { failOn, uncounted: uncounted(judged, failOn).length }),
    exitCode: nagios === true ? nagiosExitCode(judged, ending) : exitCode(judged, ending),
    state: monitoringState(judged, ending),
    byVerdict,
  };
}

function tally(judged: readonly Judged[]): Tally {
  const count = (result: Judged['result']): number => judged.filter((item) => item.result === result).length;
  return { pass: count('pass'), fail: count('fail'), unproven: count('unproven') };
}

/**
 * One check as reports and `check` events carry it. Keys that do not apply are absent.
 * @param leftOut it fails and does not count for the exit code
 */
export function reportedCheck(judged: Judged, leftOut = false): ReportedCheck {
  const { record } = judged;
  const { check, attempts } = record;
  const source = attempts.find(({ localAddress }) => localAddress !== undefined)?.localAddress ?? check.from.address;
  const starts = attempts.map(({ startedMs }) => startedMs);
  const ends = attempts.map(({ startedMs, durationMs }) => startedMs + durationMs);
  // Keys that are always there stand first: see judge.ts.
  return {
    id: check.id,
    profile: check.profile,
    flow: check.flow,
    title: check.title,
    required: judged.required,
    expect: check.expect,
    reach: check.reach,
    from: { role: check.from.role, ...(source === undefined ? {} : { address: source }) },
    to: {
      role: check.to.role,
      ...(check.to.host === undefined ? {} : { host: check.to.host }),
      ...(check.to.address === undefined ? {} : { address: check.to.address }),
      ...(check.to.port === undefined ? {} : { port: check.to.port }),
    },
    carrier: carrierKey(check.carrier),
    probe: check.probe,
    verdict: judged.verdict,
    result: judged.result,
    certain: judged.certain,
    proof: judged.proof,
    summary: judged.summary,
    facts: judged.facts,
    timings: judged.timings,
    attempts: attempts.length,
    durationMs: attempts.length === 0 ? 0 : Math.max(...ends) - Math.min(...starts),
    evidence: allEvidence(record).toSorted((a, b) => a.t - b.t),
    source: check.source,
    ...(check.group === undefined ? {} : { group: check.group }),
    ...(check.via === undefined ? {} : { via: check.via }),
    ...(judged.how === undefined ? {} : { how: judged.how }),
    ...(judged.by === undefined ? {} : { by: judged.by }),
    ...(judged.after === undefined ? {} : { after: judged.after }),
    ...(judged.direction === undefined ? {} : { direction: judged.direction }),
    ...(judged.accepted ? { accepted: true } : {}),
    ...(leftOut ? { uncounted: true } : {}),
    ...(judged.warning === undefined ? {} : { warning: judged.warning }),
    ...(judged.advice === undefined ? {} : { advice: judged.advice }),
    ...(check.place === undefined ? {} : { place: check.place }),
  };
}

export function reportedSkip(skipped: Skipped): ReportedSkip {
  const { profile, flow, title, reason, why } = skipped;
  return { profile, flow, title, reason: why, kind: reason.kind };
}
