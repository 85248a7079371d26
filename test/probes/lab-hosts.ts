// linecheck probe on the lab's tech host, by users of different rights; its one verdict. What is asked stands in the tests.
import { expect } from 'vitest';
import { z } from 'zod';
import type { Lab } from '../lab/lab.js';

/**
 * `an ordinary user` may start programs that have more rights than he has, ping above all; `nobody with a privilege` may
 * not even that.
 */
export type Asker = 'root' | 'an ordinary user' | 'nobody with a privilege';

const reported = z.object({
  tool: z.object({ tier: z.number(), can: z.array(z.string()) }),
  checks: z.tuple([
    z.looseObject({
      verdict: z.string(),
      how: z.string().optional(),
      result: z.string(),
      certain: z.string(),
      summary: z.string(),
      advice: z.string().optional(),
      by: z.looseObject({ address: z.string() }).optional(),
      from: z.looseObject({ address: z.string().optional() }),
      facts: z.record(z.string(), z.unknown()),
      evidence: z.array(z.looseObject({ kind: z.string() })),
    }),
  ]),
});

export type Probed = z.infer<typeof reported>['checks'][0] & { readonly tool: z.infer<typeof reported>['tool'] };

const NOBODY = 65_534;
/** Reading the project's files takes a right where they stand in a folder that is root's alone. */
const ORDINARY = [
  ...['setpriv', '--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'],
  ...['--inh-caps', '-all,+dac_read_search', '--ambient-caps', '-all,+dac_read_search', '--'],
];

export async function probed(lab: Lab | undefined, asker: Asker, words: readonly string[]): Promise<Probed> {
  if (lab === undefined) throw new Error('no lab');
  const argv = [process.execPath, 'bin/linecheck.js', 'probe', ...words, '--format', 'json'];
  const ended = await lab.exec(
    'tech',
    asker === 'an ordinary user' ? [...ORDINARY, ...argv] : argv,
    asker === 'nobody with a privilege' ? { uid: NOBODY } : {},
  );
  expect(ended.stderr).toBe('');
  const { tool, checks } = reported.parse(JSON.parse(ended.stdout));
  return { ...checks[0], tool };
}

/** For the message of an expectation that fails. */
export function described({ summary, evidence }: Probed): string {
  return `${summary} ${JSON.stringify(evidence)}`;
}
