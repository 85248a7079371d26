// JUnit XML, as Jenkins, GitLab and their kin read it: one test case for each check and each skipped flow. What only
// informs is never a failure there, and what decides is never a success that was not seen.
import type { Fact } from '../contract/outcome.js';
import type { Report, ReportedCheck, ReportedSkip } from '../contract/report.js';
import { decision, exitMeaning, leftOut, ranked, resultWords, score, type Standing } from './account.js';
import { seconds } from './instant.js';
import { clean } from './layout.js';
import { arrow, grouped, shortened, verdictWords } from './words.js';

/** GitLab drops a report of more than 30 MB; shared between the cases, evidence takes the smaller part of that. */
const MOST_EVIDENCE_BYTES = 16_000_000;
const MOST_EVIDENCE_OF_A_CASE = 8000;
const MOST_OF_A_SENTENCE = 600;
const MOST_OF_A_NAME = 200;

type Kind = 'failure' | 'error' | 'skipped';

interface Case {
  readonly classname: string;
  readonly name: string;
  readonly ms: number;
  readonly kind?: Kind;
  /** One word, for `failure` and `error`. */
  readonly type?: string;
  readonly message?: string;
  /** Lines, made only as far as there is room for them. */
  readonly output?: Iterable<string>;
}

interface Suite {
  readonly name: string;
  readonly cases: readonly Case[];
}

/**
 * `failure`: it fails and counts. `error`: nobody could tell. `skipped`: it does not decide, or somebody said that it is
 * well; CI systems show these and stay green, as the exit code does.
 */
const kinds: Readonly<Record<Standing, Kind | undefined>> = {
  failing: 'failure',
  'left-out': 'skipped',
  unproven: 'error',
  accepted: 'skipped',
  warned: undefined,
  'also-failing': 'skipped',
  'also-unproven': 'skipped',
  passing: undefined,
};

