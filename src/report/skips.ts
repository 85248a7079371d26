// The flows without a check, grouped by reason, as reports and plans show them.
import { paragraph } from './layout.js';
import type { Style } from './style.js';
import { grouped } from './words.js';

/** Columns that the word hangs in, as in the table. */
const hang = 10;

export function skippedLines(
  skips: readonly { readonly title: string; readonly reason: string }[],
  style: Style,
): string[] {
  return grouped(skips, (skip) => skip.reason).flatMap(([reason, same]) => {
    const titles = [...new Set(same.map((skip) => skip.title))].join('; ');
    return paragraph(`${reason.replace(/[.:]+$/, '')} - ${titles}`, style, { hang, label: 'Skipped' });
  });
}
