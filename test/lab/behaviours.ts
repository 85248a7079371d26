// What can become of a flow on its way, as a table: each behaviour on a port or address of its own, so that a test asks
// all of them at once. Pure, but for `deploy` at the end. What a socket says to each is asserted by the tests.
import { join } from 'node:path';
import { addresses, type Host, type Lab } from './lab.js';
import { saying, type Running, type Transport } from './place.js';

export type Family = 4 | 6;
export const FAMILIES: readonly Family[] = [4, 6];

/** A part of a rule or route for each family that knows the behaviour. */
type ByFamily = Readonly<Partial<Record<Family, string>>>;

export interface Behaviour<Name extends string = string> {
  readonly name: Name;
  /** Where the flow goes; `own-address` is one of its own in a network that ends at the firewall. */
  readonly to: 'server1' | 'absent' | 'absentOnLink' | 'nowhere' | 'own-address';
  /** Something listens on the port and echoes. */
  readonly served: boolean;
  /** Default: both. */
  readonly transports?: readonly Transport[];
  /** Default: nothing, packets pass. */
  readonly by?:
    /** The firewall's forward chain, on the way there or on the way back: an nftables verdict. */
    | { readonly chain: 'forward' | 'return'; readonly verdict: ByFamily }
    /** The tech's own packet filter, output chain. */
    | { readonly chain: 'output'; readonly verdict: ByFamily }
    /**
     * A route of a type that refuses. Linux sends five IPv4 errors for such packets of one source address, then one a
     * second, whatever icmp_ratelimit says (net.ipv4.route.error_burst, error_cost, not settable in a namespace): so
     * the behaviours that rest on it are spread over hosts.
     */
    | { readonly route: RouteType; readonly of: Refuser };
}

type Refuser = 'tech' | 'router' | 'firewall';
type RouteType = 'unreachable' | 'prohibit' | 'blackhole' | 'throw';
const BOTH: readonly Transport[] = ['tcp', 'udp'];

const both = (verdict: string): ByFamily => ({ 4: verdict, 6: verdict });
const icmp = (type: string): ByFamily => ({ 4: `reject with icmp type ${type}` });
const icmp6 = (type: string): ByFamily => ({ 6: `reject with icmpv6 type ${type}` });

/** A flow to a server that would answer, and the firewall's word on it. */
function forward<Name extends string>(name: Name, verdict: ByFamily, transports = BOTH) {
  return { name, to: 'server1', served: true, transports, by: { chain: 'forward', verdict } } as const;
}

/** The tech's own packet filter's word. */
function output<Name extends string>(name: Name, verdict: ByFamily, transports = BOTH) {
  return { name, to: 'server1', served: true, transports, by: { chain: 'output', verdict } } as const;
}

/** A route of a type that refuses. */
function route<Of extends Refuser, Type extends RouteType>(of: Of, type: Type) {
  return { name: `${of}-route-${type}`, to: 'own-address', served: false, by: { route: type, of } } as const;
}

// ICMP types and codes: RFC 792 and RFC 1812 §5.2.7.1 (3/9, 3/10, 3/13), RFC 4443 §3.1.
export const behaviours = [
  { name: 'pass', to: 'server1', served: true },
  { name: 'closed', to: 'server1', served: false },
  forward('drop', both('drop')),
  { name: 'drop-return', to: 'server1', served: true, by: { chain: 'return', verdict: both('drop') } },
  forward('tcp-reset', both('reject with tcp reset'), ['tcp']),
  forward('icmp-3-0', icmp('net-unreachable')),
  forward('icmp-3-1', icmp('host-unreachable')),
  forward('icmp-3-2', icmp('prot-unreachable')),
  forward('icmp-3-3', icmp('port-unreachable')),
  forward('icmp-3-9', icmp('net-prohibited')),
  forward('icmp-3-10', icmp('host-prohibited')),
  forward('icmp-3-13', icmp('admin-prohibited')),
  forward('icmp6-1-0', icmp6('no-route')),
  forward('icmp6-1-1', icmp6('admin-prohibited')),
  forward('icmp6-1-3', icmp6('addr-unreachable')),
  forward('icmp6-1-4', icmp6('port-unreachable')),
  forward('icmp6-1-5', icmp6('policy-fail')),
  forward('icmp6-1-6', icmp6('reject-route')),
  { name: 'absent', to: 'absent', served: false },
  { name: 'absent-on-link', to: 'absentOnLink', served: false },
  { name: 'no-route-at-router', to: 'nowhere', served: false },
  route('router', 'prohibit'),
  route('firewall', 'unreachable'),
  route('router', 'blackhole'),
  output('output-drop', both('drop')),
  output('output-reject', both('reject')),
  output('output-tcp-reset', both('reject with tcp reset'), ['tcp']),
  output('output-admin-prohibited', { ...icmp('admin-prohibited'), ...icmp6('admin-prohibited') }),
  route('tech', 'unreachable'),
  route('tech', 'prohibit'),
  route('tech', 'blackhole'),
  // In a table without a further rule, `throw` is as if there were no route at all.
  route('tech', 'throw'),
] as const satisfies readonly Behaviour[];

