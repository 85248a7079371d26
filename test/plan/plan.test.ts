// Which flows become which checks, and why the others do not.
import { describe, expect, it } from 'vitest';
import type { PlannedCheck, SkipReason } from '../../src/contract/flow.js';
import { probesOf, unknownProfile } from '../../src/plan/plan.js';
import { problemLine } from '../../src/plan/problem.js';
import { fakeProbes, linesOf, planFor, profileOf, valueOf, warningsOf, webFlow, type Given } from './fakes.js';

const plan = (given: Given) => valueOf(planFor(given));
const ids = (given: Given): readonly string[] => plan(given).checks.map(({ id }) => id);
const problems = (given: Given): readonly string[] => linesOf(planFor(given));
const first = (given: Given): PlannedCheck => {
  const [check] = plan(given).checks;
  if (check === undefined) throw new Error('no check');
  return check;
};
const reasons = (given: Given): Readonly<Record<string, SkipReason>> =>
  Object.fromEntries(plan(given).skipped.map(({ flow, reason }) => [flow, reason]));

const flow = (id: string, rest: string): string => `  - {id: ${id}, title: ${id}, why: w, source: s, ${rest}}\n`;
const web = flow('web', 'from: manager, to: device, tcp: 443, probe: https');
const time = flow('time', 'from: [manager, device], to: ntp-server, udp: 123, probe: ntp');

