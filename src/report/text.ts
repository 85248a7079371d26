// The account in words alone, for a screen reader or a log: one fact a line, no drawing, no colour, the order of the table.
import type { Report, ReportedCheck, Tally } from '../contract/report.js';
import { exitMeaning, leftOut, ranked, resultWords, type Standing } from './account.js';
import { clean } from './layout.js';
import { listed } from './words.js';

const names: readonly (readonly [Standing, string])[] = [
  ['failing', 'Failing flow'],
  ['left-out', 'Failing flow that does not count'],
  ['unproven', 'Unproven flow'],
  ['accepted', 'Unproven flow that is accepted'],
  ['warned', 'Passing flow with a warning'],
  ['also-failing', 'Failing flow that is not required'],
  ['also-unproven', 'Unproven flow that is not required'],
];

/** Lines are not broken: whatever reads them does that better. */
export function text(report: Report): string {
  const checks = ranked(report);
  const of = (wanted: Standing): ReportedCheck[] =>
    checks.filter(({ standing }) => standing === wanted).map(({ check }) => check);
  const blocks = [
    head(report),
    ...names.flatMap(([standing, name]) => numbered(name, of(standing))),
    of('passing').map(passing),
    report.skipped.map((skip) => fact('Skipped flow', `${skip.title}, ${skip.reason}`)),
    tail(report),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function fact(name: string, words: string): string {
  return `${name}: ${clean(words).trim()}`;
}

function head(report: Report): string[] {
  return [
    ...(report.site === undefined ? [] : [fact('Site', report.site)]),
    fact('Result', resultWords(report)),
    fact('Exit code', `${report.summary.exitCode}, ${exitMeaning(report)}`),
  ];
}

function numbered(name: string, checks: readonly ReportedCheck[]): string[][] {
  return checks.map((check, at) => [
    fact(`${name}, ${at + 1} of ${checks.length}`, check.title),
    fact('Verdict', verdict(check)),
    ...(check.group === undefined ? [] : [fact('Alternatives', `one of the group ${check.group} is enough`)]),
    fact('From', end(check.from.role, check.from.address, undefined)),
    fact('To', far(check)),
    ...(check.via === undefined ? [] : [fact('Through', check.via)]),
    fact(check.warning === undefined ? 'Reason' : 'Warning', check.warning ?? check.summary),
    ...(check.uncounted === true ? [fact('Exit code', leftOut(check))] : []),
    ...(check.advice === undefined ? [] : [fact('Next step', check.advice)]),
  ]);
}

function passing(check: ReportedCheck): string {
  const optional = check.required ? '' : ', not required';
  return fact(
    'Passing flow',
    `${check.title}${optional}, to ${far(check)}, ${verdict(check)}, ${spoken(check.durationMs)}`,
  );
}

function verdict({ verdict, how, certain }: ReportedCheck): string {
  return [verdict, ...(how === undefined || how === verdict ? [] : [how]), certain].join(', ');
}

function end(role: string, host: string | undefined, address: string | undefined): string {
  const at = host ?? address;
  const more = address === undefined || address === at ? '' : `, address ${address}`;
  return at === undefined ? role : `${role} at ${at}${more}`;
}

function far({ to, carrier }: ReportedCheck): string {
  return `${end(to.role, to.host, to.address)}, ${way(carrier, to.port)}`;
}

function way(carrier: string, port: number | undefined): string {
  if (carrier.startsWith('ip-')) return `IP protocol ${carrier.slice('ip-'.length)}`;
  const name = carrier.toUpperCase();
  return port === undefined || carrier === 'icmp' ? name : `${name} port ${port}`;
}

/** A screen reader reads "ms" as two letters. */
function spoken(ms: number): string {
  const [number, unit] = ms < 999.5 ? [Math.round(ms), 'millisecond'] : [Number((ms / 1000).toFixed(1)), 'second'];
  return `${number} ${unit}${number === 1 ? '' : 's'}`;
}

function tail({ summary, notices, interrupted, startedAt, durationMs, tool }: Report): string[] {
  const tally = ({ pass, fail, unproven }: Tally): string => `${pass} pass, ${fail} fail, ${unproven} unproven`;
  return [
    fact('Required flows', tally(summary.required)),
    ...(summary.accepted === 0 ? [] : [fact('Accepted of the unproven', String(summary.accepted))]),
    ...(summary.failOn === undefined
      ? []
      : [
          fact('Failures that count', summary.failOn.length === 0 ? 'none' : listed(summary.failOn)),
          fact('Failures that do not count', String(summary.uncounted ?? 0)),
        ]),
    fact('Optional flows', tally(summary.optional)),
    fact('Skipped flows', String(summary.skipped)),
    ...notices.map((notice) => fact('Note', notice)),
    fact('Sight', `tier ${tool.tier} of 3, by ${listed(tool.can)}`),
    fact('Started', startedAt),
    ...(interrupted === undefined ? [] : [fact('Cut short by', interrupted)]),
    fact('Duration', spoken(durationMs)),
  ];
}
