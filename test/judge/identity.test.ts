// An identity that the site expects and nothing showed is no pass, whatever else was answered.
import { expect, it } from 'vitest';
import type { Judged } from '../../src/contract/verdict.js';
import { judge } from '../../src/judge/judge.js';
import { answered, attempt, record, run, turnedAway } from './records.js';

const identity = { ca: 'site-ca' };
const shown = (bySiteCa: boolean) => [{ kind: 'tls', issuer: 'CN=Some CA', bySiteCa }] as const;

function judged(given: Parameters<typeof record>[1]): Judged {
  const [found] = judge(run(record({ probe: 'tls', reach: 'secure', identity }, given)));
  if (found === undefined) throw new Error('nothing was judged');
  return found;
}

it.each([
  ['answers', answered('secure'), 'open'],
  ['refuses our certificate', turnedAway(), 'denied'],
] as const)('a service that %s passes by its identity alone', (_, outcome, verdict) => {
  expect(judged(attempt(outcome, shown(true)))).toMatchObject({ verdict, result: 'pass' });
  expect(judged(attempt(outcome, shown(false)))).toMatchObject({
    verdict: 'intercepted',
    how: 'issuer',
    result: 'fail',
  });
  const unseen = judged(outcome);
  expect(unseen).toMatchObject({ verdict: 'unproven', how: 'shallow', result: 'unproven' });
  expect(unseen.summary).toContain("signature of the site's CA");
});

it('what an intercepted session showed is kept, for whoever runs it', () => {
  const outcome = {
    ...answered('secure'),
    facts: { issuer: 'CN=Some CA', distrust: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
  };
  const found = judged(attempt(outcome, shown(false)));
  expect(found.facts).toEqual(outcome.facts);
  expect(found.advice).toContain('an intermediate of your own CA');
});