describe('a flow becomes checks', () => {
  it('one for each host of the far role, asked from here', () => {
    const site = 'here: manager\nhosts: {manager: 192.0.2.1, device: [192.0.2.11, "2001:db8::11", web.example.net]}';
    expect(ids({ site })).toEqual([
      'acme-box/web/manager/192.0.2.11/tcp-443',
      'acme-box/web/manager/2001:db8::11/tcp-443',
      'acme-box/web/manager/web.example.net/tcp-443',
    ]);
    expect(first({ site })).toMatchObject({
      direction: 'out',
      required: true,
      expect: 'open',
      reach: 'protocol',
      from: { role: 'manager', host: '192.0.2.1' },
      to: { role: 'device', host: '192.0.2.11', port: 443 },
      carrier: 'tcp',
      probe: 'https',
      addresses: 'every',
      family: 'any',
      place: { file: 'site.yaml', line: 3, column: 38 },
    });
  });

  it('one for each host of the asking role, where this machine is asked', () => {
    const site = 'here: device\nhosts: {manager: [192.0.2.1, 192.0.2.2], device: 192.0.2.11}';
    expect(ids({ site })).toEqual(['acme-box/web/manager/192.0.2.1/tcp-443', 'acme-box/web/manager/192.0.2.2/tcp-443']);
    expect(first({ site })).toMatchObject({
      direction: 'in',
      from: { role: 'manager', host: '192.0.2.1' },
      to: { role: 'device', host: '192.0.2.11', port: 443 },
    });
  });

  it('knows this machine among several of its role by the source address, else not', () => {
    const hosts = 'hosts: {manager: 192.0.2.1, device: [192.0.2.11, 192.0.2.12]}';
    expect(first({ site: `here: device\n${hosts}` }).to).toEqual({ role: 'device', port: 443 });
    expect(first({ site: `here: device\nsource: 192.0.2.12\n${hosts}` }).to.host).toBe('192.0.2.12');
  });

  it('one without a host where nobody is named for the far role', () => {
    const check = first({ selection: { as: ['manager'] } });
    expect(check.id).toBe('acme-box/web/manager/-/tcp-443');
    expect(check.to).toEqual({ role: 'device', port: 443 });
    expect(check.required).toBe(true);
  });

  it('each way, where the document says inbound and outbound', () => {
    const flows = flow('link', 'from: manager, to: device, both-ways: true, tcp: 8305, probe: tls');
    const selection = { as: ['manager'], hosts: ['device=192.0.2.11'] };
    const { checks } = plan({ flows, selection });
    expect(checks.map(({ id, direction }) => [id, direction])).toEqual([
      ['acme-box/link/manager/192.0.2.11/tcp-8305', 'out'],
      ['acme-box/link~back/device/192.0.2.11/tcp-8305', 'in'],
    ]);
  });

  it('each way between two machines of one role', () => {
    const flows = flow('pair', 'from: device, to: device, both-ways: true, tcp: 1, probe: tcp');
    const { checks } = plan({ flows, selection: { as: ['device'], hosts: ['device=192.0.2.12'] } });
    expect(checks.map(({ id, direction }) => [id, direction])).toEqual([
      ['acme-box/pair/device/192.0.2.12/tcp-1', 'out'],
      ['acme-box/pair~back/device/192.0.2.12/tcp-1', 'in'],
    ]);
  });

  it('from each role of its list that this machine stands in', () => {
    const selection = { as: ['manager', 'device'], hosts: ['ntp-server=192.0.2.123'] };
    expect(ids({ flows: time, selection })).toEqual([
      'acme-box/time/manager/192.0.2.123/udp-123',
      'acme-box/time/device/192.0.2.123/udp-123',
    ]);
  });

  it('one for each port of a range', () => {
    const flows = flow('session', 'from: manager, to: device, tcp: 900-902, probe: tcp');
    expect(ids({ flows, selection: { as: ['manager'], hosts: ['device=192.0.2.11'] } })).toEqual([
      'acme-box/session/manager/192.0.2.11/tcp-900',
      'acme-box/session/manager/192.0.2.11/tcp-901',
      'acme-box/session/manager/192.0.2.11/tcp-902',
    ]);
  });

  it('over carriers without ports', () => {
    const flows =
      flow('ping', 'from: manager, to: device, icmp: echo, probe: icmp') +
      flow('tunnel', 'from: manager, to: device, ip: 47, probe: gre');
    const { checks } = plan({ flows, selection: { as: ['manager'], hosts: ['device=192.0.2.11'] } });
    expect(checks.map(({ id, to }) => [id, to.port])).toEqual([
      ['acme-box/ping/manager/192.0.2.11/icmp', undefined],
      ['acme-box/tunnel/manager/192.0.2.11/ip-47', undefined],
    ]);
  });

  it('to everybody at once by broadcast, whoever stands in the role', () => {
    const flows = flow('find', 'from: manager, to: device, udp: 3080, probe: udp, broadcast: true, answers-from: 3081');
    const site = 'here: manager\nhosts: {device: [192.0.2.11, 192.0.2.12]}\n';
    expect(first({ flows, site })).toMatchObject({
      id: 'acme-box/find/manager/255.255.255.255/udp-3080',
      broadcast: true,
      answersFrom: 3081,
    });
    expect(ids({ flows, site: `${site}flows: {find: {broadcast-to: 192.0.2.255}}` })).toEqual([
      'acme-box/find/manager/192.0.2.255/udp-3080',
    ]);
    expect(ids({ flows, site: 'here: device\nhosts: {manager: [192.0.2.1, "2001:db8::1"]}' })).toEqual([
      'acme-box/find/manager/192.0.2.1/udp-3080',
    ]);
  });

  it('with what the profile says of it', () => {
    const flows = flow(
      'dhcp',
      'from: manager, to: device, udp: 67, probe: udp, source-port: 68, path: in-band, every: 30s, erratum: e',
    );
    expect(first({ flows, selection: { as: ['manager'] } })).toMatchObject({
      sourcePort: 68,
      path: 'in-band',
      everyMs: 30_000,
      erratum: 'e',
      why: 'w',
      source: ['s'],
      place: { file: 'acme-box.yaml', line: 13, column: 10 },
    });
  });

  it('of a name of which one address is enough', () => {
    const site = 'here: manager\nhosts: {device: {name: web.example.net, addresses: any}}\nfamily: 6';
    expect(first({ site })).toMatchObject({ addresses: 'any', family: 6, to: { host: 'web.example.net' } });
  });

  it('in profile order, with ids of which there are no two', () => {
    const profiles = [profileOf(web + time, 'b-box'), profileOf(web + time, 'a-box')];
    const site = 'here: manager\nhosts: {device: [192.0.2.11, 192.0.2.12], ntp-server: 192.0.2.123}';
    const all = ids({ profiles, site });
    expect(all.map((id) => id.split('/').slice(0, 2).join('/'))).toEqual([
      'b-box/web',
      'b-box/web',
      'b-box/time',
      'a-box/web',
      'a-box/web',
      'a-box/time',
    ]);
    expect(new Set(all).size).toBe(all.length);
  });

  it('alternatives on one target share a group, and each target has its own', () => {
    const radius = (id: string, port: number): string =>
      flow(id, `from: manager, to: device, udp: ${String(port)}, probe: udp, required: {one-of: radius}`);
    const site = 'here: manager\nhosts: {device: [192.0.2.11, 192.0.2.12]}';
    const { checks } = plan({ flows: radius('new', 1812) + radius('old', 1645), site });
    expect(checks.map(({ flow: id, required, group }) => [id, required, group])).toEqual([
      ['new', true, 'acme-box/radius/manager/device/192.0.2.11'],
      ['new', true, 'acme-box/radius/manager/device/192.0.2.12'],
      ['old', true, 'acme-box/radius/manager/device/192.0.2.11'],
      ['old', true, 'acme-box/radius/manager/device/192.0.2.12'],
    ]);
  });

  it('an alternative that the site requires, or does without, is none any more', () => {
    const radius = (id: string, port: number): string =>
      flow(id, `from: manager, to: device, udp: ${String(port)}, probe: udp, required: {one-of: radius}`);
    const flows = radius('new', 1812) + radius('old', 1645) + radius('own', 1912);
    const chosen = (words: string): readonly unknown[] =>
      plan({ flows, site: `here: manager\nhosts: {device: [192.0.2.11, ${words}` }).checks.map(
        ({ flow: id, required, group }) => [id, required, group !== undefined],
      );
    expect(chosen(']}\nflows: {old: {required: false}}')).toEqual([
      ['new', true, true],
      ['old', false, false],
      ['own', true, true],
    ]);
    expect(chosen(']}\nflows: {old: {required: true}}')).toEqual([
      ['new', false, false],
      ['old', true, false],
      ['own', false, false],
    ]);
    expect(chosen('{address: 192.0.2.12, flows: {own: {required: true}}}]}')).toEqual([
      ['new', true, true],
      ['new', false, false],
      ['old', true, true],
      ['old', false, false],
      ['own', true, true],
      ['own', true, false],
    ]);
  });

  it('optional ones are checked and not required, unless the site says so', () => {
    const flows = flow('web', 'from: manager, to: device, tcp: 443, probe: https, required: optional');
    expect(first({ flows, site: 'here: manager' }).required).toBe(false);
    expect(first({ flows, site: 'here: manager\nflows: {web: {required: true}}' }).required).toBe(true);
  });
});

