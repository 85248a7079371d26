// JUnit XML: golden files, a schema of Jenkins by xmllint, and what CI systems take for red and for green.
import fc from 'fast-check';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ReportedCheck } from '../../src/contract/report.js';
import { junit } from '../../src/report/junit.js';
import { arbitraryReport, hostile } from './arbitrary.js';
import { expectGolden } from './golden.js';
import { full } from './events.js';
import { many } from './many.js';
import { reader } from './readers.js';
import { check, failures, ldapServer, report, samples } from './samples.js';

const schema = fileURLToPath(new URL('vectors/jenkins-junit.xsd', import.meta.url));
const xmllint = ['xmllint', '--noout', '--schema', schema, '-'] as const;

interface Case {
  readonly classname: string;
  readonly name: string;
  readonly kind: string;
}

/** Every test case, of our own dress of XML. */
function casesIn(xml: string): readonly Case[] {
  return xml
    .split('<testcase ')
    .slice(1)
    .map((text) => {
      const [, classname = '', name = ''] = /^classname="([^"]*)" name="([^"]*)"/.exec(text) ?? [];
      const [, kind = 'pass'] = /^[^>]*[^>/]><(failure|error|skipped)\b/.exec(text) ?? [];
      return { classname, name, kind };
    });
}

const kindsOf = (checks: readonly ReportedCheck[]): readonly string[] =>
  casesIn(junit(report(checks))).map(({ kind }) => kind);

describe('JUnit XML', () => {
  it.each(['mixed-failures', 'left-out', 'all-left-out', 'interrupted', 'nothing'])(
    'of %s reads as its golden file does',
    (name) => expectGolden(`${name}.junit.xml`, junit(samples[name] ?? report([]))),
  );

  it('is red exactly where the exit code is not 0', () => {
    for (const [name, sample] of Object.entries(samples)) {
      const red = casesIn(junit(sample)).some(({ kind }) => kind === 'failure' || kind === 'error');
      expect(red, name).toBe(sample.summary.exitCode !== 0);
    }
  });

  it('calls failure what fails, error what nobody could tell, skipped what does not decide', () => {
    const pass = check({ flow: 'a', title: 'A', to: ldapServer });
    const fail = { ...pass, result: 'fail' } as const;
    const doubt = { ...pass, result: 'unproven' } as const;
    const all = [
      pass,
      { ...pass, warning: 'Slow.' },
      fail,
      { ...fail, uncounted: true },
      { ...fail, required: false },
      doubt,
      { ...doubt, accepted: true },
      { ...doubt, required: false },
    ];
    expect(kindsOf(all)).toEqual(['pass', 'pass', 'failure', 'skipped', 'skipped', 'error', 'skipped', 'skipped']);
  });

  it('is no success where nothing was checked, the run was ended, or nothing that counts passes', () => {
    const pass = check({ flow: 'a', title: 'A', to: ldapServer });
    expect(kindsOf([])).toEqual(['error']);
    expect(kindsOf([{ ...pass, result: 'fail', uncounted: true }])).toEqual(['error', 'skipped']);
    const ended = (interrupted: 'SIGTERM' | 'max-time'): string[] =>
      casesIn(junit(report([pass], { interrupted }))).map(({ kind }) => kind);
    expect(ended('SIGTERM')).toEqual(['error', 'pass']);
    expect(ended('max-time')).toEqual(['pass']);
  });

  it('has a case for each check and each skipped flow, each under a name of its own that names the site', () => {
    fc.assert(
      fc.property(arbitraryReport, (sample) => {
        const cases = casesIn(junit({ ...sample, site: 'branch-12' }));
        expect(new Set(cases.map(({ classname, name }) => JSON.stringify([classname, name]))).size).toBe(cases.length);
        expect(cases.every(({ classname }) => classname.startsWith('branch-12.'))).toBe(true);
        const run = cases.filter(({ classname }) => classname === 'branch-12.linecheck.run').length;
        expect(cases.length - run).toBe(sample.checks.length + sample.skipped.length);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps the evidence, and bounds it: 5,000 checks with much of it are under 30 MB', () => {
    expect(junit(report(failures))).toContain('<system-out>');
    expect(junit(full)).toContain('"kind":"receipt"');
    const large = junit(many(5000));
    expect(Buffer.byteLength(large)).toBeLessThan(30_000_000);
    expect(large).toContain('(more in the JSON report)');
  });

  it('is valid by the schema, whatever hosts have said', (ctx) => {
    const validate = reader(ctx, 'libxml2-utils', xmllint);
    const valid = { status: 0, stdout: '', stderr: '- validates\n' };
    for (const sample of [...Object.values(samples), full, many(60)]) expect(validate(junit(sample))).toEqual(valid);
    const said = check({
      flow: 'a',
      title: `A]]>${hostile}\ufffe\uffff`,
      to: ldapServer,
      facts: { b: ']]>\u0001\ud800' },
    });
    expect(validate(junit(report([{ ...said, result: 'fail' }])))).toEqual(valid);
    expect(validate(junit(full).replace('<properties>', '<propertees>')).status).not.toBe(0);
    fc.assert(
      fc.property(arbitraryReport, (sample) => {
        expect(validate(junit(sample))).toEqual(valid);
      }),
      { numRuns: 25 },
    );
  });
});
