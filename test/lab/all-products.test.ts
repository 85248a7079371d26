// All flows of all three profiles against real servers, on one site: each is proven by its own protocol, what one end cannot
// prove is unproven and says what would, and the exit code follows.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest';
import type { Report } from '../../src/contract/report.js';
import { ownProfile } from '../profiles/rows.js';
import { addresses, openLab, type Host, type Lab } from './lab.js';
import { requireLinecheck } from './linecheck.js';
import { saying, temporaryFolder } from './place.js';
import { labReason, requireServer, serverReason } from './requirements.js';
import { chronyd, nginx, nginxTls, sshd, stunnel } from './servers.js';
import { charon, requireCharon } from './servers/charon.js';
import { dnsmasq, requireDnsmasq } from './servers/dnsmasq.js';
import { freeradius } from './servers/freeradius.js';
import { inetd, requireInetd } from './servers/inetd.js';
import { mariadb } from './servers/mariadb.js';
import { postfix, requirePostfix } from './servers/postfix.js';
import { pptpd, requirePptpd } from './servers/pptpd.js';
import { DOMAIN, prosody } from './servers/prosody.js';
import { rsyslogd, rsyslogdTls } from './servers/rsyslogd.js';
import { slapd } from './servers/slapd.js';
import { snmpd, snmptrapd } from './servers/snmp.js';
import { requireTelnetd, telnetd } from './servers/telnetd.js';
import { unbound } from './servers/unbound.js';
import { vsftpd } from './servers/vsftpd.js';

const ROOT = join(import.meta.dirname, '../..');
const SECRET = 'a secret of this lab';
const IDS = ['kvmnet-access-management', 'uplogix-local-manager', 'cisco-secure-firewall'] as const;
const [FOUR, SIX] = [addresses.server1[4], addresses.server1[6]];

/** Binary, and the Debian package that has it. */
const PLAIN_SERVERS = [
  ['sshd', 'openssh-server'],
  ['nginx', 'nginx-light'],
  ['chronyd', 'chrony'],
  ['stunnel4', 'stunnel4'],
  ['unbound', 'unbound'],
  ['slapd', 'slapd'],
  ['freeradius', 'freeradius'],
  ['vsftpd', 'vsftpd'],
  ['rsyslogd', 'rsyslog'],
  ['snmpd', 'snmpd'],
  ['snmptrapd', 'snmptrapd'],
  ['mariadbd', 'mariadb-server'],
  ['prosody', 'prosody'],
  ['python3', 'python3-minimal'],
] as const;

const profiles = IDS.map(ownProfile);

/** Every role that asks something stands here: so every flow is asked, in each direction that its document has. */
const here = profiles.flatMap(({ id, flows }) => {
  const asking = flows.flatMap(({ from, to, bothWays }) => [...from, ...(bothWays ? to : [])]);
  return [...new Set(asking)].map((role) => `${id}/${role}`);
});

const everywhere = profiles.flatMap(({ id, roles }) =>
  [...roles.keys()].map((role) => {
    if (role === 'dhcp-server') return `  ${id}/${role}: ${addresses.router[4]}`;
    // pptpd knows IPv4 alone.
    return `  ${id}/${role}: ${role === 'vpn-server' ? FOUR : `["${FOUR}", "${SIX}"]`}`;
  }),
);

/** Those that take the place of others: a site has the one or the other. */
const INSTEAD = ['ldaps-only', 'syslog-tls'];
const features = profiles.flatMap(({ id, features: known }) =>
  [...known.keys()].filter((feature) => !INSTEAD.includes(feature)).map((feature) => `${id}/${feature}`),
);

const SITE = `
linecheck: site/v1
name: all products
profiles: [${IDS.join(', ')}]
here: [${here.join(', ')}]
hosts:
${everywhere.join('\n')}
features: [${features.join(', ')}]
flows:
  # The vendor's own bytes are not public; those of this device are known.
  discovery-unicast: { with: { expect-text: a device } }
  discovery-broadcast: { with: { expect-text: a device } }
  discovery-fallback: { with: { expect-text: a device } }
  radius-1812: { with: { secret: radius } }
  radius-1645: { with: { secret: radius } }
  management-center-radius: { with: { secret: radius } }
  management-center-radius-accounting: { with: { secret: radius } }
  managed-device-radius: { with: { secret: radius } }
  managed-device-radius-accounting: { with: { secret: radius } }
  ise: { with: { domain: ${DOMAIN} } }
  # This kernel has no ESP: it says so, which shows that the path is open.
  vpn-ikev1-esp: { reach: path }
  vpn-ikev2-esp: { reach: path }
secrets:
  radius: { env: LAB_RADIUS }
`;

