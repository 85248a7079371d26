// The pages beside the report: plan, probes, profiles, problems, one probe by hand.
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Problem } from '../../src/contract/flow.js';
import type { WireEvent } from '../../src/contract/outcome.js';
import type { ReportedCheck } from '../../src/contract/report.js';
import type { Profile } from '../../src/plan/profile.js';
import { displayWidth } from '../../src/report/layout.js';
import { outcomeView } from '../../src/report/outcome.js';
import { planJson, planTable, planTotals } from '../../src/report/plan.js';
import { probeList, probePage } from '../../src/report/probes.js';
import { problemLines } from '../../src/report/problems.js';
import { profileList, profilePage, type ProfileText } from '../../src/report/profiles.js';
import type { Style } from '../../src/report/style.js';
import { hostile } from './arbitrary.js';
import { expectGolden } from './golden.js';
import { emptyPlan, plan, profile, sshTraits } from './plans.js';
import { check, failures, ldapServer, troubleshooting } from './samples.js';

const ssh = {
  name: 'ssh',
  summary: 'SSH: identification and KEXINIT, no login',
  carriers: ['tcp'],
  defaultPort: 22,
} as const;
const tunnel = {
  name: 'tunnel',
  summary: 'Both carriers and an IP protocol',
  carriers: ['tcp', { ipProtocol: 47 }],
} as const;

const options = {
  type: 'object',
  properties: {
    servername: { type: 'string', description: 'The name to ask for.' },
    'min-version': { type: 'string', enum: ['TLSv1.2', 'TLSv1.3'], default: 'TLSv1.2', description: 'Oldest version.' },
    'client-cert': { type: 'string', linecheck: 'secret', description: 'Shown when asked for.' },
    count: { type: 'integer', minimum: 1, maximum: 9_007_199_254_740_991 },
    size: { type: 'integer', minimum: 64, maximum: 1500, default: 512 },
    alpn: { type: 'array', items: { type: 'string' } },
    expect: { anyOf: [{ type: 'string' }, { type: 'integer', minimum: -9_007_199_254_740_991, maximum: 599 }] },
  },
  required: ['servername', 'min-version'],
};

const wire: readonly WireEvent[] = [
  { t: 0, kind: 'connecting', text: '192.0.2.9:22' },
  { t: 4.21, kind: 'connected', text: 'from 192.0.2.10:51514' },
  {
    t: 4.3,
    kind: 'received',
    bytes: 40,
    hex: '5353482d322e302d4f70656e5353485f392e32703120446562',
    text: 'SSH-2.0-OpenSSH_9.2p1 Deb',
  },
  { t: 4.4, kind: 'sent', bytes: 32 },
  { t: 5, kind: 'received', bytes: 5, text: 'hello' },
  { t: 1203.7, kind: 'note', text: 'the server offers ssh-ed25519' },
  { t: 1204, kind: 'ended', text: '' },
];

const seen: ReportedCheck = {
  ...troubleshooting,
  facts: { ...troubleshooting.facts, algorithms: ['curve25519-sha256', 'sntrup761x25519-sha512'], compressed: false },
  timings: { resolveMs: 0.4, connectMs: 4.21, replyMs: 1203.7 },
  warning: 'It answered only the second time.',
  evidence: [
    { t: 1, source: 'attempt', kind: 'icmp', from: '198.51.100.1', type: 3, code: 13, ttl: 63 },
    { t: 2, source: 'attempt', kind: 'reset', ttl: 62, phase: 'data' },
    { t: 3, source: 'diagnose', kind: 'alive', address: '192.0.2.9', by: 'echo' },
    { t: 4, source: 'diagnose', kind: 'path', hops: [{ hop: 1, address: '198.51.100.1' }, { hop: 2 }], reached: false },
    {
      t: 5,
      source: 'diagnose',
      kind: 'control',
      port: 9,
      role: 'shut',
      outcome: { kind: 'silent', sent: 1, waitedMs: 8000 },
    },
    { t: 6, source: 'attempt', kind: 'acked', sent: 21, acked: 0 },
    { t: 7, source: 'attempt', kind: 'tls', subject: 'CN=fmc', issuer: 'CN=Site CA', pin: 'abc=', bySiteCa: true },
    {
      t: 8,
      source: 'diagnose',
      kind: 'size',
      small: { bytes: 300, answered: true },
      large: { bytes: 1500, answered: false },
    },
    { t: 9, source: 'peer', kind: 'receipt', arrived: false, sentBack: false },
  ],
};

