// A report of many checks, most of them failing and each with a good deal of evidence, for the bounds of each format.
import type { Evidence } from '../../src/contract/evidence.js';
import type { Report, ReportedCheck } from '../../src/contract/report.js';
import { hostile } from './arbitrary.js';
import { check, report } from './samples.js';

const evidence: readonly Evidence[] = Array.from({ length: 40 }, (_, at) => ({
  t: at,
  source: 'diagnose',
  kind: 'path',
  hops: Array.from({ length: 16 }, (__, hop) => ({ hop: hop + 1, address: `198.51.100.${hop + 1}`, rttMs: 0.4 })),
  reached: false,
}));

/** `results` in turn; the texts are as long as hosts make them. */
export function many(
  length: number,
  results: readonly ReportedCheck['result'][] = ['fail', 'unproven', 'pass'],
): Report {
  const checks = Array.from({ length }, (_, at) => {
    const result = results[at % results.length] ?? 'fail';
    const address = `192.0.2.${at % 250}`;
    return check({
      flow: `flow-${at}`,
      title: `Flow number ${at} <&"'|> of a product`,
      to: { role: 'device', host: address, address, port: 1 + (at % 65_000) },
      result,
      verdict: result === 'fail' ? 'blocked' : result === 'pass' ? 'open' : 'unproven',
      summary: `Nothing came back ${'<&>"|`'.repeat(40)}${hostile}`,
      advice: `Ask ${'the firewall team '.repeat(20)}`,
      facts: { banner: '<&>"'.repeat(500), notAfter: '2027-03-01T00:00:00Z' },
      evidence,
    });
  });
  return report(checks);
}
