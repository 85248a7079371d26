// The account of a run as several formats give it: which checks decide, in which order checks stand, the headline, and what
// the exit code means. From the report alone; the exit code itself is the judge's.
import type { Report, ReportedCheck } from '../contract/report.js';
import { count, grouped, verdictWords } from './words.js';

/** The checks in plan order, each with its title as the page of a whole report must give it. */
export function titled({ checks }: Report): readonly ReportedCheck[] {
  const several = new Set(checks.map((check) => check.profile)).size > 1;
  return checks.map((check) => ({ ...check, title: fullTitle(check, several) }));
}

/** The title, and what else must be known to read a verdict: whose flow it is, and that being blocked is what is wanted. */
function fullTitle(check: ReportedCheck, severalProfiles: boolean): string {
  const title = check.expect === 'blocked' ? `${check.title} (must be blocked)` : check.title;
  return severalProfiles ? `${check.profile}: ${title}` : title;
}

export interface Decision {
  readonly deciding: readonly ReportedCheck[];
  readonly rest: readonly ReportedCheck[];
  readonly noun: 'required flow' | 'optional flow';
}

/** The checks that decide a run: the required ones, or all where none is required, as for the exit code. */
export function decision(checks: readonly ReportedCheck[]): Decision {
  const required = checks.filter((check) => check.required);
  return required.length > 0
    ? { deciding: required, rest: checks.filter((check) => !check.required), noun: 'required flow' }
    : { deciding: checks, rest: [], noun: 'optional flow' };
}

export interface Score {
  readonly all: number;
  readonly pass: number;
  readonly fail: number;
  readonly unproven: number;
  /** Of the unproven. */
  readonly accepted: number;
  /** Of those that fail. */
  readonly uncounted: number;
}

export function score(checks: readonly ReportedCheck[]): Score {
  const of = (result: ReportedCheck['result']): number => checks.filter((check) => check.result === result).length;
  const accepted = checks.filter((check) => check.result === 'unproven' && check.accepted === true).length;
  const uncounted = checks.filter((check) => check.uncounted === true).length;
  return { all: checks.length, pass: of('pass'), fail: of('fail'), unproven: of('unproven'), accepted, uncounted };
}

const cut: Readonly<Record<NonNullable<Report['interrupted']>, string>> = {
  SIGINT: 'Interrupted by Ctrl-C',
  SIGTERM: 'Stopped by SIGTERM',
  'max-time': 'Stopped at the time limit',
};

/** The site and the result in words: `branch-12: 3 of 12 required flows fail.` */
export function headline(report: Report): string {
  return report.site === undefined ? resultWords(report) : `${report.site}: ${resultWords(report)}`;
}

/** The result alone, and what cut the run short. */
export function resultWords({ checks, interrupted }: Report): string {
  return interrupted === undefined ? verdict(checks) : `${cut[interrupted]}. ${verdict(checks)}`;
}

function verdict(checks: readonly ReportedCheck[]): string {
  const { deciding, noun } = decision(checks);
  const { all, pass, fail, unproven, accepted, uncounted } = score(deciding);
  if (all === 0) return 'Nothing was checked.';
  const of = (some: number): string => `${some} of ${count(all, noun)}`;
  const doubt = unproven - accepted;
  if (fail > 0) {
    const leftOut = uncounted === 0 ? '' : uncounted === fail ? ' (not counted)' : ` (${uncounted} not counted)`;
    const fails = `${all === 1 ? `The one ${noun} fails` : `${of(fail)} ${verb(fail, 'fail')}`}${leftOut}`;
    return unproven === 0 ? `${fails}.` : `${fails}, ${unproven} ${are(unproven)} unproven.`;
  }
  if (doubt > 0) {
    return all === 1
      ? `The one ${noun} is unproven.`
      : `No ${noun} fails, but ${doubt} of ${all} ${are(doubt)} unproven.`;
  }
  if (unproven > 0) {
    if (pass === 0) return `No ${noun} passes; ${all === 1 ? 'it is' : 'all are'} unproven and accepted.`;
    return `${of(pass)} ${verb(pass, 'pass')}; ${unproven} ${are(unproven)} unproven and accepted.`;
  }
  return all === 1 ? `The one ${noun} passes.` : `All ${all} ${noun}s pass.`;
}

