// linecheck as a tech of the lab runs it, and what its report says. Whether it is built and the lab can be: requireLinecheck.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { kernelAccess } from '../../src/net/kernel.js';
import type { Lab } from './lab.js';
import { requireLab, skipFor } from './requirements.js';

const ROOT = join(import.meta.dirname, '../..');
const CLI = join(ROOT, 'bin/linecheck.js');

/** The test needs the lab, and linecheck built. */
export function requireLinecheck(ctx: Pick<TestContext, 'skip'>): void {
  requireLab(ctx);
  const built = existsSync(join(ROOT, 'dist/src/entry/cli.js'));
  skipFor(ctx, built ? undefined : 'linecheck is not built: npm run build');
}

/** What these tests read of a check in a report. */
export interface Said {
  readonly verdict: string;
  readonly how?: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly summary: string;
  readonly durationMs: number;
}

/** An ordinary user to the network: no root's rights, no capability but to read files. */
export const NOBODY = 65_534;

/** `words` as the command line has them. One check is expected; throws what linecheck said where there is none. */
export async function linecheck(lab: Lab, words: readonly string[], uid?: number): Promise<Said> {
  const argv = [process.execPath, CLI, ...words, '--format', 'json'];
  const { stdout, stderr } = await lab.exec('tech', argv, uid === undefined ? {} : { uid });
  const [said] = stdout === '' ? [] : (JSON.parse(stdout) as { readonly checks: readonly Said[] }).checks;
  if (said === undefined) throw new Error(`linecheck ${words.join(' ')} reports no check: ${stderr}`);
  return said;
}

const access = await kernelAccess();

/** How a closed port is closed: the kernel tells a reset from an ICMP error, plain Node does not. */
export const CLOSED =
  'kernel' in access
    ? ({ tcp: 'closed reset', udp: 'closed port-unreachable' } as const)
    : ({ tcp: 'closed refused', udp: 'closed refused' } as const);
