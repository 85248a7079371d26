// Flows that want rules, of every kind that profiles have, for golden files and properties. No rules of how to write them.
import fc from 'fast-check';
import type { RuleAddresses, RuleSet, WantedFlow } from '../../src/contract/rule.js';
import { ruleSet } from '../../src/report/rules/model.js';
import { hostile } from './arbitrary.js';

type Given = Partial<WantedFlow> & Pick<WantedFlow, 'flow' | 'to'>;

/** A flow from the manager, over TCP, but for what is said otherwise. */
export function wanted(given: Given): WantedFlow {
  const { flow, to } = given;
  return {
    id: `acme-box/${flow}/manager/${to.host ?? '-'}/tcp-1`,
    profile: 'acme-box',
    title: `Flow ${flow}`,
    required: true,
    expect: 'open',
    direction: 'out',
    from: { role: 'manager' },
    carrier: 'tcp',
    family: 'any',
    why: `Without ${flow} the box does nothing.`,
    source: [`row ${flow}`],
    ...given,
  };
}

const silent = { silence: 'by-design', depths: ['port'], defaultDepth: 'port', sends: [] } as const;
const device = (host: string, port?: number): WantedFlow['to'] => ({
  role: 'device',
  host,
  ...(port === undefined ? {} : { port }),
});
const inbound = (host: string, port?: number): Pick<WantedFlow, 'direction' | 'from' | 'to'> => ({
  direction: 'in',
  from: { role: 'device', host },
  to: { role: 'manager', ...(port === undefined ? {} : { port }) },
});
const devices = ['192.0.2.21', '192.0.2.22', '2001:db8::21'] as const;

export const everyKind: readonly WantedFlow[] = [
  ...devices.map((host) => wanted({ flow: 'web', title: 'Web page', to: device(host, 443) })),
  ...devices.map((host) => wanted({ flow: 'web', title: 'Web page', ...inbound(host, 443) })),
  // Another port on one of them: no group may hold both.
  wanted({ flow: 'shell', title: 'Shell', to: device('192.0.2.21', 22) }),
  wanted({ flow: 'shell', title: 'Shell', to: device('192.0.2.22', 2022) }),
  ...[900, 901, 902].map((port) => wanted({ flow: 'video', title: 'Video', to: device('192.0.2.21', port) })),
  wanted({
    flow: 'discovery',
    title: 'Discovery',
    carrier: 'udp',
    sourcePort: 3080,
    to: device('192.0.2.21', 3080),
    group: 'g',
  }),
  wanted({
    flow: 'discovery-fallback',
    title: 'Discovery on the second port',
    carrier: 'udp',
    sourcePort: 3080,
    answersFrom: 3080,
    to: device('192.0.2.21', 3081),
    group: 'g',
  }),
  wanted({
    flow: 'discovery-broadcast',
    title: 'Discovery by broadcast',
    carrier: 'udp',
    sourcePort: 3080,
    broadcast: true,
    to: device('255.255.255.255', 3080),
  }),
  wanted({
    flow: 'discovery-directed',
    title: 'Discovery by directed broadcast',
    carrier: 'udp',
    sourcePort: 3080,
    broadcast: true,
    to: device('192.0.2.255', 3080),
  }),
  wanted({ flow: 'ping', title: 'Ping', carrier: 'icmp', required: false, to: device('192.0.2.21') }),
  wanted({ flow: 'ping', title: 'Ping', carrier: 'icmp', required: false, to: device('2001:db8::21') }),
  wanted({ flow: 'gre', title: 'GRE', carrier: { ipProtocol: 47 }, path: 'out-of-band', to: device('192.0.2.21') }),
  wanted({ flow: 'esp', title: 'ESP', carrier: { ipProtocol: 50 }, to: device('2001:db8::21') }),
  wanted({ flow: 'odd', title: 'Another protocol', carrier: { ipProtocol: 99 }, to: device('192.0.2.21') }),
  wanted({
    flow: 'ntp',
    title: 'Time',
    carrier: 'udp',
    to: { role: 'ntp-server', host: 'ntp.example.net', port: 123 },
  }),
  wanted({
    flow: 'dns',
    title: 'Names',
    carrier: 'udp',
    to: { role: 'dns-server', host: 'dns.example.net', port: 53 },
  }),
  wanted({
    flow: 'syslog',
    title: 'Logs',
    carrier: 'udp',
    traits: silent,
    to: { role: 'syslog-server', host: '198.51.100.14', port: 514 },
  }),
  wanted({ flow: 'audit', title: 'Audit', to: { role: 'syslog-server', host: '198.51.100.14', port: 6514 } }),
  wanted({ flow: 'events', title: 'Events', to: { role: 'syslog-server', host: '198.51.100.14', port: 6514 } }),
  wanted({
    flow: 'dhcp',
    title: 'DHCP',
    carrier: 'udp',
    sourcePort: 68,
    to: { role: 'dhcp-server', host: '192.0.2.67', port: 67 },
  }),
  wanted({
    flow: 'ftp',
    title: 'Files',
    to: { role: 'file-server', host: '192.0.2.40', port: 21 },
    erratum: 'The document names no port.',
    seen: '2026-01-02T03:04:05.000Z, blocked (dropped, likely): nothing came back from 192.0.2.40.',
  }),
  wanted({
    flow: 'updates',
    title: 'Updates',
    to: { role: 'cloud', host: 'updates.example.net', port: 443 },
    via: { host: '192.0.2.3', port: 3128 },
  }),
  wanted({ flow: 'telnet', title: 'Telnet', expect: 'blocked', to: device('192.0.2.21', 23) }),
  wanted({ flow: 'ldap', title: 'LDAP', to: { role: 'ldap-server', port: 389 } }),
  wanted({ flow: 'local', title: 'Local', to: device('127.0.0.1', 80) }),
  wanted({
    flow: 'snmp',
    title: 'SNMP',
    carrier: 'udp',
    needless: 'The path is open, no rule is missing.',
    to: device('192.0.2.21', 161),
  }),
];

