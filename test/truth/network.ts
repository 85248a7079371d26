// Makes a lab do what the behaviours say: servers on every address, rules, routes, and the programs that misbehave.
import { join } from 'node:path';
import { makeCertificates, type Certificates } from '../lab/certificates.js';
import { addresses, openLab, type Host, type Lab } from '../lab/lab.js';
import { FAMILIES } from '../lab/behaviours.js';
import { saying } from '../lab/place.js';
import { chronyd, nginx, nginxTls, sshd } from '../lab/servers.js';
import { charon } from '../lab/servers/charon.js';
import { freeradius } from '../lab/servers/freeradius.js';
import { rsyslogd } from '../lab/servers/rsyslogd.js';
import { unbound } from '../lab/servers/unbound.js';
import { behaviours, LATE_MARK, targetOf, type Behaviour, type Chain, type Target } from './behaviours.js';
import { OTHER_TLS_PORT } from './flows.js';

export const RADIUS_SECRET = 'the truth';
const ANY = ['0.0.0.0', '::'] as const;

export interface Network {
  readonly lab: Lab;
  /** The CA of the servers' certificates, PEM. */
  readonly ca: string;
  readonly close: () => Promise<void>;
}

const CHAINS: Readonly<Record<Chain, string>> = {
  'tech.output': 'type filter hook output priority filter;',
  'core.forward': 'type filter hook forward priority filter;',
  'core.postrouting': 'type nat hook postrouting priority srcnat;',
  'firewall.raw': 'type filter hook prerouting priority raw;',
  'firewall.prerouting': 'type nat hook prerouting priority dstnat;',
  'firewall.forward': 'type filter hook forward priority filter;',
  'firewall.output': 'type filter hook output priority mangle;',
  'server1.prerouting': 'type nat hook prerouting priority dstnat;',
  'server2.input': 'type filter hook input priority filter;',
};

const SETS = ['ip', 'ip6'].map((ip) => {
  const type = ip === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
  return `set seen${ip} { type ${type} . ${type} . inet_proto . inet_service . inet_service; flags dynamic; size 4096; }`;
});

/** nftables rules by host. */
export function rulesOf(targets: readonly (readonly [Behaviour, Target])[]): ReadonlyMap<Host, string> {
  const chains = new Map<string, string[]>();
  for (const [behaviour, target] of targets) {
    for (const [chain, rules] of Object.entries(behaviour.rules?.(target) ?? {})) {
      chains.set(chain, [...(chains.get(chain) ?? []), ...rules]);
    }
  }
  const hosts = new Map<Host, string>();
  for (const [chain, hook] of Object.entries(CHAINS)) {
    const [host = '', name = ''] = chain.split('.');
    const text = [`chain ${name} {`, hook, ...(chains.get(chain) ?? []), '}'].join('\n');
    hosts.set(host as Host, `${hosts.get(host as Host) ?? ''}\n${text}`);
  }
  return new Map([...hosts].map(([host, text]) => [host, `table inet truth {\n${SETS.join('\n')}\n${text}\n}`]));
}

async function ip(lab: Lab, host: Host, family: 4 | 6, commands: readonly string[]): Promise<void> {
  if (commands.length === 0) return;
  const done = await lab.exec(host, ['ip', `-${family}`, '-batch', '-'], { input: `${commands.join('\n')}\n` });
  if (done.exitCode !== 0) throw new Error(`ip refuses on ${host}:\n${done.stderr}`);
}

async function routes(lab: Lab, targets: readonly (readonly [Behaviour, Target])[]): Promise<void> {
  for (const family of FAMILIES) {
    const here = targets.filter(([, target]) => target.family === family);
    const width = family === 4 ? 24 : 64;
    for (const server of ['server1', 'server2'] as const) {
      const own = here.filter(([{ at }]) => at === server);
      await ip(
        lab,
        server,
        family,
        own.map(([, { address }]) => `address add ${address}/${width} dev lan${family === 6 ? ' nodad' : ''}`),
      );
    }
    for (const host of ['tech', 'router', 'core', 'firewall'] as const) {
      const own = here.filter(([{ route }]) => route?.on === host);
      await ip(
        lab,
        host,
        family,
        own.map(([{ route }, { address }]) => `route add ${route?.type ?? ''} ${address}`),
      );
    }
    await ip(lab, 'firewall', family, [
      `rule add iif lan fwmark ${LATE_MARK} lookup 100`,
      'route add default dev delay table 100',
    ]);
  }
}

async function servers(lab: Lab, certificates: Certificates, other: Certificates): Promise<void> {
  const [on, elsewhere] = [lab.place('server1'), lab.place('server2')];
  const addresses = ANY;
  const peers = lab.start('server1', [process.execPath, join(import.meta.dirname, 'peers.js')]);
  const gre = join(import.meta.dirname, '../lab/gre.py');
  const tunnels = ANY.map((address) => lab.start('server1', ['python3', gre, address]));
  await Promise.all([
    sshd({ on, addresses }),
    nginx({ on, addresses }),
    nginxTls({ on, addresses, certificates, port: 443 }),
    nginxTls({ on, addresses, certificates, port: 8305 }),
    chronyd({ on, addresses }),
    // Without it an answer leaves from the first address of the host, whichever was asked.
    unbound({ on, addresses, extra: ['interface-automatic: yes'] }),
    charon({ on, addresses, settings: ['block_threshold = 0', 'cookie_threshold = 0'] }),
    freeradius({ on, addresses, secret: RADIUS_SECRET }),
    rsyslogd({ on, addresses, transport: 'udp' }),
    nginx({ on: elsewhere, addresses }),
    nginxTls({ on: elsewhere, addresses, certificates: other, port: OTHER_TLS_PORT }),
    saying(peers, 'ready'),
    ...tunnels.map((tunnel) => saying(tunnel, 'ready')),
  ]);
}

/** A lab with every behaviour in it. */
export async function openNetwork(): Promise<Network> {
  const targets = behaviours.flatMap((behaviour) =>
    FAMILIES.map((family) => [behaviour, targetOf(behaviour, family)] as const),
  );
  const [certificates, other, lab] = await Promise.all([
    makeCertificates([...Object.values(addresses.server1), ...targets.map(([, { address }]) => address)]),
    makeCertificates(['portal.example']),
    openLab({ icmpRatelimitMs: 0, routers: 2 }),
  ]);
  const close = async (): Promise<void> => {
    await lab.close();
    certificates.remove();
    other.remove();
  };
  try {
    const delay = lab.start('firewall', ['python3', join(import.meta.dirname, 'delay.py'), '2']);
    await saying(delay, 'ready');
    for (const words of [
      ['ip', 'link', 'set', 'delay', 'up'],
      // A SYN proxy takes up connections that it has not seen begin (nf_synproxy_core.c).
      ['sysctl', '-q', '-w', 'net.netfilter.nf_conntrack_tcp_loose=0'],
    ]) {
      const done = await lab.exec('firewall', words);
      if (done.exitCode !== 0) throw new Error(`${words.join(' ')}: ${done.stderr}`);
    }
    await routes(lab, targets);
    await Promise.all([...rulesOf(targets)].map(([host, text]) => lab.firewall(text, host)));
    await servers(lab, certificates, other);
    return { lab, ca: certificates.ca, close };
  } catch (error) {
    await close();
    throw error;
  }
}
