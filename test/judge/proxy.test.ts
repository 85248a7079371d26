// A check through a proxy: what the proxy says of itself is never laid at the target's door.
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/contract/outcome.js';
import type { Judged } from '../../src/contract/verdict.js';
import { reportedCheck } from '../../src/judge/account.js';
import { judge } from '../../src/judge/judge.js';
import { answered, record, refused, run, silent, stranger } from './records.js';

const PROXY = '203.0.113.9';
const proxied = {
  probe: 'https',
  to: { role: 'portal', host: 'www.example.net', port: 443 },
  via: 'proxy.example.net:3128',
} as const;

function judged(outcome: Outcome, over: Parameters<typeof record>[3] = {}): Judged {
  const [found] = judge(run(record(proxied, outcome, [], over)));
  if (found === undefined) throw new Error('nothing was judged');
  return found;
}

it('is open where the far end answers, and the report says through what', () => {
  const found = judged(answered());
  expect(found).toMatchObject({ verdict: 'open', result: 'pass', certain: 'proven' });
  expect(found.summary).toContain('to www.example.net through the proxy proxy.example.net:3128, TCP 443');
  expect(reportedCheck(found)).toMatchObject({ via: 'proxy.example.net:3128', to: { host: 'www.example.net' } });
});

it('is blocked by the proxy, proven, where the proxy says so in words', () => {
  const said = 'HTTP status 403 Forbidden to CONNECT: its rules forbid it';
  const found = judged({ kind: 'refused', signal: 'prohibited', afterMs: 12, by: PROXY, said });
  expect(found).toMatchObject({
    verdict: 'blocked',
    how: 'rejected',
    result: 'fail',
    certain: 'proven',
    by: { address: PROXY },
    direction: 'forward',
  });
  expect(found.summary).toContain(`rejected by ${PROXY} with ${said}`);
});

it.each([
  ['refuses', refused('refused', { by: PROXY })],
  ['is not there', refused('no-neighbour', { afterMs: 3060 })],
  ['cannot be reached', refused('host-unreachable')],
])('is blocked, likely, where the proxy %s, and nothing is said of the far end', (_, outcome) => {
  const found = judged(outcome);
  expect(found).toMatchObject({ verdict: 'blocked', how: 'rejected', result: 'fail', certain: 'likely' });
  expect(found.advice).toContain('The proxy proxy.example.net:3128 did not accept the connection');
});

it('is unreachable where the proxy is silent, and says that it was the proxy', () => {
  const found = judged(silent());
  expect(found).toMatchObject({ verdict: 'unreachable', how: 'silent', result: 'fail', certain: 'likely' });
  expect(found.advice).toContain('It was the proxy proxy.example.net:3128 that did not answer');
});

it('is unproven where the run ended before the proxy answered', () => {
  expect(judged(silent(), { interrupted: true })).toMatchObject({ verdict: 'unproven', how: 'interrupted' });
});

describe('this machine', () => {
  it.each([
    ['local-firewall', 'blocked', 'local'],
    ['no-route', 'unreachable', 'no-route'],
  ] as const)('is to blame for %s, as without a proxy', (signal, verdict, how) => {
    expect(judged(refused(signal))).toMatchObject({ verdict, how });
  });
});

it('is a wrong service where the proxy answers with something else', () => {
  const found = judged(stranger('other-protocol', 'the proxy answered CONNECT with HTTP status 502 Bad Gateway'));
  expect(found).toMatchObject({ verdict: 'wrong-service', how: 'stranger', result: 'fail' });
});