describe('a flow is skipped, and says why', () => {
  const conditional =
    flow('audit', 'from: manager, to: device, udp: 514, probe: udp, required: {feature: ldap, unless: tls}') + web;

  it.each<readonly [string, Given, SkipReason]>([
    ['its feature is off', { selection: { as: ['manager'] } }, { kind: 'feature-off', feature: 'ldap' }],
    [
      'another takes its place',
      { selection: { as: ['manager'], features: ['ldap', 'tls'] } },
      { kind: 'unless', feature: 'tls' },
    ],
    [
      'it is not selected',
      { selection: { as: ['manager'], features: ['ldap'], flows: ['web'] } },
      { kind: 'deselected' },
    ],
  ])('%s', (_what, given, reason) => {
    expect(reasons({ flows: conditional, ...given })).toEqual({ audit: reason });
  });

  it('nobody stands at the far end, on purpose', () => {
    expect(reasons({ flows: web + time, site: 'here: manager\nhosts: {device: none}' })).toEqual({
      web: { kind: 'role-none', role: 'device' },
    });
  });

  it('it is between others', () => {
    expect(reasons({ flows: web + time, selection: { as: ['ntp-server'] } })).toEqual({
      web: { kind: 'elsewhere', roles: ['manager', 'device'] },
    });
  });

  it('all its hosts are of the family that was not asked for', () => {
    const site = 'here: manager\nfamily: 4\nhosts: {device: "2001:db8::1", ntp-server: [192.0.2.123, "2001:db8::123"]}';
    expect(reasons({ flows: web + time, site })).toEqual({ web: { kind: 'deselected' } });
    expect(ids({ flows: web + time, site })).toEqual(['acme-box/time/manager/192.0.2.123/udp-123']);
  });

  it('its feature is on, and it is checked', () => {
    expect(reasons({ flows: conditional, site: 'here: manager\nfeatures: acme-box/ldap' })).toEqual({});
  });
});

