// Times of reports as numbers, against the calendar of the runtime.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochSeconds, seconds } from '../../src/report/instant.js';

describe('seconds since 1970', () => {
  it('are those of the runtime, for every time that a report can have', () => {
    const date = fc.date({
      min: new Date('1583-01-01T00:00:00Z'),
      max: new Date('9999-12-31T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(date, (time) => {
        expect(epochSeconds(time.toISOString())).toBeCloseTo(time.getTime() / 1000, 3);
        expect(epochSeconds(time.toISOString().replace(/\.\d+/, ''))).toBe(Math.floor(time.getTime() / 1000));
      }),
      { numRuns: 500 },
    );
  });

  it.each(['', 'soon', '2025-06-03', '2025-06-03T08:15:02+02:00', '2025-06-03 08:15:02Z'])(
    'are not made of %j',
    (text) => {
      expect(epochSeconds(text)).toBeUndefined();
    },
  );
});

describe('milliseconds', () => {
  it.each([
    [0, '0'],
    [12.4, '0.0124'],
    [8412, '8.412'],
    [0.0004, '0'],
    [86_400_000, '86400'],
  ])('%d are %s seconds', (ms, text) => expect(seconds(ms)).toBe(text));
});
