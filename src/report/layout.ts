// Words into lines that fit: what is safe to print, how wide it is, hanging indents, columns. No meaning lives here.
import { paint, type Style, type Tone } from './style.js';

export type Part = string | { readonly text: string; readonly tone: Tone };
/** Text of one line or one cell; parts follow each other without a space between. */
export type Line = Part | readonly Part[];

// ECMA-48 §5.4: CSI, parameter bytes, intermediate bytes, one final byte. Other sequences lose their ESC below.
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const controlSequence = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]/g;
const plainAscii = /^[\u0020-\u007e]*$/;

/**
 * Text that cannot move a cursor, hide or reorder what stands beside it: without escape sequences, control and format
 * characters (bidirectional overrides, zero-width ones); each run of white space is one space.
 */
export function clean(text: string): string {
  if (plainAscii.test(text)) return text;
  // What is taken out may have stood between two spaces.
  return text.replace(controlSequence, '').replace(/\s/g, ' ').replace(/\p{C}/gu, '').replace(/ +/g, ' ');
}

// Unicode Standard Annex #11: wide and fullwidth; what is drawn as an emoji takes two columns as well.
const doubleWidth =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const zeroWidth = /[\p{Mn}\p{Me}]/u;

function characterWidth(character: string): number {
  // A variation selector 16 asks for the wide, coloured form of what stands before it.
  if (character === '\ufe0f') return 1;
  if (zeroWidth.test(character)) return 0;
  return doubleWidth.test(character) ? 2 : 1;
}

