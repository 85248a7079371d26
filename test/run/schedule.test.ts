// Tests of the schedule: how many run at once, who waits, what is asked again. Attempts here open no socket.
import { describe, expect, it } from 'vitest';
import type { Attempt, Outcome } from '../../src/contract/outcome.js';
import { Schedule } from '../../src/run/schedule.js';
import type { Limits, Question } from '../../src/run/schedule.js';
import { answered } from '../net/kit.js';

const silent: Outcome = { kind: 'silent', sent: 1, waitedMs: 5000 };
const exhausted: Outcome = { kind: 'unable', reason: 'no-resources', detail: 'EMFILE' };

const attemptOf = (outcome: Outcome): Attempt => ({ outcome, evidence: [], timings: {}, startedMs: 0, durationMs: 1 });

const question = (key: string, address = '192.0.2.1', carrier = 'tcp'): Question => ({
  key,
  bound: {
    traits: { silence: 'conclusive', depths: ['port'], defaultDepth: 'port', sends: [] },
    ask: () => Promise.resolve(answered),
  },
  target: { address, family: 4, port: 1, host: address },
  carrier,
  deadlineMs: 1000,
});

interface Seen {
  readonly attempts: { readonly key: string; readonly kind: string; readonly retrying: boolean }[];
  most: number;
}

/** A schedule whose attempts answer, on the next turn, what `answer` says for their question and number. */
function scheduleOf(limits: Partial<Limits>, answer: (key: string, number: number) => Outcome | undefined) {
  const seen: Seen = { attempts: [], most: 0 };
  const numbers = new Map<string, number>();
  let running = 0;
  const schedule = new Schedule({
    limits: { concurrency: 100, perHost: 100, retries: 0, ...limits },
    start: ({ key }) => {
      running += 1;
      seen.most = Math.max(seen.most, running);
      const number = (numbers.get(key) ?? 0) + 1;
      numbers.set(key, number);
      let interrupt: () => void = () => undefined;
      const done = new Promise<Attempt>((resolve) => {
        interrupt = () => resolve(attemptOf({ kind: 'unable', reason: 'interrupted', detail: '' }));
        const outcome = answer(key, number);
        if (outcome !== undefined) setImmediate(() => resolve(attemptOf(outcome)));
      }).finally(() => {
        running -= 1;
      });
      return { done, interrupt };
    },
    onAttempt: ({ key }, { outcome }, retrying) => seen.attempts.push({ key, kind: outcome.kind, retrying }),
  });
  return { schedule, seen };
}

const many = (count: number, address?: (index: number) => string): Question[] =>
  Array.from({ length: count }, (_, index) => question(String(index), address?.(index)));

describe('the schedule', () => {
  it('asks every question once', async () => {
    const { schedule, seen } = scheduleOf({}, () => answered);
    await schedule.ask(many(250));
    expect(seen.attempts.map(({ key }) => Number(key)).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 250 }, (_, i) => i),
    );
  });

  it('never has more in flight than it may', async () => {
    const { schedule, seen } = scheduleOf({ concurrency: 7 }, () => answered);
    await schedule.ask(many(100, (index) => `192.0.2.${index}`));
    expect(seen.most).toBe(7);
  });

  it('never has more in flight to one host than it may, while other hosts go on', async () => {
    const { schedule, seen } = scheduleOf({ perHost: 3 }, () => answered);
    await schedule.ask(many(40, (index) => `192.0.2.${index % 2}`));
    expect(seen.most).toBe(6);
    expect(seen.attempts).toHaveLength(40);
  });

  it('asks again what is silent, as often as it may, and nothing else', async () => {
    const { schedule, seen } = scheduleOf({ retries: 2 }, (key, number) =>
      key === '0' || (key === '1' && number === 1) ? silent : answered,
    );
    await schedule.ask(many(3));
    const of = (key: string): unknown =>
      seen.attempts.filter((one) => one.key === key).map(({ kind, retrying }) => [kind, retrying]);
    expect(of('0')).toEqual([
      ['silent', true],
      ['silent', true],
      ['silent', false],
    ]);
    expect(of('1')).toEqual([
      ['silent', true],
      ['answered', false],
    ]);
    expect(of('2')).toEqual([['answered', false]]);
  });

  it('slows down when the machine runs out, and asks those again: no answer is lost', async () => {
    const { schedule, seen } = scheduleOf({ concurrency: 50 }, (_, number) => (number === 1 ? exhausted : answered));
    await schedule.ask(many(30));
    expect(seen.attempts.map(({ kind }) => kind)).toEqual(Array.from({ length: 30 }, () => 'answered'));
  });

  it('says so when the machine stays out of resources', async () => {
    const { schedule, seen } = scheduleOf({ concurrency: 1 }, () => exhausted);
    const asking = schedule.ask(many(1));
    setTimeout(() => schedule.interrupt(), 300);
    await asking;
    expect(seen.attempts.filter(({ kind }) => kind === 'answered')).toEqual([]);
  });

  it('ends what runs and starts nothing more when it is interrupted', async () => {
    const { schedule, seen } = scheduleOf({ concurrency: 2 }, () => undefined);
    const asking = schedule.ask(many(10));
    await new Promise((resolve) => setTimeout(resolve, 20));
    schedule.interrupt();
    await asking;
    expect(seen.attempts.map(({ kind }) => kind)).toEqual(['unable', 'unable']);
  });

  it('asks one after the other what would take each other answers', async () => {
    const { schedule, seen } = scheduleOf({}, () => answered);
    await schedule.ask(many(5).map((one) => ({ ...one, oneAtATime: 'udp 3080 192.0.2.1' })));
    expect(seen.attempts).toHaveLength(5);
    expect(seen.most).toBe(1);
  });

  it('paces datagrams, and sends them all', async () => {
    const { schedule, seen } = scheduleOf({ concurrency: 1000, perHost: 1000 }, () => answered);
    await schedule.ask(Array.from({ length: 200 }, (_, index) => question(String(index), '192.0.2.1', 'udp')));
    expect(seen.attempts).toHaveLength(200);
    // A tick starts 32 at most, so the 200 never are in flight together.
    expect(seen.most).toBeLessThan(200);
  });
});
