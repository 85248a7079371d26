// What the two output streams are: how wide, how coloured, a person or a pipe.
import process from 'node:process';
import type { Style } from '../report/style.js';
import { systemWords, UsageError } from './fail.js';

/** A table must not depend on the width of a terminal that is not there. */
const PIPE_WIDTH = 80;

function coloured(stream: NodeJS.WriteStream): boolean {
  const { env } = process;
  // https://no-color.org: any non-empty value.
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return stream.isTTY && env['TERM'] !== 'dumb';
}

export function styleOf(stream: NodeJS.WriteStream): Style {
  // A terminal that was never told its size says 0.
  return { width: stream.isTTY && stream.columns > 0 ? stream.columns : PIPE_WIDTH, colour: coloured(stream) };
}

/** For what goes into a file. */
export const FILE_STYLE: Style = { width: PIPE_WIDTH, colour: false };

/**
 * Writes and waits until it is out: a process that ends early would cut a pipe short. A reader that left is no error;
 * what else keeps standard output from being written throws UsageError.
 */
export function print(text: string, stream: NodeJS.WriteStream = process.stdout): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error && stream === process.stdout && !readerLeft(error)) {
        reject(new UsageError({ what: `cannot write to standard output: ${systemWords(error)}` }));
      } else resolve();
    });
  });
}

function readerLeft(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');
}