/** Columns that cleaned text takes in a terminal; never fewer than it does. */
export function displayWidth(text: string): number {
  if (plainAscii.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

interface Piece {
  readonly text: string;
  readonly tone: Tone;
}
/** What must not be parted by a line's end, as long as it fits on one. */
type Word = readonly Piece[];

function isParts(line: Line): line is readonly Part[] {
  return Array.isArray(line);
}

function wordsOf(line: Line): Word[] {
  const words: Piece[][] = [];
  let open: Piece[] = [];
  for (const part of isParts(line) ? line : [line]) {
    const { text, tone } = typeof part === 'string' ? { text: part, tone: 'plain' as const } : part;
    const pieces = clean(text).split(' ');
    pieces.forEach((piece, index) => {
      if (index > 0 && open.length > 0) {
        words.push(open);
        open = [];
      }
      if (piece !== '') open.push({ text: piece, tone });
    });
  }
  if (open.length > 0) words.push(open);
  return words;
}

function wordWidth(word: Word): number {
  return word.reduce((sum, piece) => sum + displayWidth(piece.text), 0);
}

/** Cuts a word that fits on no line, after a separator where one stands in the second half of the room. */
function cut(word: Word, width: number): Word[] {
  const lines: Piece[][] = [];
  let line: Piece[] = [];
  let room = width;
  for (const { text, tone } of word) {
    let taken = '';
    for (const character of text) {
      const wide = characterWidth(character);
      if (wide > room) {
        const at = Math.max(...['.', '/', ':', '-', ',', '_'].map((separator) => taken.lastIndexOf(separator))) + 1;
        const keep = line.length === 0 && at > taken.length / 2 ? at : taken.length;
        if (keep > 0) line.push({ text: taken.slice(0, keep), tone });
        lines.push(line);
        line = [];
        taken = taken.slice(keep);
        room = width - displayWidth(taken);
      }
      taken += character;
      room -= wide;
    }
    if (taken !== '') line.push({ text: taken, tone });
  }
  if (line.length > 0) lines.push(line);
  return lines;
}

/** Joins the words of one line, and paints neighbours of one tone in one stroke. */
function drawn(words: readonly Word[], style: Style): string {
  const runs: { text: string; tone: Tone }[] = [];
  words.forEach((word, index) => {
    word.forEach((piece, at) => {
      const gap = index > 0 && at === 0 ? ' ' : '';
      const last = runs.at(-1);
      if (last?.tone === piece.tone) {
        last.text += gap + piece.text;
      } else {
        if (gap !== '') runs.push({ text: gap, tone: 'plain' });
        runs.push({ ...piece });
      }
    });
  });
  return runs.map((run) => paint(run.text, run.tone, style)).join('');
}

interface Drawn {
  readonly text: string;
  readonly width: number;
}

/** Breaks a line into lines of at most `width` columns. Nothing in gives nothing out. */
function broken(line: Line, width: number, style: Style): Drawn[] {
  const lines: Drawn[] = [];
  let words: Word[] = [];
  let used = 0;
  const flush = (): void => {
    if (words.length > 0) lines.push({ text: drawn(words, style), width: used });
    words = [];
    used = 0;
  };
  for (const word of wordsOf(line)) {
    const wide = wordWidth(word);
    if (words.length > 0 && used + 1 + wide > width) flush();
    if (wide <= width) {
      used += (words.length > 0 ? 1 : 0) + wide;
      words.push(word);
      continue;
    }
    for (const part of cut(word, width)) {
      flush();
      words = [part];
      used = wordWidth(part);
    }
  }
  flush();
  return lines;
}

/** Below this nothing readable can be laid out; a narrower terminal wraps by itself. */
export const minWidth = 24;

export function usableWidth(style: Style): number {
  return Number.isFinite(style.width) ? Math.max(minWidth, Math.floor(style.width)) : 1_000_000;
}

export interface Indent {
  /** Columns before every line. */
  readonly indent?: number;
  /** Columns before every line but the first, on top of that. */
  readonly hang?: number;
  /** Stands before the first line, in the room that the hanging indent leaves. */
  readonly label?: Part;
}

/** A paragraph with a hanging indent, and a label that stands in it. Where indents would leave no room they give way. */
export function paragraph(line: Line, style: Style, { indent = 0, hang = 0, label = '' }: Indent = {}): string[] {
  const width = usableWidth(style);
  const outer = ' '.repeat(Math.min(indent, Math.floor(width / 4)));
  const room = width - outer.length;
  const inner = ' '.repeat(Math.min(hang, Math.floor(room / 3)));
  const { text, tone } = typeof label === 'string' ? { text: label, tone: 'plain' as const } : label;
  const shown = clean(text);
  const labelWidth = displayWidth(shown);
  const body = broken(line, room - inner.length, style).map((each) => outer + inner + each.text);
  if (shown.trim() === '') return body;
  const [first, ...rest] = body;
  if (first !== undefined && labelWidth < inner.length) {
    const start = outer + paint(shown, tone, style) + ' '.repeat(inner.length - labelWidth);
    return [start + first.slice(outer.length + inner.length), ...rest];
  }
  return [...broken({ text: shown.trim(), tone }, room, style).map((each) => outer + each.text), ...body];
}

/** A term and what is said of it, the terms in one column; a term too long for it stands on its own line. */
export function definitions(
  rows: readonly (readonly [term: Part, text: Line])[],
  style: Style,
  indent = 0,
  widestTerm = 24,
): string[] {
  const room = usableWidth(style) - indent;
  const widths = rows.map(([term]) => displayWidth(clean(typeof term === 'string' ? term : term.text)));
  const column = Math.max(0, ...widths.filter((wide) => wide <= Math.min(widestTerm, Math.floor(room / 3) - 2))) + 2;
  return rows.flatMap(([label, text]) => paragraph(text, style, { indent, hang: column, label }));
}

export interface Item {
  readonly what: Line;
  /** Short words in columns of their own, as many in every item of a listing. */
  readonly tail: readonly Line[];
}

export interface Entry {
  readonly title: Line;
  /** Stand beside the title where they fit, else below it. */
  readonly items: readonly Item[];
  /** Sentences below. */
  readonly below?: readonly Line[];
}

function naturalWidth(line: Line): number {
  return wordsOf(line).reduce((sum, word, index) => sum + (index > 0 ? 1 : 0) + wordWidth(word), 0);
}

const gap = 2;
/** A title's column narrower than this is no column, nor is one that its items leave less than this share. */
const minTitle = 24;
const titleShare = 0.45;

/**
 * Titles with their items in columns, without lines. Where the width is short for columns, items stand below their
 * title; where it is shorter still, an item's tail follows it as text.
 */
export function listing(
  entries: readonly Entry[],
  style: Style,
  {
    indent = 0,
    right = [],
  }: { readonly indent?: number; /** Tails set to the right. */ readonly right?: readonly number[] } = {},
): string[] {
  const width = usableWidth(style);
  const items = entries.flatMap((entry) => entry.items);
  const tails = (items[0]?.tail ?? []).map((_, at) =>
    Math.max(0, ...items.map((item) => naturalWidth(item.tail[at] ?? ''))),
  );
  const room = width - indent - tails.reduce((sum, wide) => sum + (wide > 0 ? wide + gap : 0), 0);
  const fitting = items
    .map((item) => naturalWidth(item.what))
    .filter((wide) => wide <= Math.min(room - gap - minTitle, room * (1 - titleShare)));
  const whats = Math.max(0, ...fitting);
  const beside = room - gap - whats;

  const withTail = (lead: string, used: number, item: Item): string => {
    let line = lead;
    let pending = room - used + gap;
    tails.forEach((wide, at) => {
      if (wide === 0) return;
      const cell = broken(item.tail[at] ?? '', wide, style)[0];
      const before = right.includes(at) ? wide - (cell?.width ?? wide) : 0;
      if (cell === undefined) {
        pending += wide + gap;
      } else {
        line += ' '.repeat(pending + before) + cell.text;
        pending = wide - before - cell.width + gap;
      }
    });
    return line;
  };

  return entries.flatMap((entry) => {
    const lines: string[] = [];
    const columns = fitting.length > 0 && entry.items.every((item) => naturalWidth(item.what) <= whats);
    if (room < minTitle) {
      lines.push(...paragraph(entry.title, style, { indent }));
      for (const item of entry.items) {
        const words = [item.what, ...item.tail].flatMap((line): readonly Part[] => [
          ...(isParts(line) ? line : [line]),
          ' ',
        ]);
        lines.push(...paragraph(words, style, { indent: indent + gap }));
      }
    } else if (columns) {
      const title = broken(entry.title, beside, style);
      for (let at = 0; at < Math.max(title.length, entry.items.length); at++) {
        const left = title[at] ?? { text: '', width: 0 };
        const item = entry.items[at];
        const start = ' '.repeat(indent) + left.text;
        if (item === undefined) {
          lines.push(start);
          continue;
        }
        const [what = { text: '', width: 0 }] = broken(item.what, whats, style);
        lines.push(
          withTail(start + ' '.repeat(beside - left.width + gap) + what.text, beside + gap + what.width, item),
        );
      }
    } else {
      lines.push(...paragraph(entry.title, style, { indent }));
      for (const item of entry.items) {
        const parts = broken(item.what, width - indent - gap, style);
        const [only] = parts;
        const start = ' '.repeat(indent + gap);
        if (parts.length === 1 && only !== undefined && only.width <= room - gap) {
          lines.push(withTail(start + only.text, gap + only.width, item));
          continue;
        }
        // Cut in two, an address is hard to copy: it gets the whole width, and its tail the next line.
        lines.push(...parts.map((part) => start + part.text));
        const tail = withTail(' '.repeat(indent), 0, item);
        if (tail.trim() !== '') lines.push(tail);
      }
    }
    for (const line of entry.below ?? []) lines.push(...paragraph(line, style, { indent: indent + gap }));
    return lines;
  });
}
