// Results against expectation: the default, `reach: path`, and the negative, `expect: blocked`.
import { describe, expect, it } from 'vitest';
import type { BoundCheck } from '../../src/contract/flow.js';
import type { CheckRecord, Judged } from '../../src/contract/verdict.js';
import { judge } from '../../src/judge/judge.js';
import { answers } from './cells/answers.js';
import { refusals } from './cells/refusals.js';
import { silences } from './cells/silences.js';
import {
  TARGET,
  alive,
  answered,
  attempt,
  lives,
  receipt,
  record,
  refused,
  run,
  silent,
  stranger,
  udp,
} from './records.js';

const cells = [...answers, ...refusals, ...silences];

function only(...records: readonly CheckRecord[]): Judged {
  const found = judge(run(...records))[0];
  if (found === undefined) throw new Error('no check');
  return found;
}

/** Every cell's check again, with another expectation. */
function again(over: Partial<BoundCheck>): readonly { name: string; found: Judged }[] {
  return cells.map(({ name, run: { checks, accept }, index = 0 }) => {
    const altered = checks.map((item, at) => (at === index ? { ...item, check: { ...item.check, ...over } } : item));
    const found = judge({ checks: altered, accept })[index];
    if (found === undefined) throw new Error(name);
    return { name, found };
  });
}

describe('expect: open', () => {
  it('passes on open, on denied unless the service must serve us, on closed only for reach: path, and on nothing else', () => {
    for (const reach of ['path', 'port', 'secure', 'protocol', 'service'] as const) {
      for (const { name, found } of again({ reach })) {
        const passes =
          found.verdict === 'open' ||
          (found.verdict === 'denied' && reach !== 'service') ||
          (found.verdict === 'closed' && reach === 'path');
        expect([name, reach, found.verdict, found.result === 'pass']).toEqual([name, reach, found.verdict, passes]);
      }
    }
  });

  it('is unproven for unproven and error, and fails for the rest', () => {
    for (const { name, found } of again({})) {
      const undecided = found.verdict === 'unproven' || found.verdict === 'error';
      expect([name, found.result === 'unproven']).toEqual([name, undecided]);
    }
  });

  it('warns only where it passes', () => {
    for (const { name, found } of again({})) {
      if (found.result !== 'pass') expect([name, found.warning]).toEqual([name, undefined]);
    }
  });
});

describe('expect: blocked', () => {
  const negative = again({ expect: 'blocked' });

  it('changes the result and never the verdict', () => {
    const plain = again({});
    expect(negative.map(({ found }) => [found.verdict, found.how])).toEqual(
      plain.map(({ found }) => [found.verdict, found.how]),
    );
  });

  it.each([
    ['open', 'fail'],
    ['denied', 'fail'],
    ['closed', 'fail'],
    ['intercepted', 'fail'],
    ['wrong-service', 'fail'],
    ['unreachable', 'unproven'],
    ['unproven', 'unproven'],
    ['error', 'unproven'],
  ] as const)('%s gives %s', (verdict, result) => {
    const these = negative.filter(({ found }) => found.verdict === verdict);
    expect(these.length).toBeGreaterThan(0);
    for (const { name, found } of these) expect([name, found.result]).toEqual([name, result]);
  });

  it('passes on blocked, except where small packets of the flow are answered', () => {
    const these = negative.filter(({ found }) => found.verdict === 'blocked');
    expect(new Set(these.map(({ found }) => found.how)).size).toBe(6);
    for (const { name, found } of these) {
      expect([name, found.result]).toEqual([name, found.how === 'oversize-dropped' ? 'fail' : 'pass']);
    }
  });

  it('fails on closed for reach: path too: the packets got there', () => {
    expect(only(record({ expect: 'blocked', reach: 'path' }, refused())).result).toBe('fail');
  });

  it('warns where only this machine stopped it, or only the answers were stopped', () => {
    expect(only(record({ expect: 'blocked' }, refused('local-firewall')))).toMatchObject({
      result: 'pass',
      warning: "this machine's own firewall stops it, so the network was not tested",
    });
    expect(only(record({ expect: 'blocked' }, silent(), [receipt(true, true)]))).toMatchObject({
      result: 'pass',
      warning: 'our packets still reach the target; only its answers are stopped',
    });
  });

  it('never passes on silence that decides nothing', () => {
    expect(only(record({ ...udp, expect: 'blocked' }, silent())).result).toBe('unproven');
    expect(only(record({ expect: 'blocked' }, silent(1000)), lives).result).toBe('unproven');
    expect(only(record({ expect: 'blocked' }, silent())).result).toBe('unproven');
  });

  it('fails on a stranger that accepts and on an answer below the reach only if it proves an end', () => {
    expect(only(record({ expect: 'blocked' }, stranger('close'))).result).toBe('fail');
    expect(only(record({ expect: 'blocked' }, answered('protocol'))).result).toBe('fail');
  });

  it('passes on a reset that somebody nearer forged, and fails on one of the target', () => {
    const forged = attempt(refused('reset', { ttl: 63 }), [alive('echo', 62, TARGET)]);
    const own = attempt(refused('reset', { ttl: 62 }), [alive('echo', 62, TARGET)]);
    expect(only(record({ expect: 'blocked' }, forged)).result).toBe('pass');
    expect(only(record({ expect: 'blocked' }, own)).result).toBe('fail');
  });
});
