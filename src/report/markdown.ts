// The account as GitHub Flavored Markdown, for a job summary or a ticket: failures with one sentence and the next step, the
// rest in a table. Nothing that a host said becomes a link, a mention, an image or HTML.
import type { Report } from '../contract/report.js';
import { exitMeaning, headline, leftOut, ranked, type Ranked, type Standing } from './account.js';
import { clean } from './layout.js';
import { arrow, count, duration, grouped, shortened, verdictWords } from './words.js';

/** GitHub refuses a step summary of more than 1 MiB whole; some room is left for what else a step writes there. */
const MOST_BYTES = 1_000_000;
const MOST_OF_A_SENTENCE = 1000;
const MOST_OF_A_CELL = 300;
/** Of reasons and titles; the JSON report has all. */
const MOST_SKIPPED_BYTES = 20_000;

const labels: Readonly<Record<Standing, string>> = {
  failing: 'fail',
  'left-out': 'fail, not counted',
  unproven: 'unproven',
  accepted: 'unproven, accepted',
  warned: 'pass, with a warning',
  'also-failing': 'fail, not required',
  'also-unproven': 'unproven, not required',
  passing: 'pass',
};
const told: readonly Standing[] = ['failing', 'left-out', 'unproven', 'warned'];

export function markdown(report: Report): string {
  const all = ranked(report);
  const sections = [
    ...section('## ', [shown(headline(report), MOST_OF_A_SENTENCE)]),
    ...report.notices.map((notice) => `${shown(notice, MOST_OF_A_SENTENCE)}\n\n`),
  ];
  const foot = footOf(report);
  const page = new Page(MOST_BYTES - Buffer.byteLength(sections.join('') + foot));
  page.list(all.filter(({ standing }) => told.includes(standing)).map(item));
  page.table(all.filter(({ standing }) => !told.includes(standing)).map(row));
  return sections.join('') + page.text() + foot;
}

function section(mark: string, words: readonly string[]): string[] {
  return words.map((each) => `${mark}${each}\n\n`);
}

const tableHead = '| result | flow | way | verdict | time |\n| --- | --- | --- | --- | --- |\n';

/** Blocks as long as there is room for them; then how many are missing. */
class Page {
  readonly #blocks: string[] = [];
  #room: number;

  constructor(room: number) {
    this.#room = room - 200;
  }

  #add(blocks: readonly string[]): void {
    for (const [at, block] of blocks.entries()) {
      const bytes = Buffer.byteLength(block);
      if (bytes > this.#room) {
        this.#room = 0;
        this.#blocks.push(
          `\n${count(blocks.length - at, 'more flow')} left out for length: the JSON report has all.\n`,
        );
        break;
      }
      this.#room -= bytes;
      this.#blocks.push(block);
    }
  }

  list(items: readonly string[]): void {
    this.#add(items);
    if (items.length > 0) this.#blocks.push('\n');
  }

  table(rows: readonly string[]): void {
    if (rows.length === 0) return;
    if (this.#room > tableHead.length) this.#blocks.push(tableHead);
    this.#add(rows);
    this.#blocks.push('\n');
  }

  text(): string {
    return this.#blocks.join('');
  }
}

function item({ standing, check }: Ranked): string {
  const optional = check.required ? '' : ' (not required)';
  const lines = [
    `- **${shown(check.title, MOST_OF_A_CELL) || 'A flow'}**${optional}: ${labels[standing]}, ${shown(verdictWords(check), MOST_OF_A_CELL)}`,
    code(arrow(check)),
    shown(check.warning ?? check.summary, MOST_OF_A_SENTENCE),
    ...(check.uncounted === true ? [shown(leftOut(check), MOST_OF_A_SENTENCE)] : []),
    ...(check.advice === undefined ? [] : [`**Next:** ${shown(check.advice, MOST_OF_A_SENTENCE)}`]),
  ];
  // A backslash at a line's end breaks the line, without trailing spaces that editors take away.
  return `${lines.filter((line) => line !== '').join('\\\n  ')}\n`;
}

function row({ standing, check }: Ranked): string {
  const cells = [
    labels[standing],
    shown(check.title, MOST_OF_A_CELL),
    code(shortened(arrow(check), MOST_OF_A_CELL)),
    shown(verdictWords(check), MOST_OF_A_CELL),
    check.attempts === 0 ? '' : duration(check.durationMs),
  ];
  return `| ${cells.join(' | ')} |\n`;
}

function footOf(report: Report): string {
  const { summary, skipped, tool, startedAt, durationMs } = report;
  const { required, optional, accepted, uncounted } = summary;
  const counts = [
    `${required.pass} pass`,
    `${required.fail} fail${uncounted === undefined || uncounted === 0 ? '' : ` (${uncounted} not counted)`}`,
    `${required.unproven} unproven${accepted === 0 ? '' : ` (${accepted} accepted)`}`,
  ];
  const others = optional.pass + optional.fail + optional.unproven;
  const account = `Required: ${counts.join(', ')}. Optional: ${others}. Skipped: ${summary.skipped}.`;
  return [
    ...skippedItems(skipped),
    `${shown(account, MOST_OF_A_SENTENCE)}\n\n`,
    `Exit code ${summary.exitCode}: ${shown(exitMeaning(report), MOST_OF_A_SENTENCE)}.\n\n`,
    `linecheck ${shown(tool.version, MOST_OF_A_CELL)}, tier ${tool.tier} of 3, ${shown(startedAt, MOST_OF_A_CELL)}, ${duration(durationMs)}\n`,
  ].join('');
}

function skippedItems(skipped: Report['skipped']): string[] {
  let room = MOST_SKIPPED_BYTES;
  const items = grouped(skipped, ({ reason }) => reason).map(([reason, same]) => {
    const titles = [...new Set(same.map(({ title }) => title))].map((title) => shown(title, MOST_OF_A_CELL)).join('; ');
    return `- Skipped, ${shown(reason, MOST_OF_A_SENTENCE)}: ${titles}\n`;
  });
  const kept = items.filter((each) => (room -= Buffer.byteLength(each)) >= 0);
  const rest = items.length - kept.length;
  return items.length === 0
    ? []
    : [...kept, ...(rest === 0 ? [] : [`- ${count(rest, 'more reason')} for skipping\n`]), '\n'];
}

/** What GitHub would turn into a link or a mention: it keeps its hands off code. */
const linked = /@|:\/\/|\bwww\./i;

/** Words as plain text, whatever is in them. */
function shown(words: string, most: number): string {
  return shortened(clean(words).trim(), most)
    .split(' ')
    .map((word) => (linked.test(word) ? code(word) : plain(word)))
    .join(' ');
}

/**
 * CommonMark §2.4: any ASCII punctuation may be escaped. Escaped is what has a meaning within a line, and the words that
 * have one at a line's beginning: of lists, headings, rules, and the underlines of headings.
 */
function plain(word: string): string {
  return word
    .replace(/[\\`*_[\]<>|~&$]/g, '\\$&')
    .replace(/^#|^[-+=]+$/, '\\$&')
    .replace(/^(\d{1,9})([.)])$/, '$1\\$2');
}

/**
 * CommonMark §6.1: as many backticks as no run within has. GFM §4.10: a pipe is escaped even in code; a backslash before it
 * cannot be, so that pipes become bars.
 */
function code(words: string): string {
  const text = clean(words).trim().replaceAll('|', '\u00a6');
  if (text === '') return '';
  const longest = Math.max(0, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = /^`|`$/.test(text) ? ' ' : '';
  return `${fence}${pad}${text}${pad}${fence}`;
}