export function junit(report: Report): string {
  const suites = suitesOf(report);
  const cases = suites.flatMap((suite) => suite.cases);
  const room = Math.min(MOST_EVIDENCE_OF_A_CASE, Math.floor(MOST_EVIDENCE_BYTES / Math.max(1, cases.length)));
  const label = report.site === undefined ? 'linecheck' : `linecheck ${report.site}`;
  const { tests, failures, errors } = countsOf(cases);
  const head = attributes({ name: label, tests, failures, errors, time: seconds(report.durationMs) });
  const body = suites.map((suite) => suiteLines(suite, report, room)).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${head}>\n${body}</testsuites>\n`;
}

function suitesOf(report: Report): readonly Suite[] {
  const taken = new Map<string, number>();
  const unique = (given: Case): Case => {
    const key = JSON.stringify([given.classname, given.name]);
    const before = taken.get(key) ?? 0;
    taken.set(key, before + 1);
    return before === 0 ? given : { ...given, name: `${given.name} (${before + 1})` };
  };
  const standings = new Map(ranked(report).map(({ standing, at }) => [at, standing]));
  const entries = [
    ...report.checks.map((check, at) => ({
      profile: check.profile,
      entry: caseOf(report, check, standings.get(at) ?? 'unproven'),
    })),
    ...report.skipped.map((skip) => ({ profile: skip.profile, entry: skippedCase(report, skip) })),
  ];
  const whole = wholeRun(report);
  return [
    ...(whole === undefined ? [] : [{ name: 'linecheck', cases: [unique(whole)] }]),
    ...grouped(entries, ({ profile }) => profile).map(([name, members]) => ({
      name,
      cases: members.map(({ entry }) => unique(entry)),
    })),
  ];
}

/** `branch-12.product.flow`: what CI systems compare from run to run, and Jenkins shows as package and class. */
function classnameOf({ site }: Report, profile: string, flow: string): string {
  const parts = site === undefined ? [profile, flow] : [site, profile, flow];
  return parts.map((part) => shortened(clean(part).trim(), MOST_OF_A_NAME)).join('.');
}

function caseOf(report: Report, check: ReportedCheck, standing: Standing): Case {
  const kind = kinds[standing];
  const own = check.id.startsWith(`${check.profile}/`) ? check.id.slice(check.profile.length + 1) : check.id;
  return {
    classname: classnameOf(report, check.profile, check.flow),
    name: `${shortened(clean(check.title).trim(), MOST_OF_A_NAME)} (${clean(own)})`,
    ms: check.durationMs,
    ...(kind === undefined ? {} : { kind, type: check.verdict, message: message(check, standing) }),
    output: outputOf(check),
  };
}

function message(check: ReportedCheck, standing: Standing): string {
  const standingWords =
    standing === 'accepted'
      ? ' It is accepted as unproven.'
      : standing === 'left-out'
        ? ` ${leftOut(check)}`
        : standing.startsWith('also-')
          ? ' It is not required.'
          : '';
  return `${verdictWords(check)}: ${shortened(check.summary, MOST_OF_A_SENTENCE)}${standingWords}`;
}

/** For a person first, then what it rests on. */
function* outputOf(check: ReportedCheck): Generator<string> {
  const line = (name: string, words: string): string => `${name}: ${shortened(words, MOST_OF_A_SENTENCE)}`;
  yield line('flow', arrow(check));
  yield line('verdict', [check.verdict, ...(check.how === undefined ? [] : [check.how]), check.certain].join(', '));
  if (check.proof.length > 0) yield line('proof', check.proof.join(', '));
  yield line('summary', check.summary);
  if (check.warning !== undefined) yield line('warning', check.warning);
  if (check.advice !== undefined) yield line('next', check.advice);
  yield line('attempts', String(check.attempts));
  yield line('source', check.source.join('; '));
  for (const [name, value] of Object.entries(check.facts)) yield line(`fact ${name}`, factWords(value));
  for (const each of check.evidence) yield line('evidence', JSON.stringify(each));
}

function factWords(fact: Fact): string {
  return typeof fact === 'object' ? fact.join(', ') : String(fact);
}

function skippedCase(report: Report, skip: ReportedSkip): Case {
  return {
    classname: classnameOf(report, skip.profile, skip.flow),
    name: `${shortened(clean(skip.title).trim(), MOST_OF_A_NAME)} (${skip.kind})`,
    ms: 0,
    kind: 'skipped',
    message: `No check: ${shortened(skip.reason, MOST_OF_A_SENTENCE)}`,
  };
}

/** A run that was ended, checked nothing or of which nothing that counts passes is no success whatever its cases say. */
function wholeRun(report: Report): Case | undefined {
  const { all, pass, fail, uncounted } = score(decision(report.checks).deciding);
  const nothingPasses = uncounted > 0 && uncounted === fail && pass === 0;
  // What `--max-time` left unfinished is an error of its own.
  const ended = report.interrupted === 'max-time' ? undefined : report.interrupted;
  if (ended === undefined && all > 0 && !nothingPasses) return undefined;
  return {
    classname: classnameOf(report, 'linecheck', 'run'),
    name: 'the run as a whole',
    ms: report.durationMs,
    kind: 'error',
    type: ended ?? (all === 0 ? 'nothing-checked' : 'nothing-passes'),
    message: `${resultWords(report)} Exit code ${report.summary.exitCode}: ${exitMeaning(report)}.`,
  };
}

type Counts = Readonly<Record<'tests' | 'failures' | 'errors' | 'skipped', number>>;

function countsOf(cases: readonly Case[]): Counts {
  const of = (kind: Kind): number => cases.filter((each) => each.kind === kind).length;
  return { tests: cases.length, failures: of('failure'), errors: of('error'), skipped: of('skipped') };
}

function suiteLines({ name, cases }: Suite, report: Report, room: number): string {
  const ms = cases.reduce((sum, each) => sum + each.ms, 0);
  const head = attributes({
    name,
    ...countsOf(cases),
    time: seconds(ms),
    // The schema of Ant knows no time zone, and every reader takes it for UTC or shows it as it is.
    timestamp: report.startedAt.replace(/(\.\d+)?Z$/, ''),
  });
  const given = { site: report.site, tool: `linecheck ${report.tool.version}`, tier: String(report.tool.tier) };
  const properties = Object.entries(given).flatMap(([key, value]) =>
    value === undefined ? [] : [`<property${attributes({ name: key, value })}/>`],
  );
  const lines = cases.map((each) => caseLine(each, room));
  return `<testsuite${head}>\n<properties>${properties.join('')}</properties>\n${lines.join('')}</testsuite>\n`;
}

function caseLine({ classname, name, ms, kind, type, message = '', output = [] }: Case, room: number): string {
  const head = attributes({ classname, name, time: seconds(ms) });
  // `skipped` has no attributes in the older schemas; its text is read everywhere.
  const about = kind === undefined || kind === 'skipped' ? '' : attributes({ type, message });
  const result = kind === undefined ? '' : `<${kind}${about}>${xml(message)}</${kind}>`;
  const out = bounded(output, room);
  const evidence = out === '' ? '' : `<system-out>${out}</system-out>`;
  if (result === '' && evidence === '') return `<testcase${head}/>\n`;
  return `<testcase${head}>${result}${evidence}</testcase>\n`;
}

/** Escaped lines, as many as fit into so many bytes. */
function bounded(lines: Iterable<string>, room: number): string {
  const more = '(more in the JSON report)';
  let left = room - more.length - 1;
  const kept: string[] = [];
  for (const line of lines) {
    const escaped = xml(line);
    left -= Buffer.byteLength(escaped) + 1;
    if (left < 0) return [...kept, more].join('\n');
    kept.push(escaped);
  }
  return kept.join('\n');
}

function attributes(given: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(given)
    .flatMap(([name, value]) => (value === undefined ? [] : [` ${name}="${quoted(String(value))}"`]))
    .join('');
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * XML 1.0 §2.2 has no place for control characters, lone surrogates, U+FFFE and U+FFFF, not even as references; what a
 * terminal would obey goes with them.
 */
function xml(words: string): string {
  return clean(words).replace(/[&<>]/g, entity);
}

/** In double quotes. */
function quoted(words: string): string {
  return clean(words).replace(/[&<>"]/g, entity);
}

function entity(character: string): string {
  return entities[character] ?? '';
}
