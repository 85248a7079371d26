// A report that has every key there is, and the events of its run. No rules.
import type { Evidence } from '../../src/contract/evidence.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { Report, ReportedCheck } from '../../src/contract/report.js';
import type { RunEvent } from '../../src/contract/run-event.js';
import { check, ldapServer, report, skips, summaryOf } from './samples.js';

const seen = { t: 12.5, source: 'diagnose' } as const;
const silent: Outcome = { kind: 'silent', sent: 3, waitedMs: 5000 };

const evidence: readonly Evidence[] = [
  { ...seen, kind: 'icmp', from: '198.51.100.1', type: 3, code: 13, ttl: 63, hop: 2 },
  { ...seen, kind: 'reset', ttl: 62, phase: 'data' },
  { ...seen, kind: 'alive', address: '203.0.113.5', ttl: 62, by: 'handshake' },
  { ...seen, kind: 'path', hops: [{ hop: 1, address: '198.51.100.1', rttMs: 0.4 }, { hop: 2 }], reached: false },
  { ...seen, kind: 'control', port: 22, role: 'open', outcome: silent },
  { ...seen, kind: 'acked', sent: 21, acked: 0 },
  {
    ...seen,
    kind: 'tls',
    issuer: 'CN=Site CA',
    subject: 'CN=ldap',
    pin: 'q0Xr',
    notBefore: '2025-01-01T00:00:00Z',
    bySiteCa: true,
  },
  { ...seen, kind: 'size', small: { bytes: 300, answered: true }, large: { bytes: 1500, answered: false } },
  { ...seen, source: 'peer', kind: 'receipt', arrived: true, from: '192.0.2.10', sentBack: true },
];

export const fullCheck: ReportedCheck = {
  ...check({ flow: 'ldap', title: 'Import of users', to: ldapServer }),
  group: 'ldap',
  via: 'proxy.example.net:3128',
  verdict: 'blocked',
  result: 'fail',
  how: 'rejected',
  by: { address: '198.51.100.1', icmp: { type: 3, code: 13 } },
  after: { hop: 1, address: '198.51.100.254' },
  direction: 'forward',
  accepted: false,
  uncounted: true,
  warning: 'It took three askings.',
  advice: 'Ask the firewall team.',
  facts: { text: 'a', number: 1.5, yes: true, list: ['b', 'c'] },
  timings: { resolveMs: 1, connectMs: 2, tlsMs: 3, replyMs: 4 },
  evidence,
  place: { file: 'site.yaml', line: 12, column: 5 },
};

export const full: Report = report([fullCheck], {
  interrupted: 'SIGTERM',
  notices: ['A notice.'],
  skipped: skips,
  summary: {
    ...summaryOf([fullCheck], skips.length),
    failOn: ['closed'],
    uncounted: 1,
    exitCode: 143,
    state: 'unknown',
  },
});

const outcomes: readonly Outcome[] = [
  { kind: 'answered', depth: 'protocol', facts: { banner: 'SSH-2.0-OpenSSH_9.2p1' } },
  { kind: 'turned-away', presented: 'client', by: 'Access-Reject', facts: {} },
  { kind: 'stranger', came: 'other-protocol', detail: 'an HTTP answer', facts: {} },
  { kind: 'refused', signal: 'prohibited', afterMs: 1.2, by: '198.51.100.1', ttl: 63 },
  silent,
  { kind: 'sent', sent: 1, waitedMs: 1500 },
  { kind: 'unable', reason: 'no-permission', detail: 'bind to UDP port 68: EACCES' },
];

export const events: readonly RunEvent[] = [
  {
    event: 'started',
    t: 0,
    schema: 'linecheck/run-event/v1',
    tool: full.tool,
    site: 'branch-12',
    startedAt: full.startedAt,
    checks: 7,
    asked: 6,
    skipped: 5,
  },
  ...outcomes.map((outcome, at): RunEvent => ({
    event: 'attempt',
    t: 10 + at,
    checks: [`kvmnet-access-management/flow-${at}/manager/192.0.2.${at}/tcp-1`],
    attempt: 1,
    outcome,
    timings: { connectMs: 3 },
    durationMs: 10,
    retrying: false,
    wire: [
      { t: 0, kind: 'connecting', text: '192.0.2.1:1' },
      { t: 1, kind: 'sent', bytes: 2, hex: '0d0a', text: '..' },
      { t: 2, kind: 'received', bytes: 9 },
      { t: 3, kind: 'note', text: 'a remark' },
    ],
  })),
  { event: 'diagnosing', t: 40, check: fullCheck.id, look: 'path search' },
  { event: 'check', t: 50, check: fullCheck },
  { event: 'finished', t: 60, durationMs: 60, interrupted: 'max-time', summary: full.summary },
];
