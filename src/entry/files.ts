// Files of the user's: read whole and bounded, written whole or not at all.
import { closeSync, fstatSync, openSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { systemWords, UsageError } from './fail.js';

/** No profile or site that a person wrote comes near it. */
const MOST_BYTES = 1024 * 1024;

/** Text of a file, UTF-8. Throws UsageError where it is missing, unreadable, too large or no regular file. */
export function readText(file: string, kind: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    throw new UsageError({ what: `${file}: cannot read the ${kind}: ${systemWords(error)}` });
  }
  try {
    const { size } = fstatSync(descriptor);
    if (size > MOST_BYTES) {
      throw new UsageError({
        what: `${file}: the ${kind} is ${Math.ceil(size / MOST_BYTES)} MB`,
        expected: 'at most 1 MB of YAML',
      });
    }
    return readFileSync(descriptor, 'utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError({ what: `${file}: cannot read the ${kind}: ${systemWords(error)}` });
  } finally {
    closeSync(descriptor);
  }
}

/** A file that appears under its name only when it is complete. */
export interface PendingFile {
  append(text: string): void;
  /** Puts it in its place. */
  keep(): void;
  /** Leaves no trace. */
  discard(): void;
}

/** Throws UsageError at once where it could not be written later. */
export function openPending(file: string, unique: string): PendingFile {
  const temporary = `${file}.${unique}.tmp`;
  try {
    writeFileSync(temporary, '', { flag: 'wx' });
  } catch (error) {
    throw new UsageError({ what: `${file}: cannot write: ${systemWords(error)}` });
  }
  return {
    append: (text) => writeFileSync(temporary, text, { flag: 'a' }),
    keep: () => renameSync(temporary, file),
    discard: () => rmSync(temporary, { force: true }),
  };
}

/** The ids of the profiles that came with linecheck, in order. */
export function ownProfiles(root: URL): readonly string[] {
  return readdirSync(new URL('profiles/', root))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort();
}