describe('the command line', () => {
  const site = 'here: device\nhosts: {device: 192.0.2.11, manager: 192.0.2.1}\nsource: 192.0.2.11';

  it('is enough without a site', () => {
    const got = plan({
      selection: { as: ['manager'], hosts: ['device=192.0.2.11,2001:DB8::11'], source: 'eth0', login: true },
    });
    expect(got.checks.map(({ id }) => id)).toEqual([
      'acme-box/web/manager/192.0.2.11/tcp-443',
      'acme-box/web/manager/2001:db8::11/tcp-443',
    ]);
    expect(got).toMatchObject({ here: ['acme-box/manager'], source: 'eth0', login: true, acceptHow: [], secrets: {} });
    expect(got.site).toBeUndefined();
  });

  it('goes before the site, key by key', () => {
    const selection = {
      as: ['manager'],
      hosts: ['acme-box/device=192.0.2.99', 'device=192.0.2.98'],
      source: '192.0.2.7',
    };
    const got = plan({ site, selection });
    expect(got.checks.map(({ id }) => id)).toEqual(['acme-box/web/manager/192.0.2.99/tcp-443']);
    expect(got).toMatchObject({ here: ['acme-box/manager'], source: '192.0.2.7' });
  });

  it('adds hosts of one role up, and may say that there are none', () => {
    expect(ids({ selection: { as: ['manager'], hosts: ['device=192.0.2.1', 'device=192.0.2.2'] } })).toHaveLength(2);
    expect(reasons({ flows: web + time, selection: { as: ['manager'], hosts: ['device=none'] } })).toHaveProperty(
      'web.kind',
      'role-none',
    );
  });

  it('selects flows by globs over the bare and the full id', () => {
    const selected = (glob: string): readonly string[] =>
      plan({ flows: web + time, selection: { as: ['manager'], flows: [glob] } }).checks.map(({ flow: id }) => id);
    expect(selected('web')).toEqual(['web']);
    expect(selected('t*')).toEqual(['time']);
    expect(selected('acme-box/?eb')).toEqual(['web']);
    expect(selected('*')).toEqual(['web', 'time']);
  });

  it.each<readonly [string, Given['selection'], string]>([
    [
      'a role in --host',
      { as: ['manager'], hosts: ['manger=192.0.2.1'] },
      '--host manger=192.0.2.1: no role of that name; did you mean "manager"?',
    ],
    ['a role in --as', { as: ['manger'] }, '--as manger: no role of that name; did you mean "manager"?'],
    [
      'a qualified role',
      { as: ['acme-box/manger'] },
      '--as acme-box/manger: no role of that name; did you mean "acme-box/manager"?',
    ],
    [
      'a profile',
      { as: ['acne-box/manager'] },
      '--as acne-box/manager: no profile of that name; did you mean "acme-box"?',
    ],
    [
      'a feature',
      { as: ['manager'], features: ['ldpa'] },
      '--feature ldpa: no feature of that name; did you mean "ldap"?',
    ],
    ['a flow', { as: ['manager'], flows: ['wbe'] }, '--flow wbe: no flow of that name; did you mean "web"?'],
    ['a glob', { as: ['manager'], flows: ['x*'] }, '--flow x*: no flow matches'],
    [
      'a host',
      { as: ['manager'], hosts: ['device=127.1'] },
      '--host device=127.1: "127.1" is not an IPv4 address of four decimal numbers from 0 to 255; did you mean "127.0.0.1"?',
    ],
    ['no host', { as: ['manager'], hosts: ['device'] }, '--host device: no address, expected ROLE=ADDRESS[,ADDRESS]'],
    [
      'no role',
      { as: ['manager'], hosts: ['=192.0.2.1'] },
      '--host =192.0.2.1: no role, expected ROLE=ADDRESS[,ADDRESS]',
    ],
    [
      'a host and none',
      { as: ['manager'], hosts: ['device=none,192.0.2.1'] },
      '--host device=none,192.0.2.1: the role has hosts and is "none" at once',
    ],
    [
      'a source',
      { as: ['manager'], source: '10.1' },
      '--source 10.1: this is not an IPv4 address of four decimal numbers from 0 to 255; did you mean "10.0.0.1"?',
    ],
    [
      'no role at all',
      {},
      'nothing says which role this machine stands in, expected --as ROLE, one of manager, device, ntp-server',
    ],
    [
      'a role that is none',
      { as: ['manager'], hosts: ['manager=none'] },
      '--as manager: this machine stands in the role "manager", whose hosts are "none"',
    ],
  ])('is told of %s by the flag', (_what, selection, problem) => {
    expect(problems({ selection: selection ?? {} })).toEqual([problem]);
  });

  it('is warned of a host that stands twice', () => {
    expect(warningsOf(planFor({ selection: { as: ['manager'], hosts: ['device=192.0.2.1,192.0.2.1'] } }))).toEqual([
      '--host device=192.0.2.1,192.0.2.1: "192.0.2.1" stands twice in the role "device"',
    ]);
  });
});