/** What the documents name no protocol for: an accepted connection is all that there is to ask for. */
const PORT_ALONE = ['remote-session', 'support-diagnostics'];
/** One-way by its protocol: only a receipt at the far end would prove it. */
const ONE_WAY = ['syslog', 'management-center-syslog', 'managed-device-syslog', 'security-analytics-and-logging'];

const folder = temporaryFolder();
let lab: Lab | undefined;
let whole: Checked | undefined;

function needs(ctx: Pick<TestContext, 'skip'>): void {
  requireLinecheck(ctx);
  for (const [binary, debianPackage] of PLAIN_SERVERS) requireServer(ctx, binary, debianPackage);
  for (const require of [requireCharon, requireDnsmasq, requireInetd, requirePostfix, requirePptpd, requireTelnetd]) {
    require(ctx);
  }
}

async function serveAll(inLab: Lab): Promise<void> {
  const on = { on: inLab.place('server1'), addresses: [FOUR, SIX] };
  const script = (host: Host, command: string, ...words: readonly string[]): Promise<void> =>
    saying(inLab.start(host, [command, ...words]), 'ready');
  const device = join(import.meta.dirname, 'device.js');
  await Promise.all([
    sshd({ ...on, port: 22 }),
    sshd({ ...on, port: 2222 }),
    sshd({ ...on, port: 2244 }),
    nginx(on),
    nginxTls({ ...on, port: 443 }),
    nginxTls({ ...on, port: 885 }),
    nginxTls({ ...on, port: 8443 }),
    stunnel({ ...on, requireClient: false }),
    chronyd(on),
    unbound(on),
    inetd(on),
    slapd(on),
    slapd({ ...on, tls: 'ldaps' }),
    freeradius({ ...on, port: 1812, secret: SECRET }),
    freeradius({ ...on, port: 1645, secret: SECRET }),
    vsftpd(on),
    postfix(on),
    rsyslogd({ ...on, transport: 'udp', port: 514 }),
    rsyslogd({ ...on, transport: 'udp', port: 8514 }),
    rsyslogdTls(on),
    snmpd(on),
    snmptrapd(on),
    // Without an account for this network the server turns away whoever comes from it.
    mariadb({ ...on, users: ["CREATE USER 'replica'@'%' IDENTIFIED BY 'no matter'"] }),
    telnetd({ ...on, names: [`${addresses.tech[4]} tech`, `${addresses.tech[6]} tech`] }),
    prosody(on),
    charon({ on: on.on }),
    pptpd({ on: on.on }),
    dnsmasq({ on: inLab.place('router'), network: 'tech', range: '10.1.0.100,10.1.0.150,255.255.255.0,1h' }),
    script('server1', 'python3', join(import.meta.dirname, 'gre.py'), FOUR),
    // Debian 12 has no TACACS+ server.
    script('server1', process.execPath, join(import.meta.dirname, 'stand-in.js'), 'tacacs', '49', FOUR, SIX),
    script('server1', process.execPath, device),
    // A broadcast ends at the first router.
    script('router', process.execPath, device),
  ]);
}

interface Checked {
  readonly exitCode: number | null;
  readonly report: Report;
}

async function check(inLab: Lab, ...words: readonly string[]): Promise<Checked> {
  const argv = [process.execPath, join(ROOT, 'bin/linecheck.js'), 'check', join(folder.path, 'site.yaml')];
  const env = ['env', `LAB_RADIUS=${SECRET}`];
  const { exitCode, stdout, stderr } = await inLab.exec('tech', [...env, ...argv, '--format', 'json', ...words]);
  expect(stderr).toBe('');
  return { exitCode, report: JSON.parse(stdout) as Report };
}

beforeAll(async () => {
  const missing = [labReason(), ...PLAIN_SERVERS.map(([binary, name]) => serverReason(binary, name))];
  if (missing.some((reason) => reason !== undefined)) return;
  writeFileSync(join(folder.path, 'site.yaml'), SITE);
  lab = await openLab({ icmpRatelimitMs: 0 });
  await serveAll(lab);
  whole = await check(lab);
}, 120_000);

afterAll(async () => {
  await lab?.close();
  folder.remove();
});

function found(ctx: Pick<TestContext, 'skip'>): Checked {
  needs(ctx);
  if (whole === undefined) throw new Error('nothing was checked');
  return whole;
}

const flowsOf = ({ report }: Checked): ReadonlySet<string> =>
  new Set(report.checks.map(({ profile, flow }) => `${profile}/${flow}`));

