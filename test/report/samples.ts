// Reports as a run of the KVM.net access management profile would give them, for golden files and properties. No rules.
import type { Report, ReportedCheck, ReportedSkip, Summary, Tally } from '../../src/contract/report.js';
import type { VerdictWord } from '../../src/contract/verdict.js';

type Far = ReportedCheck['to'];
type Given = Partial<ReportedCheck> & Pick<ReportedCheck, 'flow' | 'title' | 'to'>;

const manager = { role: 'manager', address: '192.0.2.10' };

/** A check that passes, but for what is said otherwise. */
export function check(given: Given): ReportedCheck {
  const { flow, to, carrier = 'tcp' } = given;
  const from = given.from ?? manager;
  const host = to.host ?? to.address ?? 'unknown';
  return {
    id: `kvmnet-access-management/${flow}/${from.role}/${host}/${carrier}-${String(to.port ?? 0)}`,
    profile: 'kvmnet-access-management',
    required: true,
    expect: 'open',
    reach: 'protocol',
    from,
    carrier,
    probe: 'tcp',
    verdict: 'open',
    result: 'pass',
    certain: 'proven',
    proof: ['protocol'],
    summary: `${host} answered.`,
    facts: {},
    timings: { connectMs: 4.2, replyMs: 7.9 },
    attempts: 1,
    durationMs: 12.4,
    evidence: [],
    source: [`row ${flow}`],
    ...given,
  };
}

export const device = (last: number, port: number): Far => ({
  role: 'device',
  host: `192.0.2.${last}`,
  address: `192.0.2.${last}`,
  port,
});
export const secondary: Far = {
  role: 'secondary-manager',
  host: '198.51.100.20',
  address: '198.51.100.20',
  port: 3306,
};
export const ldapServer: Far = { role: 'ldap-server', host: 'ldap.example.net', address: '203.0.113.5', port: 389 };

