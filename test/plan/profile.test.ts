// What a profile may say, and each mistake in one at its place.
import { describe, expect, it } from 'vitest';
import { parseProfile } from '../../src/plan/profile.js';
import { linesOf, profileOf, profileText, valueOf, warningsOf, webFlow } from './fakes.js';

const parse = (flows: string): ReturnType<typeof parseProfile> =>
  parseProfile({ file: 'p.yaml', text: profileText(flows) });
const problems = (flows: string): readonly string[] => linesOf(parse(flows));

/** A flow in line 13, each key in a line of its own from line 14 on. */
const flow = (lines: string): string =>
  `  - id: web
    title: Web
    probe: https
    why: w
    source: s
${lines}`;

describe('a mistake in a profile', () => {
  it.each([
    [
      'an unknown key',
      'frm: manager\n    from: manager\n    to: device\n    tcp: 1',
      'p.yaml:18:5: unknown key "frm"; did you mean "from"?',
    ],
    [
      'a wrong type',
      'from: manager\n    to: device\n    tcp: yes',
      'p.yaml:20:10: tcp is "yes", expected a port from 1 to 65535, or a range "900-902"',
    ],
    [
      'true as a port',
      'from: manager\n    to: device\n    tcp: true',
      'p.yaml:20:10: tcp is true, expected a port from 1 to 65535, or a range "900-902"',
    ],
    [
      'port 0',
      'from: manager\n    to: device\n    tcp: 0',
      'p.yaml:20:10: tcp is 0, expected a port from 1 to 65535, or a range "900-902"',
    ],
    [
      'port 70000',
      'from: manager\n    to: device\n    udp: 70000',
      'p.yaml:20:10: udp is 70000, expected a port from 1 to 65535, or a range "900-902"',
    ],
    [
      'a range upside down',
      'from: manager\n    to: device\n    tcp: 902-900',
      'p.yaml:20:10: tcp is "902-900": the range is upside down; did you mean "900-902"?',
    ],
    [
      'a range beyond the ports',
      'from: manager\n    to: device\n    tcp: 65000-70000',
      'p.yaml:20:10: tcp is "65000-70000", expected ports from 1 to 65535',
    ],
    [
      'a range as wide as a scan',
      'from: manager\n    to: device\n    tcp: 1-65535',
      'p.yaml:20:10: tcp is "1-65535", expected at most 1024 ports',
    ],
    [
      'no transport',
      'from: manager\n    to: device',
      'p.yaml:13:5: the flow has no transport, expected one of tcp, udp, ip, icmp',
    ],
    [
      'two transports',
      'from: manager\n    to: device\n    tcp: 53\n    udp: 53',
      'p.yaml:21:5: the flow has "tcp" and "udp", expected one transport; the other is a flow of its own',
    ],
    [
      'a missing key',
      'from: manager\n    tcp: 1',
      'p.yaml:13:5: to is missing, expected lower-case letters, digits and single hyphens, or a list',
    ],
    [
      'an empty value',
      'from: manager\n    to:\n    tcp: 1',
      'p.yaml:19:5: to is empty, expected lower-case letters, digits and single hyphens, or a list',
    ],
    [
      'an empty list',
      'from: []\n    to: device\n    tcp: 1',
      'p.yaml:18:11: from is an empty list, expected at least one entry',
    ],
    [
      'an unknown role',
      'from: [manager, devise]\n    to: device\n    tcp: 1',
      'p.yaml:18:21: no role "devise"; did you mean "device"?',
    ],
    [
      'a role unlike all',
      'from: printer\n    to: device\n    tcp: 1',
      'p.yaml:18:11: no role "printer", expected one of manager, device, ntp-server',
    ],
    [
      'an unknown feature',
      'from: manager\n    to: device\n    tcp: 1\n    required: {feature: ldapp}',
      'p.yaml:21:25: no feature "ldapp"; did you mean "ldap"?',
    ],
    [
      'an unknown feature under unless',
      'from: manager\n    to: device\n    tcp: 1\n    required: {unless: [tls, tsl]}',
      'p.yaml:21:30: no feature "tsl"; did you mean "tls"?',
    ],
    [
      'a feature on and off',
      'from: manager\n    to: device\n    tcp: 1\n    required: {feature: tls, unless: tls}',
      'p.yaml:21:15: the flow needs "tls" to be both on and off',
    ],
    [
      'an optional alternative',
      'from: manager\n    to: device\n    tcp: 1\n    required: {one-of: a, optional: true}',
      'p.yaml:21:15: the flow is optional and one of a group at once, expected "one-of" or "optional", not both',
    ],
    [
      'a requirement in other words',
      'from: manager\n    to: device\n    tcp: 1\n    required: sometimes',
      'p.yaml:21:15: required is "sometimes", expected one of always, optional, or a map of keys',
    ],
    [
      'an unknown key of a requirement',
      'from: manager\n    to: device\n    tcp: 1\n    required: {featur: ldap}',
      'p.yaml:21:16: unknown key "featur"; did you mean "feature"?',
    ],
    [
      'an unknown reach',
      'from: manager\n    to: device\n    tcp: 1\n    reach: deep',
      'p.yaml:21:12: reach is "deep", expected one of path, port, secure, protocol, service',
    ],
    [
      'an interval without a unit',
      'from: manager\n    to: device\n    tcp: 1\n    every: 30',
      'p.yaml:21:12: every is 30, expected a duration such as 500ms, 30s or 2m',
    ],
    [
      'an interval of a year',
      'from: manager\n    to: device\n    tcp: 1\n    every: 8760h',
      'p.yaml:21:12: every is "8760h", expected more than nothing, and at most 24 days',
    ],
    [
      'a broadcast over TCP',
      'from: manager\n    to: device\n    tcp: 1\n    broadcast: true',
      'p.yaml:21:5: "broadcast" on a flow that is not UDP',
    ],
    [
      'a source port without ports',
      'from: manager\n    to: device\n    icmp: echo\n    source-port: 68',
      'p.yaml:21:5: "source-port" without ports',
    ],
    [
      'an IP protocol of 256',
      'from: manager\n    to: device\n    ip: 256',
      'p.yaml:20:9: ip is 256, expected an IP protocol number from 1 to 255',
    ],
    [
      'options that are a list',
      'from: manager\n    to: device\n    tcp: 1\n    with: [a]',
      'p.yaml:21:11: with is a list, expected a map of options',
    ],
  ])('%s', (_what, lines, problem) => {
    expect(problems(flow(`    ${lines}\n`))).toEqual([problem]);
  });

  it('a flow id that is taken', () => {
    expect(problems(webFlow + webFlow)).toEqual(['p.yaml:14:10: the flow id "web" is taken; the first is in line 13']);
  });

  it('an id that is not in kebab case', () => {
    expect(problems(webFlow.replace('id: web', 'id: Web_UI'))).toEqual([
      'p.yaml:13:10: id is "Web_UI", expected lower-case letters, digits and single hyphens',
    ]);
  });

  it('no flows', () => {
    expect(linesOf(parseProfile({ file: 'p.yaml', text: profileText('  []\n') }))).toEqual([
      'p.yaml:13:3: flows is an empty list, expected at least one flow',
    ]);
  });

  it('another format', () => {
    const text = profileText(webFlow).replace('profile/v1', 'site/v1');
    expect(linesOf(parseProfile({ file: 'p.yaml', text }))).toEqual([
      'p.yaml:1:12: linecheck is "site/v1", expected "profile/v1"',
    ]);
  });

  it('a role whose id is no id', () => {
    const text = profileText(webFlow).replace('  ntp-server:', '  NTP Server:');
    expect(linesOf(parseProfile({ file: 'p.yaml', text }))).toEqual([
      'p.yaml:8:3: the key "NTP Server", expected lower-case letters, digits and single hyphens',
    ]);
  });

  it('all mistakes are told at once, in the order of the lines, those of well-formed flows too', () => {
    const text = profileText(
      `${webFlow.replace('tcp: 443', 'tcp: 443, colour: red')}${webFlow.replace('to: device', 'to: devic')}`,
    ).replace('title: A box\n', '');
    expect(linesOf(parseProfile({ file: 'p.yaml', text }))).toEqual([
      'p.yaml:1:1: title is missing, expected text',
      expect.stringMatching(/^p\.yaml:12:64: unknown key "colour", expected one of id, title, from, to, /),
      'p.yaml:13:10: the flow id "web" is taken; the first is in line 12',
      'p.yaml:13:46: no role "devic"; did you mean "device"?',
    ]);
  });
});