describe('names that lead nowhere', () => {
  it.each<readonly [string, Given, string]>([
    ['a role here', { site: 'here: [manager, devise]' }, 'site.yaml:2:17: no role "devise"; did you mean "device"?'],
    [
      'a role of hosts',
      { site: 'here: manager\nhosts: {devise: 192.0.2.1}' },
      'site.yaml:3:9: no role "devise"; did you mean "device"?',
    ],
    [
      'a feature',
      { site: 'here: manager\nfeatures: [ldap, tlss]' },
      'site.yaml:3:18: no feature "tlss"; did you mean "tls"?',
    ],
    [
      'a flow',
      { site: 'here: manager\nflows: {acme-box/wbe: {}}' },
      'site.yaml:3:9: no flow "acme-box/wbe"; did you mean "acme-box/web"?',
    ],
    [
      'a flow of a host',
      { site: 'here: manager\nhosts: {device: {address: 192.0.2.1, flows: {wbe: {}}}}' },
      'site.yaml:3:46: no flow "wbe"; did you mean "web"?',
    ],
    ['a profile', { site: 'here: other/manager' }, 'site.yaml:2:7: no profile "other", expected "acme-box"'],
    [
      'a reason to accept',
      { site: 'here: manager\naccept-unproven: [no-pear]' },
      'site.yaml:3:19: no flow or reason "no-pear"; did you mean "no-peer"?',
    ],
    ['a glob to accept', { site: 'here: manager\naccept-unproven: x*' }, 'site.yaml:3:18: "x*": no flow matches'],
    [
      'no role here',
      { site: 'name: x' },
      'site.yaml:1:1: nothing says which role this machine stands in, expected "here:" or --as ROLE, one of manager, device, ntp-server',
    ],
    [
      'a probe',
      { flows: web.replace('https', 'htps'), site: 'here: manager' },
      'acme-box.yaml:13:90: no probe "htps"; did you mean "https"?',
    ],
    [
      'a probe over another carrier',
      { flows: web.replace('https', 'ntp'), site: 'here: manager' },
      'acme-box.yaml:13:90: the probe "ntp" does not go over tcp, expected "udp"',
    ],
  ])('%s', (_what, given, problem) => {
    expect(problems(given)).toEqual([problem]);
  });

  it('are told all at once', () => {
    expect(
      problems({ site: 'here: manger\nhosts: {devise: 192.0.2.1}\nfeatures: ldpa', selection: { flows: ['wbe'] } }),
    ).toEqual([
      '--flow wbe: no flow of that name; did you mean "web"?',
      'site.yaml:2:7: no role "manger"; did you mean "manager"?',
      'site.yaml:3:9: no role "devise"; did you mean "device"?',
      'site.yaml:4:11: no feature "ldpa"; did you mean "ldap"?',
    ]);
  });

  it('a probe that does not exist is no problem of a flow that is not planned', () => {
    const flows = web + flow('later', 'from: manager, to: device, tcp: 1, probe: later, required: {feature: ldap}');
    expect(ids({ flows, selection: { as: ['manager'] } })).toHaveLength(1);
    expect(problems({ flows, selection: { as: ['manager'], features: ['ldap'] } })).toEqual([
      expect.stringContaining('no probe "later"'),
    ]);
  });

  it('a profile', () => {
    const place = { file: 'site.yaml', line: 3, column: 4 };
    expect(problemLine(unknownProfile({ value: 'acne-box', place }, ['acme-box']))).toBe(
      'site.yaml:3:4: no profile "acne-box"; did you mean "acme-box"?',
    );
    expect(problemLine(unknownProfile({ value: 'zzz' }, ['acme-box']))).toBe(
      '--profile: no profile "zzz", expected "acme-box"',
    );
  });
});

