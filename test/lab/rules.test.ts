// The loop of `linecheck rules`, closed: a firewall that drops everything, the rules loaded into it as the page says, and
// then all that was planned gets through, both ways, and of a sweep over every port nothing else does.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { PlannedCheck } from '../../src/contract/flow.js';
import { addresses, openLab, type Ended, type Host, type Lab } from './lab.js';
import { requireLinecheck } from './linecheck.js';
import { saying, temporaryFolder } from './place.js';
import { labReason, requireServer, serverReason, skipFor } from './requirements.js';
import { chronyd, nginxTls } from './servers.js';
import { inetd } from './servers/inetd.js';

const ROOT = join(import.meta.dirname, '../..');
const CLI = join(ROOT, 'bin/linecheck.js');
const SWEEP = join(import.meta.dirname, 'sweep.py');

/** A source port that no flow fixes. */
const ANY_PORT = 40_000;

const PROFILES = [
  { profile: 'kvmnet-access-management', here: 'manager' },
  { profile: 'uplogix-local-manager', here: 'local-manager' },
  { profile: 'cisco-secure-firewall', here: 'management-center' },
] as const;

interface Firewall {
  readonly format: string;
  /** Drops what it forwards, but for what belongs to known connections. */
  shut(lab: Lab): Promise<void>;
  /** Loads the rules as the file's first lines say. */
  load(lab: Lab, rules: string): Promise<void>;
}

const nftables: Firewall = {
  format: 'nftables',
  shut: (lab) =>
    lab.firewall(
      'table inet filter { chain forward { type filter hook forward priority filter; policy drop; ct state established,related accept; }; }',
    ),
  load: async (lab, rules) => {
    expectDone(await lab.exec('firewall', ['nft', '-c', '-f', '-'], { input: rules }));
    expectDone(await lab.exec('firewall', ['nft', '-f', '-'], { input: rules }));
  },
};

const iptables: Firewall = {
  format: 'iptables',
  shut: async (lab) => {
    const base =
      '*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\nCOMMIT\n';
    for (const restore of ['iptables-restore', 'ip6tables-restore']) {
      expectDone(await lab.exec('firewall', [restore], { input: base }));
    }
  },
  load: async (lab, rules) => {
    for (const restore of ['iptables-restore', 'ip6tables-restore']) {
      expectDone(await lab.exec('firewall', [restore, '--noflush', '--test'], { input: rules }));
      expectDone(await lab.exec('firewall', [restore, '--noflush'], { input: rules }));
    }
  },
};

function expectDone({ exitCode, stdout, stderr }: Ended): void {
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
}

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** A site with every feature of the profile; the far roles stand on both servers by turns. */
function siteOf(profile: string, here: string): string {
  const text = readFileSync(join(ROOT, 'profiles', `${profile}.yaml`), 'utf8');
  const keysOf = (section: string): readonly string[] =>
    [...(new RegExp(`^${section}:\n((?: .*\n|\n)*)`, 'm').exec(text)?.[1] ?? '').matchAll(/^ {2}([a-z0-9-]+):/gm)].map(
      ([, key]) => key ?? '',
    );
  const hosts = keysOf('roles').map((role, index): [string, readonly string[]] => {
    const host = role === here ? 'tech' : index % 2 === 0 ? 'server1' : 'server2';
    return [role, [addresses[host][4], addresses[host][6]]];
  });
  const site = {
    linecheck: 'site/v1',
    name: 'lab',
    profiles: [profile],
    here,
    hosts: Object.fromEntries(hosts),
    features: keysOf('features').filter((feature) => feature !== 'syslog-tls'),
  };
  const path = join(folder.path, `${profile}.yaml`);
  // JSON is YAML.
  writeFileSync(path, JSON.stringify(site));
  return path;
}

async function linecheck(lab: Lab, words: readonly string[]): Promise<Ended> {
  return lab.exec('tech', [process.execPath, CLI, ...words]);
}

interface Flow {
  readonly from: string;
  readonly to: string;
  readonly carrier: string;
  readonly port?: number;
  readonly sourcePort?: number;
  readonly answersFrom?: number;
}