function verb(number: number, word: 'fail' | 'pass'): string {
  return number > 1 ? word : word === 'fail' ? 'fails' : 'passes';
}

function are(number: number): string {
  return number === 1 ? 'is' : 'are';
}

/** Checks that cannot be decided for one reason and want one next step; those that nobody accepted come first. */
export function unprovenGroups(checks: readonly ReportedCheck[]): ReportedCheck[][] {
  const doubtful = checks.filter((check) => check.result === 'unproven');
  const all = grouped(doubtful, (check) =>
    JSON.stringify([check.accepted === true, verdictWords(check), check.advice]),
  ).map(([, group]) => group);
  const accepted = (group: readonly ReportedCheck[]): boolean => group[0]?.accepted === true;
  return [...all.filter((group) => !accepted(group)), ...all.filter(accepted)];
}

/**
 * Where a check stands in the account: `failing`, `left-out` (it fails and does not count), `unproven`, `accepted` and
 * `warned` decide the run; `also-failing` and `also-unproven` do not; `passing` needs no look.
 */
export type Standing =
  'failing' | 'left-out' | 'unproven' | 'accepted' | 'warned' | 'also-failing' | 'also-unproven' | 'passing';

export interface Ranked {
  readonly standing: Standing;
  /** With the title as the page of a whole report must give it. */
  readonly check: ReportedCheck;
  /** Its place in plan order, from 0. */
  readonly at: number;
}

/** Every check once, what must be acted on first. */
export function ranked(report: Report): readonly Ranked[] {
  const checks = titled(report);
  const { deciding, rest } = decision(checks);
  const failing = deciding.filter((check) => check.result === 'fail');
  const places = new Map(checks.map((check, at) => [check, at]));
  const all = (standing: Standing, some: readonly ReportedCheck[]): Ranked[] =>
    some.map((check) => ({ standing, check, at: places.get(check) ?? 0 }));
  const passing = checks.filter((check) => check.result === 'pass');
  const undecided = unprovenGroups(deciding).flat();
  return [
    ...all(
      'failing',
      failing.filter((check) => check.uncounted !== true),
    ),
    ...all(
      'left-out',
      failing.filter((check) => check.uncounted === true),
    ),
    ...all(
      'unproven',
      undecided.filter((check) => check.accepted !== true),
    ),
    ...all(
      'accepted',
      undecided.filter((check) => check.accepted === true),
    ),
    ...all(
      'warned',
      passing.filter((check) => check.warning !== undefined),
    ),
    ...all(
      'also-failing',
      rest.filter((check) => check.result === 'fail'),
    ),
    ...all(
      'also-unproven',
      rest.filter((check) => check.result === 'unproven'),
    ),
    ...all(
      'passing',
      passing.filter((check) => check.warning === undefined),
    ),
  ];
}

/** Why a failing check does not count, as a sentence. */
export function leftOut(check: ReportedCheck): string {
  return `It does not count for the exit code: --fail-on does not name ${check.verdict}.`;
}

/**
 * Why a run ended with its exit code, for a person. From what was seen and not from the number: other conventions
 * (`--exit nagios`) say the same with other numbers.
 */
export function exitMeaning({ checks, interrupted, summary }: Report): string {
  if (summary.exitCode === 4) return 'linecheck itself failed';
  if (interrupted === 'SIGINT') return 'interrupted by Ctrl-C, this report is partial';
  if (interrupted === 'SIGTERM') return 'stopped by SIGTERM, this report is partial';
  const { deciding, noun } = decision(checks);
  const { all, pass, fail, unproven, accepted, uncounted } = score(deciding);
  const one = `${noun === 'required flow' ? 'a' : 'an'} ${noun}`;
  if (all === 0) return 'there was nothing to check';
  if (fail > uncounted) return `${one} fails`;
  if (unproven > accepted) return `none ${uncounted > 0 ? 'that counts ' : ''}fails, but ${one} is unproven`;
  if (uncounted > 0) {
    if (pass === 0) return `no ${noun} passes, and --fail-on leaves out what fails`;
    return `none that counts fails; --fail-on leaves out ${count(uncounted, `${noun} that fails`, `${noun}s that fail`)}`;
  }
  if (unproven > 0) return 'none fails, and what is unproven is accepted';
  const warned = deciding.some((check) => check.warning !== undefined) ? ', with warnings' : '';
  return `every ${noun} passes${warned}`;
}
