// The report made of a judged run: keys, tallies, order, skipped flows with their sentences.
import { describe, expect, it } from 'vitest';
import type { SkipReason, Skipped } from '../../src/contract/flow.js';
import { reportOf, reportedSkip, type ReportMeta } from '../../src/judge/account.js';
import { judge } from '../../src/judge/judge.js';
import { skip as skipOf } from '../../src/plan/skip.js';
import {
  FIREWALL,
  HERE,
  TARGET,
  answered,
  at,
  attempt,
  icmp,
  lives,
  oneWay,
  path,
  record,
  refused,
  sent,
  silent,
  turnedAway,
  udp,
} from './records.js';

const skip = (reason: SkipReason): Skipped => skipOf('suite', { id: 'mail', title: 'Mail' }, reason);
const meta: ReportMeta = {
  tool: { name: 'linecheck', version: '0.1.0', node: 'v20.19.0', platform: 'linux', tier: 1, can: ['errno'] },
  site: 'branch-12',
  startedAt: '2026-01-02T03:04:05.000Z',
  durationMs: 5123,
  notices: ['the source is not the address of the role'],
  skipped: [skip({ kind: 'feature-off', feature: 'mail' })],
  exit: {},
};
const checks = [
  record({}, [silent(), silent()], [path()]),
  lives,
  record({ ...udp, ...oneWay, flow: 'syslog', acceptUnproven: true }, sent()),
  record({ flow: 'web', ...at(443), required: false, group: 'web', carrier: { ipProtocol: 47 } }, turnedAway()),
  record({ flow: 'name', to: { role: 'ntp-server' } }, []),
];
const run = { checks, accept: [] } as const;