/** Every planned check but broadcasts as it goes over the wire, found without a word of the rules' own code. */
async function flowsOf(lab: Lab, site: string): Promise<readonly Flow[]> {
  const { stdout } = await linecheck(lab, ['plan', site, '--format', 'json']);
  const plan = JSON.parse(stdout) as {
    readonly checks: readonly (Omit<PlannedCheck, 'carrier'> & { carrier: string })[];
  };
  return plan.checks
    .filter(({ broadcast }) => broadcast !== true)
    .map(({ from, to, carrier, direction, sourcePort, answersFrom }) => {
      const far = (direction === 'out' ? to.host : from.host) ?? '';
      const near = addresses.tech[far.includes(':') ? 6 : 4];
      return {
        ...(direction === 'out' ? { from: near, to: far } : { from: far, to: near }),
        carrier,
        ...(to.port === undefined ? {} : { port: to.port }),
        ...(sourcePort === undefined ? {} : { sourcePort }),
        ...(answersFrom === undefined ? {} : { answersFrom }),
      };
    });
}

/** `10.1.0.2 10.3.0.11 udp 3080 3080`: what of a sweep may arrive. */
function arrivalsOf(flow: Flow, fixed: readonly number[]): readonly string[] {
  const { from, to, carrier, port, sourcePort, answersFrom } = flow;
  if (carrier === 'icmp') return [`${from} ${to} echo-request`];
  if (port === undefined) return [`${from} ${to} ${carrier}`];
  // A flow whose source port nothing fixes may also come from one that is fixed elsewhere.
  const others = carrier === 'udp' ? fixed : [];
  const sources = sourcePort === undefined ? [ANY_PORT, ...others] : [sourcePort];
  return [
    ...sources.map((source) => `${from} ${to} ${carrier} ${source} ${port}`),
    ...(answersFrom === undefined ? [] : [`${to} ${from} ${carrier} ${answersFrom} ${sourcePort ?? ANY_PORT}`]),
  ];
}

/** Writes down every packet from one of `peers`, and keeps it from being answered. */
function witness(peers: readonly string[]): string {
  const family = (version: 4 | 6, ip: string, type: string, icmp: string, protocol: string): string => {
    const ends = `${ip} saddr . ${ip} daddr`;
    const of = peers.filter((peer) => peer.includes(':') === (version === 6)).join(', ');
    return `
      set ports${version} { type ${type} . ${type} . inet_proto . inet_service . inet_service; flags dynamic; size 1000000; }
      set kinds${version} { type ${type} . ${type} . ${icmp}_type; flags dynamic; size 10000; }
      set protocols${version} { type ${type} . ${type} . inet_proto; flags dynamic; size 10000; }
      chain arriving${version} { type filter hook prerouting priority raw;
        ${ip} saddr != { ${of} } return
        meta l4proto { tcp, udp } add @ports${version} { ${ends} . meta l4proto . th sport . th dport } drop
        meta l4proto ${protocol} add @kinds${version} { ${ends} . ${icmp} type } drop
        add @protocols${version} { ${ends} . meta l4proto } drop
      }`;
  };
  const chains = family(4, 'ip', 'ipv4_addr', 'icmp', 'icmp') + family(6, 'ip6', 'ipv6_addr', 'icmpv6', 'ipv6-icmp');
  return `table inet witness { ${chains}\n}`;
}

const PROTOCOLS: Readonly<Record<string, string>> = { gre: 'ip-47', esp: 'ip-50' };

/** What the witness on a host wrote down, sorted. */
async function seenOn(lab: Lab, host: Host): Promise<readonly string[]> {
  const { stdout } = await lab.exec(host, ['nft', '-j', 'list', 'table', 'inet', 'witness']);
  const { nftables: objects } = JSON.parse(stdout) as {
    readonly nftables: readonly {
      readonly set?: {
        readonly name: string;
        readonly elem?: readonly { readonly concat: readonly (string | number)[] }[];
      };
    }[];
  };
  return objects.flatMap(({ set }) =>
    (set?.elem ?? []).map(({ concat }) =>
      concat.map((part) => (set?.name.startsWith('protocols') === true ? (PROTOCOLS[part] ?? part) : part)).join(' '),
    ),
  );
}

