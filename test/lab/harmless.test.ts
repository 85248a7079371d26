// What a hundred askings by each probe leave behind at its real server, by that server's own log and files: no account
// locked, no lease, no mail, no login, no notice without our name in it, nobody blocked. What is asked: harmless-ask.js.
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { z } from 'zod';
import { probes } from '../../probes/index.js';
import { openLab, type Lab } from './lab.js';
import { requireLinecheck } from './linecheck.js';
import type { Place } from './place.js';
import { labReason, requireServer } from './requirements.js';
import { chronyd, nginx, nginxTls, sshd, stunnel, type Server } from './servers.js';
import { charon, requireCharon } from './servers/charon.js';
import { dnsmasq, requireDnsmasq } from './servers/dnsmasq.js';
import { freeradius } from './servers/freeradius.js';
import { inetd, requireInetd } from './servers/inetd.js';
import { kea, requireKea } from './servers/kea.js';
import { postfix, requirePostfix } from './servers/postfix.js';
import { rsyslogd, rsyslogdTls } from './servers/rsyslogd.js';
import { slapd } from './servers/slapd.js';
import { snmpd, snmptrapd } from './servers/snmp.js';
import { unbound } from './servers/unbound.js';
import { vsftpd } from './servers/vsftpd.js';

/** Why a probe is not measured here. */
const elsewhere: Readonly<Record<string, string>> = {
  discovery: "The vendor's devices are not to be had.",
  esp: 'A kernel keeps nothing of a packet of no association.',
  gre: 'The end of the tunnel in the lab is a program of the tests themselves.',
  icmp: 'A kernel keeps nothing of an echo.',
  'ipsec-over-udp': 'There is no gateway to be had for it.',
  mysql: 'Its own test asks its server.',
  pptp: 'Its own test asks its server.',
  tacacs: 'Debian 12 has no server for it.',
  telnet: 'Its own test asks its server.',
  xmpp: 'Its own test asks its server.',
};

/** A hundred, and one that would meet a block that they brought about. */
const RUNS = 101;
/** charon takes no further half-open IKEv1 exchange from an address that has five (block_threshold). */
const IKEV1_RUNS = 4;

const TECH = '10.1.0.2';
const [ONE, TWO] = ['10.3.0.11', '10.3.0.12'];
const SECRET = 'a secret of this lab';

interface Question {
  readonly probe: string;
  readonly carrier: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly broadcast?: boolean;
  readonly runs?: number;
  /** How many wait for an answer at the same time; default: 4. */
  readonly atOnce?: number;
  /** What comes of each; default: `answered protocol`. */
  readonly answer?: string;
}

/** What some of them keep beside a log. */
interface Keeper extends Server {
  leases?(): readonly string[];
  queued?(): number;
}

interface Scene {
  readonly need: (ctx: Pick<TestContext, 'skip'>) => void;
  readonly start: (lab: Lab) => Promise<Keeper>;
  readonly questions: readonly Question[];
}

const needing =
  (binary: string, debianPackage: string): Scene['need'] =>
  (ctx) =>
    requireServer(ctx, binary, debianPackage);

const on = (lab: Lab, host: 'server1' | 'server2'): { readonly on: Place; readonly addresses: readonly string[] } => ({
  on: lab.place(host),
  addresses: [host === 'server1' ? ONE : TWO],
});

/** FreeRADIUS tells of each packet when it is started with -x. */
const telling = (place: Place): Place => ({
  ...place,
  start: (argv, options) => place.start([...argv, '-x'], options),
});

const radiusSecret = { options: { secret: 'shared' }, secrets: { shared: SECRET } } as const;
const community = { community: 'word' } as const;
const word = { word: 'public' } as const;

