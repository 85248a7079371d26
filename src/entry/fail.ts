// How a command ends before it began: a mistake in usage or files, exit code 2.
import type { Problem } from '../contract/flow.js';

/** Mistakes of the user's, all at once. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly problems: readonly Problem[];
  constructor(...problems: readonly Problem[]) {
    super(problems.map(({ what }) => what).join('\n'));
    this.problems = problems;
  }
}

/** What the operating system said, in words. */
export function systemWords(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'no such file or folder';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a folder';
    case 'ENOTDIR':
      return 'a part of the path is no folder';
    case 'ENOSPC':
      return 'no space left';
    case 'EROFS':
      return 'the file system is read-only';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
