// One line for Nagios and its kin, with performance data, and some long output below it: Monitoring Plugins Development
// Guidelines, "Plugin Output for Nagios" and "Performance data". The state is the judge's; this only words it.
import type { Report, ReportedCheck } from '../contract/report.js';
import { decision, ranked, score, type Ranked, type Standing } from './account.js';
import { epochSeconds, seconds } from './instant.js';
import { clean } from './layout.js';
import { count, endpoint, shortened, verdictWords } from './words.js';

/** "Try to keep the output short - probably less than 80 characters": it has to fit into a pager's message. */
const MOST_CHARACTERS = 79;
/** Nagios Core reads the first 4 KiB of what a plug-in says (its plug-in API document); the end of the line included. */
const MOST_BYTES = 4096;
/** Of one line of the long output. */
const MOST_OF_A_LINE = 400;

export function nagios(report: Report): string {
  const first = `${statusLine(report)} | ${metrics(report).join(' ')}\n`;
  return `${first}${longOutput(report, MOST_BYTES - Buffer.byteLength(first))}`;
}

/** The line of a run that could not begin, with what is wrong. */
export function nagiosUnknown(words: string): string {
  return `${shortened(`LINECHECK UNKNOWN - ${plain(words)}`, MOST_OF_A_LINE)}\n`;
}

/**
 * Words that a monitoring system takes as they are: a pipe begins performance data, a backslash and an `n` are a line's end
 * to Nagios, and what looks like a tag makes web interfaces read HTML.
 */
function plain(words: string): string {
  return clean(words).replace(/[|\\]/g, '/').replaceAll('<', '[').replaceAll('>', ']').trim();
}

function statusLine(report: Report): string {
  const { site, interrupted, summary } = report;
  const [main = '', ...more] = pieces(report);
  let line = `LINECHECK ${(summary.state ?? 'unknown').toUpperCase()} - ${main}`;
  for (const piece of interrupted === undefined ? more : ['cut short', ...more]) {
    if (line.length + piece.length + 2 <= MOST_CHARACTERS) line += `, ${piece}`;
  }
  if (site === undefined) return line;
  const room = MOST_CHARACTERS - line.length - ' ()'.length;
  return room < 8 ? line : `${line} (${shortened(plain(site), room)})`;
}

/** What the first line says, the most important first. */
function pieces({ checks }: Report): string[] {
  const { deciding, noun } = decision(checks);
  const { all, pass, fail, unproven, accepted, uncounted } = score(deciding);
  if (all === 0) return ['nothing was checked'];
  const doubt = unproven - accepted;
  const warned = deciding.filter((check) => check.warning !== undefined).length;
  const of = (some: number, words: string): string => `${some} of ${count(all, noun)} ${words}`;
  const parts = [
    ...(fail > 0 ? [of(fail, 'failing'), ...(uncounted > 0 ? [`${uncounted} not counted`] : [])] : []),
    ...(doubt > 0 ? [fail > 0 ? `${doubt} unproven` : of(doubt, 'unproven')] : []),
  ];
  return [
    ...(parts.length > 0 ? parts : [of(pass, 'passing')]),
    ...(accepted > 0 ? [`${accepted} accepted as unproven`] : []),
    ...(warned > 0 ? [`${warned} with a warning`] : []),
  ];
}

/** `'label'=value[UOM];[warn];[crit];[min];[max]`; the same labels in every run, but for certificates. */
function metrics({ checks, summary, durationMs, startedAt }: Report): string[] {
  const { all, pass, fail, unproven, accepted, uncounted } = score(decision(checks).deciding);
  const slowest = checks.reduce((most, check) => Math.max(most, check.durationMs), 0);
  const began = epochSeconds(startedAt);
  const expiries = checks.flatMap(({ facts }) =>
    typeof facts['notAfter'] === 'string' ? (epochSeconds(facts['notAfter']) ?? []) : [],
  );
  const expiry = expiries.reduce((least, each) => Math.min(least, each), Infinity);
  return [
    `time=${seconds(durationMs)}s;;;0`,
    `slowest=${seconds(slowest)}s;;;0`,
    `pass=${pass};;;0;${all}`,
    `fail=${fail - uncounted};;0;0;${all}`,
    `not_counted=${uncounted};0;;0;${all}`,
    `unproven=${unproven - accepted};0;;0;${all}`,
    `accepted=${accepted};;;0;${all}`,
    `skipped=${summary.skipped};;;0`,
    ...(began === undefined || expiry === Infinity ? [] : [`cert_expiry=${Math.floor(expiry - began)}s`]),
  ];
}

const labels: Readonly<Partial<Record<Standing, string>>> = {
  failing: 'FAIL',
  'left-out': 'FAIL, not counted',
  unproven: 'UNPROVEN',
  warned: 'WARNING',
  accepted: 'UNPROVEN, accepted',
  'also-failing': 'FAIL, not required',
  'also-unproven': 'UNPROVEN, not required',
};

/** Whole lines, as many as fit into so many bytes; the last one counts those that do not. */
function longOutput(report: Report, room: number): string {
  const lines = [
    ...(report.site === undefined ? [] : [`Site ${plain(report.site)}`]),
    ...report.notices.map((notice) => `Note ${plain(notice)}`),
    ...ranked(report).flatMap(flowLine),
  ].map((line) => `${shortened(line, MOST_OF_A_LINE)}\n`);
  let left = room;
  let output = '';
  for (const [at, line] of lines.entries()) {
    const more = `${count(lines.length - at, 'line')} left out\n`;
    const bytes = Buffer.byteLength(line);
    const last = at === lines.length - 1;
    if (bytes + (last ? 0 : Buffer.byteLength(more)) > left) return output + more;
    output += line;
    left -= bytes;
  }
  return output;
}

function flowLine({ standing, check }: Ranked): string[] {
  const label = labels[standing];
  if (label === undefined) return [];
  const next = check.advice === undefined ? '' : ` Next: ${check.advice}`;
  return [
    plain(
      `${label}: ${check.title}, ${verdictWords(check)}, ${between(check)}: ${check.warning ?? check.summary}${next}`,
    ),
  ];
}

function between({ from, to, carrier }: ReportedCheck): string {
  const source = from.address === undefined ? from.role : `${from.role} ${from.address}`;
  return `${source} to ${to.role} ${endpoint(to, carrier)}`;
}