interface Sweep {
  readonly pairs: readonly (readonly [string, string])[];
  readonly ports: readonly (readonly [first: number, last: number])[];
  readonly sourcePorts: { readonly tcp: readonly number[]; readonly udp: readonly number[] };
}

async function sweep(lab: Lab, host: Host, input: Sweep): Promise<void> {
  // What the firewall remembers of sweeps before would let their answers through, and packets of this one are such.
  expect((await lab.exec('firewall', ['conntrack', '-F'])).exitCode).toBe(0);
  const ended = await lab.exec(host, ['python3', SWEEP], { input: JSON.stringify(input) });
  expect(ended).toEqual({ exitCode: 0, stdout: 'swept\n', stderr: '' });
}

const SERVERS = ['server1', 'server2'] as const;
const FAMILIES = [4, 6] as const;
const one = { from: addresses.tech[4], to: addresses.server1[4] };
/** Nobody's in any site: rules are for one source address, not for its network. */
const STRANGER = { 4: '10.1.0.77', 6: 'fd00:1::77' } as const;

interface Swept {
  readonly ports: Sweep['ports'];
  /** Source ports that flows fix. */
  readonly fixed: readonly number[];
}

/** All that arrived of sweeps from the tech and a stranger beside it to both servers, and from each server to the tech. */
async function swept(lab: Lab, { ports, fixed }: Swept): Promise<readonly string[]> {
  const tech = FAMILIES.flatMap((family) => [addresses.tech[family], STRANGER[family]]);
  const hosts = [...SERVERS, 'tech' as const];
  await Promise.all(SERVERS.map((server) => lab.firewall(witness(tech), server)));
  await lab.firewall(witness(SERVERS.flatMap((server) => FAMILIES.map((family) => addresses[server][family]))), 'tech');
  const sourcePorts = { tcp: [ANY_PORT], udp: [ANY_PORT, ...fixed] };
  const toServers = (from: readonly string[]): Sweep['pairs'] =>
    SERVERS.flatMap((server) =>
      Object.values(addresses[server]).flatMap((to) =>
        from.filter((each) => each.includes(':') === to.includes(':')).map((each) => [each, to] as const),
      ),
    );
  await sweep(lab, 'tech', { pairs: toServers(tech), ports, sourcePorts });
  for (const server of SERVERS) {
    const pairs = FAMILIES.map((family) => [addresses[server][family], addresses.tech[family]] as const);
    await sweep(lab, server, { pairs, ports, sourcePorts });
  }
  const seen = await Promise.all(hosts.map((host) => seenOn(lab, host)));
  await Promise.all(hosts.map((host) => lab.firewall('', host)));
  return seen.flat().toSorted();
}

/** The ports of these flows and those beside them, with those that scanners look at first. */
function portsNear(flows: readonly Flow[]): Sweep['ports'] {
  const named = flows.flatMap(({ port, sourcePort, answersFrom }) => [port, sourcePort, answersFrom]);
  const beside = named.flatMap((port) => (port === undefined || port < 1024 ? [] : [port - 1, port, port + 1]));
  return [[1, 1024], ...[...new Set(beside)].map((port): [number, number] => [port, port])];
}

/** Listens on what it is told to, and answers each datagram, from another port where that is so. */
const LISTENER = `
const { tcp, udp, elsewhere } = JSON.parse(process.argv[1]);
const net = require('node:net'), dgram = require('node:dgram');
const ready = [];
for (const port of tcp) {
  const server = net.createServer((socket) => socket.on('error', () => {}).end('x'));
  ready.push(new Promise((done) => server.listen({ port, host: '::' }, done)));
}
for (const type of ['udp4', 'udp6']) {
  const sockets = new Map();
  for (const port of udp) {
    const socket = dgram.createSocket({ type, ipv6Only: type === 'udp6', reuseAddr: true });
    sockets.set(port, socket);
    socket.on('message', (message, from) => {
      if (String(message) === 'ask') sockets.get(elsewhere[port] ?? port).send('answer', from.port, from.address);
    });
    ready.push(new Promise((done) => socket.bind(port, done)));
  }
}
Promise.all(ready).then(() => console.log('ready'));`;