it('asks every flow of every profile, in both families', (ctx) => {
  const checked = found(ctx);
  const all = profiles.flatMap(({ id, flows }) => flows.map((flow) => `${id}/${flow.id}`));
  const instead = checked.report.skipped.map(({ profile, flow }) => `${profile}/${flow}`);
  expect([...flowsOf(checked), ...instead].toSorted()).toEqual(all.toSorted());
  expect(instead).toEqual([
    'cisco-secure-firewall/management-center-syslog-tls',
    'cisco-secure-firewall/managed-device-syslog-tls',
  ]);
  const inbound = checked.report.checks.filter(({ how }) => how === 'no-peer');
  expect(inbound).toEqual([]);
  expect(checked.report.checks.filter(({ to }) => to.address === SIX).length).toBeGreaterThan(60);
});

it('proves each by its own protocol, and none by an open port alone', (ctx) => {
  const { report } = found(ctx);
  const odd = report.checks
    .filter(({ flow, verdict, proof }) => {
      if (ONE_WAY.includes(flow) || flow === 'vpn-ikev1-cisco-udp') return verdict !== 'unproven';
      if (flow === 'vpn-ikev1-esp' || flow === 'vpn-ikev2-esp') return verdict !== 'closed';
      if (PORT_ALONE.includes(flow)) return verdict !== 'open';
      return (
        verdict !== 'open' || !['protocol', 'secure', 'service'].some((depth) => proof.some((one) => one === depth))
      );
    })
    .map(({ id, verdict, how, proof, summary }) => `${id}: ${verdict} ${how ?? ''} [${proof.join(', ')}] ${summary}`);
  expect(odd).toEqual([]);
});

it('calls what is one-way unproven, says what would prove it, and exits 3', (ctx) => {
  const { exitCode, report } = found(ctx);
  const unproven = report.checks.filter(({ result }) => result === 'unproven');
  expect([...new Set(unproven.map(({ flow, how }) => `${flow} ${how ?? ''}`))].toSorted()).toEqual(
    [...ONE_WAY.map((flow) => `${flow} one-way`), 'vpn-ikev1-cisco-udp silence'].toSorted(),
  );
  for (const { id, advice } of unproven) expect(advice, id).toMatch(/\w/);
  expect(report.summary.required.fail).toBe(0);
  expect({ exitCode, said: report.summary.exitCode }).toEqual({ exitCode: 3, said: 3 });
});

it('exits 0 where what cannot be proven is accepted', { timeout: 120_000 }, async (ctx) => {
  found(ctx);
  if (lab === undefined) throw new Error('no lab');
  const flows = [...ONE_WAY, 'ldap', 'management-center-ldap*'].flatMap((flow) => ['--flow', flow]);
  const [accepting, strict] = await Promise.all([check(lab, '--accept-unproven', ...flows), check(lab, ...flows)]);
  expect([accepting.exitCode, strict.exitCode]).toEqual([0, 3]);
});

it('proves what takes the place of others once it is in use', { timeout: 120_000 }, async (ctx) => {
  found(ctx);
  if (lab === undefined) throw new Error('no lab');
  const words = ['--feature', 'ldaps-only', '--feature', 'syslog-tls', '--flow', '*-ldap*', '--flow', '*syslog-tls'];
  const { exitCode, report } = await check(lab, ...words);
  expect([...new Set(report.checks.map(({ flow, verdict }) => `${flow} ${verdict}`))].toSorted()).toEqual(
    [
      'managed-device-ldaps',
      'managed-device-syslog-tls',
      'management-center-ldaps',
      'management-center-syslog-tls',
    ].map((flow) => `${flow} open`),
  );
  expect(exitCode).toBe(0);
});

it('calls nothing open that a firewall drops, of whatever protocol', { timeout: 120_000 }, async (ctx) => {
  found(ctx);
  if (lab === undefined) throw new Error('no lab');
  await lab.firewall('table inet f { chain c { type filter hook forward priority filter; policy drop; }; }');
  const { exitCode, report } = await check(lab, '--timeout', '4s', '--retries', '0', '--diagnose', 'off');
  const beyond = report.checks.filter(({ to }) => to.address === FOUR || to.address === SIX);
  expect(beyond.length).toBeGreaterThan(120);
  const odd = beyond.filter(({ verdict }) => !['blocked', 'unreachable', 'unproven'].includes(verdict));
  expect(odd.map(({ id, verdict, summary }) => `${id}: ${verdict} ${summary}`)).toEqual([]);
  expect(exitCode).toBe(1);
});
