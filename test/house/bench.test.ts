// The arithmetic of the measurements, and the page that holds their results. Nothing is measured here.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { check } from 'prettier';
import { describe, expect, it } from 'vitest';
import { median, row, skipped, table, withResults } from '../../bench/figures.js';

const page = readFileSync(path.join(import.meta.dirname, '../../bench/README.md'), 'utf8');

describe('a median', () => {
  it('is the middle value, whatever the order', () => expect(median([9, 1, 5])).toBe(5));
  it('of an even number lies between the two in the middle', () => expect(median([1, 2, 4, 100])).toBe(3));
  it('of nothing is an error, not a number', () => expect(() => median([])).toThrow(RangeError));
});

describe('the table', () => {
  const under2 = { text: 'under 2', met: (ratio: number) => ratio < 2 };

  it('sets the medians of both beside their ratio, and says whether the aim is met', () => {
    const rows = [
      row('quick', 'ms', [10, 30, 20], [30, 10, 30], under2),
      row('slow', 'ms', [100], [250], under2),
      row('aimless', 'MB', [1], [1]),
    ];
    expect(table(rows).split('\n')).toEqual([
      '| measured | beside  | linecheck | ratio | aim     | met |',
      '| -------- | ------- | --------- | ----- | ------- | --- |',
      '| quick    | 20.0 ms | 30.0 ms   | 1.50  | under 2 | yes |',
      '| slow     | 100 ms  | 250 ms    | 2.50  | under 2 | no  |',
      '| aimless  | 1.0 MB  | 1.0 MB    | 1.00  | -       | -   |',
    ]);
  });

  it('says below what was skipped, and why', () => {
    const lines = table([row('aimless', 'MB', [1], [1]), skipped('beside nmap', 'nmap is not here')]).split('\n');
    expect(lines).toHaveLength(5);
    expect(lines.slice(3)).toEqual(['', 'Skipped: beside nmap (nmap is not here).']);
  });
});

describe('the page of results', () => {
  it('has its block replaced, and nothing else', () => {
    const once = withResults(page, 'first figures');
    expect(once).toContain('first figures');
    expect(withResults(once, 'other figures')).toBe(withResults(page, 'other figures'));
    expect(once.slice(0, page.indexOf('<!-- results -->'))).toBe(page.slice(0, page.indexOf('<!-- results -->')));
  });

  it('is formatted as everything else is, once it is written', async () => {
    const rows = [row('start-up: `linecheck --version`', 'ms', [10], [15]), row('x', 'MB', [1], [2])];
    const options = { filepath: 'bench/README.md', printWidth: 120, singleQuote: true };
    expect(await check(withResults(page, `${table(rows)}\n\nMedians of 1 start.`), options)).toBe(true);
  });

  it('is not written where the marks are missing', () => {
    expect(() => withResults('# a page', 'figures')).toThrow('<!-- results -->');
  });

  it('holds the figures of a run, with the machine they came from', () => {
    const block = page.slice(page.indexOf('<!-- results -->'), page.indexOf('<!-- /results -->'));
    expect(block).toMatch(/\| start-up: `linecheck --version` +\| [\d.]+ ms +\| [\d.]+ ms +\| \d+\.\d\d +\|/);
    expect(block).toMatch(/Medians of \d+ starts, of \d+ runs [^;]*; \d+ cores, Node \d+\.\d+\.\d+/);
  });
});