const scenes = {
  sshd: {
    need: needing('sshd', 'openssh-server'),
    start: (lab) => sshd(on(lab, 'server1')),
    questions: [{ probe: 'ssh', carrier: 'tcp', address: ONE, port: 22 }],
  },
  nginx: {
    need: needing('nginx', 'nginx-light'),
    start: (lab) => nginx(on(lab, 'server1')),
    questions: [
      { probe: 'http', carrier: 'tcp', address: ONE, port: 80 },
      { probe: 'tcp', carrier: 'tcp', address: ONE, port: 80, answer: 'answered port' },
    ],
  },
  'nginx over TLS': {
    need: needing('nginx', 'nginx-light'),
    start: (lab) => nginxTls(on(lab, 'server1')),
    questions: [{ probe: 'https', carrier: 'tcp', address: ONE, port: 443 }],
  },
  stunnel: {
    need: needing('stunnel4', 'stunnel4'),
    start: (lab) => stunnel({ ...on(lab, 'server1'), requireClient: false }),
    questions: [{ probe: 'tls', carrier: 'tcp', address: ONE, port: 8305, answer: 'answered secure' }],
  },
  chronyd: {
    need: needing('chronyd', 'chrony'),
    start: (lab) => chronyd(on(lab, 'server1')),
    questions: [{ probe: 'ntp', carrier: 'udp', address: ONE, port: 123 }],
  },
  inetd: {
    need: requireInetd,
    start: (lab) => inetd(on(lab, 'server1')),
    questions: [
      { probe: 'echo', carrier: 'tcp', address: ONE, port: 7 },
      { probe: 'echo', carrier: 'udp', address: ONE, port: 7 },
      { probe: 'udp', carrier: 'udp', address: ONE, port: 7, answer: 'answered port' },
    ],
  },
  unbound: {
    need: needing('unbound', 'unbound'),
    start: (lab) => unbound({ ...on(lab, 'server1'), extra: ['log-queries: yes'] }),
    questions: [
      { probe: 'dns', carrier: 'udp', address: ONE, port: 53 },
      { probe: 'dns', carrier: 'tcp', address: ONE, port: 53 },
    ],
  },
  slapd: {
    need: needing('slapd', 'slapd'),
    start: (lab) => slapd({ ...on(lab, 'server1'), tls: 'starttls' }),
    questions: [
      { probe: 'ldap', carrier: 'tcp', address: ONE, port: 389 },
      { probe: 'ldap', carrier: 'tcp', address: ONE, port: 389, options: { mode: 'starttls' } },
    ],
  },
  postfix: {
    need: requirePostfix,
    start: (lab) => postfix({ ...on(lab, 'server1'), tls: 'starttls' }),
    questions: [
      { probe: 'smtp', carrier: 'tcp', address: ONE, port: 25 },
      { probe: 'smtp', carrier: 'tcp', address: ONE, port: 25, options: { mode: 'starttls' } },
    ],
  },
  vsftpd: {
    need: needing('vsftpd', 'vsftpd'),
    start: (lab) => vsftpd({ ...on(lab, 'server1'), tls: 'auth-tls' }),
    questions: [
      { probe: 'ftp', carrier: 'tcp', address: ONE, port: 21 },
      // Each takes vsftpd a second or two, most of it waiting.
      { probe: 'ftp', carrier: 'tcp', address: ONE, port: 21, options: { mode: 'auth-tls' }, atOnce: 16 },
    ],
  },
  snmptrapd: {
    need: needing('snmptrapd', 'snmptrapd'),
    start: (lab) => snmptrapd({ ...on(lab, 'server1'), communities: ['public'] }),
    questions: [
      { probe: 'snmp-trap', carrier: 'udp', address: ONE, port: 162 },
      {
        ...{ probe: 'snmp-trap', carrier: 'udp', address: ONE, port: 162, secrets: word, answer: 'answered service' },
        options: { ...community, send: 'inform' },
      },
    ],
  },
  snmpd: {
    need: needing('snmpd', 'snmpd'),
    // Whom it does not trust it tells of at snmptrapd, as an agent that pages somebody would.
    start: (lab) =>
      snmpd({
        ...on(lab, 'server1'),
        communities: ['public'],
        extra: ['authtrapenable 1', `trap2sink ${ONE} public`],
      }),
    questions: [
      { probe: 'snmp', carrier: 'udp', address: ONE, port: 161 },
      {
        ...{ probe: 'snmp', carrier: 'udp', address: ONE, port: 161, secrets: word, answer: 'answered service' },
        options: community,
      },
    ],
  },
  'rsyslogd over UDP': {
    need: needing('rsyslogd', 'rsyslog'),
    start: (lab) => rsyslogd({ ...on(lab, 'server1'), transport: 'udp' }),
    questions: [{ probe: 'syslog', carrier: 'udp', address: ONE, port: 514, answer: 'sent', atOnce: RUNS }],
  },
  'rsyslogd over TCP': {
    need: needing('rsyslogd', 'rsyslog'),
    start: (lab) => rsyslogd({ ...on(lab, 'server1'), transport: 'tcp' }),
    questions: [{ probe: 'syslog', carrier: 'tcp', address: ONE, port: 514, answer: 'sent', atOnce: RUNS }],
  },
  'rsyslogd over TLS': {
    need: needing('rsyslogd', 'rsyslog'),
    start: (lab) => rsyslogdTls(on(lab, 'server1')),
    questions: [{ probe: 'syslog', carrier: 'tcp', address: ONE, port: 6514, answer: 'answered secure', atOnce: 16 }],
  },
  freeradius: {
    need: needing('freeradius', 'freeradius'),
    start: (lab) => freeradius({ ...on(lab, 'server1'), on: telling(lab.place('server1')), secret: SECRET }),
    questions: [
      { probe: 'radius', carrier: 'udp', address: ONE, port: 1812, ...radiusSecret },
      { probe: 'radius', carrier: 'udp', address: ONE, port: 1813, ...radiusSecret },
    ],
  },
  'charon of IKEv1': {
    need: requireCharon,
    start: (lab) => charon({ ...on(lab, 'server1'), settings: ['half_open_timeout = 2'] }),
    questions: [
      {
        ...{ probe: 'ike', carrier: 'udp', address: ONE, port: 500, options: { version: 1 } },
        runs: IKEV1_RUNS,
        atOnce: 1,
      },
    ],
  },
  'charon of IKEv2': {
    need: requireCharon,
    start: (lab) =>
      charon({
        ...on(lab, 'server2'),
        settings: ['half_open_timeout = 2'],
        // The one group of the proposal is that of the question, so that the exchange begins and is left half open.
        connections: `connections { any { version = 2
          remote_addrs = %any
          proposals = aes256-sha256-modp2048
          local { auth = psk }
          remote { auth = psk } } }`,
      }),
    questions: [{ probe: 'ike', carrier: 'udp', address: TWO, port: 500, atOnce: 1 }],
  },
  dnsmasq: {
    need: requireDnsmasq,
    start: (lab) =>
      dnsmasq({ on: lab.place('router'), network: 'tech', range: '10.1.0.100,10.1.0.150,255.255.255.0,1h' }),
    questions: [
      { probe: 'dhcp', carrier: 'udp', address: '10.1.0.1', port: 67, atOnce: 1 },
      { probe: 'dhcp', carrier: 'udp', address: '255.255.255.255', port: 67, broadcast: true, atOnce: 25 },
    ],
  },
  kea: {
    need: requireKea,
    start: (lab) => kea({ on: lab.place('server2'), network: 'lan' }),
    questions: [
      { probe: 'dhcp', carrier: 'udp', address: TWO, port: 67, atOnce: 1 },
      { probe: 'dhcp', carrier: 'udp', address: TWO, port: 67, atOnce: 1, options: { message: 'discover' } },
    ],
  },
} as const satisfies Readonly<Record<string, Scene>>;

