// Reports that nobody would write: any verdict, any result, and text as a hostile host would send it. For properties.
import fc from 'fast-check';
import type { Report, ReportedCheck } from '../../src/contract/report.js';
import { check, report } from './samples.js';

/** Moves the cursor, sets a title, rings, reverses, hides: all that must not reach a terminal. */
export const hostile =
  '\u001b[2J\u001b]0;owned\u0007\u009b31m\r\n\t\b\u0000\u007f\u202egnp.exe\u2066\u200b\u2028\u001bc\ud800\u{e0041}';

const word = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 14 }) },
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom(hostile, '设备在线检查', '👩‍👩‍👧‍👦', 'é̂', 'x'.repeat(150), '2001:db8:1234:5678:9abc:def0:1234:5678'),
);
const text = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => words.join(' '));
const role = fc.constantFrom('manager', 'device', 'a-role-with-a-name-that-somebody-made-far-too-long');
const address = fc.constantFrom('192.0.2.1', '203.0.113.255', '2001:db8::1', '2001:db8:1234:5678:9abc:def0:1234:5678');
const far = fc.record(
  { role, host: fc.oneof(address, text), address, port: fc.integer({ min: 1, max: 65_535 }) },
  { requiredKeys: ['role'] },
);

const checkArbitrary: fc.Arbitrary<ReportedCheck> = fc
  .record(
    {
      title: text,
      required: fc.boolean(),
      group: fc.constant('radius-authentication'),
      expect: fc.constantFrom('open' as const, 'blocked' as const),
      from: fc.record({ role, address }, { requiredKeys: ['role'] }),
      to: far,
      carrier: fc.constantFrom('tcp', 'udp', 'icmp', 'ip-47'),
      verdict: fc.constantFrom('open' as const, 'blocked' as const, 'wrong-service' as const, 'unproven' as const),
      result: fc.constantFrom('pass' as const, 'fail' as const, 'unproven' as const),
      certain: fc.constantFrom('proven' as const, 'likely' as const),
      how: fc.constantFrom(
        'dropped' as const,
        'no-peer' as const,
        'port-unreachable' as const,
        'oversize-dropped' as const,
      ),
      accepted: fc.boolean(),
      uncounted: fc.boolean(),
      place: fc.record({
        file: text,
        line: fc.integer({ min: 1, max: 9999 }),
        column: fc.integer({ min: 1, max: 200 }),
      }),
      warning: text,
      summary: text,
      advice: fc.oneof(text, fc.constant('Ask the firewall team.')),
      durationMs: fc.integer({ min: 0, max: 10_000_000 }),
    },
    { requiredKeys: ['title', 'to', 'summary', 'result', 'verdict'] },
  )
  .map((given) => check({ flow: 'any', ...given }));

export const arbitraryReport: fc.Arbitrary<Report> = fc
  .record({
    checks: fc.array(checkArbitrary, { maxLength: 12 }),
    notices: fc.array(text, { maxLength: 2 }),
    skipped: fc.array(
      fc.record({
        profile: fc.constant('p'),
        flow: text,
        title: text,
        reason: text,
        kind: fc.constantFrom('elsewhere' as const, 'role-none' as const),
      }),
      { maxLength: 4 },
    ),
    site: text,
  })
  .map(({ checks, ...given }) => report(checks, given));
