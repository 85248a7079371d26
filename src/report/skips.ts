// The flows without a check, grouped by reason, as reports and plans show them.
import type { SkipReason } from '../contract/flow.js';
import { paragraph } from './layout.js';
import type { Style } from './style.js';
import { grouped, listed } from './words.js';

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

/** Why a flow has no check, in the words of a report. */
export function skipWords(reason: SkipReason): string {
  switch (reason.kind) {
    case 'feature-off':
      return `feature \`${reason.feature}\` is off`;
    case 'unless':
      return `feature \`${reason.feature}\` is on and takes its place`;
    case 'role-none':
      return `role \`${reason.role}\` is \`none\``;
    case 'elsewhere':
      return `neither from nor to here: it runs between ${listed(reason.roles.map((role) => `\`${role}\``))}`;
    case 'no-route-for-family':
      return `this machine has no IPv${reason.family} route to ${reason.address}`;
    case 'deselected':
      return 'left out by the selection on the command line';
  }
}