/** Asks each flow once, and prints those that got no answer. */
const ASKER = `
const flows = JSON.parse(process.argv[1]);
const net = require('node:net'), dgram = require('node:dgram');
const within = (ms, start) => new Promise((done) => { const timer = setTimeout(() => done(false), ms); start((ok) => { clearTimeout(timer); done(ok); }); });
const ask = ({ from, to, carrier, port, sourcePort, answersFrom }) => within(4000, (done) => {
  if (carrier === 'tcp') {
    const socket = net.connect({ host: to, port, localAddress: from });
    socket.on('error', () => done(false)).on('data', () => { done(true); socket.destroy(); });
    return;
  }
  const socket = dgram.createSocket({ type: to.includes(':') ? 'udp6' : 'udp4', reuseAddr: true });
  socket.on('error', () => done(false)).on('message', (message, peer) => {
    if (String(message) !== 'answer' || peer.port !== (answersFrom ?? port)) return;
    done(true);
    socket.close();
  });
  socket.bind(sourcePort ?? 0, from, () => socket.send('ask', port, to));
});
(async () => {
  // One after the other, as two may have one fixed source port.
  for (const flow of flows) if (!(await ask(flow))) console.log(JSON.stringify(flow));
  process.exit(0);
})();`;

/** The flows, of those with ports, that get no answer through the firewall. */
async function unanswered(lab: Lab, flows: readonly Flow[]): Promise<readonly string[]> {
  const ported = flows.filter(({ port }) => port !== undefined);
  const portsOf = (carrier: string): readonly number[] => [
    ...new Set(
      ported
        .filter((flow) => flow.carrier === carrier)
        .flatMap(({ port, answersFrom }) => [port, answersFrom])
        .filter((port) => port !== undefined),
    ),
  ];
  const elsewhere: Readonly<Record<string, number>> = Object.fromEntries(
    ported.flatMap(({ port, answersFrom }): [string, number][] =>
      port === undefined || answersFrom === undefined ? [] : [[String(port), answersFrom]],
    ),
  );
  const input = JSON.stringify({ tcp: portsOf('tcp'), udp: portsOf('udp'), elsewhere });
  const hosts = [...SERVERS, 'tech' as const];
  const listeners = hosts.map((host) => lab.start(host, [process.execPath, '-e', LISTENER, input]));
  try {
    await Promise.all(listeners.map((listener) => saying(listener, 'ready')));
    const mute: string[] = [];
    // One host after the other: where both ends have one port, who asks is not to be asked.
    for (const host of hosts) {
      const own: readonly string[] = Object.values(addresses[host]);
      const mine = JSON.stringify(ported.filter(({ from }) => own.includes(from)));
      const { stdout, stderr } = await lab.exec(host, [process.execPath, '-e', ASKER, mine]);
      mute.push(...(stdout + stderr).split('\n').filter(Boolean));
    }
    return mute;
  } finally {
    await Promise.all(listeners.map((listener) => listener.stop()));
  }
}

