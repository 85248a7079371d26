// The screen a tech reads: can I leave the site, and if not, what do I ask of whom. Failures stand first.
import type { Report, ReportedCheck, Sight, Summary, Tally } from '../contract/report.js';
import type { How } from '../contract/verdict.js';
import { listing, paragraph, type Entry, type Line, type Part } from './layout.js';
import type { Style, Tone } from './style.js';
import { arrow, count, duration, endpoint, grouped, listed, verdictWords } from './words.js';

/** Columns that the words FAIL, UNPROVEN and WARNING hang in. */
const hang = 10;

export function table(report: Report, style: Style): string {
  const checks = report.checks.map((check) => ({ ...check, title: fullTitle(check, report) }));
  const required = checks.filter((check) => check.required);
  const sections = [
    paragraph({ text: headline(report), tone: headTone(report) }, style),
    ...required.filter((check) => check.result === 'fail').map((check) => failure(check, style)),
    ...unprovenGroups(required).map((group) => unprovenGroup(group, style)),
    ...checks.filter((check) => check.warning !== undefined).map((check) => warning(check, style)),
    notRequired(checks, style),
    passed(checks, style),
    [...account(report.summary, style), ...skippedFlows(report, style)],
    [...report.notices.flatMap((notice) => paragraph(notice, style, { hang, label: 'Note' })), ...sight(report, style)],
    paragraph(ending(report), style),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** The title, and what else must be known to read a verdict: whose flow it is, and that being blocked is what is wanted. */
function fullTitle(check: ReportedCheck, report: Report): string {
  const several = report.checks.some((other) => other.profile !== check.profile);
  const title = check.expect === 'blocked' ? `${check.title} (must be blocked)` : check.title;
  return several ? `${check.profile}: ${title}` : title;
}

function total(tally: Tally): number {
  return tally.pass + tally.fail + tally.unproven;
}

const cut: Readonly<Record<NonNullable<Report['interrupted']>, string>> = {
  SIGINT: 'Interrupted by Ctrl-C',
  SIGTERM: 'Stopped by SIGTERM',
  'max-time': 'Stopped at the time limit',
};

/** The site and the verdict in words: `branch-12: 3 of 12 required flows fail.` */
export function headline(report: Report): string {
  const { summary, interrupted, site } = report;
  const words = interrupted === undefined ? verdict(summary) : `${cut[interrupted]}. ${verdict(summary)}`;
  return site === undefined ? words : `${site}: ${words}`;
}

function verdict({ required, optional, accepted }: Summary): string {
  const all = total(required);
  const extra = total(optional);
  if (all === 0 && extra === 0) return 'Nothing was checked.';
  if (all === 0) {
    return `No required flow was checked; optional: ${outcomes(optional)}.`;
  }
  const doubt = required.unproven - accepted;
  if (required.fail > 0) {
    const fails =
      all === 1 ? 'The one required flow fails' : `${of(required.fail, all)} ${verb(required.fail, 'fail')}`;
    return required.unproven === 0 ? `${fails}.` : `${fails}, ${required.unproven} ${are(required.unproven)} unproven.`;
  }
  if (doubt > 0) {
    if (all === 1) return 'The one required flow is unproven.';
    return `No required flow fails, but ${doubt} of ${all} ${are(doubt)} unproven.`;
  }
  if (required.unproven > 0) {
    if (required.pass === 0)
      return `No required flow passes; ${all === 1 ? 'it is' : 'all are'} unproven and accepted.`;
    const left = `${required.unproven} ${are(required.unproven)} unproven and accepted`;
    return `${of(required.pass, all)} ${verb(required.pass, 'pass')}; ${left}.`;
  }
  return all === 1 ? 'The one required flow passes.' : `All ${all} required flows pass.`;
}

/** `7 pass, 2 fail, 1 unproven`. */
function outcomes({ pass, fail, unproven }: Tally): string {
  return `${pass} pass, ${fail} fail, ${unproven} unproven`;
}

function of(some: number, all: number): string {
  return `${some} of ${count(all, 'required flow')}`;
}

function verb(number: number, word: 'fail' | 'pass'): string {
  return number > 1 ? word : word === 'fail' ? 'fails' : 'passes';
}

function are(number: number): string {
  return number === 1 ? 'is' : 'are';
}

function headTone({ summary, interrupted }: Report): Tone {
  const { required, accepted } = summary;
  if (required.fail > 0) return 'bad';
  return interrupted === undefined && required.unproven === accepted && required.pass > 0 ? 'good' : 'doubt';
}

function strong(text: string): Part {
  return { text, tone: 'strong' };
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
    ...paragraph([strong(check.title), ': ', { text: verdictWords(check), tone: 'bad' }], style, {
      hang,
      label: { text: 'FAIL', tone: 'bad' },
    }),
    ...paragraph(arrow(check), style, { hang }),
    ...paragraph(check.summary, style, { hang }),
    ...members,
    ...next(check.advice, style),
  ];
}

/** Checks that cannot be decided for one reason and want one next step; those that nobody accepted come first. */
function unprovenGroups(checks: readonly ReportedCheck[]): ReportedCheck[][] {
  const doubtful = checks.filter((check) => check.result === 'unproven');
  const all = grouped(doubtful, (check) =>
    JSON.stringify([check.accepted === true, verdictWords(check), check.advice]),
  ).map(([, group]) => group);
  const accepted = (group: readonly ReportedCheck[]): boolean => group[0]?.accepted === true;
  return [...all.filter((group) => !accepted(group)), ...all.filter(accepted)];
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
      ...paragraph([strong(first.title), ': ', words, accepted], style, { hang, label }),
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
    ...paragraph([strong(check.title), ': ', verdictWords(check), check.required ? '' : ', optional'], style, {
      hang,
      label: { text: 'WARNING', tone: 'doubt' },
    }),
    ...paragraph(arrow(check), style, { hang }),
    ...paragraph(check.warning ?? '', style, { hang }),
  ];
}

