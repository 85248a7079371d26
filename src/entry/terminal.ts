// What the two output streams are: how wide, how coloured, a person or a pipe.
import process from 'node:process';
import type { Style } from '../report/style.js';

/** A table must not depend on the width of a terminal that is not there. */
const PIPE_WIDTH = 80;

function coloured(stream: NodeJS.WriteStream): boolean {
  const { env } = process;
  // https://no-color.org: any non-empty value.
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '' && env['FORCE_COLOR'] !== '0') return true;
  return stream.isTTY && env['TERM'] !== 'dumb';
}

export function styleOf(stream: NodeJS.WriteStream): Style {
  return { width: stream.isTTY ? stream.columns : PIPE_WIDTH, colour: coloured(stream) };
}

/** For what goes into a file. */
export const FILE_STYLE: Style = { width: PIPE_WIDTH, colour: false };

/** Writes and waits until it is out: a process that ends early would cut a pipe short. A reader that left is no error. */
export function print(text: string, stream: NodeJS.WriteStream = process.stdout): Promise<void> {
  return new Promise((resolve) => {
    stream.once('error', () => resolve());
    stream.write(text, () => resolve());
  });
}
