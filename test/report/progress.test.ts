// The progress line: what it counts, and that it fits.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/contract/outcome.js';
import type { RunEvent } from '../../src/contract/run-event.js';
import { displayWidth } from '../../src/report/layout.js';
import { foldProgress, noProgress, progressLine, type Progress } from '../../src/report/progress.js';
import { hostile } from './arbitrary.js';
import { events, full } from './events.js';
import { check, ldapServer } from './samples.js';

const plain = { width: 80, colour: false };
const started: RunEvent = {
  event: 'started',
  t: 0,
  schema: 'linecheck/run-event/v1',
  tool: full.tool,
  startedAt: full.startedAt,
  checks: 6,
  asked: 4,
  skipped: 0,
};
const silent: Outcome = { kind: 'silent', sent: 1, waitedMs: 8000 };
const answered: Outcome = { kind: 'answered', depth: 'port', facts: {} };

function attempt(t: number, checks: readonly string[], outcome: Outcome, retrying = false): RunEvent {
  return { event: 'attempt', t, checks, attempt: 1, outcome, timings: {}, durationMs: 1, retrying };
}

const fold = (all: readonly RunEvent[]): Progress => all.reduce(foldProgress, noProgress);
const line = (all: readonly RunEvent[]): string => progressLine(fold(all), plain);

describe('the progress line', () => {
  it('says before the run that it prepares', () => {
    expect(progressLine(noProgress, plain)).toBe('preparing  0 ms');
  });

  it('counts checks, not askings', () => {
    expect(line([started, attempt(100, ['p/a', 'p/b'], answered)])).toBe('2/4 done  100 ms  2 to go');
  });

  it('counts what has no good answer so far', () => {
    expect(line([started, attempt(8000, ['p/a', 'p/b'], silent), attempt(8100, ['p/c'], answered)])).toBe(
      '3/4 done  8.1 s  2 failing so far  1 to go',
    );
  });

  it('names what is asked again, until its answer is there', () => {
    const again = [started, attempt(4000, ['p/ntp/manager/192.0.2.5/udp-123'], silent, true)];
    expect(line(again)).toBe('0/4 done  4 s  4 to go  awaiting ntp/manager/192.0.2.5/udp-123');
    expect(line([...again, attempt(4100, ['p/b'], answered)])).toContain('awaiting ntp/');
    expect(line([...again, attempt(5000, ['p/ntp/manager/192.0.2.5/udp-123'], answered)])).not.toContain('awaiting');
  });

  it('does not count again what the second look asks', () => {
    const all = [started, attempt(8000, ['p/a', 'p/b', 'p/c', 'p/d'], silent)];
    const looking: RunEvent = { event: 'diagnosing', t: 8100, check: 'p/a', look: 'path search' };
    expect(line([...all, looking, attempt(9000, ['p/a'], silent)])).toBe(
      '4/4 done  9 s  4 failing so far  second look  awaiting a',
    );
  });

  it('replaces the first count by verdicts as they come, of required flows only', () => {
    const pass = check({ flow: 'a', title: 'A', to: ldapServer });
    const judged = [
      { ...pass, result: 'fail' as const },
      { ...pass, result: 'fail' as const, required: false },
      pass,
    ].map((each): RunEvent => ({ event: 'check', t: 9000, check: each }));
    expect(line([started, attempt(8000, ['p/a', 'p/b', 'p/c', 'p/d'], silent), ...judged])).toBe(
      '3/4 judged  9 s  1 flow failing',
    );
  });

  it('ends with what the summary says', () => {
    expect(line(events)).toBe('6/6 done  0 ms  1 flow failing');
  });

  it('moves with the clock between events', () => {
    expect(progressLine(fold([started]), plain, 2512)).toBe('0/4 done  2.5 s  4 to go');
  });

  it('is never wider than its style, and carries no control characters', () => {
    const event = fc.oneof(
      fc.constantFrom(started, ...events),
      fc
        .record({
          ids: fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constant(hostile)), { maxLength: 3 }),
          retrying: fc.boolean(),
        })
        .map(({ ids, retrying }) => attempt(5, ids, silent, retrying)),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), fc.integer({ min: 1, max: 120 }), (all, width) => {
        const text = progressLine(fold(all), { width, colour: false });
        expect(displayWidth(text)).toBeLessThanOrEqual(width);
        expect(text).not.toMatch(/\p{C}/u);
      }),
    );
  });

  it('never counts more than there are', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 60 }), (all) => {
        const { done, total } = fold(all);
        expect(done).toBeLessThanOrEqual(Math.max(total, 1));
      }),
    );
  });

  it('tells failing by words as well as by colour', () => {
    const text = progressLine(fold([started, attempt(1, ['p/a'], silent)]), { width: 80, colour: true });
    expect(text).toContain('\u001b[31m1 failing so far\u001b[39m');
  });
});
