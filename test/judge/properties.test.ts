// What holds for every run: the judge is total, never green on silence, and better news never makes the exit code worse.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EvidenceBody } from '../../src/contract/evidence.js';
import type { BoundCheck } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { Carrier } from '../../src/contract/probe.js';
import type { CheckRecord, Judged, Result, RunRecord } from '../../src/contract/verdict.js';
import { reportOf } from '../../src/judge/account.js';
import { required } from '../../src/judge/alternatives.js';
import { exitCode, nagiosExitCode } from '../../src/judge/exit.js';
import { allEvidence } from '../../src/judge/liveness.js';
import { judge } from '../../src/judge/judge.js';
import { FIREWALL, HERE, ROUTER, TARGET, ambiguous, attempt, check, conclusive, evidence, oneWay } from './records.js';

const address = fc.constantFrom(TARGET, '198.51.100.12', '2001:db8::11', FIREWALL, ROUTER, HERE);
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
/** Keys whose value is undefined are left out, as the contract's optional keys want it. */
function present<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
const facts = fc.constantFrom({}, { version: '2.0' }, { trusted: true });
const ttl = fc.integer({ min: 1, max: 255 });

const nothingCame: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ kind: fc.constant('silent' as const), sent: fc.nat(9), waitedMs: fc.nat(20_000) }),
  fc.record({ kind: fc.constant('sent' as const), sent: fc.nat(9), waitedMs: fc.nat(20_000) }),
  fc.record({
    kind: fc.constant('unable' as const),
    reason: fc.constantFrom(
      'no-resources',
      'no-permission',
      'address-in-use',
      'no-source',
      'no-family',
      'resolver',
      'interrupted',
      'bug',
    ),
    detail: fc.string({ maxLength: 10 }),
  }),
);
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  nothingCame,
  fc.record({
    kind: fc.constant('answered' as const),
    depth: fc.constantFrom('port', 'secure', 'protocol', 'service'),
    facts,
  }),
  fc.record({
    kind: fc.constant('turned-away' as const),
    presented: fc.constantFrom('secret', 'credentials', 'client'),
    by: fc.string({ maxLength: 10 }),
    facts,
  }),
  fc.record({
    kind: fc.constant('stranger' as const),
    came: fc.constantFrom('other-protocol', 'silence', 'close', 'reset'),
    detail: fc.string({ maxLength: 10 }),
    facts,
  }),
  fc
    .record({
      kind: fc.constant('refused' as const),
      signal: fc.constantFrom(
        'refused',
        'reset',
        'port-unreachable',
        'host-unreachable',
        'net-unreachable',
        'protocol-unreachable',
        'prohibited',
        'no-neighbour',
        'no-route',
        'local-firewall',
      ),
      afterMs: fc.nat(6000),
      by: maybe(address),
      ttl: maybe(ttl),
    })
    .map(present),
);
const body: fc.Arbitrary<EvidenceBody> = fc.oneof(
  fc
    .record({
      kind: fc.constant('icmp' as const),
      from: address,
      type: fc.constantFrom(1, 2, 3, 4, 11),
      code: fc.nat(15),
      ttl: maybe(ttl),
    })
    .map(present),
  fc
    .record({ kind: fc.constant('reset' as const), ttl: maybe(ttl), phase: fc.constantFrom('connect', 'data') })
    .map(present),
  fc
    .record({
      kind: fc.constant('alive' as const),
      address,
      ttl: maybe(ttl),
      by: fc.constantFrom('handshake', 'data', 'reply', 'refusal', 'echo', 'neighbour'),
    })
    .map(present),
  fc.record({
    kind: fc.constant('path' as const),
    reached: fc.boolean(),
    hops: fc.array(fc.record({ hop: fc.integer({ min: 1, max: 30 }), address: maybe(address) }).map(present), {
      maxLength: 4,
    }),
  }),
  fc.record({
    kind: fc.constant('control' as const),
    port: fc.nat(65_535),
    role: fc.constantFrom('shut', 'open'),
    outcome,
  }),
  fc.record({ kind: fc.constant('acked' as const), sent: fc.nat(99), acked: fc.nat(99) }),
  fc
    .record({
      kind: fc.constant('tls' as const),
      issuer: maybe(fc.constantFrom('CN=A', 'CN=B')),
      subject: maybe(fc.constantFrom('CN=A', 'CN=x')),
      pin: maybe(fc.constantFrom('AAAA', 'BBBB')),
      bySiteCa: maybe(fc.boolean()),
    })
    .map(present),
  fc.record({
    kind: fc.constant('size' as const),
    small: fc.record({ bytes: fc.nat(200), answered: fc.boolean() }),
    large: fc.record({ bytes: fc.nat(1500), answered: fc.boolean() }),
  }),
  fc
    .record({
      kind: fc.constant('receipt' as const),
      arrived: fc.boolean(),
      from: maybe(address),
      sentBack: fc.boolean(),
    })
    .map(present),
);