describe('several profiles', () => {
  const profiles = [profileOf(web, 'a-box'), profileOf(web, 'b-box')];

  it('share a bare role, and a qualified one goes before it', () => {
    const site = 'here: manager\nhosts: {b-box/device: 192.0.2.2, device: 192.0.2.1}';
    expect(ids({ profiles, site })).toEqual([
      'a-box/web/manager/192.0.2.1/tcp-443',
      'b-box/web/manager/192.0.2.2/tcp-443',
    ]);
  });

  it('may have different roles here, and the one that has none is told of', () => {
    const site = 'here: b-box/manager\nhosts: {device: 192.0.2.1}';
    expect(ids({ profiles, site })).toEqual(['b-box/web/manager/192.0.2.1/tcp-443']);
    expect(warningsOf(planFor({ profiles, site }))).toEqual([
      'this machine stands in no role of a-box: none of its flows is checked',
    ]);
  });

  it('have a bare flow override in common, and a qualified one goes before it', () => {
    const site = 'here: manager\nflows: {b-box/web: {port: 2}, web: {port: 1}}';
    expect(ids({ profiles, site })).toEqual(['a-box/web/manager/-/tcp-1', 'b-box/web/manager/-/tcp-2']);
  });

  it('with one id are a problem', () => {
    expect(problems({ profiles: [profileOf(web), profileOf(web)], selection: { as: ['manager'] } })).toEqual([
      'two profiles have the id "acme-box": acme-box.yaml and acme-box.yaml',
    ]);
  });
});

