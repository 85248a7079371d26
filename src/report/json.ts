// A report and run events as JSON for programs: one order of keys, and nothing in it that a terminal would obey.
import type { Evidence } from '../contract/evidence.js';
import type { Timings } from '../contract/outcome.js';
import type { Report, ReportedCheck, ReportedSkip, Summary, Tally, Tool } from '../contract/report.js';
import type { RunEvent } from '../contract/run-event.js';
import type { VerdictWord } from '../contract/verdict.js';

/** The report, indented by two, with a newline at its end. Keys that do not apply are absent. */
export function json(report: Report): string {
  return [...jsonParts(report)].join('');
}

/** The start of the list at the start of a line: elsewhere in the text it cannot stand. */
const CHECKS = '\n  "checks": [';

/** The same text in parts: that of thousands of checks is larger than all that was seen of them. */
export function* jsonParts(report: Report): Generator<string> {
  const frame = pretty(reportKeys({ ...report, checks: [] }));
  if (report.checks.length === 0) {
    yield frame;
    return;
  }
  const [before = '', after = ''] = frame.split(`${CHECKS}]`);
  yield `${before}${CHECKS}`;
  for (const [index, check] of report.checks.entries()) {
    // Line ends are the text's own: in a value they are escapes.
    const text = escaped(JSON.stringify(checkKeys(check), undefined, 2)).replaceAll('\n', '\n    ');
    yield `${index === 0 ? '' : ','}\n    ${text}`;
  }
  yield `\n  ]${after}`;
}

/** One run event on one line, its newline included. */
export function ndjson(event: RunEvent): string {
  return `${escaped(JSON.stringify(eventKeys(event)))}\n`;
}

/** Any value of ours in the same dress. */
export function pretty(value: unknown): string {
  return `${escaped(JSON.stringify(value, undefined, 2))}\n`;
}

/**
 * JSON.stringify escapes what stands below U+0020; C1 controls (U+009B starts an escape sequence, ECMA-48 §5.3), line
 * separators and format characters that reorder text would reach a terminal. Inside JSON they can only stand in
 * strings, so writing them as escapes changes no value.
 */
function escaped(text: string): string {
  return text.replace(/[\u007f-\u009f\u2028\u2029]|(?!\u00ad)\p{Cf}/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

// A key that is undefined is left out by JSON.stringify, so these lists of keys need no conditions.

function reportKeys(report: Report): object {
  return {
    schema: report.schema,
    tool: toolKeys(report.tool),
    site: report.site,
    startedAt: report.startedAt,
    durationMs: report.durationMs,
    interrupted: report.interrupted,
    notices: report.notices,
    summary: summaryKeys(report.summary),
    checks: report.checks.map(checkKeys),
    skipped: report.skipped.map(skipKeys),
  };
}

function toolKeys(tool: Tool): object {
  return {
    name: tool.name,
    version: tool.version,
    node: tool.node,
    platform: tool.platform,
    tier: tool.tier,
    can: tool.can,
  };
}

function tallyKeys(tally: Tally): object {
  return { pass: tally.pass, fail: tally.fail, unproven: tally.unproven };
}

const verdicts: readonly VerdictWord[] = [
  'open',
  'denied',
  'closed',
  'blocked',
  'unreachable',
  'intercepted',
  'wrong-service',
  'unproven',
  'error',
];

function summaryKeys(summary: Summary): object {
  return {
    required: tallyKeys(summary.required),
    optional: tallyKeys(summary.optional),
    skipped: summary.skipped,
    accepted: summary.accepted,
    failOn: summary.failOn,
    uncounted: summary.uncounted,
    exitCode: summary.exitCode,
    state: summary.state,
    byVerdict: Object.fromEntries(verdicts.map((verdict) => [verdict, summary.byVerdict[verdict]])),
  };
}

function checkKeys(check: ReportedCheck): object {
  return {
    id: check.id,
    profile: check.profile,
    flow: check.flow,
    title: check.title,
    required: check.required,
    group: check.group,
    expect: check.expect,
    reach: check.reach,
    from: { role: check.from.role, address: check.from.address },
    to: { role: check.to.role, host: check.to.host, address: check.to.address, port: check.to.port },
    via: check.via,
    carrier: check.carrier,
    probe: check.probe,
    verdict: check.verdict,
    result: check.result,
    certain: check.certain,
    proof: check.proof,
    how: check.how,
    by:
      check.by === undefined
        ? undefined
        : {
            address: check.by.address,
            icmp: check.by.icmp === undefined ? undefined : { type: check.by.icmp.type, code: check.by.icmp.code },
          },
    after: check.after === undefined ? undefined : { hop: check.after.hop, address: check.after.address },
    direction: check.direction,
    accepted: check.accepted,
    uncounted: check.uncounted,
    warning: check.warning,
    summary: check.summary,
    advice: check.advice,
    facts: check.facts,
    timings: timingKeys(check.timings),
    attempts: check.attempts,
    durationMs: check.durationMs,
    evidence: check.evidence.map(evidenceKeys),
    source: check.source,
    place:
      check.place === undefined
        ? undefined
        : { file: check.place.file, line: check.place.line, column: check.place.column },
  };
}

function timingKeys(timings: Timings): object {
  return {
    resolveMs: timings.resolveMs,
    connectMs: timings.connectMs,
    tlsMs: timings.tlsMs,
    replyMs: timings.replyMs,
  };
}

function evidenceKeys({ t, source, kind, ...rest }: Evidence): object {
  return { t, source, kind, ...rest };
}

function skipKeys(skip: ReportedSkip): object {
  return { profile: skip.profile, flow: skip.flow, title: skip.title, kind: skip.kind, reason: skip.reason };
}

function eventKeys(event: RunEvent): object {
  switch (event.event) {
    case 'started':
      return {
        event: event.event,
        t: event.t,
        schema: event.schema,
        tool: toolKeys(event.tool),
        site: event.site,
        startedAt: event.startedAt,
        checks: event.checks,
        asked: event.asked,
        skipped: event.skipped,
      };
    case 'attempt':
      return {
        event: event.event,
        t: event.t,
        checks: event.checks,
        attempt: event.attempt,
        outcome: event.outcome,
        timings: timingKeys(event.timings),
        durationMs: event.durationMs,
        retrying: event.retrying,
        wire: event.wire,
      };
    case 'diagnosing':
      return { event: event.event, t: event.t, check: event.check, look: event.look };
    case 'check':
      return { event: event.event, t: event.t, check: checkKeys(event.check) };
    case 'finished':
      return {
        event: event.event,
        t: event.t,
        durationMs: event.durationMs,
        interrupted: event.interrupted,
        summary: summaryKeys(event.summary),
      };
  }
}