describe('a report', () => {
  const judged = judge(run);
  const report = reportOf(run, judged, meta);

  it('carries what the run was', () => {
    expect(report).toMatchObject({
      schema: 'linecheck/report/v1',
      tool: meta.tool,
      site: 'branch-12',
      startedAt: meta.startedAt,
      durationMs: 5123,
      notices: meta.notices,
    });
    expect(report).not.toHaveProperty('interrupted');
  });

  it('tallies required, optional, accepted, skipped and verdicts', () => {
    expect(report.summary).toEqual({
      required: { pass: 1, fail: 1, unproven: 2 },
      optional: { pass: 1, fail: 0, unproven: 0 },
      skipped: 1,
      accepted: 1,
      exitCode: 1,
      state: 'critical',
      byVerdict: { blocked: 1, open: 1, unproven: 2, denied: 1 },
    });
  });

  it('stands in plan order, however the verdicts came', () => {
    const shuffled = reportOf(run, [...judged].reverse(), meta);
    expect(shuffled).toEqual(report);
    expect(report.checks.map(({ flow }) => flow)).toEqual(['appliance', 'ssh', 'syslog', 'web', 'name']);
  });

  it('carries all that is known of a check, and no key that does not apply', () => {
    expect(report.checks[0]).toEqual({
      id: 'suite/appliance/manager/198.51.100.11/tcp-8305',
      profile: 'suite',
      flow: 'appliance',
      title: 'Appliance communications',
      required: true,
      expect: 'open',
      reach: 'protocol',
      from: { role: 'manager', address: HERE },
      to: { role: 'device', host: TARGET, address: TARGET, port: 8305 },
      carrier: 'tcp',
      probe: 'ssh',
      verdict: 'blocked',
      result: 'fail',
      certain: 'proven',
      proof: ['path', 'silence'],
      how: 'dropped',
      after: { hop: 2, address: FIREWALL },
      direction: 'unknown',
      summary: expect.stringContaining('dropped at or after 203.0.113.1 (hop 2)') as string,
      advice: expect.stringContaining('Ask whoever runs 203.0.113.1') as string,
      facts: {},
      timings: {},
      attempts: 2,
      durationMs: 11000,
      evidence: checks[0]?.evidence,
      source: ['8305/tcp'],
    });
  });

  it('writes accepted, group, warning and other carriers where they apply', () => {
    expect(report.checks[2]).toMatchObject({ accepted: true, how: 'one-way' });
    expect(report.checks[3]).toMatchObject({
      group: 'web',
      required: false,
      carrier: 'ip-47',
      warning: 'the service answered and refused our credentials',
    });
    expect(report.checks[4]).toMatchObject({ to: { role: 'ntp-server' }, attempts: 0, durationMs: 0, evidence: [] });
    expect(report.checks[4]).not.toHaveProperty('accepted');
  });

  it('shows the address a question really left from, and evidence in the order of its time', () => {
    const early = attempt(refused(), [icmp(FIREWALL, 11, 0), icmp(FIREWALL, 3, 13)], { localAddress: '192.0.2.77' });
    const one = { checks: [record({}, early, [path()])], accept: [] } as const;
    const [check] = reportOf(one, judge(one), meta).checks;
    expect(check?.from).toEqual({ role: 'manager', address: '192.0.2.77' });
    expect(check?.evidence.map(({ t }) => t)).toEqual([0, 0, 1]);
    expect(check?.by).toEqual({ address: FIREWALL, icmp: { type: 3, code: 13 } });
    expect(check?.summary).toContain('192.0.2.77 to 198.51.100.11');
  });

  it('adds the time a name took to the timings of the asking', () => {
    const named = {
      checks: [
        record({}, attempt(answered(), [], { timings: { connectMs: 3 } }), [], { resolution: { ok: true, ms: 7 } }),
      ],
      accept: [],
    } as const;
    expect(reportOf(named, judge(named), meta).checks[0]?.timings).toEqual({ resolveMs: 7, connectMs: 3 });
  });

  it('says that it was cut short, and exits by that', () => {
    expect(reportOf(run, judged, { ...meta, interrupted: 'SIGINT' })).toMatchObject({
      interrupted: 'SIGINT',
      summary: { exitCode: 130 },
    });
  });

  it('says where the site asks for a check', () => {
    const place = { file: 'site.yaml', line: 7, column: 3 };
    const one = { checks: [record({ place }, answered())], accept: [] } as const;
    expect(reportOf(one, judge(one), meta).checks[0]?.place).toEqual(place);
  });

  it('marks failures that do not count, counts them and names the verdicts that do', () => {
    const { checks: all, summary } = reportOf(run, judged, { ...meta, exit: { failOn: ['closed'] } });
    expect(all.map((check) => check.uncounted)).toEqual([true, undefined, undefined, undefined, undefined]);
    expect(summary).toMatchObject({
      required: { pass: 1, fail: 1, unproven: 2 },
      failOn: ['closed'],
      uncounted: 1,
      exitCode: 3,
      state: 'warning',
    });
    expect(report.summary).not.toHaveProperty('uncounted');
    expect(report.checks[0]).not.toHaveProperty('uncounted');
  });

  it('exits as Nagios wants it when asked', () => {
    expect(reportOf(run, judged, { ...meta, exit: { nagios: true } }).summary.exitCode).toBe(2);
  });
});

describe('a skipped flow', () => {
  it.each([
    [{ kind: 'feature-off', feature: 'ldap' }, 'feature `ldap` is off'],
    [{ kind: 'unless', feature: 'syslog-tls' }, 'feature `syslog-tls` is on and takes its place'],
    [{ kind: 'role-none', role: 'smtp-server' }, 'role `smtp-server` is `none`'],
    [
      { kind: 'elsewhere', roles: ['client', 'device'] },
      'neither from nor to here: it runs between `client` and `device`',
    ],
    [
      { kind: 'no-route-for-family', family: 6, address: '2001:db8::1' },
      'this machine has no IPv6 route to 2001:db8::1',
    ],
    [{ kind: 'deselected' }, 'left out by the selection on the command line'],
  ] as const)('gives its reason: %j', (reason, sentence) => {
    expect(reportedSkip(skip(reason))).toEqual({
      profile: 'suite',
      flow: 'mail',
      title: 'Mail',
      reason: sentence,
      kind: reason.kind,
    });
  });
});
