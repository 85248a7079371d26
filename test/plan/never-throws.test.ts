// Whatever stands in a file or a flag, planning answers with a value or with problems, and never throws.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Place } from '../../src/contract/flow.js';
import { parseHost } from '../../src/plan/address.js';
import { parseDuration } from '../../src/plan/duration.js';
import { globMatches } from '../../src/plan/glob.js';
import { editDistance, nearest } from '../../src/plan/nearest.js';
import { makePlan } from '../../src/plan/plan.js';
import { problemLine, type Parsed } from '../../src/plan/problem.js';
import { parseProfile } from '../../src/plan/profile.js';
import { parseSite } from '../../src/plan/site.js';
import { fakeProbes, profileOf, profileText, webFlow } from './fakes.js';

const flows = `${webFlow}  - {id: time, title: T, from: [manager, device], to: ntp-server, udp: 123, probe: ntp, why: w, source: s}
  - {id: link, title: L, from: manager, to: [device, manager], both-ways: true, tcp: 900-902, probe: tls, with: {pin: x}, why: w, source: s, required: {feature: ldap, unless: tls, one-of: a}, every: 30s}
`;
const profileSource = profileText(flows);
const siteSource = `linecheck: site/v1
name: branch-12
profiles: [acme-box]
here: manager
source: 192.0.2.5
family: any
hosts:
  device: [192.0.2.11, "2001:db8::11", {address: 192.0.2.12, flows: {web: {port: 2022, with: {ca: site-ca}}}}]
  ntp-server: {name: ntp.example.net, addresses: any}
features: [ldap]
flows: {acme-box/web: {port: 900-902, with: {issuer: x}, expect: blocked}}
accept-unproven: [one-way]
secrets: {site-ca: {file: ca.pem}}
`;

/** A failure is told, each of its problems on one line, with a place in the text. */
function expectTold(parsed: Parsed<unknown>, lines: number): void {
  if (parsed.ok) return;
  expect(parsed.problems.length).toBeGreaterThan(0);
  const inside = ({ line, column }: Place): boolean => line >= 1 && line <= lines && column >= 1;
  for (const problem of parsed.problems) {
    expect(problemLine(problem)).toMatch(/^[^\p{Cc}]+$/u);
    if (problem.place !== undefined) expect(inside(problem.place)).toBe(true);
  }
}

const linesIn = (text: string): number => text.split(/\r\n|\n|\r/).length + 1;

/** A good text with a piece cut out, put in, or doubled. */
const mutated = (source: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.nat(source.length),
      fc.nat(40),
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 12 }),
        fc.constantFrom(
          '\t',
          '\n',
          '---\n',
          '&a ',
          '*a',
          '<<: *a',
          '[',
          ']',
          '{',
          '}',
          ': ',
          '- ',
          '!!set ',
          '?',
          '0x',
          '1e999',
          '-0',
          '.nan',
          '~',
          '"',
          "'",
          '|',
          '>',
          '\u0000',
          '__proto__: ',
          'constructor: ',
          'toString',
        ),
      ),
      fc.boolean(),
    )
    .map(
      ([at, cut, put, twice]) =>
        source.slice(0, at) + put + (twice ? source.slice(at - cut, at) : '') + source.slice(at + (twice ? 0 : cut)),
    );

/** YAML of any shape, with the keys that matter among its keys. */
const shaped = (words: readonly string[]): fc.Arbitrary<string> =>
  fc
    .object({
      key: fc.oneof(fc.constantFrom(...words), fc.string()),
      values: [
        fc.constantFrom(...words, 'none', '192.0.2.1', '900-902'),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.string(),
        fc.double(),
      ],
      maxDepth: 5,
    })
    .map((value) => JSON.stringify(value));

const words = (text: string): readonly string[] => [...new Set(text.match(/[a-z][a-z/-]*[a-z0-9]/g) ?? [])];

const runs = { numRuns: 200 };

describe.each([
  ['parseProfile', parseProfile, profileSource],
  ['parseSite', parseSite, siteSource],
] as const)('%s', (_name, parse, source) => {
  it('takes the text from which the others are made', () => {
    expect(parse({ file: 'f.yaml', text: source }).ok).toBe(true);
  });

  it('never throws for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string(), shaped(words(source))), (text) => {
        expectTold(parse({ file: 'f.yaml', text }), linesIn(text));
      }),
      runs,
    );
  });

  it('never throws for a good text with something wrong in it', () => {
    fc.assert(
      fc.property(mutated(source), (text) => {
        expectTold(parse({ file: 'f.yaml', text }), linesIn(text));
      }),
      runs,
    );
  });

  it('never throws for a good text with a value that is anything', () => {
    const lines = source.split('\n');
    fc.assert(
      fc.property(fc.nat(lines.length - 1), fc.jsonValue({ maxDepth: 3 }), (at, value) => {
        const text = lines
          .map((line, index) => (index === at ? line.replace(/: .*$/, `: ${JSON.stringify(value)}`) : line))
          .join('\n');
        expectTold(parse({ file: 'f.yaml', text }), linesIn(text));
      }),
      runs,
    );
  });
});