/** Optional flows, and alternatives to one that is required, which do not pass. */
function notRequired(checks: readonly ReportedCheck[], style: Style): string[] {
  const optional = checks.filter((check) => !check.required);
  const shown = [
    ...optional.filter((check) => check.result === 'fail'),
    ...optional.filter((check) => check.result === 'unproven'),
  ];
  if (shown.length === 0) return [];
  const entries = shown.map((check): Entry => {
    const standing = check.group === undefined ? 'optional' : 'alternative';
    const tail = (each: ReportedCheck): readonly Line[] => [{ text: verdictWords(each), tone: toneOf(each.result) }];
    return {
      ...entry(`${check.title} (${standing})`, [check], far, tail),
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

function account(summary: Summary, style: Style): string[] {
  const { required, optional, skipped, accepted } = summary;
  const taken = accepted === 0 ? '' : ` (${accepted} accepted)`;
  const counted = `${outcomes(required)}${taken}`;
  return paragraph(
    [strong(`${total(required)} required:`), ` ${counted}; ${total(optional)} optional; ${skipped} skipped.`],
    style,
  );
}

function skippedFlows(report: Report, style: Style): string[] {
  return grouped(report.skipped, (skip) => skip.reason).flatMap(([reason, skips]) =>
    paragraph(`${reason.replace(/[.:]+$/, '')}: ${[...new Set(skips.map((skip) => skip.title))].join('; ')}`, style, {
      hang,
      label: 'Skipped',
    }),
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

/** What an exit code says, for a person. */
export function exitMeaning({ required, optional, exitCode, accepted }: Summary): string {
  const none = total(required) === 0;
  switch (exitCode) {
    case 0:
      if (none) return 'no required flow fails, for none was checked';
      return required.unproven > 0 && accepted > 0
        ? 'none fails, and what is unproven is accepted'
        : 'every required flow passes';
    case 1:
      return 'a required flow fails';
    case 2:
      return none && total(optional) > 0 ? 'no required flow was checked' : 'there was nothing to check';
    case 3:
      return 'none fails, but a required flow is unproven';
    case 4:
      return 'linecheck itself failed';
    case 130:
      return 'interrupted by Ctrl-C, this report is partial';
    case 143:
      return 'stopped by SIGTERM, this report is partial';
  }
}

function ending({ durationMs, summary }: Report): Line {
  return `Took ${duration(durationMs)}. Exit code ${summary.exitCode}: ${exitMeaning(summary)}.`;
}

/** A result's colour; its word is always printed beside it. */
export function toneOf(result: ReportedCheck['result']): Tone {
  return result === 'pass' ? 'good' : result === 'fail' ? 'bad' : 'doubt';
}