type Name = keyof typeof scenes;
const all: readonly (readonly [string, Scene])[] = Object.entries(scenes);

const questionName = (server: string, index: number): string => `${server} ${String(index)}`;

const tallies = z.record(z.string(), z.record(z.string(), z.number()));

let lab: Lab | undefined;
let said: z.infer<typeof tallies> = {};
const running = new Map<string, Keeper>();
/** What each had written before anybody asked. */
const before = new Map<string, string>();

/** Whether a test that needs this server would be skipped here; where it would fail, it does so in the test. */
function isMissing(need: Scene['need']): boolean {
  try {
    need({
      skip: () => {
        throw new Error('skipped');
      },
    });
    return false;
  } catch {
    return true;
  }
}

beforeAll(async () => {
  if (labReason() !== undefined || isMissing(requireLinecheck)) return;
  const inLab = (lab = await openLab({ icmpRatelimitMs: 0 }));
  const here = all.filter(([, { need }]) => !isMissing(need));
  await Promise.all(here.map(async ([name, { start }]) => running.set(name, await start(inLab))));
  for (const [name, server] of running) before.set(name, server.logs());
  const questions = here.flatMap(([server, scene]) =>
    scene.questions.map((question, index) => ({
      runs: RUNS,
      atOnce: 4,
      ...question,
      name: questionName(server, index),
    })),
  );
  const script = 'test/lab/harmless-ask.js';
  const ended = await inLab.exec('tech', [process.execPath, script], { input: JSON.stringify(questions) });
  if (ended.exitCode !== 0) throw new Error(ended.stderr);
  said = tallies.parse(JSON.parse(ended.stdout));
}, 120_000);
afterAll(() => lab?.close());

