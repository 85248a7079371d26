// Workflow commands for a GitHub job: annotations at the lines of the site file, and every flow in the log below them.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
import type { Report } from '../contract/report.js';
import { exitMeaning, headline, leftOut, ranked, type Ranked, type Standing } from './account.js';
import { clean } from './layout.js';
import { arrow, count, shortened, verdictWords } from './words.js';

/** Of one type GitHub shows ten for each step and drops the rest without a word. */
const MOST_OF_A_TYPE = 10;
/** A site with a large name or a host with a large banner must not bury the others. */
const MOST_CHARACTERS = 1000;

type Type = 'error' | 'warning' | 'notice';

/** What ends the step in other than 0 is an error or a warning; what is only worth knowing, a notice. */
const types: Readonly<Record<Standing, Type | undefined>> = {
  failing: 'error',
  'left-out': 'warning',
  unproven: 'warning',
  warned: 'warning',
  accepted: 'notice',
  'also-failing': 'notice',
  'also-unproven': 'notice',
  passing: undefined,
};

export function github(report: Report): string {
  const all = ranked(report);
  const of = (type: Type): Ranked[] => all.filter(({ standing }) => types[standing] === type);
  const lines = [
    ...annotations('error', of('error'), MOST_OF_A_TYPE),
    ...annotations('warning', of('warning'), MOST_OF_A_TYPE),
    command('notice', { title: 'linecheck' }, `${headline(report)} ${ending(report)}`),
    ...annotations('notice', of('notice'), MOST_OF_A_TYPE - 1),
    '::group::Every flow',
    ...report.notices.map((notice) => logged(`Note: ${notice}`)),
    ...all.map(({ check }) =>
      logged(`${check.result.toUpperCase()} ${check.title}: ${verdictWords(check)}, ${arrow(check)}`),
    ),
    ...report.skipped.map((skip) => logged(`SKIPPED ${skip.title}: ${skip.reason}`)),
    '::endgroup::',
  ];
  return `${lines.join('\n')}\n`;
}

function ending(report: Report): string {
  return `Exit code ${report.summary.exitCode}: ${exitMeaning(report)}.`;
}

/** The worst first; where there are more than are shown, the last says how many it stands for. */
function annotations(type: Type, all: readonly Ranked[], most: number): string[] {
  const shown = all.length > most ? all.slice(0, most - 1) : all;
  const rest = all.length - shown.length;
  const lines = shown.map((each) => annotation(type, each));
  if (rest === 0) return lines;
  return [
    ...lines,
    command(type, { title: 'linecheck' }, `${count(rest, 'more flow')} like these: see the log of this step.`),
  ];
}

function annotation(type: Type, { standing, check }: Ranked): string {
  const { place } = check;
  const at = place === undefined ? {} : { file: place.file, line: String(place.line), col: String(place.column) };
  const required = standing.startsWith('also-') ? ' (not required)' : '';
  const sentences = [
    check.warning ?? check.summary,
    ...(check.uncounted === true ? [leftOut(check)] : []),
    ...(check.accepted === true ? ['It is accepted as unproven.'] : []),
    ...(check.advice === undefined ? [] : [`Next: ${check.advice}`]),
  ];
  const title = `${check.title}${required}: ${verdictWords(check)}`;
  return command(type, { ...at, title }, `${arrow(check)}\n${sentences.join('\n')}`);
}

function command(name: Type, properties: Readonly<Record<string, string>>, message: string): string {
  const given = Object.entries(properties).map(([key, value]) => `${key}=${property(value)}`);
  return `::${name} ${given.join(',')}::${data(message)}`;
}

/** The runner turns these back: `%25`, `%0D`, `%0A`. */
function data(words: string): string {
  return words
    .split('\n')
    .map((line) => shortened(clean(line).trim(), MOST_CHARACTERS).replaceAll('%', '%25'))
    .join('%0A');
}

/** In a property a colon would end the command and a comma the value. */
function property(words: string): string {
  return data(words.replaceAll('\n', ' ')).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/**
 * A line of the log that is no command whatever a host has said: `::` counts at a line's beginning, where a word of ours
 * stands, and the older form, `##[`, anywhere.
 */
function logged(words: string): string {
  return shortened(clean(words).trim(), MOST_CHARACTERS).replaceAll('##[', '## [');
}
