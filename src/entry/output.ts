// Where a run's formats go: `--format NAME[:FILE]`, the progress line, the final report.
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import process from 'node:process';
import type { Problem } from '../contract/flow.js';
import type { Report } from '../contract/report.js';
import type { RunEvent } from '../contract/run-event.js';
import { foldProgress, noProgress, progressLine } from '../report/progress.js';
import { together, UsageError } from './fail.js';
import { openPending } from './files.js';
import type { PendingFile } from './files.js';
import { FILE_STYLE, print, styleOf } from './terminal.js';

const REDRAW_MS = 100;
/** As much as a pipe takes at once. */
const BLOCK_CHARACTERS = 64 * 1024;

export interface OutputFlags {
  readonly format?: readonly string[];
  readonly quiet?: boolean;
}

export interface Output {
  onEvent(event: RunEvent): void;
  /** Writes what waits for the end, and puts files in their places. */
  finish(report: Report): Promise<void>;
  /** Ends the progress line, leaves no half-written file. */
  abandon(): void;
}

export interface Wanted {
  readonly name: string;
  readonly file?: string;
}

/** What the flags ask for. Rejects with UsageError for a format or a combination that cannot be. */
export async function wantedOf(flags: OutputFlags): Promise<readonly Wanted[]> {
  const { formats } = await import('../report/formats.js');
  const { suggestion } = await import('../plan/nearest.js');
  const problems: Problem[] = [];
  const wanted = (flags.format ?? []).map((text): Wanted => {
    const at = text.indexOf(':');
    return at < 0 ? { name: text } : { name: text.slice(0, at), file: text.slice(at + 1) };
  });
  for (const { name, file } of wanted) {
    if (file === '') problems.push({ what: `--format ${name}: has no file after the colon` });
    if (formats.has(name)) continue;
    const { hint, ...expected } = suggestion(name, [...formats.keys()]);
    const what = `--format ${name}${file === undefined ? '' : `:${file}`}: no such format${hint}`;
    problems.push({ what, ...expected });
  }
  const shown = wanted.filter(({ name, file }) => file === undefined && formats.has(name));
  if (shown.length > 1) {
    const names = shown.map(({ name }) => name);
    problems.push({
      what: `--format ${names.join(' and --format ')} would both go to the screen`,
      expected: `a file for all but one, such as --format ${names[1] ?? ''}:report.${names[1] ?? ''}`,
    });
  }
  const files = wanted.flatMap(({ file }) => file ?? []);
  const twice = files.find((file, index) => files.findIndex((other) => resolve(other) === resolve(file)) !== index);
  if (twice !== undefined && twice !== '') problems.push({ what: `--format: two formats would go to ${twice}` });
  if (problems.length > 0) throw new UsageError(...problems);
  // Reports in files alone leave the screen to the table.
  if (shown.length === 0 && flags.quiet !== true) return [...wanted, { name: 'table' }];
  return wanted;
}

interface Progress {
  take(event: RunEvent): void;
  /** Leaves the line empty, for whatever comes next. */
  clear(): void;
}

/** Standard output, for events that nobody waits for one by one. */
function screenStream(): { write(text: string): void; written(): Promise<void> } {
  let last: Promise<void> = Promise.resolve();
  return {
    write: (text) => {
      const before = last;
      last = print(text).then(() => before);
      // It is told when the run is over.
      last.catch(() => undefined);
    },
    written: () => last,
  };
}

/** The line that is drawn over itself on a terminal; nothing in a pipe. */
function progressOn(stream: NodeJS.WriteStream): Progress | undefined {
  // A dumb terminal cannot erase a line.
  if (!stream.isTTY || process.env['TERM'] === 'dumb') return undefined;
  let state = noProgress;
  const began = performance.now();
  const draw = (): void => {
    stream.write(`\r\u001b[K${progressLine(state, styleOf(stream), performance.now() - began)}`);
  };
  const timer = setInterval(draw, REDRAW_MS);
  return {
    take: (event) => {
      state = foldProgress(state, event);
    },
    clear: () => {
      clearInterval(timer);
      stream.write('\r\u001b[K');
    },
  };
}

/** Parts put together to what is worth a write. */
function* blocksOf(parts: Iterable<string>): Generator<string> {
  let block = '';
  for (const part of parts) {
    block += part;
    if (block.length < BLOCK_CHARACTERS) continue;
    yield block;
    block = '';
  }
  yield block;
}

/** Throws UsageError, before anything is sent, for a file that cannot be. */
export async function openOutput(wanted: readonly Wanted[], { quiet }: OutputFlags): Promise<Output> {
  const { formats } = await import('../report/formats.js');
  const pending: PendingFile[] = [];
  const unique = randomBytes(4).toString('hex');
  const streams: ((event: RunEvent) => void)[] = [];
  const ends: ((report: Report) => Promise<void> | void)[] = [];
  const progress = quiet === true ? undefined : progressOn(process.stderr);
  const abandon = (): void => {
    process.off('exit', abandon);
    progress?.clear();
    for (const file of pending) file.discard();
  };
  // However the process ends: a second Ctrl-C and a crash come this way too.
  process.once('exit', abandon);
  try {
    for (const { name, file } of wanted) {
      const target = file === undefined ? undefined : openPending(file, unique);
      if (target !== undefined) pending.push(target);
      const format = formats.get(name);
      if (format?.kind === 'stream') {
        const render = await format.load();
        if (target === undefined) {
          const screen = screenStream();
          streams.push((event) => screen.write(render(event)));
          ends.push(() => screen.written());
        } else streams.push((event) => target.append(render(event)));
      } else if (format?.kind === 'report') {
        const render = await format.load();
        ends.push((report) =>
          target === undefined
            ? print(render(report, styleOf(process.stdout)))
            : target.append(render(report, FILE_STYLE)),
        );
      } else if (format?.kind === 'parts') {
        const render = await format.load();
        ends.push(async (report) => {
          for (const block of blocksOf(render(report))) {
            if (target === undefined) await print(block);
            else target.append(block);
          }
        });
      }
    }
  } catch (error) {
    abandon();
    throw error;
  }
  return {
    onEvent: (event) => {
      progress?.take(event);
      for (const stream of streams) stream(event);
    },
    finish: async (report) => {
      progress?.clear();
      // One that cannot be written keeps none of the others back.
      const files = pending.map((file) => (): void => file.keep());
      const written = ends.map((end) => Promise.resolve(report).then(end));
      const kept = Promise.allSettled(written).then(() =>
        together(...files.map((keep) => Promise.resolve().then(keep))),
      );
      await together(...written, kept);
      process.off('exit', abandon);
    },
    abandon,
  };
}