describe('what the site says otherwise', () => {
  it('a port, and a host goes before the flow', () => {
    const site = `here: manager
hosts: {device: [192.0.2.1, {address: 192.0.2.2, flows: {acme-box/web: {port: 8444}}}]}
flows: {web: {port: 8443}}`;
    expect(ids({ site })).toEqual([
      'acme-box/web/manager/192.0.2.1/tcp-8443',
      'acme-box/web/manager/192.0.2.2/tcp-8444',
    ]);
  });

  it('the port of this machine, not of the far host, for flows to here', () => {
    const site = `here: device
hosts:
  manager: {address: 192.0.2.1, flows: {web: {port: 1}}}
  device: {address: 192.0.2.11, flows: {web: {port: 8444}}}`;
    expect(ids({ site })).toEqual(['acme-box/web/manager/192.0.2.1/tcp-8444']);
  });

  it('several ports of one host', () => {
    const site = `here: manager
hosts: {device: [{address: 192.0.2.1, flows: {web: {port: 2001}}}, {address: 192.0.2.1, flows: {web: {port: 2002-2003}}}]}`;
    expect(ids({ flows: web + time, site }).filter((id) => id.includes('/web/'))).toEqual([
      'acme-box/web/manager/192.0.2.1/tcp-2001',
      'acme-box/web/manager/192.0.2.1/tcp-2002',
      'acme-box/web/manager/192.0.2.1/tcp-2003',
    ]);
  });

  it('one host and port in two ways is a problem', () => {
    const site = `here: manager
hosts: {device: [{address: 192.0.2.1, flows: {web: {reach: port}}}, 192.0.2.1]}`;
    expect(problems({ site })).toEqual([
      'site.yaml:3:69: the flow "web" is asked of one host and port in two ways, expected another port, or the same options',
    ]);
  });

  it('a port where there are none is a problem', () => {
    const flows = flow('ping', 'from: manager, to: device, icmp: echo, probe: icmp');
    expect(problems({ flows, site: 'here: manager\nflows: {ping: {port: 1}}' })).toEqual([
      'site.yaml:3:22: a port for "ping", which goes over icmp and has none',
    ]);
  });

  it('a broadcast address for a flow without broadcast is a problem', () => {
    expect(problems({ site: 'here: manager\nflows: {web: {broadcast-to: 192.0.2.255}}' })).toEqual([
      'site.yaml:3:9: "broadcast-to" for "web", which is not asked by broadcast',
    ]);
  });

  it('that a flow must not get through, or how deep it must', () => {
    const site = 'here: manager\nflows: {web: {expect: blocked, reach: path}}';
    expect(first({ site })).toMatchObject({ expect: 'blocked', reach: 'path', place: { line: 3, column: 9 } });
  });

  it('that unproven is well, by reason or by flow', () => {
    const got = plan({ flows: web + time, site: 'here: manager\naccept-unproven: [one-way, no-peer, "acme-box/w*"]' });
    expect(got.acceptHow).toEqual(['one-way', 'no-peer']);
    expect(got.checks.map(({ flow: id, acceptUnproven }) => [id, acceptUnproven])).toEqual([
      ['web', true],
      ['time', false],
    ]);
  });

  it('an override of a flow that the host has no part in is a warning', () => {
    const site = 'here: manager\nhosts: {ntp-server: {address: 192.0.2.1, flows: {web: {port: 1}}}}';
    expect(warningsOf(planFor({ flows: web + time, site }))).toEqual([
      'site.yaml:3:50: the flow "web" has nothing to do with the role "ntp-server"',
    ]);
  });
});