export const known: RuleAddresses = {
  names: new Map([
    ['ntp.example.net', ['203.0.113.5', '2001:db8::5']],
    ['dns.example.net', []],
  ]),
  standing: { 'acme-box/manager': ['192.0.2.10', '192.0.2.11', '2001:db8::10'] },
  routes: new Map(),
  route: { 4: '192.0.2.99', 6: '2001:db8::99' },
};

export const about: Pick<RuleSet, 'site' | 'of' | 'skipped' | 'notices'> = {
  site: 'branch-12',
  of: 'the whole plan',
  skipped: [
    { title: 'Configuration page', reason: 'neither from nor to here: it runs between `administrator` and `device`' },
    { title: 'RADIUS', reason: 'feature `radius` is off' },
  ],
  notices: [],
};

export const sample: RuleSet = ruleSet(everyKind, known, about);

/** Text that is a command, an end of a comment or of a string, or more lines, to some firewall or other. */
const attack = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    hostile,
    '"; flush ruleset; #',
    '" -j ACCEPT\n-A INPUT -j ACCEPT\n#',
    '\nCOMMIT\n',
    '\\',
    '?',
    'x\r\npermit ip any any',
    'x\naccess-list outside extended permit ip any any',
    "'; set rulebase security rules all action allow",
    '"\nset rulebase security rules all action allow',
    '} } table inet x {',
    '=cmd|calc!A1',
    '@SUM(1+1)',
    '-1+1',
    'y'.repeat(400),
    'Übergröße, “quoted”, naïve – 设备',
  ),
);

const id = fc.constantFrom(
  'web',
  'shell',
  'a-flow-of-a-name-that-somebody-made-much-too-long-for-any-object-name-of-firewalls',
  'ping',
);
const profile = fc.constantFrom(
  'acme-box',
  'an-id-of-a-profile-that-is-as-long-as-an-id-may-be-and-that-is-eighty-letters-in-all',
);
const host = fc.constantFrom(
  '192.0.2.21',
  '192.0.2.22',
  '2001:db8::21',
  '203.0.113.7',
  'ntp.example.net',
  'dns.example.net',
  'a-name-in-a-zone-that-has-many-letters-and-a-label-of-some-length.example.net',
);
const carrier = fc.constantFrom(
  'tcp' as const,
  'udp' as const,
  'icmp' as const,
  { ipProtocol: 47 },
  { ipProtocol: 50 },
  { ipProtocol: 99 },
);
const port = fc.constantFrom(21, 67, 443, 3080, 65_535);

export const anyWanted: fc.Arbitrary<readonly WantedFlow[]> = fc.array(
  fc
    .record({
      flow: id,
      profile,
      title: attack,
      why: attack,
      source: fc.array(attack, { minLength: 1, maxLength: 2 }),
      out: fc.boolean(),
      host,
      carrier,
      port,
      more: fc.record(
        {
          sourcePort: fc.constantFrom(68, 3080),
          answersFrom: fc.constant(3080),
          broadcast: fc.constant(true),
          erratum: attack,
          seen: attack,
          traits: fc.constant(silent),
          family: fc.constantFrom(4 as const, 6 as const, 'any' as const),
          path: fc.constantFrom('in-band' as const, 'out-of-band' as const),
          expect: fc.constantFrom('open' as const, 'blocked' as const),
          group: fc.constantFrom('g', 'h'),
        },
        { requiredKeys: [] },
      ),
    })
    .map(({ out, host: far, carrier: over, port: to, more, ...rest }) =>
      wanted({
        ...rest,
        carrier: over,
        ...(out ? { to: { role: 'device', host: far, ...portOf(over, to) } } : inbound(far, portOf(over, to).port)),
        ...more,
      }),
    ),
  { maxLength: 12 },
);

function portOf(over: WantedFlow['carrier'], port: number): { readonly port?: number } {
  return over === 'tcp' || over === 'udp' ? { port } : {};
}