describe('a profile', () => {
  it('may write one role or a list, a port or a range, and remembers where', () => {
    const { flows } = profileOf(`  - id: sessions
    title: Sessions
    from: [manager, device, manager]
    to: ntp-server
    both-ways: true
    tcp: 900-902
    configurable: true
    probe: tls
    with: {issuer: CN=x}
    reach: port
    required: {feature: [ldap, tls], one-of: group}
    source-port: 68
    path: out-of-band
    every: 1.5s
    why: w
    source: [row 1, row 2]
    erratum: e
`);
    const [sessions] = flows;
    expect(sessions).toMatchObject({
      id: 'sessions',
      from: ['manager', 'device'],
      to: ['ntp-server'],
      bothWays: true,
      carrier: 'tcp',
      ports: { first: 900, last: 902 },
      configurable: true,
      probe: { value: 'tls', place: { file: 'acme-box.yaml', line: 20, column: 12 } },
      reach: { value: 'port', place: { line: 22, column: 12 } },
      required: { features: ['ldap', 'tls'], unless: [], optional: false, oneOf: 'group' },
      sourcePort: 68,
      path: 'out-of-band',
      everyMs: 1500,
      source: ['row 1', 'row 2'],
      erratum: 'e',
      place: { line: 13, column: 9 },
    });
    expect(sessions?.options.get('issuer')?.place('key')).toEqual({ file: 'acme-box.yaml', line: 21, column: 12 });
  });

  it('has carriers without ports', () => {
    const { flows } = profileOf(
      webFlow.replace('tcp: 443', 'ip: 47') + webFlow.replace('tcp: 443', 'icmp: echo').replace('id: web', 'id: ping'),
    );
    expect(flows.map(({ carrier, ports }) => [carrier, ports])).toEqual([
      [{ ipProtocol: 47 }, undefined],
      ['icmp', undefined],
    ]);
  });

  it('keeps its own keys as they were written', () => {
    expect(profileOf(webFlow).written).toMatchObject({ linecheck: 'profile/v1', flows: [{ id: 'web', tcp: 443 }] });
  });

  it('warns of roles and features that no flow has', () => {
    expect(warningsOf(parse(webFlow))).toEqual([
      'p.yaml:8:3: no flow has the role "ntp-server"',
      'p.yaml:10:3: no flow asks for the feature "ldap"',
      'p.yaml:11:3: no flow asks for the feature "tls"',
    ]);
    expect(valueOf(parse(webFlow)).roles.size).toBe(3);
  });
});