describe.each([nftables, iptables])('the rules for $format', (firewall) => {
  const reason = labReason() ?? (firewall === iptables ? serverReason('iptables-restore', 'iptables') : undefined);
  let opened: Lab | undefined;

  beforeAll(async () => {
    if (reason !== undefined) return;
    opened = await openLab({ icmpRatelimitMs: 0 });
    for (const family of FAMILIES) {
      const address = `${STRANGER[family]}/${family === 4 ? 24 : 64}`;
      // Deprecated: nobody answers from it unasked.
      const nodad = family === 4 ? [] : ['nodad', 'preferred_lft', '0'];
      expectDone(await opened.exec('tech', ['ip', 'address', 'add', address, 'dev', 'router', ...nodad]));
    }
  });
  afterAll(() => opened?.close());

  function needed(ctx: Pick<TestContext, 'skip'>): Lab {
    requireLinecheck(ctx);
    requireServer(ctx, 'python3', 'python3-minimal');
    requireServer(ctx, 'conntrack', 'conntrack');
    skipFor(ctx, reason);
    if (opened === undefined) throw new Error('no lab was opened');
    return opened;
  }

  it('are needed: without them nothing of a sweep arrives, and without a firewall all of it', async (ctx) => {
    const lab = needed(ctx);
    await firewall.shut(lab);
    expect(await swept(lab, { ports: [[1, 100]], fixed: [] })).toEqual([]);
    if (firewall !== nftables) return;
    await lab.firewall('');
    const arrived = await swept(lab, { ports: [[1, 100]], fixed: [] });
    for (const server of SERVERS) {
      for (const family of FAMILIES) {
        const [from, to] = [addresses.tech[family], addresses[server][family]];
        const both = [`${from} ${to}`, `${to} ${from}`];
        const each = both.flatMap((ends) => [
          `${ends} tcp ${ANY_PORT} 1`,
          `${ends} tcp ${ANY_PORT} 100`,
          `${ends} udp ${ANY_PORT} 99`,
          `${ends} echo-request`,
          `${ends} ip-47`,
          `${ends} ip-50`,
        ]);
        expect(each.filter((one) => !arrived.includes(one))).toEqual([]);
      }
    }
  });

  it.for(PROFILES)(
    'of $profile let through every flow, and nothing else',
    { timeout: 120_000 },
    async ({ profile, here }, ctx) => {
      const lab = needed(ctx);
      const site = siteOf(profile, here);
      const flows = await flowsOf(lab, site);
      const { stdout, stderr, exitCode } = await linecheck(lab, ['rules', site, '--format', firewall.format]);
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
      await firewall.shut(lab);
      await firewall.load(lab, stdout);
      const fixed = [...new Set(flows.flatMap(({ sourcePort }) => sourcePort ?? []))];
      const wanted = [...new Set(flows.flatMap((flow) => arrivalsOf(flow, fixed)))].toSorted();
      expect(await swept(lab, { ports: portsNear(flows), fixed })).toEqual(wanted);
      expect(new Set(wanted.map((one) => one.includes('::')))).toEqual(new Set([true, false]));
      expect(wanted.length).toBeGreaterThan(15);
      expect(await unanswered(lab, flows)).toEqual([]);
    },
  );

  it('leave no port open of all that there are but those of the flows', async (ctx) => {
    const lab = needed(ctx);
    const { profile, here } = PROFILES[2];
    const site = siteOf(profile, here);
    const { stdout } = await linecheck(lab, ['rules', site, '--format', firewall.format]);
    await firewall.shut(lab);
    await firewall.load(lab, stdout);
    const flows = (await flowsOf(lab, site)).filter(({ from, to }) => `${from} ${to}` === `${one.from} ${one.to}`);
    await lab.firewall(witness([one.from, addresses.tech[6]]), 'server1');
    const sourcePorts = { tcp: [ANY_PORT], udp: [ANY_PORT] };
    await sweep(lab, 'tech', { pairs: [[one.from, one.to]], ports: [[1, 65_535]], sourcePorts });
    const unfixed = flows.filter(({ sourcePort }) => sourcePort === undefined);
    const wanted = [...new Set(unfixed.flatMap((flow) => arrivalsOf(flow, [])))].toSorted();
    expect((await seenOn(lab, 'server1')).toSorted()).toEqual(wanted);
    expect(wanted.length).toBeGreaterThan(2);
    await lab.firewall('', 'server1');
  }, 120_000);

  it('hold no command that a profile smuggles in', async (ctx) => {
    const lab = needed(ctx);
    const ends = [
      '"; flush ruleset; #',
      '" -j ACCEPT\n-P FORWARD ACCEPT\nCOMMIT\n',
      '} } \\',
      "'`$(reboot)`",
      '\u2028"\\\n',
    ];
    const profile = {
      linecheck: 'profile/v1',
      id: 'hostile',
      title: ends.join(' '),
      source: { title: 'x' },
      roles: { near: { title: 'Near' }, far: { title: 'Far' } },
      flows: ends.map((end, index) => {
        const text = `x ${end}`;
        return {
          id: `f${index}`,
          title: text,
          from: 'near',
          to: 'far',
          tcp: 10 + index,
          probe: 'tcp',
          why: text,
          source: text,
        };
      }),
    };
    const hosts = { near: Object.values(addresses.tech), far: Object.values(addresses.server1) };
    const site = { linecheck: 'site/v1', name: ends.join(' '), profiles: ['./hostile.yaml'], here: 'near', hosts };
    writeFileSync(join(folder.path, 'hostile.yaml'), JSON.stringify(profile));
    writeFileSync(join(folder.path, 'hostile-site.yaml'), JSON.stringify(site));
    const words = ['rules', join(folder.path, 'hostile-site.yaml'), '--format', firewall.format];
    const { stdout, stderr } = await linecheck(lab, words);
    expect(stderr).toBe('');
    await firewall.shut(lab);
    await firewall.load(lab, stdout);
    const wanted = FAMILIES.flatMap((family) =>
      ends.map((_, index) => `${addresses.tech[family]} ${addresses.server1[family]} tcp ${ANY_PORT} ${10 + index}`),
    );
    expect(await swept(lab, { ports: [[1, 30]], fixed: [] })).toEqual(wanted.toSorted());
  });

  it('may be loaded twice', async (ctx) => {
    const lab = needed(ctx);
    const [{ profile, here }] = PROFILES;
    const { stdout } = await linecheck(lab, ['rules', siteOf(profile, here), '--format', firewall.format]);
    await firewall.shut(lab);
    await firewall.load(lab, stdout);
    await firewall.load(lab, stdout);
  });
});

