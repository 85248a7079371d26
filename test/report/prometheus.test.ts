// Metrics for the textfile collector: its exposition format read strictly, and by promtool.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prometheus } from '../../src/report/prometheus.js';
import { arbitraryReport, hostile } from './arbitrary.js';
import { expectGolden } from './golden.js';
import { full } from './events.js';
import { many } from './many.js';
import { reader } from './readers.js';
import { check, failures, ldapServer, report, samples, statusUpdates } from './samples.js';

interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LABEL = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/;

function labelsIn(text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const [whole, name = '', value = ''] = LABEL.exec(rest) ?? [];
    if (whole === undefined || name in labels) throw new Error(`no labels: ${text}`);
    labels[name] = value.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : String(character)));
    rest = rest.slice(whole.length);
  }
  return labels;
}

/** Exposition formats, "Text format details", as the textfile collector wants it: HELP, TYPE, no time, no series twice. */
function seriesIn(text: string): readonly Series[] {
  const found = new Map<string, Series>();
  const families = new Set<string>();
  for (const block of text.split(/^(?=# HELP )/m)) {
    const [help = '', type = '', ...lines] = block.replace(/\n$/, '').split('\n');
    const [, family = ''] = /^# HELP ([a-zA-Z_:][\w:]*) \S/.exec(help) ?? [];
    expect(families).not.toContain(family);
    families.add(family);
    expect(type).toBe(`# TYPE ${family} gauge`);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const [, name = '', labels = '', value = ''] =
        /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?)$/.exec(line) ?? [];
      expect(name, line).toBe(family);
      const series = { name, labels: labelsIn(labels), value: Number(value) };
      const key = JSON.stringify([name, Object.entries(series.labels).sort()]);
      expect(found.has(key), `twice: ${line}`).toBe(false);
      found.set(key, series);
    }
  }
  return [...found.values()];
}

const named = (text: string, name: string): readonly Series[] => seriesIn(text).filter((each) => each.name === name);

describe('the metrics', () => {
  it.each(['mixed-failures', 'left-out', 'nothing'])('of %s read as their golden file does', (name) => {
    expectGolden(`${name}.prom`, prometheus(samples[name] ?? report([])));
  });

  it('are well-formed whatever the report, with the site on every series and no series twice', () => {
    fc.assert(
      fc.property(arbitraryReport, (sample) => {
        const text = prometheus(sample);
        expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
        const sites = new Set(seriesIn(text).map(({ labels }) => labels['site']));
        expect(sites.size).toBe(1);
      }),
      { numRuns: 40 },
    );
  });

  it('call a success only what passes', () => {
    fc.assert(
      fc.property(arbitraryReport, (sample) => {
        const values = named(prometheus(sample), 'probe_success').map(({ value }) => value);
        expect(values).toEqual(sample.checks.map(({ result }) => (result === 'pass' ? 1 : 0)));
      }),
      { numRuns: 50 },
    );
  });

  it('carry the reason of each check in a metric of its own', () => {
    const [first] = failures;
    const [series] = named(prometheus(report(failures)), 'linecheck_check_verdict');
    expect(series?.labels).toMatchObject({ check: first?.id, verdict: 'blocked', how: 'rejected', result: 'fail' });
  });

  it('have times in seconds, phases of HTTP and the end of a certificate', () => {
    const text = prometheus(report([{ ...statusUpdates, timings: { ...statusUpdates.timings, resolveMs: 3 } }]));
    expect(named(text, 'probe_duration_seconds')[0]?.value).toBe(0.041);
    expect(named(text, 'probe_dns_lookup_time_seconds')[0]?.value).toBe(0.003);
    const phases = named(text, 'probe_http_duration_seconds').map(({ labels, value }) => [labels['phase'], value]);
    expect(phases).toEqual([
      ['resolve', 0.003],
      ['connect', 0.0042],
      ['tls', 0.018],
      ['processing', 0.026],
    ]);
    expect(named(text, 'probe_http_status_code')[0]?.value).toBe(200);
    const expiry = named(text, 'probe_ssl_earliest_cert_expiry')[0]?.value;
    expect(expiry).toBe(Date.parse('2027-03-01T00:00:00Z') / 1000);
    expect(named(text, 'linecheck_run_timestamp_seconds')[0]?.value).toBe(
      Date.parse('2025-06-03T08:15:02.114Z') / 1000,
    );
  });

  it('have no label from the wire: whatever hosts say, the series are the same', () => {
    const quiet = check({ ...failures[0], flow: 'a', title: 'A', to: ldapServer, warning: 'Slow.' });
    const said = { summary: hostile, warning: hostile, facts: { banner: hostile }, by: { address: '203.0.113.77' } };
    const names = (text: string): readonly string[] =>
      seriesIn(text).map(({ name, labels }) => JSON.stringify([name, labels]));
    expect(names(prometheus(report([{ ...quiet, ...said }])))).toEqual(names(prometheus(report([quiet]))));
  });

  it('number a check whose id comes again: the collector would refuse the whole file', () => {
    const text = prometheus(report([statusUpdates, statusUpdates, statusUpdates]));
    expect(named(text, 'probe_success').map(({ labels }) => labels['number'])).toEqual([undefined, '2', '3']);
  });

  it('are the same for the same report', () => {
    expect(prometheus(structuredClone(full))).toBe(prometheus(full));
  });

  it('are what promtool takes without a remark', (ctx) => {
    const promtool = reader(ctx, 'prometheus', ['promtool', 'check', 'metrics']);
    const fine = { status: 0, stdout: '', stderr: '' };
    for (const sample of [...Object.values(samples), full, many(60)])
      expect(promtool(prometheus(sample))).toEqual(fine);
    expect(promtool(prometheus(full).replace(/^# HELP.*\n/m, '')).status).not.toBe(0);
    fc.assert(
      fc.property(arbitraryReport, (sample) => {
        expect(promtool(prometheus(sample))).toEqual(fine);
      }),
      { numRuns: 20 },
    );
  });
});