const checks: fc.Arbitrary<BoundCheck> = fc
  .record({
    carrier: fc.constantFrom<Carrier[]>('tcp', 'udp', 'icmp', { ipProtocol: 47 }),
    reach: fc.constantFrom('path', 'port', 'secure', 'protocol', 'service'),
    expect: fc.constantFrom('open', 'blocked'),
    direction: fc.constantFrom('out', 'in'),
    required: fc.boolean(),
    acceptUnproven: fc.boolean(),
    addresses: fc.constantFrom('every', 'any'),
    group: maybe(fc.constantFrom('one', 'two')),
    identity: maybe(fc.constantFrom({ pin: 'AAAA' }, { issuer: 'CN=A' }, { ca: 'site-ca' })),
    broadcast: maybe(fc.boolean()),
    to: fc
      .record({
        role: fc.constantFrom('device', 'server'),
        host: maybe(fc.constantFrom(TARGET, 'host.example.net')),
        address: maybe(address),
        port: maybe(fc.nat(65_535)),
      })
      .map(present),
  })
  .map(present)
  .chain((over) => fc.constantFrom(conclusive, ambiguous, oneWay).map((traits) => check({ ...over, ...traits })));

function records(outcomes: fc.Arbitrary<Outcome>, bodies: fc.Arbitrary<EvidenceBody>): fc.Arbitrary<CheckRecord> {
  const attempts = fc.array(
    fc
      .record({
        outcome: outcomes,
        seen: fc.array(bodies, { maxLength: 3 }),
        startedMs: fc.nat(9000),
        sent: maybe(fc.nat(9)),
      })
      .map(({ outcome: saw, seen, startedMs, sent }) => attempt(saw, seen, present({ startedMs, sent }))),
    { maxLength: 3 },
  );
  const resolution = fc.oneof(
    fc.record({ ok: fc.constant(true as const), ms: fc.nat(100) }),
    fc.record({
      ok: fc.constant(false as const),
      reason: fc.constantFrom('no-address', 'resolver'),
      detail: fc.string({ maxLength: 5 }),
    }),
  );
  return fc
    .record({
      check: checks,
      attempts,
      evidence: fc.array(bodies, { maxLength: 3 }).map((seen) => evidence(...seen)),
      resolution: maybe(resolution),
      interrupted: maybe(fc.boolean()),
      undiagnosed: maybe(fc.boolean()),
    })
    .map(present);
}

const accept: fc.Arbitrary<RunRecord['accept']> = fc.oneof(
  fc.constant('all' as const),
  fc.subarray(['silence', 'one-way', 'no-peer', 'interrupted']),
);
const anyRun: fc.Arbitrary<RunRecord> = fc.record({
  checks: fc.array(records(outcome, body), { maxLength: 6 }),
  accept,
});
const runs = { numRuns: 300 };