describe('makePlan', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'manager',
      'device',
      'ntp-server',
      'none',
      'acme-box/manager',
      'acme-box/',
      '/',
      'web',
      '*',
      'ldap',
      'device=192.0.2.1',
      'device=none',
      '=',
      'toString',
      '__proto__',
    ),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );
  const list = fc.array(word, { maxLength: 3 });

  it('never throws for any flags, and no two checks share an id', () => {
    fc.assert(
      fc.property(fc.record({ as: list, hosts: list, features: list, flows: list }), (selection) => {
        const parsed = makePlan({ profiles: [profileOf(webFlow)], selection, probes: fakeProbes });
        expectTold(parsed, 100);
        if (!parsed.ok) return;
        expect(parsed.value.checks.length).toBeGreaterThan(0);
        expect(new Set(parsed.value.checks.map(({ id }) => id)).size).toBe(parsed.value.checks.length);
      }),
      runs,
    );
  });

  it('never throws for any profile and site that can be read, and accounts for every flow', () => {
    let planned = 0;
    fc.assert(
      fc.property(
        mutated(profileSource),
        mutated(siteSource),
        fc.boolean(),
        fc.boolean(),
        (profile, site, keep, keepSite) => {
          const parsedProfile = parseProfile({ file: 'p.yaml', text: keep ? profileSource : profile });
          const parsedSite = parseSite({ file: 's.yaml', text: keepSite ? siteSource : site });
          if (!parsedProfile.ok || !parsedSite.ok) return;
          const parsed = makePlan({
            profiles: [parsedProfile.value],
            site: parsedSite.value,
            selection: { as: [], hosts: [], features: [], flows: [] },
            probes: fakeProbes,
          });
          expectTold(parsed, 100);
          if (!parsed.ok) return;
          planned += 1;
          const accounted = new Set([...parsed.value.checks, ...parsed.value.skipped].map(({ flow }) => flow));
          expect(accounted).toEqual(new Set(parsedProfile.value.flows.map(({ id }) => id)));
        },
      ),
      { numRuns: 200 },
    );
    expect(planned).toBeGreaterThan(10);
  });
});

describe('the small readers', () => {
  it('parseHost never throws, and what it takes it takes again unchanged', () => {
    const hostlike = fc.string({
      unit: fc.constantFrom(...Array.from('0123456789abcdefx.:%/[]-@ \u0000é')),
      maxLength: 30,
    });
    fc.assert(
      fc.property(
        fc.oneof(hostlike, fc.ipV4(), fc.ipV6(), fc.domain(), fc.webUrl(), fc.string({ unit: 'binary' })),
        (text) => {
          const host = parseHost(text);
          if (host.ok) expect(parseHost(host.host)).toEqual(host);
          else expect(host.why).toMatch(/^(is|has|names|means|contains) /);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('parseDuration never throws and never gives a time that cannot be waited', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,8}(\.\d)?(ms|s|m|h|d)?$/)), (text) => {
        const ms = parseDuration(text);
        if (ms !== undefined) expect(Number.isInteger(ms) && ms > 0 && ms < 2 ** 31).toBe(true);
      }),
    );
    expect(['500ms', '30s', '2m', '1h', '1.5s', '0s', '30', 's', '25d', '-1s', '999999h'].map(parseDuration)).toEqual([
      500,
      30_000,
      120_000,
      3_600_000,
      1500,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('a glob means what the same expression means', () => {
    const letter = fc.constantFrom('a', 'b', '/', '*', '?');
    fc.assert(
      fc.property(
        fc.string({ unit: letter, maxLength: 8 }),
        fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 }),
        (pattern, text) => {
          const expression = new RegExp(`^${pattern.replaceAll('?', '.').replaceAll('*', '.*')}$`);
          expect(globMatches(pattern, text)).toBe(expression.test(text));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('a word is near to itself with one letter wrong, swapped, lost or doubled', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('manger', 'manager')).toBe(1);
    expect(editDistance('abcd', 'abdc')).toBe(1);
    const known = ['manager', 'device', 'ntp-server'];
    expect(
      ['mangaer', 'devices', 'NTP_Server', 'printer', 'x', 'manager'.repeat(50)].map((each) => nearest(each, known)),
    ).toEqual(['manager', 'device', 'ntp-server', undefined, undefined, undefined]);
  });
});
