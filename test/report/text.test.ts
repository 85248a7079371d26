// The account in words: golden files, one fact a line, the order of the table, nothing but words.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { table } from '../../src/report/table.js';
import { text } from '../../src/report/text.js';
import { arbitraryReport } from './arbitrary.js';
import { expectGolden } from './golden.js';
import { report, samples } from './samples.js';

describe('the text', () => {
  it.each(['mixed-failures', 'all-pass', 'left-out', 'one-of-none', 'interrupted', 'nothing', 'ipv6'])(
    'of %s reads as its golden file does',
    (name) => expectGolden(`${name}.text.txt`, text(samples[name] ?? report([]))),
  );

  it('has one fact a line: a name, a colon and words, with nothing drawn and nothing that a terminal would obey', () => {
    fc.assert(
      fc.property(arbitraryReport, (sample) => {
        for (const line of text(sample).trimEnd().split('\n')) {
          expect(line).toMatch(/^$|^[A-Z][A-Za-z ,0-9]*: ?/);
          expect(line).not.toMatch(/\p{C}/u);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('names flows in the order of the table, each once', () => {
    fc.assert(
      fc.property(arbitraryReport, (sample) => {
        const sorted = sample.checks.filter(({ warning, result }) => warning === undefined || result === 'pass');
        const checks = sorted.map((each, at) => ({
          ...each,
          title: `T${String(at).padStart(4, '0')}x`,
          summary: 'Same.',
          advice: 'Same.',
        }));
        const given = { ...sample, checks, notices: [], skipped: [], site: 's' };
        const order = (page: string): readonly string[] => page.match(/T\d{4}x/g) ?? [];
        const words = order(text(given));
        expect(words).toHaveLength(checks.length);
        expect(words).toEqual([...new Set(order(table(given, { width: 200, colour: false })))]);
      }),
      { numRuns: 100 },
    );
  });
});