describe('every run', () => {
  it('gets a verdict with its sentence for each check, in order, and a report', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const judged = judge(run);
        expect(judged.map(({ record }) => record)).toEqual(run.checks);
        for (const { summary, advice, proof, verdict, how, result } of judged) {
          expect(summary).toMatch(/^\S.+: \S.*\.$/s);
          expect(`${summary} ${advice ?? ''}`).not.toMatch(/undefined|\[object|NaN|Infinity/);
          expect(how === undefined).toBe(verdict === 'open');
          expect(new Set(proof).size).toBe(proof.length);
          if (result === 'pass') expect(proof).not.toEqual([]);
        }
        const tool = {
          name: 'linecheck',
          version: '0',
          node: 'v20',
          platform: 'linux',
          tier: 1,
          can: ['errno'],
        } as const;
        const report = reportOf(run, judged, {
          tool,
          startedAt: '',
          durationMs: 0,
          notices: [],
          skipped: [],
          exit: {},
        });
        expect(report.checks).toHaveLength(run.checks.length);
      }),
      runs,
    );
  });

  it('is open only where an attempt answered or a receipt came', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        for (const { verdict, record } of judge(run)) {
          if (verdict !== 'open') continue;
          const answers = record.attempts.some((item) => item.outcome.kind === 'answered');
          expect(answers || allEvidence(record).some((item) => item.kind === 'receipt' && item.arrived)).toBe(true);
        }
      }),
      runs,
    );
  });

  it('passes what must be blocked only on a verdict of blocked', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        for (const { verdict, result, record } of judge(run)) {
          if (record.check.expect === 'blocked' && result === 'pass') expect(verdict).toBe('blocked');
        }
      }),
      runs,
    );
  });

  it('does not depend on the order in which its checks stand', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        // Who of several neighbours or witnesses is named may follow the order; verdict and result may not.
        const told = (judged: readonly Judged[]): unknown =>
          judged.map(({ verdict, how, result }) => ({ verdict, how, result }));
        const reversed = judge({ ...run, checks: run.checks.toReversed() });
        expect(told(reversed.toReversed())).toEqual(told(judge(run)));
      }),
      runs,
    );
  });

  it('accepts only what is unproven', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        for (const { accepted, result } of judge(run)) if (accepted) expect(result).toBe('unproven');
      }),
      runs,
    );
  });
});

describe('a run in which nothing came', () => {
  // Of evidence only what silence leaves behind: paths that end, and no word of anybody.
  const lone = fc.record({
    kind: fc.constant('path' as const),
    reached: fc.constant(false),
    hops: fc.array(fc.record({ hop: fc.integer({ min: 1, max: 30 }), address: maybe(address) }).map(present), {
      maxLength: 4,
    }),
  });
  const silentRun = (accepting: fc.Arbitrary<RunRecord['accept']>): fc.Arbitrary<RunRecord> =>
    fc.record({ checks: fc.array(records(nothingCame, lone), { minLength: 1, maxLength: 5 }), accept: accepting });

  it('never exits 0 unless that was accepted', () => {
    fc.assert(
      fc.property(silentRun(fc.constant([])), (run) => {
        const judged = judge({
          ...run,
          checks: run.checks.map((item) => ({ ...item, check: { ...item.check, acceptUnproven: false } })),
        });
        expect(exitCode(judged, {})).not.toBe(0);
        expect(nagiosExitCode(judged, {})).not.toBe(0);
      }),
      runs,
    );
  });

  it('passes no check, and blocked ones least of all', () => {
    fc.assert(
      fc.property(silentRun(accept), (run) => {
        for (const { result } of judge(run)) expect(result).not.toBe('pass');
      }),
      runs,
    );
  });
});

describe('better news', () => {
  const order: readonly Result[] = ['fail', 'unproven', 'pass'];
  const severity = { 1: 2, 3: 1, 0: 0 } as Readonly<Record<number, number>>;
  const item = fc.record({
    check: checks,
    result: fc.constantFrom(...order),
    verdict: fc.constantFrom('blocked', 'closed', 'denied'),
    certain: fc.constantFrom('proven', 'likely'),
  });
  const weigh = (
    items: readonly { check: BoundCheck; result: Result; verdict: Judged['verdict']; certain: Judged['certain'] }[],
  ): number => {
    const weighed = items.map((one) => ({ ...one, accepted: false }));
    const demanded = required(weighed);
    const code = exitCode(
      weighed.map((one, index) => ({
        verdict: one.verdict,
        result: one.result,
        accepted: false,
        required: demanded[index] === true,
        record: { check: { ...one.check, acceptUnproven: false } },
      })),
      {},
    );
    return severity[code] ?? Number.NaN;
  };

  it('never makes the exit code worse, alternatives included', () => {
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 6 }), fc.nat(), (items, pick) => {
        const at = pick % items.length;
        const better = items.map((one, index) => {
          const next = order[Math.min(2, order.indexOf(one.result) + 1)] ?? 'pass';
          return index === at ? { ...one, result: next } : one;
        });
        expect(weigh(better)).toBeLessThanOrEqual(weigh(items));
      }),
      runs,
    );
  });
});
