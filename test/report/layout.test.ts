// Words into lines: what is safe, how wide it is, where it breaks.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clean, definitions, displayWidth, listing, paragraph, type Entry } from '../../src/report/layout.js';
import { hostile } from './arbitrary.js';

const at = (width: number): { width: number; colour: boolean } => ({ width, colour: false });

describe('clean', () => {
  it.each([
    ['plain', 'plain'],
    ['two\r\nlines\tand  more', 'two lines and more'],
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u009b31mred', 'red'],
    ['\u001b]0;title\u0007kept', ']0;titlekept'],
    ['a\u202eb\u2066c\u200bd\u00ade', 'abcde'],
    ['a\u0000\u0008\u007fb', 'ab'],
    ['lone \ud800 surrogate', 'lone surrogate'],
    ['überwachte Geräte 设备', 'überwachte Geräte 设备'],
  ])('makes %j %j', (text, safe) => {
    expect(clean(text)).toBe(safe);
  });

  it('leaves nothing that a terminal obeys, and does nothing the second time', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constant(hostile))), (parts) => {
        const once = clean(parts.join(''));
        expect(once).not.toMatch(/\p{C}/u);
        expect(clean(once)).toBe(once);
      }),
    );
  });

  it('takes time in proportion to what comes in', () => {
    expect(clean('\u001b['.repeat(200_000))).toBe('['.repeat(200_000));
    expect(clean(`\u001b[${'0;'.repeat(200_000)}`)).toHaveLength(400_001);
  });
});

describe('the display width', () => {
  it.each([
    ['abc', 3],
    ['设备', 4],
    ['é', 1],
    ['👍', 2],
    ['ｆ', 2],
    ['', 0],
  ])('of %j is %i', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('a paragraph', () => {
  it('wraps at spaces and hangs its lines below its label', () => {
    expect(paragraph('one two three four five six', at(24), { hang: 6, label: 'FAIL' })).toEqual([
      'FAIL  one two three four',
      '      five six',
    ]);
  });

  it('gives a label that does not fit a line of its own', () => {
    expect(paragraph('one two', at(24), { hang: 6, label: 'UNPROVEN' })).toEqual(['UNPROVEN', '      one two']);
  });

  it('shows its label where there is no text', () => {
    expect(paragraph('', at(40), { hang: 8, label: 'Here' })).toEqual(['Here']);
  });

  it('cuts a word that fits on no line after a separator, and loses nothing of it', () => {
    const lines = paragraph('a-device-in-a-far-away-branch.example.net:443/tcp', at(24));
    expect(lines).toEqual(['a-device-in-a-far-away-', 'branch.example.net:443/', 'tcp']);
  });

  it('never parts what stands together in several tones', () => {
    const line = [
      { text: 'Title', tone: 'strong' as const },
      ': ',
      { text: 'blocked', tone: 'bad' as const },
      ', likely',
    ];
    expect(paragraph(line, { width: 80, colour: true })).toEqual([
      '\u001b[1mTitle\u001b[22m: \u001b[31mblocked\u001b[39m, likely',
    ]);
  });

  it('starts and ends its colours on every line', () => {
    const lines = paragraph({ text: 'word '.repeat(20), tone: 'bad' }, { width: 24, colour: true });
    expect(lines.length).toBeGreaterThan(1);
    // eslint-disable-next-line no-control-regex -- it is the escape codes that are looked for
    for (const line of lines) expect(line).toMatch(/^\u001b\[31m[a-z ]+\u001b\[39m$/);
  });

  it('does not wrap where the width is endless', () => {
    expect(paragraph('word '.repeat(100), at(Number.POSITIVE_INFINITY))).toHaveLength(1);
  });
});

describe('definitions', () => {
  it('set a long term above its text, and all others in one column', () => {
    expect(
      definitions(
        [
          ['a', 'first'],
          ['a-term-too-long', 'second'],
          ['bcd', 'third'],
        ],
        at(30),
      ),
    ).toEqual(['a    first', 'a-term-too-long', '     second', 'bcd  third']);
  });
});

describe('a listing', () => {
  const entry = (title: string, ...whats: readonly string[]): Entry => ({
    title,
    items: whats.map((what) => ({ what, tail: ['open', '12 ms'] })),
  });

  it('shows a title once beside all its items', () => {
    expect(listing([entry('A title that needs two lines here', '192.0.2.1', '192.0.2.2')], at(52))).toEqual([
      'A title that needs two lines  192.0.2.1  open  12 ms',
      'here                          192.0.2.2  open  12 ms',
    ]);
  });

  it('puts items below their title where they are too long to stand beside it, with the same columns to the right', () => {
    const lines = listing([entry('First', '192.0.2.1'), entry('Second', 'a-long-name.example.net')], at(52), {
      right: [1],
    });
    expect(lines).toEqual([
      'First                         192.0.2.1  open  12 ms',
      'Second',
      '  a-long-name.example.net                open  12 ms',
    ]);
  });

  it('keeps an address whole that only fits without its tail', () => {
    const lines = listing([entry('Second', 'a-very-long-name-of-a-host.example.net')], at(44));
    expect(lines).toEqual([
      'Second',
      '  a-very-long-name-of-a-host.example.net',
      '                                 open  12 ms',
    ]);
  });

  it('writes text where the width is too short for columns', () => {
    expect(listing([entry('First', '192.0.2.1')], at(30))).toEqual(['First', '  192.0.2.1 open 12 ms']);
  });
});