const pages: Readonly<Record<string, (style: Style) => string>> = {
  plan: (style) => planTable(plan, style),
  'plan-empty': (style) => planTable(emptyPlan, style),
  'probe-list': (style) => probeList([ssh, tunnel], style),
  'probe-page': (style) => probePage(ssh, [{ carrier: 'tcp', traits: sshTraits }], options, style),
  'probe-page-two-carriers': (style) =>
    probePage(
      tunnel,
      [
        { carrier: 'tcp', traits: sshTraits },
        {
          carrier: { ipProtocol: 47 },
          traits: { ...sshTraits, silence: 'by-design', sends: [], needs: 'CAP_NET_RAW' },
        },
      ],
      {},
      style,
    ),
  'profile-list': (style) => profileList([profile], style),
  'profile-page': (style) => profilePage(profile, style),
  outcome: (style) => outcomeView(seen, style, wire),
  'outcome-failed': (style) => outcomeView(failures[1] ?? seen, style),
};

// eslint-disable-next-line no-control-regex -- it is the escape codes that are looked for
const escapeCode = /\u001b\[\d+m/g;

describe.each(Object.entries(pages))('the page %s', (name, page) => {
  it('reads as its golden file does', () => {
    expectGolden(`page-${name}.txt`, page({ width: 80, colour: false }));
  });

  it.each([24, 40, 80, 132])('never is wider than %i columns', (width) => {
    for (const line of page({ width, colour: false }).split('\n'))
      expect(displayWidth(line)).toBeLessThanOrEqual(width);
  });

  it('in colour is the same text with colour codes', () => {
    const text = page({ width: 80, colour: true });
    expect(text).toMatch(escapeCode);
    expect(text.replace(escapeCode, '')).toBe(page({ width: 80, colour: false }));
  });
});

describe('the plan', () => {
  it('counts packets and bytes of what is asked from here, and of nothing else', () => {
    expect(planTotals(plan)).toEqual({
      asked: 7,
      inbound: 2,
      withoutHost: 1,
      skipped: 7,
      targets: 4,
      packets: 18,
      bytes: 1309,
    });
  });

  it('as JSON has every check and skip, and carriers as reports write them', () => {
    const parsed: unknown = JSON.parse(
      planJson({ ...plan, checks: plan.checks.map((each) => ({ ...each, carrier: { ipProtocol: 50 } })) }),
    );
    expect(parsed).toMatchObject({
      schema: 'linecheck/plan/v1',
      totals: { asked: 7 },
      checks: plan.checks.map(({ id }) => ({ id, carrier: 'ip-50' })),
      skipped: plan.skipped.map(({ flow }) => ({ flow })),
    });
  });
});

describe('the profile page', () => {
  it('takes a profile as the plan parses it', () => {
    expectTypeOf<Profile>().toExtend<ProfileText>();
  });
});

describe('problem lines', () => {
  const place = { file: 'site.yaml', line: 3, column: 7 };

  it.each<[string, Problem]>([
    [
      'site.yaml:3:7: port is 70000; expected a port from 1 to 65535',
      { place, what: 'port is 70000', expected: 'a port from 1 to 65535' },
    ],
    ['site.yaml:3:7: unknown role "managr"', { place, what: 'unknown role "managr"' }],
    ['nothing to check', { what: 'nothing to check' }],
  ])('read "%s"', (line, problem) => {
    expect(problemLines([problem], { width: 80, colour: false })).toBe(`${line}\n`);
  });

  it('stay on one line each, however long, and carry no control characters', () => {
    const problem = {
      place: { ...place, file: `a${hostile}.yaml` },
      what: `${hostile} ${'x'.repeat(300)}`,
      expected: hostile,
    };
    const text = problemLines([problem, problem], { width: 40, colour: false });
    expect(text.split('\n')).toHaveLength(3);
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
  });

  it('are nothing where there are none', () => {
    expect(problemLines([], { width: 80, colour: false })).toBe('');
  });
});

describe('the view of one probe', () => {
  const plain = { width: 80, colour: false };

  it('shows no wire where none is given', () => {
    expect(outcomeView(seen, plain)).not.toContain('Wire');
  });

  it('says how often was asked, also where nothing was', () => {
    const said = [0, 1, 3].map(
      (attempts) => /in all +12 ms, (.*)/.exec(outcomeView({ ...seen, durationMs: 12, attempts }, plain))?.[1],
    );
    expect(said).toEqual(['never asked', 'asked once', 'asked 3 times']);
  });

  it('never shows what was sent as secret', () => {
    expect(outcomeView(seen, plain, wire)).toContain('-> sent 32 bytes, secret');
  });

  it('lets no control character of a hostile host through', () => {
    const text = outcomeView(
      { ...check({ flow: 'a', title: 'A', to: ldapServer }), facts: { [`k${hostile}`]: hostile, list: [hostile] } },
      plain,
      [
        { t: 0, kind: 'note', text: hostile },
        { t: 0, kind: 'received', bytes: 8, text: hostile },
        { t: 0, kind: 'received', bytes: 8, hex: '1b5b324a9b316d07' },
      ],
    );
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
    expect(text).toMatch(/1b 5b 32 4a 9b 31 6d 07 +\.\[2J\.1m\.$/m);
  });
});
