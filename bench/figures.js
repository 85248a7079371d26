// The arithmetic and the tables of the measurements. Measures nothing and starts nothing.

/**
 * One row of the table: what was measured of linecheck and of what it is held against, same unit.
 * @typedef {object} Row
 * @property {string} what
 * @property {string} unit
 * @property {number} bare median of what it is held against
 * @property {number} linecheck median
 * @property {string} [aim] in words; absent where the row has none
 * @property {boolean} [met]
 */

/**
 * What could not be measured here, and why.
 * @typedef {object} Skipped
 * @property {string} what
 * @property {string} skipped
 */

/**
 * The middle of the values; of an even number of them the mean of the two in the middle.
 * @param {readonly number[]} values at least one
 */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new RangeError('a median needs at least one value');
  return (lower + upper) / 2;
}

/**
 * @param {string} what
 * @param {string} unit
 * @param {readonly number[]} bare
 * @param {readonly number[]} linecheck
 * @param {{ text: string, met(ratio: number, linecheck: number): boolean }} [aim]
 * @returns {Row}
 */
export function row(what, unit, bare, linecheck, aim) {
  const figures = { what, unit, bare: median(bare), linecheck: median(linecheck) };
  if (aim === undefined) return figures;
  return { ...figures, aim: aim.text, met: aim.met(figures.linecheck / figures.bare, figures.linecheck) };
}

/**
 * @param {string} what
 * @param {string} reason
 * @returns {Skipped}
 */
export function skipped(what, reason) {
  return { what, skipped: reason };
}

/**
 * A Markdown table, columns aligned so that it reads in a terminal too; below it, what was skipped and why.
 * @param {readonly (Row | Skipped)[]} all
 */
export function table(all) {
  const rows = all.filter((each) => 'unit' in each);
  const cells = [
    ['measured', 'beside', 'linecheck', 'ratio', 'aim', 'met'],
    ...rows.map(({ what, unit, bare, linecheck, aim, met }) => [
      what,
      `${rounded(bare)} ${unit}`,
      `${rounded(linecheck)} ${unit}`,
      (linecheck / bare).toFixed(2),
      aim ?? '-',
      met === undefined ? '-' : met ? 'yes' : 'no',
    ]),
  ];
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((each) => each[column]?.length ?? 0)));
  const lines = cells.map((each) => `| ${each.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  const notes = all.flatMap((each) => ('skipped' in each ? [`Skipped: ${each.what} (${each.skipped}).`] : []));
  return [lines.toSpliced(1, 0, rule).join('\n'), ...notes].join('\n\n');
}

/** @param {number} value */
function rounded(value) {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

const begin = '<!-- results -->';
const end = '<!-- /results -->';

/**
 * The page with another block of results between its two marks. Throws where it has not both.
 * @param {string} page
 * @param {string} block
 */
export function withResults(page, block) {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`the page has no ${begin} with a ${end} after it`);
  return `${page.slice(0, from + begin.length)}\n\n${block}\n\n${page.slice(to)}`;
}
