// Mistakes in files and on the command line, one line each, as compilers print them and editors read them.
import type { Problem } from '../contract/flow.js';
import { clean } from './layout.js';
import { paint, type Style } from './style.js';

/** `file:line:column: what; expected ...`. The width does not apply: a broken line is one that editors cannot read. */
export function problemLines(problems: readonly Problem[], style: Style): string {
  return problems
    .map(({ place, what, expected }) => {
      const at = place === undefined ? '' : `${clean(place.file)}:${place.line}:${place.column}: `;
      const wanted = expected === undefined ? '' : `; expected ${clean(expected)}`;
      return `${paint(at, 'strong', style)}${clean(what)}${wanted}\n`;
    })
    .join('');
}
