// Tests of the second look: who is asked again, in what order, and who falls outside the budget. On a clock of its own.
import { describe, expect, it } from 'vitest';
import { PACE_MS, reask, worthAskingAgain } from '../../src/diagnose/reask.js';

/** Asking takes no time here; sleeping moves the clock. */
function world() {
  let now = 0;
  const asked: { readonly question: string; readonly at: number }[] = [];
  return {
    asked,
    options: (budgetMs: number, stopped: () => boolean = () => false) => ({
      budgetMs,
      clock: { monotonicMs: () => now, wallMs: () => now },
      sleep: (ms: number) => {
        now = Math.max(now, now + ms);
        return Promise.resolve();
      },
      stopped,
      ask: (question: string) => {
        asked.push({ question, at: now });
        return Promise.resolve();
      },
    }),
  };
}

const silent = (question: string, address: string) => ({ question, address, deadlineMs: 5000 });

describe('the second look', () => {
  it('is worth it for silence, and for what looks like a failed lookup', () => {
    expect(worthAskingAgain({ kind: 'refused', signal: 'no-neighbour', afterMs: 3060 })).toBe(true);
    expect(worthAskingAgain({ kind: 'silent', sent: 1, waitedMs: 5000 })).toBe(true);
    expect(worthAskingAgain({ kind: 'refused', signal: 'refused', afterMs: 1 })).toBe(false);
    expect(worthAskingAgain({ kind: 'sent', sent: 1, waitedMs: 1000 })).toBe(false);
    expect(worthAskingAgain(undefined)).toBe(false);
  });

  it('asks one host once a second', async () => {
    const { asked, options } = world();
    const missed = await reask(
      ['a', 'b', 'c'].map((name) => silent(name, '192.0.2.1')),
      options(10_000),
    );
    expect(asked.map(({ at }) => at)).toEqual([0, PACE_MS, 2 * PACE_MS]);
    expect(missed.size).toBe(0);
  });

  it('leaves out what its budget cannot wait for, and says which', async () => {
    const { asked, options } = world();
    const names = Array.from({ length: 9 }, (_, index) => String(index));
    const missed = await reask(
      names.map((name) => silent(name, '192.0.2.1')),
      options(10_000),
    );
    expect(asked.map(({ question }) => question)).toEqual(['0', '1', '2', '3', '4', '5']);
    expect([...missed]).toEqual(['6', '7', '8']);
  });

  it('asks every host, however many there are', async () => {
    const { asked, options } = world();
    await reask(
      Array.from({ length: 50 }, (_, index) => silent(`q${index}`, `192.0.2.${index}`)),
      options(5000),
    );
    expect(asked).toHaveLength(50);
  });

  it('asks nothing more once the run is stopped', async () => {
    const { asked, options } = world();
    const missed = await reask(
      [silent('a', '192.0.2.1')],
      options(10_000, () => true),
    );
    expect(asked).toEqual([]);
    expect([...missed]).toEqual(['a']);
  });
});
