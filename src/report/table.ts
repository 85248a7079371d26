// The screen a tech reads: can I leave the site, and if not, what do I ask of whom. Failures stand first.
import type { Report, ReportedCheck, Sight, Summary, Tally } from '../contract/report.js';
import type { How } from '../contract/verdict.js';
import { decision, exitMeaning, headline, leftOut, score, titled, unprovenGroups } from './account.js';
import { listing, paragraph, type Entry, type Line, type Part } from './layout.js';
import { skippedLines } from './skips.js';
import type { Style, Tone } from './style.js';
import { arrow, count, duration, endpoint, grouped, listed, verdictWords } from './words.js';

/** Columns that the words FAIL, UNPROVEN and WARNING hang in. */
const hang = 10;

export function table(report: Report, style: Style): string {
  const checks = titled(report);
  const { deciding, rest } = decision(checks);
  const sections = [
    paragraph({ text: headline(report), tone: headTone(report) }, style),
    ...failing(deciding).map((check) => failure(check, style)),
    ...unprovenGroups(deciding).map((group) => unprovenGroup(group, style)),
    ...checks.filter((check) => check.warning !== undefined).map((check) => warning(check, style)),
    notRequired(rest, style),
    passed(checks, style),
    [...account(report.summary, style), ...skippedLines(report.skipped, style)],
    [...report.notices.flatMap((notice) => paragraph(notice, style, { hang, label: 'Note' })), ...sight(report, style)],
    paragraph(ending(report), style),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function headTone({ checks, interrupted }: Report): Tone {
  const { pass, fail, unproven, accepted } = score(decision(checks).deciding);
  if (fail > 0) return 'bad';
  return interrupted === undefined && unproven === accepted && pass > 0 ? 'good' : 'doubt';
}

/** Those that count first. */
function failing(deciding: readonly ReportedCheck[]): readonly ReportedCheck[] {
  const all = deciding.filter((check) => check.result === 'fail');
  return [...all.filter((check) => check.uncounted !== true), ...all.filter((check) => check.uncounted === true)];
}

function strong(text: string): Part {
  return { text, tone: 'strong' };
}

/** The title of a block; whether the flow is required is part of it. */
function standing(check: ReportedCheck): readonly Part[] {
  return check.required ? [strong(check.title)] : [strong(check.title), ' (optional)'];
}

function next(advice: string | undefined, style: Style): string[] {
  return advice === undefined ? [] : paragraph([strong('Next:'), ' ', advice], style, { hang });
}

function failure(check: ReportedCheck, style: Style): string[] {
  const members =
    check.group === undefined
      ? []
      : paragraph(`One of the group ${check.group} is enough; none passes.`, style, { hang });
  return [
    ...paragraph([...standing(check), ': ', { text: verdictWords(check), tone: 'bad' }], style, {
      hang,
      label: { text: 'FAIL', tone: 'bad' },
    }),
    ...paragraph(arrow(check), style, { hang }),
    ...paragraph(check.summary, style, { hang }),
    ...members,
    ...(check.uncounted === true ? paragraph(leftOut(check), style, { hang }) : []),
    ...next(check.advice, style),
  ];
}

/** What several checks share when their own sentences differ. */
const reasons: Readonly<Partial<Record<How, string>>> = {
  silence: 'Nothing answered, and a healthy server of this protocol may be silent to a stranger.',
  'one-way': 'They were sent and nothing refused them; this protocol has no answer that could prove arrival.',
  'no-peer': 'The far end would ask; only a peer there can prove them.',
  'no-host': 'The site names no host for the role at the far end.',
  'no-permission': 'This machine may not send what these flows need.',
  'port-in-use': 'Another program on this machine holds the source port that these flows need.',
  shallow: 'Something answered, but less deep than these flows ask.',
  interrupted: 'The run ended before they were decided.',
  'no-resources': 'This machine ran out of resources before it could look.',
  resolver: 'The names could not be looked up from here.',
  bug: 'linecheck itself failed here.',
};

function unprovenGroup(group: readonly ReportedCheck[], style: Style): string[] {
  const [first, ...others] = group;
  if (first === undefined) return [];
  const words: Part = { text: doubtWords(first), tone: 'doubt' };
  const accepted = first.accepted === true ? ', accepted' : '';
  const label: Part = { text: 'UNPROVEN', tone: 'doubt' };
  if (others.length === 0) {
    return [
      ...paragraph([...standing(first), ': ', words, accepted], style, { hang, label }),
      ...paragraph(arrow(first), style, { hang }),
      ...paragraph(first.summary, style, { hang }),
      ...next(first.advice, style),
    ];
  }
  const alike = others.every((check) => check.summary === first.summary);
  const shared = alike ? first.summary : first.how === undefined ? undefined : reasons[first.how];
  const entries =
    shared === undefined
      ? group.map((check): Entry => ({ ...entry(check.title, [check], arrow), below: [check.summary] }))
      : grouped(group, titleOf).map(([title, checks]) => entry(title, checks, arrow));
  return [
    ...paragraph([strong(count(group.length, 'flow')), ': ', words, accepted], style, { hang, label }),
    ...listing(entries, style, { indent: hang }),
    ...(shared === undefined ? [] : paragraph(shared, style, { hang })),
    ...next(first.advice, style),
  ];
}

/** The label says `unproven` already; an error of ours keeps its word. */
function doubtWords(check: ReportedCheck): string {
  if (check.verdict !== 'unproven' || check.how === undefined) return verdictWords(check);
  return check.certain === 'likely' ? `${check.how}, likely` : check.how;
}

function entry(
  title: Line,
  checks: readonly ReportedCheck[],
  what: (check: ReportedCheck) => Line,
  tail: (check: ReportedCheck) => readonly Line[] = () => [],
): Entry {
  return { title, items: checks.map((check) => ({ what: what(check), tail: tail(check) })) };
}

function titleOf(check: ReportedCheck): string {
  return check.title;
}

function far(check: ReportedCheck): string {
  return endpoint(check.to, check.carrier);
}

function warning(check: ReportedCheck, style: Style): string[] {
  return [
    ...paragraph([...standing(check), ': ', verdictWords(check)], style, {
      hang,
      label: { text: 'WARNING', tone: 'doubt' },
    }),
    ...paragraph(arrow(check), style, { hang }),
    ...paragraph(check.warning ?? '', style, { hang }),
  ];
}

/** Optional flows, and alternatives to one that is required, which do not pass. */
function notRequired(checks: readonly ReportedCheck[], style: Style): string[] {
  const shown = [
    ...checks.filter((check) => check.result === 'fail'),
    ...checks.filter((check) => check.result === 'unproven'),
  ];
  if (shown.length === 0) return [];
  const entries = shown.map((check): Entry => {
    const word = check.group === undefined ? 'optional' : 'alternative';
    const tail = (each: ReportedCheck): readonly Line[] => [{ text: verdictWords(each), tone: toneOf(each.result) }];
    return {
      ...entry(`${check.title} (${word})`, [check], far, tail),
      below: [check.summary],
    };
  });
  return [...paragraph(strong('Not required, not passing'), style), ...listing(entries, style, { indent: 2 })];
}

function passed(checks: readonly ReportedCheck[], style: Style): string[] {
  const shown = checks.filter((check) => check.result === 'pass');
  if (shown.length === 0) return [];
  const tail = (check: ReportedCheck): readonly Line[] => [
    { text: verdictWords(check), tone: 'good' },
    { text: duration(check.durationMs), tone: 'faint' },
  ];
  const named = shown.map((check) => (check.required ? check : { ...check, title: `${check.title} (optional)` }));
  const entries = grouped(named, titleOf).map(([title, same]) => entry(title, same, far, tail));
  return [...paragraph(strong('Passed'), style), ...listing(entries, style, { indent: 2, right: [1] })];
}

function total({ pass, fail, unproven }: Tally): number {
  return pass + fail + unproven;
}

function account({ required, optional, skipped, accepted, uncounted = 0 }: Summary, style: Style): string[] {
  const taken = accepted === 0 ? '' : ` (${accepted} accepted)`;
  const out = uncounted === 0 || total(required) === 0 ? '' : ` (${uncounted} not counted)`;
  const counted = `${required.pass} pass, ${required.fail} fail${out}, ${required.unproven} unproven${taken}`;
  return paragraph(
    [strong(`${total(required)} required:`), ` ${counted}; ${total(optional)} optional; ${skipped} skipped.`],
    style,
  );
}

const sights: Readonly<Record<Sight, string>> = {
  errno: 'error codes',
  'error-queue': 'ICMP senders',
  ttl: 'TTLs',
  'tcp-info': 'TCP acks',
  raw: 'raw IP',
};
const everySight: readonly Sight[] = ['errno', 'error-queue', 'ttl', 'tcp-info', 'raw'];

function sight({ tool }: Report, style: Style): string[] {
  const missing = everySight.filter((each) => !tool.can.includes(each)).map((each) => sights[each]);
  if (missing.length === 0) return [];
  return paragraph(`tier ${tool.tier} of 3, without ${listed(missing)}.`, style, { hang, label: 'Sight' });
}

function ending(report: Report): Line {
  return `Took ${duration(report.durationMs)}. Exit code ${report.summary.exitCode}: ${exitMeaning(report)}.`;
}

/** A result's colour; its word is always printed beside it. */
export function toneOf(result: ReportedCheck['result']): Tone {
  return result === 'pass' ? 'good' : result === 'fail' ? 'bad' : 'doubt';
}
