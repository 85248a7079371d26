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

/** All values, or one UsageError with the mistakes of all: one round of mending is enough. */
export async function together<T extends readonly Promise<unknown>[]>(
  ...steps: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const problems = (await Promise.allSettled(steps)).flatMap((step) =>
    step.status === 'rejected' && step.reason instanceof UsageError ? step.reason.problems : [],
  );
  if (problems.length > 0) throw new UsageError(...problems);
  return Promise.all(steps);
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
    case 'ENAMETOOLONG':
      return 'the name is too long';
    case 'ELOOP':
      return 'its symbolic links go round in circles';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
