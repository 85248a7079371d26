// The lines for Nagios: the grammar of the plug-in guidelines, strictly, and Perl's Monitoring::Plugin, which others graph by.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MonitoringState } from '../../src/contract/report.js';
import { nagios } from '../../src/report/nagios.js';
import { arbitraryReport, hostile } from './arbitrary.js';
import { expectGolden } from './golden.js';
import { many } from './many.js';
import { reader } from './readers.js';
import { check, failures, ldapServer, report, samples, summaryOf } from './samples.js';

interface Metric {
  readonly label: string;
  readonly value: number;
  readonly unit: string;
  readonly limits: readonly string[];
}

/** Guidelines, "Performance data": 'label'=value[UOM];[warn];[crit];[min];[max]. Throws on anything else. */
function metricsIn(performance: string): readonly Metric[] {
  return performance.split(' ').map((item) => {
    const [, label = '', value = '', unit = '', limits = ''] =
      /^([^=' ]+)=(-?\d+(?:\.\d+)?)(s|us|ms|%|B|KB|MB|TB|c)?((?:;(?:-?\d+(?:\.\d+)?)?){0,4})$/.exec(item) ?? [];
    if (label === '') throw new Error(`no performance data: ${item}`);
    return { label, value: Number(value), unit, limits: limits.split(';').slice(1) };
  });
}

interface Plugin {
  readonly state: string;
  readonly status: string;
  readonly metrics: readonly Metric[];
  readonly long: readonly string[];
}

/** Guidelines, "Plugin Output for Nagios". Throws on anything else. */
function pluginOutput(text: string): Plugin {
  const [first = '', ...long] = text.replace(/\n$/, '').split('\n');
  const [status = '', performance = '', ...more] = first.split(' | ');
  const [, state] = /^LINECHECK (OK|WARNING|CRITICAL|UNKNOWN) - [^|\\]+$/.exec(status) ?? [];
  if (state === undefined || more.length > 0 || performance.includes('|')) throw new Error(`no status line: ${first}`);
  const bad = long.find((line) => /[|\\\p{C}<>]/u.test(line) || line === '');
  if (bad !== undefined) throw new Error(`no line of long output: ${bad}`);
  return { state, status, metrics: metricsIn(performance), long };
}

const fields = (text: string): Readonly<Record<string, number>> =>
  Object.fromEntries(pluginOutput(text).metrics.map(({ label, value }) => [label, value]));

describe('the lines for Nagios', () => {
  it.each(['mixed-failures', 'all-pass', 'left-out', 'interrupted', 'nothing', 'accepted'])(
    'of %s read as their golden file does',
    (name) => expectGolden(`${name}.nagios.txt`, nagios(samples[name] ?? report([]))),
  );

  it.each<readonly [MonitoringState, string]>([
    ['ok', 'OK'],
    ['warning', 'WARNING'],
    ['critical', 'CRITICAL'],
    ['unknown', 'UNKNOWN'],
  ])('give the state of the judge, whatever the exit code: %s', (state, word) => {
    const passing = check({ flow: 'a', title: 'A', to: ldapServer });
    expect(pluginOutput(nagios(report([passing], { summary: { ...summaryOf([passing]), state } }))).state).toBe(word);
  });

  it('keep to the guidelines whatever the report: a short status, performance data, bounded long output', () => {
    fc.assert(
      fc.property(arbitraryReport, (sample) => {
        const text = nagios(sample);
        const { status, metrics } = pluginOutput(text);
        expect(Array.from(status).length).toBeLessThan(80);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
        expect(new Set(metrics.map(({ label }) => label.slice(0, 19))).size).toBe(metrics.length);
        const { pass = 0, fail = 0, not_counted: out = 0, unproven = 0, accepted = 0 } = fields(text);
        const deciding = sample.checks.filter(({ required }) => required);
        expect(pass + fail + out + unproven + accepted).toBe(
          deciding.length > 0 ? deciding.length : sample.checks.length,
        );
      }),
      { numRuns: 100 },
    );
  });

  it('put a failing flow into the long output, and say how many lines are left out', () => {
    const { long } = pluginOutput(nagios(report(failures)));
    expect(long.filter((line) => line.startsWith('FAIL: '))).toHaveLength(failures.length);
    const large = pluginOutput(nagios(many(400)));
    expect(large.long.at(-1)).toMatch(/^\d+ lines left out$/);
    expect(large.long.filter((line) => line.startsWith('FAIL: ')).length).toBeGreaterThan(3);
  });

  it('name the site in full, and on the first line as far as there is room', () => {
    const site = 'a-branch-whose-name-is-far-longer-than-any-pager-can-show-in-one-line';
    const { status, long } = pluginOutput(nagios(report(failures, { site })));
    expect(status).toMatch(/\(a-branch-whose[a-z-]*\.\.\.\)$/);
    expect(long[0]).toBe(`Site ${site}`);
  });

  it('count the seconds to the first certificate that expires', () => {
    const facts = { notAfter: '2025-06-04T08:15:02Z' };
    const sample = report([
      check({ flow: 'a', title: 'A', to: ldapServer, facts: { notAfter: '2027-03-01T00:00:00Z' } }),
      check({ flow: 'b', title: 'B', to: ldapServer, facts }),
    ]);
    expect(fields(nagios(sample))['cert_expiry']).toBe(86_399);
    expect(fields(nagios(samples['nothing'] ?? sample))).not.toHaveProperty('cert_expiry');
  });

  it('are understood by Monitoring::Plugin', (ctx) => {
    const program = `use Monitoring::Plugin::Performance;
      local $/; for (Monitoring::Plugin::Performance->parse_perfstring(<STDIN>)) {
        printf "%s %s %s\\n", $_->label, $_->value, $_->uom // '';
      }`;
    const perl = reader(ctx, 'libmonitoring-plugin-perl', ['perl', '-e', program]);
    const sample = report([...failures, check({ flow: 'b', title: `B${hostile}|`, to: ldapServer })]);
    const performance = nagios(sample).split('\n')[0]?.split(' | ')[1] ?? '';
    const { status, stdout, stderr } = perl(performance);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const ours = metricsIn(performance).map(({ label, value, unit }) => `${label} ${value} ${unit}\n`);
    expect(stdout).toBe(ours.join(''));
  });
});