/** The server, once asked. */
function asked(ctx: Pick<TestContext, 'skip'>, name: Name): Keeper {
  requireLinecheck(ctx);
  scenes[name].need(ctx);
  const server = running.get(name);
  if (server === undefined) throw new Error(`${name} does not run`);
  return server;
}

/** The lines that a server wrote since it was asked, those that match. */
function since(name: Name, matching = /(?:)/): readonly string[] {
  const logs = running.get(name)?.logs() ?? '';
  return logs
    .slice(before.get(name)?.length ?? 0)
    .split(/\r?\n/)
    .filter((line) => line !== '' && matching.test(line));
}

/** What it wrote of each asking, once all of that is there. */
async function written(name: Name, matching: RegExp, count: number): Promise<readonly string[]> {
  await expect.poll(() => since(name, matching).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(count);
  return since(name, matching);
}

/** The different ones of them. */
const kinds = (lines: readonly string[], part: RegExp): readonly string[] =>
  [...new Set(lines.map((line) => part.exec(line)?.[0] ?? line))].sort();

/** Exchanges that charon had begun and not ended: at most at one time, and now. */
function halfOpen(name: Name): { readonly most: number; readonly left: number } {
  let [most, left] = [0, 0];
  for (const line of since(name, /state change/)) {
    if (line.includes('CREATED => CONNECTING')) left += 1;
    if (line.includes('CONNECTING => DESTROYING')) left -= 1;
    most = Math.max(most, left);
  }
  return { most, left };
}

it('every probe is measured, or there is a reason why not', () => {
  const measured = new Set(all.flatMap(([, { questions }]) => questions.map(({ probe }) => probe)));
  expect(Object.keys(probes).filter((name) => !measured.has(name) && !(name in elsewhere))).toEqual([]);
  expect([...measured].filter((name) => name in elsewhere)).toEqual([]);
});

it.for(all)('%s answers them all, the last as the first', ([name, { need, questions }], ctx) => {
  requireLinecheck(ctx);
  need(ctx);
  questions.forEach(({ answer = 'answered protocol', runs = RUNS }, index) => {
    expect(said[questionName(name, index)]).toEqual({ [answer]: runs });
  });
});

describe('after a hundred askings', () => {
  it('sshd has seen nobody who tried to log in, and knows who disconnected and why', async (ctx) => {
    asked(ctx, 'sshd');
    expect(kinds(await written('sshd', /Received disconnect/, RUNS), /:11: .*/)).toEqual([
      ':11: linecheck: the port was checked, no login was tried [preauth]',
    ]);
    // No user, no failure, no limit (MaxStartups) and no penalty. OpenSSH has penalties from 9.8 on: a second for each
    // connection without a login, which shut a host out once they are more than 15 (PerSourcePenalties noauth:1s min:15s).
    const usual = /^(?:Connection from|Received disconnect from|Disconnected from) /;
    expect(since('sshd').filter((line) => !usual.test(line))).toEqual([]);
  });

  it.for(['nginx', 'nginx over TLS'] as const)('%s has requests by name, and no error', async (name, ctx) => {
    asked(ctx, name);
    await written(name, /GET/, RUNS);
    // A connection without a request, which is all that the tcp probe makes, is worth an [info] to it.
    expect(kinds(since(name, /^(?!.* \[info\] )/), /".*/)).toEqual(['"GET / HTTP/1.1" 200 14 "-" "linecheck"']);
  });

  it('stunnel has sessions that were closed in order, and no warning', async (ctx) => {
    asked(ctx, 'stunnel');
    const closed = await written('stunnel', /SSL_shutdown/, RUNS);
    expect(kinds(closed, /SSL_shutdown.*/)).toEqual(['SSL_shutdown successfully sent close_notify alert']);
    // syslog(3): 4 is a warning, what is below is worse.
    expect(since('stunnel', /LOG[0-4]\[/)).toEqual([]);
  });

  it.for(['chronyd', 'inetd'] as const)('%s has written nothing', (name, ctx) => {
    asked(ctx, name);
    expect(since(name)).toEqual([]);
  });

  it('unbound has been asked for the name of 127.0.0.1 and nothing else', async (ctx) => {
    asked(ctx, 'unbound');
    await written('unbound', /PTR/, 2 * RUNS);
    expect(kinds(since('unbound'), /info: .*/)).toEqual([`info: ${TECH} 1.0.0.127.in-addr.arpa. PTR IN`]);
  });

  it('slapd has seen no bind, no search but for the root DSE, and no connection lost', async (ctx) => {
    asked(ctx, 'slapd');
    await written('slapd', / closed/, 2 * RUNS);
    expect(kinds(since('slapd', / op=\d+ (?!.*(?:RESULT|attr=))/), / (?:EXT|STARTTLS|SRCH|UNBIND|BIND).*/)).toEqual([
      ' EXT oid=1.3.6.1.4.1.1466.20037',
      ' SRCH base="" scope=0 deref=0 filter="(objectClass=*)"',
      ' STARTTLS',
      ' UNBIND',
    ]);
    expect(kinds(since('slapd', / closed/), / closed.*/)).toEqual([' closed']);
  });

  it('Postfix has no mail, and sessions that ended with QUIT', async (ctx) => {
    const server = asked(ctx, 'postfix');
    const sessions = await written('postfix', / disconnect from /, 2 * RUNS);
    expect(kinds(sessions, /ehlo=.*/)).toEqual(['ehlo=1 quit=1 commands=2', 'ehlo=2 starttls=1 quit=1 commands=4']);
    const usual = / (?:daemon started|connect from|disconnect from|Anonymous TLS connection established from) /;
    expect(since('postfix').filter((line) => !usual.test(line))).toEqual([]);
    expect(server.queued?.()).toBe(0);
  });

  it('vsftpd has seen no user', async (ctx) => {
    asked(ctx, 'vsftpd');
    await written('vsftpd', /"221 Goodbye\."|"QUIT"/, 2 * RUNS);
    expect(kinds(since('vsftpd', /FTP command/), /"[A-Z][^"]*"$/)).toEqual(['"AUTH TLS"', '"FEAT"', '"QUIT"']);
    expect(since('vsftpd', /LOGIN/)).toEqual([]);
  });

  it('snmptrapd has no notification but those asked for, each with our name, and none of its own agent', async (ctx) => {
    asked(ctx, 'snmptrapd');
    asked(ctx, 'snmpd');
    await written('snmptrapd', /linecheck/, RUNS);
    // RFC 3418: authenticationFailure would be .1.3.6.1.6.3.1.1.5.5.
    const notifications = since('snmptrapd', /1\.3\.6\.1\.6\.3\.1\.1\.4\.1\.0 = /);
    expect(notifications.filter((line) => !line.includes('"linecheck test, no action needed, nonce '))).toEqual([]);
    expect(notifications).toHaveLength(RUNS);
  });

  it('snmpd has written of questions alone', async (ctx) => {
    asked(ctx, 'snmpd');
    await written('snmpd', /Connection from/, RUNS);
    expect(since('snmpd').filter((line) => !line.startsWith(`Connection from UDP: [${TECH}]`))).toEqual([]);
  });

  it.for(['rsyslogd over UDP', 'rsyslogd over TCP', 'rsyslogd over TLS'] as const)(
    '%s has a message of no urgency from each, with our name',
    async (name, ctx) => {
      asked(ctx, name);
      await written(name, /^taken/, RUNS);
      const wanted =
        /^taken local7 info \S+ linecheck \[[^\]]+\] linecheck test, no action needed, nonce [0-9a-f]{16}$/;
      expect(since(name).filter((line) => !wanted.test(line))).toEqual([]);
      expect(since(name)).toHaveLength(RUNS);
    },
  );

  it('FreeRADIUS has had no login and nothing to account for', async (ctx) => {
    asked(ctx, 'freeradius');
    await written('freeradius', /Received/, 2 * RUNS);
    expect(kinds(since('freeradius', /Received|Sent/), /(?:Received|Sent) \S+/)).toEqual([
      'Received Status-Server',
      'Sent Access-Accept',
      'Sent Accounting-Response',
    ]);
    expect(since('freeradius', /Login|User-Name|Acct-Status-Type/)).toEqual([]);
  });

  it('charon blocks nobody, and forgets what we began: IKEv1', async (ctx) => {
    asked(ctx, 'charon of IKEv1');
    await expect.poll(() => halfOpen('charon of IKEv1'), { timeout: 20_000 }).toEqual({ most: IKEV1_RUNS, left: 0 });
    expect(since('charon of IKEv1', /ignoring|aggressive/)).toEqual([]);
  });

  it('charon blocks nobody, and forgets what we began: IKEv2, which it lets begin a few times and then asks for a cookie', async (ctx) => {
    asked(ctx, 'charon of IKEv2');
    await expect.poll(() => halfOpen('charon of IKEv2').left, { timeout: 20_000 }).toBe(0);
    const { most } = halfOpen('charon of IKEv2');
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(5);
    expect(since('charon of IKEv2', /N\(COOKIE\)/).length).toBeGreaterThan(0);
    expect(since('charon of IKEv2', /ignoring|aggressive/)).toEqual([]);
  });

  it.for([
    ['dnsmasq', /vendor class: linecheck/, /DHCP[A-Z]+(?=\()/, ['DHCPACK', 'DHCPDISCOVER', 'DHCPINFORM', 'DHCPOFFER']],
    ['kea', /DHCP4_PACKET_SEND/, /DHCP4_LEASE_[A-Z]+/, ['DHCP4_LEASE_ADVERT']],
  ] as const)('%s has offered and informed, and holds no lease', async ([name, each, message, wanted], ctx) => {
    const server = asked(ctx, name);
    await written(name, each, 2 * RUNS);
    expect(kinds(since(name, message), message)).toEqual(wanted);
    expect(server.leases?.()).toEqual([]);
  });
});