export type BehaviourName = (typeof behaviours)[number]['name'];

/** One flow through one behaviour. */
export interface Target<Name extends string = string> {
  readonly behaviour: Name;
  readonly transport: Transport;
  readonly family: Family;
  readonly address: string;
  readonly port: number;
}

export interface Layout<Name extends string = string> {
  readonly targets: readonly Target<Name>[];
  /** nftables rules by host. */
  readonly rules: readonly { readonly host: Host; readonly text: string }[];
  /** Arguments of `ip` by host. */
  readonly routes: readonly { readonly host: Host; readonly argv: readonly string[] }[];
  /** Ports to listen on, TCP and UDP, on server1. */
  readonly served: readonly number[];
}

const FIRST_PORT = 20_000;

/** Which addresses and ports stand for which behaviour, and what must be loaded where to make it so. */
export function layOut<Name extends string>(table: readonly Behaviour<Name>[]): Layout<Name> {
  const targets: Target<Name>[] = [];
  const forwardRules: string[] = [];
  const outputRules: string[] = [];
  const routes: Layout['routes'][number][] = [];
  const served: number[] = [];
  for (const [index, behaviour] of table.entries()) {
    const port = FIRST_PORT + index;
    if (behaviour.served) served.push(port);
    for (const family of FAMILIES) {
      const address = addressOf(behaviour, index, family);
      const { by } = behaviour;
      if (by !== undefined && 'route' in by) {
        routes.push({ host: by.of, argv: [`-${family}`, 'route', 'add', by.route, address] });
      }
      const verdict = by !== undefined && 'chain' in by ? by.verdict[family] : '';
      if (verdict === undefined) continue;
      for (const transport of behaviour.transports ?? BOTH) {
        targets.push({ behaviour: behaviour.name, transport, family, address, port });
        if (by === undefined || !('chain' in by)) continue;
        const ip = family === 4 ? 'ip' : 'ip6';
        const [addressKey, portKey] = by.chain === 'return' ? ['saddr', 'sport'] : ['daddr', 'dport'];
        const rule = `${ip} ${addressKey} ${address} ${transport} ${portKey} ${port} ${verdict}`;
        (by.chain === 'output' ? outputRules : forwardRules).push(rule);
      }
    }
  }
  return {
    targets,
    rules: [
      { host: 'firewall', text: chain('forward', forwardRules) },
      { host: 'tech', text: chain('output', outputRules) },
    ],
    routes,
    served,
  };
}

function addressOf(behaviour: Behaviour, index: number, family: Family): string {
  if (behaviour.to !== 'own-address') return addresses[behaviour.to][family];
  return family === 4 ? `10.4.0.${index + 1}` : `fd00:4::${(index + 1).toString(16)}`;
}

function chain(hook: 'forward' | 'output', rules: readonly string[]): string {
  return ['table inet lab {', `chain ${hook} {`, `type filter hook ${hook} priority filter;`, ...rules, '}', '}'].join(
    '\n',
  );
}

/** Makes a lab behave as laid out, with an echo on every served port of server1. Returns that echo, running. */
export async function deploy(lab: Lab, layout: Layout): Promise<Running> {
  await Promise.all(layout.rules.map(({ host, text }) => lab.firewall(text, host)));
  for (const host of ['tech', 'router', 'firewall'] as const) {
    const batch = layout.routes.filter((entry) => entry.host === host);
    for (const family of ['-4', '-6']) {
      const input = batch.filter(({ argv }) => argv[0] === family).map(({ argv }) => `${argv.slice(1).join(' ')}\n`);
      const done = await lab.exec(host, ['ip', family, '-batch', '-'], { input: input.join('') });
      if (done.exitCode !== 0) throw new Error(`ip refuses a route on ${host}:\n${done.stderr}`);
    }
  }
  const script = join(import.meta.dirname, 'echo.js');
  const echo = lab.start('server1', [process.execPath, script], { input: JSON.stringify(layout.served) });
  await saying(echo, 'ready');
  return echo;
}
