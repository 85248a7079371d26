// Where a run's formats go: `--format NAME[:FILE]`, the progress line, the final report.
import process from 'node:process';
import type { Report } from '../contract/report.js';
import type { RunEvent } from '../contract/run-event.js';
import { formats } from '../report/formats.js';
import { foldProgress, noProgress, progressLine } from '../report/progress.js';
import { UsageError } from './fail.js';
import { openPending } from './files.js';
import type { PendingFile } from './files.js';
import { FILE_STYLE, print, styleOf } from './terminal.js';

const REDRAW_MS = 100;

export interface OutputFlags {
  readonly format: readonly string[];
  readonly quiet?: boolean;
}

export interface Output {
  onEvent(event: RunEvent): void;
  /** Writes what waits for the end, and puts files in their places. */
  finish(report: Report): Promise<void>;
  /** Ends the progress line, leaves no half-written file. */
  abandon(): void;
}

interface Wanted {
  readonly name: string;
  readonly file?: string;
}

function wantedOf(flags: OutputFlags): readonly Wanted[] {
  const wanted = flags.format.map((text): Wanted => {
    const at = text.indexOf(':');
    if (at < 0) return { name: text };
    const file = text.slice(at + 1);
    if (file === '') throw new UsageError({ what: `--format ${text}: no file after the colon` });
    return { name: text.slice(0, at), file };
  });
  for (const { name } of wanted) {
    if (formats.has(name)) continue;
    throw new UsageError({
      what: `--format ${name}: no such format`,
      expected: `one of ${[...formats.keys()].join(', ')}`,
    });
  }
  const shown = wanted.filter(({ file }) => file === undefined);
  if (shown.length > 1) {
    const names = shown.map(({ name }) => name);
    throw new UsageError({
      what: `--format ${names.join(' and --format ')} would both go to the screen`,
      expected: `a file for all but one, such as --format ${names[1] ?? ''}:report.${names[1] ?? ''}`,
    });
  }
  const files = wanted.flatMap(({ file }) => file ?? []);
  const twice = files.find((file, index) => files.indexOf(file) !== index);
  if (twice !== undefined) throw new UsageError({ what: `--format: two formats would go to ${twice}` });
  // Reports in files alone leave the screen to the table.
  if (shown.length === 0 && flags.quiet !== true) return [...wanted, { name: 'table' }];
  return wanted;
}

/** The line that is drawn over itself on a terminal; nothing in a pipe. */
function progressOn(stream: NodeJS.WriteStream): { take(event: RunEvent): void; clear(): void } | undefined {
  if (!stream.isTTY) return undefined;
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

/** Throws UsageError, before anything is sent, for a format or file that cannot be. */
export async function openOutput(flags: OutputFlags): Promise<Output> {
  const pending: PendingFile[] = [];
  const abandonFiles = (): void => {
    for (const file of pending) file.discard();
  };
  const streams: ((event: RunEvent) => void)[] = [];
  const ends: ((report: Report) => Promise<void> | void)[] = [];
  let shownStream: Promise<void> = Promise.resolve();
  try {
    for (const { name, file } of wantedOf(flags)) {
      const target = file === undefined ? undefined : openPending(file, String(process.pid));
      if (target !== undefined) pending.push(target);
      const format = formats.get(name);
      if (format?.kind === 'stream') {
        const render = await format.load();
        streams.push((event) => {
          if (target === undefined) shownStream = print(render(event));
          else target.append(render(event));
        });
      } else if (format?.kind === 'report') {
        const render = await format.load();
        ends.push((report) =>
          target === undefined
            ? print(render(report, styleOf(process.stdout)))
            : target.append(render(report, FILE_STYLE)),
        );
      }
    }
  } catch (error) {
    abandonFiles();
    throw error;
  }
  const progress = flags.quiet === true ? undefined : progressOn(process.stderr);
  return {
    onEvent: (event) => {
      progress?.take(event);
      for (const stream of streams) stream(event);
    },
    finish: async (report) => {
      progress?.clear();
      await shownStream;
      for (const end of ends) await end(report);
      for (const file of pending) file.keep();
    },
    abandon: () => {
      progress?.clear();
      abandonFiles();
    },
  };
}