describe('the rules for what failed in a report', () => {
  const reason =
    labReason() ??
    serverReason('nginx', 'nginx-light') ??
    serverReason('chronyd', 'chrony') ??
    serverReason('inetd', 'openbsd-inetd');
  let opened: Lab | undefined;
  beforeAll(async () => {
    if (reason === undefined) opened = await openLab({ icmpRatelimitMs: 0 });
  });
  afterAll(() => opened?.close());

  it('are all that was missing', async (ctx) => {
    requireLinecheck(ctx);
    skipFor(ctx, reason);
    if (opened === undefined) throw new Error('no lab was opened');
    const lab = opened;
    const server = { on: lab.place('server1'), addresses: [addresses.server1[4], addresses.server1[6]] };
    await Promise.all([nginxTls({ ...server, port: 8443 }), chronyd(server), inetd(server)]);
    const both = [addresses.server1[4], addresses.server1[6]];
    const site = join(folder.path, 'failed.yaml');
    const text = {
      linecheck: 'site/v1',
      name: 'lab',
      profiles: ['uplogix-local-manager'],
      here: 'local-manager',
      hosts: { 'control-center': both, 'pulse-server': both, 'ntp-server': both, client: 'none' },
      features: ['ntp'],
    };
    writeFileSync(site, JSON.stringify(text));
    const report = join(folder.path, 'report.json');
    await nftables.shut(lab);
    const words = ['check', site, '--diagnose', 'off', '--format', `json:${report}`, '--quiet'];
    expect((await linecheck(lab, words)).exitCode).toBe(1);

    const rules = await linecheck(lab, ['rules', '--from', report, '--unproven', '--format', 'nftables']);
    expect({ exitCode: rules.exitCode, stderr: rules.stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(rules.stdout).toMatch(/^# Seen: .*(blocked|unreachable)/m);
    await nftables.load(lab, rules.stdout);
    const after = await linecheck(lab, words);
    expect(readFileSync(report, 'utf8')).toMatch(/"verdict": "open"/);
    expect({ exitCode: after.exitCode, stderr: after.stderr }).toEqual({ exitCode: 0, stderr: '' });

    const again = await linecheck(lab, ['rules', '--from', report, '--format', 'nftables']);
    expect(again.stdout).toMatch(/^# Firewall rules for lab: 0 rules for 0 flows/);
    expect(again.exitCode).toBe(0);
  });
});
