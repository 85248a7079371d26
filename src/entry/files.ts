// Files of the user's: read whole and bounded, written whole or not at all.
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Place } from '../contract/flow.js';
import { systemWords, UsageError } from './fail.js';

const MEGABYTE = 1024 * 1024;
/** No profile, site or secret that a person wrote comes near it. */
const MOST_BYTES = MEGABYTE;

/** What a file is to the user, and where its name was written. */
export interface Naming {
  readonly kind: string;
  readonly place?: Place;
}

function unreadable(file: string, { kind, place }: Naming, error: unknown): UsageError {
  return new UsageError({
    ...(place === undefined ? {} : { place }),
    what: `${place === undefined ? `${file}: ` : ''}cannot read the ${kind}${place === undefined ? '' : ` ${file}`}: ${systemWords(error)}`,
  });
}

/** A file's bytes; a pipe will do. Throws UsageError where it is missing, unreadable or over 1 MB. */
export function readBytes(file: string, naming: Naming): Buffer {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    throw unreadable(file, naming, error);
  }
  try {
    // The size of a device or a pipe is 0, whatever comes out of it.
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.allocUnsafe(size > MOST_BYTES ? 0 : MOST_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const read = readSync(descriptor, buffer, length, buffer.length - length, null);
      if (read === 0) break;
      length += read;
    }
    if (size > MOST_BYTES || length > MOST_BYTES) {
      const large = size > MOST_BYTES ? `${Math.ceil(size / MEGABYTE)} MB` : 'over 1 MB';
      throw new UsageError({
        ...(naming.place === undefined ? {} : { place: naming.place }),
        what: `${file}: the ${naming.kind} is ${large}`,
        expected: 'at most 1 MB',
      });
    }
    return buffer.subarray(0, length);
  } catch (error) {
    throw error instanceof UsageError ? error : unreadable(file, naming, error);
  } finally {
    closeSync(descriptor);
  }
}

/** Text of a file, UTF-8 with or without a byte order mark. Throws UsageError. */
export function readText(file: string, naming: Naming): string {
  const bytes = readBytes(file, naming);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError({
      ...(naming.place === undefined ? {} : { place: naming.place }),
      what: `${file}: the ${naming.kind} is not UTF-8 text`,
      expected: 'YAML, saved as UTF-8',
    });
  }
}

/** A file that appears under its name only when it is complete. */
export interface PendingFile {
  /** Never throws: what cannot be written is told by `keep`. */
  append(text: string): void;
  /** Puts it in its place. Throws UsageError. */
  keep(): void;
  /** Leaves no trace. After `keep` it does nothing. */
  discard(): void;
}

/** Where the text is to go in the end, and with which permissions; a device or a pipe takes it as it comes. */
function destinationOf(file: string): { readonly path: string; readonly mode?: number; readonly stream: boolean } {
  const known = statSync(file, { throwIfNoEntry: false });
  if (known === undefined) return { path: file, stream: false };
  if (known.isDirectory()) throw new UsageError({ what: `${file}: cannot write: it is a folder` });
  accessSync(file, constants.W_OK);
  if (!known.isFile()) return { path: file, stream: true };
  // A symbolic link stays one: what it leads to is replaced.
  return { path: realpathSync(file), mode: known.mode & 0o777, stream: false };
}

/**
 * Throws UsageError at once where it could not be written later.
 * @param unique for the name that the file bears until it is complete
 */
export function openPending(file: string, unique: string): PendingFile {
  const unwritable = (error: unknown): UsageError =>
    error instanceof UsageError ? error : new UsageError({ what: `${file}: cannot write: ${systemWords(error)}` });
  const guarded = <T>(step: () => T): T => {
    try {
      return step();
    } catch (error) {
      throw unwritable(error);
    }
  };
  const { path, mode, stream } = guarded(() => destinationOf(file));
  const temporary = `${path}.${unique}.tmp`;
  const descriptor = guarded(() => {
    if (stream) return openSync(path, 'a');
    try {
      return openSync(temporary, 'wx', mode);
    } catch (error) {
      throw new UsageError({
        what: `${file}: cannot write into the folder ${dirname(path)}: ${systemWords(error)}`,
      });
    }
  });
  let open = true;
  let failed: UsageError | undefined;
  const discard = (): void => {
    if (!open) return;
    open = false;
    closeSync(descriptor);
    if (!stream) rmSync(temporary, { force: true });
  };
  return {
    append: (text) => {
      try {
        if (failed === undefined) writeFileSync(descriptor, text);
      } catch (error) {
        failed = unwritable(error);
      }
    },
    keep: () => {
      try {
        if (failed !== undefined) throw failed;
        if (!stream) guarded(() => renameSync(temporary, path));
        open = false;
        closeSync(descriptor);
      } finally {
        discard();
      }
    },
    discard,
  };
}

/** The ids of the profiles that came with linecheck, in order. */
export function ownProfiles(root: URL): readonly string[] {
  return readdirSync(new URL('profiles/', root))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort();
}