describe('options', () => {
  const withOptions = flow(
    'web',
    'from: manager, to: device, tcp: 443, probe: tls, with: {issuer: CN=profile, pin: p}',
  );
  const secrets = 'secrets: {site-ca: {file: ca.pem}, fmc: {env: FMC}}\n';

  it('are merged, the more particular over the more general, and judged by the probe', () => {
    const site = `here: manager
${secrets}hosts: {device: [192.0.2.1, {address: 192.0.2.2, flows: {web: {with: {issuer: CN=host}}}}]}
flows: {web: {with: {issuer: CN=site, ca: site-ca, client-cert: fmc}}}`;
    const { checks, secrets: names } = plan({ flows: withOptions, site });
    expect(checks.map(({ options, identity }) => [options, identity])).toEqual([
      [
        { issuer: 'CN=site', pin: 'p', ca: 'site-ca', 'client-cert': 'fmc', alpn: [] },
        { issuer: 'CN=site', pin: 'p', ca: 'site-ca' },
      ],
      [
        { issuer: 'CN=host', pin: 'p', ca: 'site-ca', 'client-cert': 'fmc', alpn: [] },
        { issuer: 'CN=host', pin: 'p', ca: 'site-ca' },
      ],
    ]);
    expect(names).toEqual({ 'site-ca': { file: 'ca.pem' }, fmc: { env: 'FMC' } });
  });

  it('without identity there is none', () => {
    expect(first({ selection: { as: ['manager'] } }).identity).toBeUndefined();
  });

  it.each([
    ['an unknown one in the site', 'with: {isuer: x}', 'site.yaml:3:22: unknown key "isuer"; did you mean "issuer"?'],
    ['one of the wrong type', 'with: {issuer: 5}', 'site.yaml:3:30: issuer is 5, expected text'],
    ['one wrong further in', 'with: {alpn: [h2, 3]}', 'site.yaml:3:33: alpn[1] is 3, expected text'],
    [
      'a secret that is not there',
      'with: {ca: site-cb}',
      'site.yaml:3:26: "ca" names a secret that the site does not have, expected the name of one under "secrets:"',
    ],
    ['a secret that is a number', 'with: {ca: 5}', 'site.yaml:3:26: ca is 5, expected text'],
  ])('%s is a problem at its place', (_what, override, problem) => {
    expect(problems({ flows: withOptions, site: `here: manager\nflows: {web: {${override}}}` })).toEqual([problem]);
  });

  it('a secret nearly named is told without being repeated', () => {
    const site = `here: manager\n${secrets}flows: {web: {with: {ca: site-cb}}}`;
    expect(problems({ flows: withOptions, site })).toEqual([
      'site.yaml:4:26: "ca" names a secret that the site does not have; did you mean "site-ca"?',
    ]);
  });

  it('an unknown one in the profile is a problem there', () => {
    expect(problems({ flows: withOptions.replace('issuer', 'isuer'), site: 'here: manager' })).toEqual([
      'acme-box.yaml:13:102: unknown key "isuer"; did you mean "issuer"?',
    ]);
  });

  it('two that exclude each other are a problem in the words of the probe', () => {
    const flows = flow('ask', 'from: manager, to: device, udp: 1, probe: udp, with: {payload-text: a}');
    const site = 'here: manager\nflows: {ask: {with: {payload-hex: "00"}}}';
    expect(problems({ flows, site })).toEqual([
      'site.yaml:3:35: payload-hex is "00": payload-hex and payload-text exclude each other',
    ]);
  });

  it('a depth that the probe cannot reach is a problem where it was written', () => {
    expect(problems({ site: 'here: manager\nflows: {web: {reach: service}}' })).toEqual([
      'site.yaml:3:22: the probe "https" cannot reach "service" here, expected one of path, port, secure, protocol',
    ]);
  });

  it('one mistake for many hosts is told once', () => {
    const site = 'here: manager\nhosts: {device: [192.0.2.1, 192.0.2.2]}\nflows: {web: {with: {isuer: x}}}';
    expect(problems({ flows: withOptions, site })).toHaveLength(1);
  });
});

describe('an empty plan', () => {
  it('is a problem that says why', () => {
    const flows = web + time + flow('x', 'from: manager, to: device, tcp: 1, probe: tcp, required: {feature: ldap}');
    expect(problems({ flows, selection: { as: ['ntp-server'], flows: ['web', 'x'] } })).toEqual([
      'nothing to check: 1 flow neither from nor to acme-box/ntp-server; 1 flow not selected; 1 flow only with the feature "ldap"',
    ]);
    expect(problems({ site: 'here: manager\nhosts: {device: none}' })).toEqual([
      'site.yaml:1:1: nothing to check: 1 flow to or from "device", which is "none"',
    ]);
  });

  it('without a profile is a problem too', () => {
    expect(problems({ profiles: [], selection: { as: ['manager'] } })).toContainEqual(
      'no profile is given, expected "profiles:" in the site, or --profile ID',
    );
  });
});

describe('the probes that profiles may need', () => {
  it('are named once each, known or not', () => {
    expect(
      probesOf([profileOf(web + time + web.replace('id: web', 'id: b').replace('https', 'later')), profileOf(webFlow)]),
    ).toEqual(['https', 'later', 'ntp']);
    expect(fakeProbes.has('later')).toBe(false);
  });
});
