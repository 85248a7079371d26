// Mistakes in the user's files and flags: how they are gathered, ordered and worded. Nothing here reads a file.
import type { Place, Problem } from '../contract/flow.js';

/** A value, or everything that is wrong with what it was to be made from. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A value that remembers where it was written. */
export interface Placed<T> {
  readonly value: T;
  /** Absent where a flag of the command line gave it. */
  readonly place?: Place;
}

/** A file of the user's as its reader got it. `file` is the name to show. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

/** So many problems are worth a person's reading; the rest are counted. */
const SHOWN = 50;

/** One line for a person: `site.yaml:3:7: port is 70000, expected a port from 1 to 65535`. */
export function problemLine(problem: Problem): string {
  const { place, what, expected } = problem;
  const where = place === undefined ? '' : `${place.file}:${place.line}:${place.column}: `;
  return where + what + (expected === undefined ? '' : `, expected ${expected}`);
}

/** Gathers problems and warnings; words the first few and counts the rest, so that a hostile file costs no time. */
export class Problems {
  readonly #problems = new Map<string, Problem>();
  readonly #warnings = new Map<string, Problem>();
  #unshown = 0;

  any(): boolean {
    return this.#problems.size > 0;
  }

  /** `make` is not called once enough problems are known. */
  add(make: () => Problem): void {
    if (this.#problems.size >= SHOWN) {
      this.#unshown += 1;
      return;
    }
    const problem = make();
    this.#problems.set(problemLine(problem), problem);
  }

  warn(problem: Problem): void {
    if (this.#warnings.size < SHOWN) this.#warnings.set(problemLine(problem), problem);
  }

  warnAll(problems: readonly Problem[]): void {
    for (const problem of problems) this.warn(problem);
  }

  /** The value where nothing was wrong, else all problems in file order. */
  finish<T>(value: () => T): Parsed<T> {
    if (!this.any()) return { ok: true, value: value(), warnings: inOrder([...this.#warnings.values()]) };
    return this.failed();
  }

  failed(): { readonly ok: false; readonly problems: readonly Problem[] } {
    const problems = inOrder([...this.#problems.values()]);
    if (this.#unshown > 0) problems.push({ what: `and ${this.#unshown} more problems` });
    return { ok: false, problems };
  }
}

/** By file, line and column; what came from flags stands first. Files keep the order in which they were met. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const files = new Map<string, number>();
  for (const { place } of problems)
    if (place !== undefined && !files.has(place.file)) files.set(place.file, files.size);
  const rank = (problem: Problem): readonly [number, number, number] =>
    problem.place === undefined
      ? [-1, 0, 0]
      : [files.get(problem.place.file) ?? 0, problem.place.line, problem.place.column];
  return problems.toSorted((a, b) => {
    const [fileA, lineA, columnA] = rank(a);
    const [fileB, lineB, columnB] = rank(b);
    return fileA - fileB || lineA - lineB || columnA - columnB;
  });
}

/** What somebody wrote, short, on one line and harmless to a terminal. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'empty';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return quoted(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : typeof value;
}

/** Quoted, at most 60 characters; whatever is not printable or turns the writing direction is escaped. */
export function quoted(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 59)}…` : text;
  return JSON.stringify(short).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
