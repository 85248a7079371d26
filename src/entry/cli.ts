// The command line: which command, and how a mistake is told. Each command is a file of its own, loaded when named.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { ExitCode } from '../contract/report.js';
import { UsageError } from './fail.js';
import { print, styleOf } from './terminal.js';

/** What a command gets besides its arguments. */
export interface Setting {
  /** Where profiles/ and package.json are. */
  readonly root: URL;
  readonly version: string;
}

function versionAt(root: URL): string {
  const parsed: unknown = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  throw new Error('package.json has no version');
}

/** Runs one command; the number is the exit code. */
export async function main(root: URL, argv: readonly string[]): Promise<ExitCode> {
  // A reader such as `head` may leave early.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const setting: Setting = { root, version: versionAt(root) };
  try {
    // The one answer that needs no command line parser, and that scripts ask for most.
    if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
      await print(`${setting.version}\n`);
      return 0;
    }
    const { dispatch } = await import('./commands.js');
    return await dispatch(setting, argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const { problemLines } = await import('../report/problems.js');
    await print(problemLines(error.problems, styleOf(process.stderr)), process.stderr);
    return 2;
  }
}