export const discovery = check({
  flow: 'discovery-3080',
  title: 'Device discovery when a device or the manager boots',
  to: device(21, 3080),
  carrier: 'udp',
  probe: 'udp',
  durationMs: 31,
});
export const statusUpdates = check({
  flow: 'device-https',
  title: 'Status updates, device configuration and upgrades',
  to: device(21, 443),
  probe: 'https',
  facts: { status: 200, issuer: 'CN=Site CA', notAfter: '2027-03-01T00:00:00Z' },
  timings: { connectMs: 4.2, tlsMs: 18, replyMs: 26 },
  durationMs: 41,
});
export const ldapImport = check({
  flow: 'ldap',
  title: 'Import of users and password check at login',
  to: ldapServer,
  durationMs: 9.3,
});
export const replication = check({
  flow: 'replication',
  title: 'Database replication between primary and secondary',
  to: secondary,
  durationMs: 17,
});
export const session = [900, 901, 902].map((port) =>
  check({
    flow: 'remote-session',
    title: 'Remote Client session: video, keyboard, mouse',
    from: { role: 'client', address: '192.0.2.10' },
    to: device(21, port),
    reach: 'port',
    proof: ['port'],
    durationMs: 5.1,
  }),
);
export const troubleshooting = check({
  flow: 'manager-ssh',
  title: 'Troubleshooting and debugging over SSH',
  from: { role: 'administrator', address: '192.0.2.10' },
  to: { role: 'manager', host: '192.0.2.9', address: '192.0.2.9', port: 22 },
  probe: 'ssh',
  facts: { identification: 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3' },
  durationMs: 22,
});

const ask = (to: string, port: string): string =>
  `Ask the firewall team to let 192.0.2.10 reach ${to} on ${port}, and quote the hop above.`;

/** One failing or undecided check for every verdict there is. */
export const failures: readonly ReportedCheck[] = [
  check({
    ...replication,
    verdict: 'blocked',
    how: 'rejected',
    result: 'fail',
    proof: ['rejection'],
    by: { address: '198.51.100.1', icmp: { type: 3, code: 13 } },
    direction: 'forward',
    summary: '198.51.100.1 rejects it: ICMP 3/13, communication administratively prohibited.',
    advice: ask('198.51.100.20', 'TCP 3306'),
    evidence: [{ t: 3, source: 'attempt', kind: 'icmp', from: '198.51.100.1', type: 3, code: 13, ttl: 63 }],
    durationMs: 3,
  }),
  check({
    ...ldapImport,
    verdict: 'blocked',
    how: 'dropped',
    result: 'fail',
    certain: 'likely',
    proof: ['silence', 'path', 'control'],
    after: { hop: 2, address: '198.51.100.1' },
    direction: 'unknown',
    summary:
      'Nothing came back in 8 s to 4 connection requests; SSH to the same host passes, and the path ends at or after 198.51.100.1 (hop 2), possibly at the firewall of the host itself.',
    advice: ask('203.0.113.5', 'TCP 389'),
    attempts: 2,
    durationMs: 16_031,
  }),
  check({
    ...statusUpdates,
    verdict: 'closed',
    how: 'reset',
    result: 'fail',
    proof: ['reset', 'ttl'],
    summary: '192.0.2.21 itself refuses: a reset whose TTL is that of its other packets. Nothing listens on TCP 443.',
    advice: 'The path is fine. Switch on HTTPS in the device, or ask its owner on which port it stands.',
    facts: {},
    durationMs: 1.4,
  }),
  check({
    flow: 'device-https',
    title: 'Status updates, device configuration and upgrades',
    to: device(22, 443),
    verdict: 'unreachable',
    how: 'no-host',
    result: 'fail',
    proof: ['neighbours'],
    summary: 'Nobody answers for 192.0.2.22 on the local network.',
    advice: 'Check that the device is powered, plugged into this VLAN, and has this address.',
    durationMs: 3061,
  }),
  check({
    flow: 'device-https',
    title: 'Status updates, device configuration and upgrades',
    to: device(23, 443),
    verdict: 'intercepted',
    how: 'issuer',
    result: 'fail',
    proof: ['tls'],
    summary: 'TLS ends at a proxy: the certificate is issued by CN=Inspection CA, not by CN=Site CA.',
    advice: 'Ask the proxy team to exempt 192.0.2.10 to 192.0.2.23 from TLS inspection.',
    evidence: [{ t: 21, source: 'attempt', kind: 'tls', issuer: 'CN=Inspection CA', bySiteCa: false }],
    durationMs: 33,
  }),
  check({
    ...troubleshooting,
    verdict: 'wrong-service',
    how: 'stranger',
    result: 'fail',
    summary: 'Something accepts on TCP 22, but it answers as HTTP (HTTP/1.1 400 Bad Request) instead of SSH.',
    advice: 'Ask the owner of 192.0.2.9 what listens on TCP 22.',
    facts: {},
    durationMs: 12,
  }),
  check({
    flow: 'radius',
    title: 'RADIUS login',
    to: { role: 'radius-server', host: '203.0.113.7', address: '203.0.113.7', port: 1812 },
    carrier: 'udp',
    reach: 'service',
    verdict: 'denied',
    how: 'client',
    result: 'fail',
    summary: '203.0.113.7 answered and refused this client (Access-Reject).',
    advice: 'Ask the RADIUS administrator to enter 192.0.2.10 as a client.',
    durationMs: 40,
  }),
];

const inbound = (last: number): ReportedCheck =>
  check({
    flow: 'manager-https',
    title: 'Status updates to the manager',
    from: { role: 'device', address: `192.0.2.${last}` },
    to: { role: 'manager', address: '192.0.2.10', port: 443 },
    verdict: 'unproven',
    how: 'no-peer',
    result: 'unproven',
    proof: [],
    summary: `192.0.2.${last} would ask; only a peer there can prove it.`,
    advice: 'Run "linecheck respond" at the far end and check again with --peer.',
    timings: {},
    attempts: 0,
    durationMs: 0,
  });

export const undecided: readonly ReportedCheck[] = [
  ...[21, 22, 23, 24, 25, 26, 27, 28].map(inbound),
  check({
    flow: 'discovery-3081',
    title: 'Device discovery where 3080 does not work',
    to: device(21, 3081),
    carrier: 'udp',
    probe: 'udp',
    verdict: 'unproven',
    how: 'silence',
    result: 'unproven',
    proof: ['silence'],
    summary: 'No answer to 5 datagrams in 5 s; a healthy device may be silent to a stranger, so this proves nothing.',
    advice: 'Ask again while the device boots, or look at the device whether it lists this manager.',
    timings: {},
    durationMs: 5003,
  }),
  check({
    flow: 'dns',
    title: 'Name resolution',
    to: { role: 'dns-server', host: 'dns.example.net', port: 53 },
    verdict: 'error',
    how: 'resolver',
    result: 'unproven',
    certain: 'proven',
    proof: ['resolver'],
    summary: 'The name dns.example.net could not be looked up: the resolver did not answer (SERVFAIL).',
    advice: 'Write the address into the site file, or mend name resolution on this machine.',
    timings: {},
    attempts: 0,
    durationMs: 0,
  }),
];

export const skips: readonly ReportedSkip[] = [
  ['ldap-tls', 'LDAP over TLS', 'feature `ldap-tls` is off', 'feature-off'],
  [
    'dhcp',
    'Network address of devices',
    'neither from nor to here: it runs between `client` and `device`',
    'elsewhere',
  ],
  [
    'client-https',
    'Web interface login and operation',
    'neither from nor to here: it runs between `client` and `device`',
    'elsewhere',
  ],
  [
    'admin-https',
    'First configuration of a KVM over IP device',
    'neither from nor to here: it runs between `client` and `device`',
    'elsewhere',
  ],
  ['radius-accounting', 'RADIUS accounting', 'role `radius-server` is `none`', 'role-none'],
].map(([flow = '', title = '', reason = '', kind]) => ({
  profile: 'kvmnet-access-management',
  flow,
  title,
  reason,
  kind: kind === 'feature-off' || kind === 'role-none' ? kind : 'elsewhere',
}));

function tally(checks: readonly ReportedCheck[]): Tally {
  const of = (result: ReportedCheck['result']): number => checks.filter((each) => each.result === result).length;
  return { pass: of('pass'), fail: of('fail'), unproven: of('unproven') };
}

export function summaryOf(checks: readonly ReportedCheck[], skipped = 0): Summary {
  const required = tally(checks.filter((each) => each.required));
  const accepted = checks.filter((each) => each.required && each.accepted === true).length;
  const byVerdict: Partial<Record<VerdictWord, number>> = {};
  for (const { verdict } of checks) byVerdict[verdict] = (byVerdict[verdict] ?? 0) + 1;
  const nothing = checks.length === 0;
  const doubt = required.unproven > accepted;
  return {
    required,
    optional: tally(checks.filter((each) => !each.required)),
    skipped,
    accepted,
    exitCode: nothing ? 2 : required.fail > 0 ? 1 : doubt ? 3 : 0,
    state: nothing ? 'unknown' : required.fail > 0 ? 'critical' : doubt ? 'warning' : 'ok',
    byVerdict,
  };
}

export function report(checks: readonly ReportedCheck[], given: Partial<Report> = {}): Report {
  return {
    schema: 'linecheck/report/v1',
    tool: {
      name: 'linecheck',
      version: '0.1.0',
      node: '20.20.2',
      platform: 'linux x64',
      tier: 1,
      can: ['errno'],
    },
    site: 'branch-12',
    startedAt: '2025-06-03T08:15:02.114Z',
    durationMs: 8412,
    notices: [],
    summary: summaryOf(checks, given.skipped?.length ?? 0),
    checks,
    skipped: [],
    ...given,
  };
}

const passing = [discovery, statusUpdates, ldapImport, replication, ...session, troubleshooting];

const alternative = (port: number, rest: Partial<ReportedCheck>): ReportedCheck =>
  check({
    flow: `radius-${port}`,
    title: `RADIUS authentication on ${port}`,
    group: 'radius-authentication',
    to: { role: 'radius-server', host: '203.0.113.7', address: '203.0.113.7', port },
    carrier: 'udp',
    probe: 'udp',
    ...rest,
  });

const v6 = (address: string, port: number): Far => ({ role: 'device', host: address, address, port });
const v6Manager = { role: 'manager', address: '2001:db8:ffff:eeee:dddd:cccc:bbbb:10' };
const longest = '2001:db8:1234:5678:9abc:def0:1234:5678';

/** Name of the golden file to its report. */
/** As `--fail-on` makes it. */
function leavingOut(all: readonly ReportedCheck[], failOn: readonly VerdictWord[]): Report {
  const checks = all.map((each) =>
    each.result === 'fail' && !failOn.includes(each.verdict) ? { ...each, uncounted: true } : each,
  );
  const uncounted = checks.filter((each) => each.uncounted === true).length;
  const fails = checks.some((each) => each.result === 'fail' && each.uncounted !== true);
  const passes = checks.some((each) => each.result === 'pass');
  const exitCode = fails ? 1 : passes ? 0 : 3;
  const summary = { ...summaryOf(checks), failOn, uncounted, exitCode, state: fails ? 'critical' : 'warning' } as const;
  return report(checks, { summary });
}

export const samples: Readonly<Record<string, Report>> = {
  'all-pass': report(passing, { skipped: skips.slice(0, 4), durationMs: 212 }),
  'mixed-failures': report(
    [
      discovery,
      ...failures,
      ...undecided,
      ...session,
      check({
        flow: 'ftp',
        title: 'Export of the configuration by FTP',
        required: false,
        to: { role: 'file-server', host: 'files.example.net', address: '203.0.113.9', port: 21 },
        verdict: 'closed',
        how: 'refused',
        certain: 'likely',
        result: 'fail',
        summary: '203.0.113.9 or something in its name refuses the connection.',
        advice: 'Start the FTP service, if you want exports.',
        durationMs: 2,
      }),
      check({
        flow: 'syslog',
        title: 'Syslog messages',
        to: { role: 'syslog-server', host: 'log.example.net', address: '203.0.113.8', port: 514 },
        carrier: 'udp',
        probe: 'udp',
        verdict: 'unproven',
        how: 'one-way',
        result: 'unproven',
        accepted: true,
        summary: 'One datagram left and nothing refused it; syslog over UDP has no answer that could prove arrival.',
        advice: 'Look in the log of 203.0.113.8 for the line "linecheck 5f1c09aa".',
        durationMs: 1500,
      }),
      check({
        flow: 'ntp',
        title: 'Time',
        required: false,
        to: { role: 'ntp-server', host: 'ntp.example.net', address: '203.0.113.4', port: 123 },
        carrier: 'udp',
        probe: 'ntp',
        warning: 'It answered only the third datagram, after 2.1 s: packets are being lost on the way.',
        attempts: 1,
        durationMs: 2104,
      }),
    ],
    {
      skipped: skips,
      notices: [
        'The source 192.0.2.10 is not the address of the role manager (192.0.2.9); firewall rules match the source.',
      ],
      durationMs: 19_870,
    },
  ),
  'only-unproven': report([discovery, statusUpdates, ...undecided.slice(0, 9)]),
  accepted: report([discovery, ...undecided.slice(0, 8).map((each) => ({ ...each, accepted: true }))]),
  interrupted: report(
    [
      discovery,
      check({
        ...ldapImport,
        verdict: 'unproven',
        how: 'interrupted',
        result: 'unproven',
        proof: [],
        summary: 'The run ended before this was decided.',
        advice: 'Run it again and let it finish.',
        durationMs: 1204,
      }),
    ],
    {
      interrupted: 'SIGINT',
      durationMs: 1310,
      summary: {
        ...summaryOf([discovery]),
        exitCode: 130,
        state: 'unknown',
        required: { pass: 1, fail: 0, unproven: 1 },
      },
    },
  ),
  'two-hundred': report(
    Array.from({ length: 200 }, (_, at) => {
      const to = device(1 + at, 443);
      if (at % 40 !== 7) return check({ ...statusUpdates, to, durationMs: 20 + ((at * 37) % 60) });
      return check({
        ...statusUpdates,
        to,
        verdict: 'closed',
        how: 'refused',
        result: 'fail',
        certain: 'likely',
        proof: ['errno'],
        summary: `192.0.2.${1 + at}, or something in its name, refuses the connection.`,
        advice: 'Look whether HTTPS is switched on in the device; if it is, ask who answers for it on the way.',
      });
    }),
  ),
  ipv6: report(
    [
      check({ ...statusUpdates, from: v6Manager, to: v6('2001:db8::21', 443) }),
      check({ ...statusUpdates, from: v6Manager, to: v6(longest, 443) }),
      check({
        ...replication,
        from: v6Manager,
        to: { role: 'secondary-manager', host: 'secondary.branch-12.example.net', address: longest, port: 3306 },
        verdict: 'blocked',
        how: 'rejected',
        result: 'fail',
        by: { address: '2001:db8:ffff:eeee:dddd:cccc:bbbb:aaaa', icmp: { type: 1, code: 1 } },
        summary: `2001:db8:ffff:eeee:dddd:cccc:bbbb:aaaa rejects it: ICMPv6 1/1, communication administratively prohibited.`,
        advice: `Ask the firewall team to let ${v6Manager.address} reach ${longest} on TCP 3306.`,
      }),
      check({
        flow: 'ping',
        title: '设备在线检查 (ping)',
        from: v6Manager,
        to: { role: 'device', host: '2001:db8::21', address: '2001:db8::21' },
        carrier: 'icmp',
        required: false,
      }),
    ],
    {
      tool: {
        name: 'linecheck',
        version: '0.1.0',
        node: '24.21.0',
        platform: 'linux x64',
        tier: 3,
        can: ['errno', 'error-queue', 'ttl', 'tcp-info', 'raw'],
      },
    },
  ),
  'one-of': report([
    statusUpdates,
    alternative(1812, { durationMs: 14 }),
    alternative(1645, {
      required: false,
      verdict: 'closed',
      how: 'port-unreachable',
      result: 'fail',
      summary: '203.0.113.7 itself refuses: ICMP port-unreachable.',
      durationMs: 2,
    }),
  ]),
  'one-of-none': report([
    statusUpdates,
    alternative(1812, {
      verdict: 'closed',
      how: 'port-unreachable',
      result: 'fail',
      summary: '203.0.113.7 itself refuses: ICMP port-unreachable.',
      advice: 'Ask the RADIUS administrator on which port the server stands.',
      durationMs: 2,
    }),
    alternative(1645, {
      required: false,
      verdict: 'closed',
      how: 'port-unreachable',
      result: 'fail',
      summary: '203.0.113.7 itself refuses: ICMP port-unreachable.',
      durationMs: 2,
    }),
  ]),
  'left-out': leavingOut([discovery, ...failures.slice(0, 3), troubleshooting], ['intercepted', 'blocked']),
  'all-left-out': leavingOut(failures.slice(0, 2), ['intercepted']),
  'only-optional': report([{ ...discovery, required: false }]),
  nothing: report([], { skipped: skips, durationMs: 3 }),
};
