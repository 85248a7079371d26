// Tests of the pace: how many start in one stretch, and in which order those that wait.
import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/run/pace.js';

/** A pace whose stretches end when the test says so. */
function paceOf(most: number) {
  const ends: (() => void)[] = [];
  const started: number[] = [];
  const pace = new Pace(most, (next) => ends.push(next));
  const start = async (number: number): Promise<void> => {
    await pace.turn();
    started.push(number);
  };
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const endStretch = async (): Promise<void> => {
    ends.shift()?.();
    await settled();
  };
  return { pace, start, started, settled, endStretch, ends };
}

describe('the pace', () => {
  it('lets so many start in a stretch, and the others in the next ones, in the order they came', async () => {
    const { start, started, settled, endStretch } = paceOf(2);
    const all = [1, 2, 3, 4, 5].map(start);
    await settled();
    expect(started).toEqual([1, 2]);
    await endStretch();
    expect(started).toEqual([1, 2, 3, 4]);
    await endStretch();
    await Promise.all(all);
    expect(started).toEqual([1, 2, 3, 4, 5]);
  });

  it('begins a stretch with a start, and none while nobody starts', async () => {
    const { start, ends, endStretch } = paceOf(2);
    expect(ends).toHaveLength(0);
    await start(1);
    expect(ends).toHaveLength(1);
    await endStretch();
    expect(ends).toHaveLength(0);
  });

  it('lets everyone go when it is released', async () => {
    const { pace, start, started } = paceOf(1);
    const all = [1, 2, 3].map(start);
    pace.release();
    await Promise.all(all);
    expect(started).toEqual([1, 2, 3]);
  });
});
