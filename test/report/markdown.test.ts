// Markdown, as GitHub's own parser reads it: the headline, a list, a table, and nothing that anybody else has put in.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/contract/report.js';
import { clean } from '../../src/report/layout.js';
import { markdown } from '../../src/report/markdown.js';
import { arbitraryReport, hostile } from './arbitrary.js';
import { expectGolden } from './golden.js';
import { many } from './many.js';
import { reader } from './readers.js';
import { check, failures, ldapServer, report, samples } from './samples.js';

/** All that GitHub has switched on. */
const extensions = ['table', 'strikethrough', 'autolink', 'tasklist', 'footnotes'];
const cmark = ['cmark-gfm', ...extensions.flatMap((name) => ['-e', name]), '-t', 'xml'] as const;

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&' };
const words = (xml: string): string => xml.replace(/&(lt|gt|quot|amp);/g, (_, name) => entities[String(name)] ?? '');

/** The kinds of nodes in a document of cmark, and the text in it, a space for each line's end. */
function document(xml: string): { readonly kinds: ReadonlySet<string>; readonly text: string; readonly rows: number } {
  const kinds = new Set(Array.from(xml.matchAll(/<([a-z_]+)[ >]/g), ([, kind = '']) => kind));
  const parts = Array.from(xml.matchAll(/<(?:text|code) xml:space="preserve">([^<]*)<|<(?:linebreak|softbreak) \/>/g));
  return {
    kinds,
    text: parts.map(([, text]) => (text === undefined ? ' ' : words(text))).join(''),
    rows: xml.split('<table_row').length - 1,
  };
}

const ours = new Set([
  ...['document', 'heading', 'paragraph', 'list', 'item', 'strong', 'text', 'code', 'linebreak'],
  ...['table', 'table_header', 'table_row', 'table_cell'],
]);

/** Text as it must come back: a pipe in code is a bar. */
const told = (text: string): string => clean(text).trim().replaceAll('|', '\u00a6');

describe('Markdown', () => {
  it.each(['mixed-failures', 'left-out', 'all-pass', 'nothing'])('of %s reads as its golden file does', (name) => {
    expectGolden(`${name}.md`, markdown(samples[name] ?? report([])));
  });

  it('has failures first, each with its sentence and the next step, and the rest in a table', (ctx) => {
    const parse = reader(ctx, 'cmark-gfm', cmark);
    const sample = samples['mixed-failures'] ?? report([]);
    const { text, rows, kinds } = document(parse(markdown(sample)).stdout);
    for (const { summary, advice = '' } of failures) {
      expect(text).toContain(`${summary} Next: ${advice}`);
      expect(text.indexOf(summary)).toBeLessThan(text.indexOf('result'));
    }
    expect([...kinds].filter((kind) => !ours.has(kind))).toEqual([]);
    const listed = sample.checks.filter(
      ({ result, accepted, warning, required }) =>
        warning !== undefined || (required && (result === 'fail' || (result === 'unproven' && accepted !== true))),
    );
    expect(rows).toBe(sample.checks.length - listed.length);
  });

  it('has nothing in it but ours, whatever hosts have said, and tells what they said', (ctx) => {
    const parse = reader(ctx, 'cmark-gfm', cmark);
    const texts = fc.oneof(
      fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 }),
      fc.constantFrom(
        hostile,
        '<img src=x onerror=alert(1)> <!-- --> &lt; &#60;',
        '[a](https://evil.example) ![b](x) <https://evil.example> https://evil.example www.evil.example a@evil.example',
        '# x ## - y * z + 1. 1) > q ``` ~~~ --- === *** ___ | a | b | [^1] [x] $x$ @everyone ~~s~~ **b** _i_ `c` \\',
        '`` ` ``` a@`b`',
        '| --- |',
        'a@b|c|`d',
        'ends with \\',
      ),
    );
    fc.assert(
      fc.property(
        texts,
        texts,
        texts,
        fc.constantFrom('fail' as const, 'pass' as const),
        (title, summary, host, result) => {
          const given = { title: `T${title}`, summary, result, verdict: 'open' as const };
          const sample = report([check({ flow: 'a', to: { role: 'r', host, port: 1 }, ...given })], {
            site: `s${title}`,
          });
          const { kinds, text, rows } = document(parse(markdown(sample)).stdout);
          expect([...kinds].filter((kind) => !ours.has(kind))).toEqual([]);
          expect(rows).toBe(result === 'fail' ? 0 : 1);
          const page = told(text).replaceAll(' ', '');
          for (const said of [title, host, ...(result === 'fail' ? [summary] : [])]) {
            expect(page).toContain(told(said).replaceAll(' ', ''));
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('is one heading, lists, tables and paragraphs for every report there can be', (ctx) => {
    const parse = reader(ctx, 'cmark-gfm', cmark);
    fc.assert(
      fc.property(arbitraryReport, (sample) => {
        const { kinds } = document(parse(markdown(sample)).stdout);
        expect([...kinds].filter((kind) => !ours.has(kind))).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it.each<readonly [string, Report]>([
    ['5,000 checks', many(5000)],
    ['5,000 failures', many(5000, ['fail'])],
    ['15,000 passes', many(15_000, ['pass'])],
  ])('stays under 1 MiB with %s, and says how much is missing', (_, sample) => {
    const page = markdown(sample);
    expect(Buffer.byteLength(page)).toBeLessThan(1024 * 1024);
    expect(/^\d+ more flows left out for length/m.test(page)).toBe(true);
    expect(page.slice(-300)).toMatch(/Exit code \d:.*\n\nlinecheck 0\.1\.0.*\n$/);
  });

  it('shows the headline with the site', () => {
    expect(markdown(report([check({ flow: 'a', title: 'A', to: ldapServer })])).split('\n')[0]).toBe(
      '## branch-12: The one required flow passes.',
    );
  });
});
