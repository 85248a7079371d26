// Programs of others that read our formats, for tests: they get the text on standard input and say whether it is theirs.
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';
import { withSystemPath } from '../lab/place.js';
import { requireServer } from '../lab/requirements.js';

export interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the program says of the text; ends the test as skipped where it is not installed. */
export function reader(
  ctx: Pick<TestContext, 'skip'>,
  debianPackage: string,
  [binary = '', ...args]: readonly string[],
): (text: string) => Said {
  requireServer(ctx, binary, debianPackage);
  return (text) => {
    const { status, stdout, stderr, error } = spawnSync(binary, args, {
      input: text,
      encoding: 'utf8',
      env: withSystemPath(),
      maxBuffer: 256 * 1024 * 1024,
    });
    if (error !== undefined) throw error;
    return { status, stdout, stderr };
  };
}
