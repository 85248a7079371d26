// Did you mean: the word nearest to a misspelt one. Pure.
import { quoted } from './problem.js';

/** No id or key of ours is longer; a longer word is not a misspelling of one. */
const LONGEST = 80;

/** Optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The candidate that `word` most likely stands for, or undefined where none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LONGEST) return undefined;
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[_ ]/g, '-');
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(plain(word), plain(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** For a word that is not among `candidates`: the end of the sentence, and what was expected where nothing is near. */
export function suggestion(
  word: string,
  candidates: readonly string[],
): { readonly hint: string; readonly expected?: string } {
  const near = nearest(word, candidates);
  if (near !== undefined) return { hint: `; did you mean ${quoted(near)}?` };
  return candidates.length === 0 ? { hint: '' } : { hint: '', expected: oneOf(candidates) };
}

/** `one of a, b, c`, at most a dozen. */
export function oneOf(words: readonly string[]): string {
  if (words.length === 1) return quoted(words[0] ?? '');
  // A file's own words may hold what a terminal would obey.
  const plain = words.slice(0, 12).map((word) => (/^[\x21-\x7e]+$/.test(word) ? word : quoted(word)));
  return `one of ${plain.join(', ')}${words.length > 12 ? ', …' : ''}`;
}
