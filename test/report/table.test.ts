// The table: golden files, and what must hold for every report there can be.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Report, ReportedCheck } from '../../src/contract/report.js';
import { exitMeaning, headline } from '../../src/report/account.js';
import { displayWidth } from '../../src/report/layout.js';
import { table } from '../../src/report/table.js';
import { arbitraryReport, hostile } from './arbitrary.js';
import { expectGolden } from './golden.js';
import { check, failures, ldapServer, report, samples, summaryOf, undecided } from './samples.js';

const plain = { width: 80, colour: false };
const coloured = { width: 80, colour: true };

// eslint-disable-next-line no-control-regex -- it is the escape codes that are looked for
const escapeCode = /\u001b\[\d+m/g;

function lines(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

function widest(text: string): number {
  return Math.max(...lines(text.replace(escapeCode, '')).map(displayWidth));
}

describe.each(Object.entries(samples))('the table of %s', (name, sample) => {
  it('reads as its golden file does', () => {
    expectGolden(`${name}.txt`, table(sample, plain));
  });

  it('reads as its golden file does at 40 columns', () => {
    expectGolden(`${name}.40.txt`, table(sample, { width: 40, colour: false }));
  });

  it('in colour is the same text with colour codes', () => {
    const text = table(sample, coloured);
    expect(text).toMatch(escapeCode);
    expect(text.replace(escapeCode, '')).toBe(table(sample, plain));
    expectGolden(`${name}.colour.txt`, text);
  });

  it.each([24, 40, 60, 80, 132])('never is wider than %i columns', (width) => {
    expect(widest(table(sample, { width, colour: false }))).toBeLessThanOrEqual(width);
  });
});

describe('the headline', () => {
  const pass = check({ flow: 'a', title: 'A', to: ldapServer });
  const fail = { ...pass, verdict: 'closed', result: 'fail' } as const;
  const doubt = { ...pass, verdict: 'unproven', result: 'unproven' } as const;
  const taken = { ...doubt, accepted: true } as const;
  const optional = { ...pass, required: false } as const;

  it.each<[string, readonly ReportedCheck[]]>([
    ['branch-12: All 2 required flows pass.', [pass, pass]],
    ['branch-12: The one required flow passes.', [pass]],
    ['branch-12: The one required flow fails.', [fail]],
    ['branch-12: 1 of 2 required flows fails.', [pass, fail]],
    ['branch-12: 2 of 3 required flows fail, 1 is unproven.', [fail, fail, doubt]],
    ['branch-12: No required flow fails, but 2 of 3 are unproven.', [pass, doubt, doubt]],
    ['branch-12: No required flow fails, but 1 of 2 is unproven.', [taken, doubt]],
    ['branch-12: The one required flow is unproven.', [doubt]],
    ['branch-12: 2 of 3 required flows pass; 1 is unproven and accepted.', [pass, pass, taken]],
    ['branch-12: No required flow passes; all are unproven and accepted.', [taken, taken]],
    ['branch-12: The one optional flow passes.', [optional]],
    ['branch-12: 1 of 2 optional flows fails.', [optional, { ...fail, required: false }]],
    ['branch-12: 2 of 3 required flows fail (1 not counted).', [pass, fail, { ...fail, uncounted: true }]],
    ['branch-12: The one required flow fails (not counted).', [{ ...fail, uncounted: true }]],
    ['branch-12: Nothing was checked.', []],
  ])('says "%s"', (words, checks) => {
    expect(headline(report(checks))).toBe(words);
  });

  it('names what cut the run short', () => {
    expect(headline(report([pass], { interrupted: 'max-time' }))).toBe(
      'branch-12: Stopped at the time limit. The one required flow passes.',
    );
  });

  it('is green only where a flow that decides passed and nothing else is left to know', () => {
    const green = '\u001b[32m';
    const first = (checks: readonly ReportedCheck[], given: Partial<Report> = {}): string =>
      lines(table(report(checks, given), coloured))[0] ?? '';
    expect(first([pass])).toContain(green);
    expect(first([pass, taken])).toContain(green);
    expect(first([optional])).toContain(green);
    for (const checks of [[], [taken], [pass, doubt], [pass, fail]]) expect(first(checks)).not.toContain(green);
    expect(first([pass], { interrupted: 'SIGTERM' })).not.toContain(green);
  });
});

describe('the table', () => {
  const passing = check({ flow: 'p', title: 'P', to: ldapServer });

  it('never tells a state by colour alone', () => {
    const text = table(report([...failures, ...undecided]), plain);
    expect(text.match(/^FAIL {6}/gm)).toHaveLength(failures.length);
    for (const { verdict } of failures) expect(text.replace(/\s+/g, ' ')).toContain(`: ${verdict} (`);
  });

  it('puts flows that are unproven for one reason and want one next step into one block', () => {
    const text = table(report(undecided), plain);
    expect(text.match(/Run "linecheck respond" at the far end/g)).toHaveLength(1);
    for (const last of [21, 22, 23, 24, 25, 26, 27, 28]) expect(text).toContain(`device 192.0.2.${last} -> manager`);
  });

  it('keeps sentences that differ where no shared one exists', () => {
    const base = check({ flow: 'a', title: 'A', to: ldapServer, verdict: 'unproven', result: 'unproven' });
    const text = table(
      report([
        { ...base, summary: 'First reason.' },
        { ...base, summary: 'Second reason.' },
      ]),
      plain,
    );
    expect(text).toContain('First reason.');
    expect(text).toContain('Second reason.');
  });

  it('names the profile of each flow where several profiles were checked', () => {
    const one = check({ flow: 'a', title: 'Time', to: ldapServer });
    const text = table(report([one, { ...one, profile: 'cisco-secure-firewall' }]), plain);
    expect(text).toContain('kvmnet-access-management: Time');
    expect(text).toContain('cisco-secure-firewall: Time');
  });

  it('says of a flow that must be blocked that it must', () => {
    const open = check({ flow: 'a', title: 'Telnet', to: ldapServer, expect: 'blocked', result: 'fail' });
    expect(table(report([open]), plain)).toContain('Telnet (must be blocked): open');
  });

  it('lets no control character of a hostile host through', () => {
    const sample = report([
      {
        ...check({ flow: 'a', title: 'A', to: ldapServer }),
        ...failures[0],
        summary: `before${hostile}after`,
        advice: hostile,
      },
      check({ flow: 'b', title: `B${hostile}`, to: { role: 'r', host: `h${hostile}`, port: 1 }, warning: hostile }),
    ]);
    const text = table({ ...sample, notices: [hostile], site: `s${hostile}` }, plain);
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
    expect(text).toContain('before');
    expect(text).toContain('after');
  });

  it.each<[string, readonly ReportedCheck[], Partial<Report>]>([
    ['every required flow passes', [passing], {}],
    ['every required flow passes, with warnings', [{ ...passing, warning: 'Slow.' }], {}],
    ['every optional flow passes', [{ ...passing, required: false }], {}],
    ['a required flow fails', [passing, { ...passing, result: 'fail' }], {}],
    ['an optional flow fails', [{ ...passing, required: false, result: 'fail' }], {}],
    ['none fails, but a required flow is unproven', [passing, { ...passing, result: 'unproven' }], {}],
    ['none fails, and what is unproven is accepted', [{ ...passing, result: 'unproven', accepted: true }], {}],
    [
      'none that counts fails; --fail-on leaves out 1 required flow that fails',
      [passing, { ...passing, result: 'fail', uncounted: true }],
      {},
    ],
    [
      'no required flow passes, and --fail-on leaves out what fails',
      [{ ...passing, result: 'fail', uncounted: true }],
      {},
    ],
    [
      'none that counts fails, but a required flow is unproven',
      [
        { ...passing, result: 'fail', uncounted: true },
        { ...passing, result: 'unproven' },
      ],
      {},
    ],
    ['there was nothing to check', [], {}],
    ['a required flow fails', [{ ...passing, result: 'fail' }], { interrupted: 'max-time' }],
    ['interrupted by Ctrl-C, this report is partial', [passing], { interrupted: 'SIGINT' }],
    ['stopped by SIGTERM, this report is partial', [passing], { interrupted: 'SIGTERM' }],
    ['linecheck itself failed', [passing], { summary: { ...summaryOf([passing]), exitCode: 4 } }],
  ])('ends with "%s"', (meaning, checks, given) => {
    const sample = report(checks, given);
    expect(exitMeaning(sample)).toBe(meaning);
    const end = table(sample, plain).trimEnd().replaceAll('\n', ' ').slice(-200);
    expect(end).toMatch(new RegExp(`Exit code ${sample.summary.exitCode}: ${meaning}\\.$`));
  });

  it('words its end by what was seen, whatever number a convention gives it', () => {
    const summary = { ...summaryOf([passing]), exitCode: 2 as const };
    expect(exitMeaning(report([{ ...passing, result: 'fail' }], { summary }))).toBe('a required flow fails');
  });

  it('gives optional flows whole blocks where no flow is required', () => {
    const text = table(
      report([{ ...passing, title: 'Telnet', required: false, verdict: 'closed', result: 'fail' }]),
      plain,
    );
    expect(text).toContain('FAIL      Telnet (optional): closed');
    expect(text).not.toContain('Not required');
  });

  it('never is wider than its style, whatever the report', () => {
    fc.assert(
      fc.property(arbitraryReport, fc.integer({ min: 24, max: 140 }), (sample, width) => {
        expect(widest(table(sample, { width, colour: false }))).toBeLessThanOrEqual(width);
      }),
      { numRuns: 150 },
    );
  });

  it('prints no escape code without colour, and no control character ever', () => {
    fc.assert(
      fc.property(arbitraryReport, (sample) => {
        expect(table(sample, plain).replaceAll('\n', '')).not.toMatch(/\p{C}/u);
        expect(table(sample, coloured).replace(escapeCode, '')).toBe(table(sample, plain));
      }),
      { numRuns: 150 },
    );
  });

  it('names every failing required flow before any passing one', () => {
    fc.assert(
      fc.property(arbitraryReport, (sample) => {
        const checks = sample.checks.map((each, at) => ({ ...each, title: `T${String(at).padStart(4, '0')}x` }));
        const text = table({ ...sample, checks, notices: [], site: 's', skipped: [] }, { width: 100, colour: false });
        const places = (some: readonly ReportedCheck[]): number[] => some.map((each) => text.indexOf(each.title));
        const failing = places(checks.filter((each) => each.required && each.result === 'fail'));
        const passing = places(checks.filter((each) => each.result === 'pass'));
        expect([...failing, ...passing]).not.toContain(-1);
        expect(Math.max(-1, ...failing)).toBeLessThan(Math.min(Number.MAX_SAFE_INTEGER, ...passing));
      }),
      { numRuns: 150 },
    );
  });

  it('draws 5,000 checks without growing beyond a line or three for each', () => {
    const many = report(
      Array.from({ length: 5000 }, (_, at) => check({ flow: 'a', title: 'A', to: { ...ldapServer, port: at + 1 } })),
    );
    expect(lines(table(many, plain)).length).toBeLessThan(15_000);
  });
});
