// The truth table's rows: what can become of a flow, how the network is made to do it, and what linecheck must say.
// Pure. One target address for each behaviour and family, so that all are asked in one run. What is measured stands
// beside it only when the table is printed.
import { addresses, type Host } from '../lab/lab.js';
import type { Family } from '../lab/behaviours.js';
import { flows, OTHER_TLS_PORT, type Flow, type FlowGroup, type FlowName } from './flows.js';

/** What a run can see: 1 errno alone; 2 the kernel's error queue and TTLs; 3 raw sockets as well. */
export type Tier = 1 | 2 | 3;
export const TIERS: readonly Tier[] = [1, 2, 3];

type Place = 'tech' | 'router' | 'core' | 'firewall' | 'target';
type ByFamily<T> = Readonly<Record<Family, T>>;

/**
 * What a check must say: `VERDICT [HOW] CERTAIN [by PLACE [TYPE/CODE]] [after PLACE]`. Who is not named here must not be
 * named there, but for the target and our own machine themselves.
 */
export type Words = string;
/** By tier; a tier that is absent sees no more than the one before. */
export type Seen = readonly [Words, Words?, Words?];
type Expected = Seen | ByFamily<Seen>;
type Expectations = Readonly<Partial<Record<FlowGroup | FlowName, Expected>>>;

/** Where rules stand, HOST.CHAIN. */
export type Chain =
  | 'tech.output'
  | 'core.forward'
  | 'core.postrouting'
  | 'firewall.raw'
  | 'firewall.prerouting'
  | 'firewall.forward'
  | 'firewall.output'
  | 'server1.prerouting'
  | 'server2.input';

/** One address behind which one behaviour waits, and the nftables words for it. */
export interface Target {
  readonly behaviour: string;
  readonly family: Family;
  readonly address: string;
  /** `ip` or `ip6`. */
  readonly ip: string;
  /** Packets to and from it. */
  readonly to: string;
  readonly from: string;
}

export interface Behaviour {
  readonly name: string;
  /** For a person who reads the table. */
  readonly what: string;
  /**
   * Whose the address is. `server1` serves everything, `server2` nothing but the witness; `nobody` is on the servers'
   * network, `on-link` on the tech's own; `beyond` in a network that ends at the firewall, `nowhere` in one that the
   * router does not know.
   */
  readonly at: 'server1' | 'server2' | 'nobody' | 'on-link' | 'beyond' | 'nowhere';
  readonly rules?: (target: Target) => Readonly<Partial<Record<Chain, readonly string[]>>>;
  readonly route?: { readonly on: Host; readonly type: 'unreachable' | 'prohibit' | 'blackhole' };
  /**
   * One flow of a kind is asked. Linux limits the ICMP errors that come of a route of IPv4 (five, then one a second), and
   * that cannot be lifted in a namespace: with all flows the words would hang on which was first.
   */
  readonly few?: true;
  readonly with?: Readonly<Partial<Record<FlowName, Readonly<Record<string, unknown>>>>>;
  readonly expect: Expectations;
  /** Why one end cannot know more, where the words are weaker than the truth at every tier. */
  readonly undecided?: string;
}

// What a flow through this behaviour is, apart from the witness.
const DATAGRAMS = 'meta l4proto { udp, gre }';
const TCP = 'tcp dport != 80';
const TCP_BACK = 'tcp sport != 80';

const forward =
  (verdict: string | ByFamily<string>, on: 'core' | 'firewall' = 'firewall') =>
  ({ to, family }: Target) => {
    const said = typeof verdict === 'string' ? verdict : verdict[family];
    return { [`${on}.forward`]: [`${to} ${DATAGRAMS} ${said}`, `${to} ${TCP} ${said}`] };
  };

const back =
  (verdict: string) =>
  ({ from }: Target) => ({
    'firewall.forward': [`${from} ${DATAGRAMS} ${verdict}`, `${from} ${TCP_BACK} ${verdict}`],
  });

/** A connection for one of the flows ends at this port of server1; its other ports are shut. */
const hijacked =
  (port: number) =>
  ({ to }: Target) => ({ 'server1.prerouting': [`${to} tcp dport { 22, 443, 8305 } redirect to :${port}`] });

/** Connections end at a port of server2. */
const elsewhere =
  (ports: string, port: number) =>
  ({ to, family }: Target) => {
    const server = addresses.server2[family];
    const end = family === 4 ? `ip to ${server}:${port}` : `ip6 to [${server}]:${port}`;
    return { 'firewall.prerouting': [`${to} tcp dport ${ports} dnat ${end}`] };
  };

/** The address stands for another behind the firewall, and ours for the core's. */
const translated =
  (to4: string, to6: string) =>
  ({ to, family }: Target) => ({
    'firewall.prerouting': [`${to} dnat ${family === 4 ? `ip to ${to4}` : `ip6 to ${to6}`}`],
    'core.postrouting': [`${to} masquerade`],
  });

/** TCP segments that carry data: more than the 40 bytes of a SYN's TCP header with all its options. */
const segments = ({ family }: Target): string => (family === 4 ? 'ip length > 60' : 'ip6 length > 40');
const LARGE = { 4: 'ip length > 1280', 6: 'ip6 length > 1240' } as const;

const synProxied = ({ to, from }: Target) => ({
  'firewall.raw': [`${to} tcp flags syn notrack`],
  'firewall.forward': [
    `${to} meta l4proto tcp ct state invalid,untracked synproxy mss 1400 wscale 7 timestamp sack-perm`,
    `${from} meta l4proto tcp ct state invalid drop`,
    `${to} meta l4proto tcp ct state invalid drop`,
  ],
});

/** The same words for all that is no TCP. An IP protocol is seen by raw sockets alone. */
const datagrams = (seen: Seen): Expectations => ({
  asked: seen,
  ambiguous: seen,
  'one-way': seen,
  ip: onlyRaw(seen[2] ?? seen[1] ?? seen[0]),
});
const everything = (seen: Seen): Expectations => ({ tcp: seen, ...datagrams(seen) });

const NO_PERMISSION = 'unproven no-permission likely';
const onlyRaw = (words: Words): Seen => [NO_PERMISSION, NO_PERMISSION, words];

const OPEN: Seen = ['open proven'];
const ONE_WAY: Seen = ['unproven one-way likely'];
const NO_HOST = 'unreachable no-host likely';
const NO_ROUTE = 'unreachable no-route likely';
const SILENCE: Seen = ['unproven silence likely'];

const passes: Expectations = {
  tcp: OPEN,
  witness: OPEN,
  asked: OPEN,
  ambiguous: OPEN,
  'one-way': ONE_WAY,
  ip: onlyRaw('open proven'),
};

/** Silence of a host that is known to be up. */
const dropped: Expectations = {
  tcp: ['blocked dropped proven', 'blocked dropped proven after firewall'],
  asked: ['blocked dropped likely', 'blocked dropped likely after firewall'],
  ambiguous: SILENCE,
  'one-way': ONE_WAY,
  ip: onlyRaw('unproven silence likely'),
};

const SILENT_HOST = 'a host that is down and one of which everything is dropped look the same';

/** Silence of a host of which nothing else is known. */
const mute = (place: Place): Expectations => ({
  ...dropped,
  tcp: ['unreachable silent likely', `unreachable silent likely after ${place}`],
  witness: ['unreachable silent likely', `unreachable silent likely after ${place}`],
  asked: SILENCE,
});

const closed: Expectations = {
  tcp: ['closed refused likely', 'closed reset likely', 'closed reset proven'],
  ...datagrams(['closed refused likely', 'closed port-unreachable proven']),
  ip: onlyRaw('closed refused proven'),
};

type Code = readonly [icmp: string, icmp6: string];
const codes = ([icmp, icmp6]: Code): ByFamily<string> => ({
  4: `reject with icmp type ${icmp}`,
  6: `reject with icmpv6 type ${icmp6}`,
});

/** An ICMP error that errno tells as well, and the error queue with its sender. */
function rejected(name: string, words: Code, numbers: Code, errno: Words): Behaviour {
  const seen = (number: string): Seen => [errno, `blocked rejected proven by firewall ${number}`];
  const [four, six] = [everything(seen(numbers[0])), everything(seen(numbers[1]))];
  return {
    name,
    what: `the firewall rejects it: ICMP ${numbers[0]}, ICMPv6 ${numbers[1]}`,
    at: 'server1',
    rules: forward(codes(words)),
    expect: byFamily(four, six),
  };
}

function byFamily(four: Expectations, six: Expectations): Expectations {
  const groups = Object.keys(four) as (FlowGroup | FlowName)[];
  return Object.fromEntries(groups.map((group) => [group, { 4: seenIn(four[group], 4), 6: seenIn(six[group], 6) }]));
}

function seenIn(expected: Expected | undefined, family: Family): Seen {
  if (expected === undefined) throw new Error('an expectation for one family alone');
  return '0' in expected ? expected : expected[family];
}

/**
 * Errors that a connecting socket hears of and a datagram's does not, since they may pass. Over IPv6 their errno is theirs
 * alone; over IPv4 a filter's 3/9, 3/10 and 3/13 have the same.
 */
function undelivered(name: string, words: Code, numbers: Code, how: string): Behaviour {
  const all = (errno: Words, number: string): Expectations => {
    const seen = (first: Words): Seen => [first, `unreachable ${how} likely by firewall ${number}`];
    return {
      tcp: seen(errno),
      asked: seen('blocked dropped likely'),
      ambiguous: seen(SILENCE[0]),
      'one-way': seen(ONE_WAY[0]),
      ip: onlyRaw(`unreachable ${how} likely by firewall ${number}`),
    };
  };
  return {
    name,
    what: `the firewall says that there is none: ICMP ${numbers[0]}, ICMPv6 ${numbers[1]}`,
    at: 'server1',
    rules: forward(codes(words)),
    expect: byFamily(all('blocked rejected likely', numbers[0]), all(`unreachable ${how} likely`, numbers[1])),
    undecided: 'a host that is up and a router that says it is not: who is right cannot be known',
  };
}

/** A router has no way there. `errno`: what a connecting socket hears; of this a datagram's hears nothing. */
function astray(errno: Words, words: Words): Expectations {
  const seen: Seen = [errno, words];
  // One that nobody has is known from any flow; that there is no route only from what each was told itself.
  const known = errno === NO_HOST;
  return {
    tcp: seen,
    witness: seen,
    asked: [known ? errno : SILENCE[0], words],
    ambiguous: [known ? errno : SILENCE[0], words],
    'one-way': [known ? errno : ONE_WAY[0], words],
    ip: onlyRaw(words),
  };
}

/** Nobody has the address. What asks for no answer does not wait for the three seconds of a lookup. */
const noHost = (word: Words): Expectations => {
  const seen: Seen = [NO_HOST, word];
  return { tcp: seen, witness: seen, asked: seen, ambiguous: seen, 'one-way': [NO_HOST], ip: onlyRaw(word) };
};

/** Our own routing table speaks before anything is asked, of raw sockets as well. */
const unsent = (words: Words): Expectations => ({ ...everything([words]), ip: [words], witness: [words] });

/** What bears it goes through delay.py. */
export const LATE_MARK = 2;

const ABSENT = ['10.3.0.99', 'fd00:3::99'] as const;

export const behaviours: readonly Behaviour[] = [
  { name: 'pass', what: 'nothing is in the way', at: 'server1', expect: {} },
  { name: 'service-down', what: 'nothing listens', at: 'server2', expect: closed },

  { name: 'drop', what: 'the firewall drops it', at: 'server1', rules: forward('drop'), expect: dropped },
  {
    name: 'drop-replies',
    what: 'the firewall drops the answers',
    at: 'server1',
    rules: back('drop'),
    expect: dropped,
    undecided: 'which of both ways is dropped shows at the far end alone',
  },
  {
    name: 'drop-all',
    what: 'the firewall drops all that goes to the host',
    at: 'server1',
    rules: ({ to }) => ({ 'firewall.forward': [`${to} drop`] }),
    expect: mute('firewall'),
    undecided: SILENT_HOST,
  },
  {
    name: 'reject-reset',
    what: 'the firewall resets it in the name of the host, one hop nearer',
    at: 'server1',
    rules: ({ to }) => ({ 'firewall.forward': [`${to} ${TCP} reject with tcp reset`] }),
    expect: { tcp: ['closed refused likely', 'closed reset likely', 'blocked reset proven by firewall'] },
  },
  {
    name: 'reject-reset-core',
    what: 'a router resets it in the name of the host, two hops nearer',
    at: 'server1',
    rules: ({ to }) => ({ 'core.forward': [`${to} ${TCP} reject with tcp reset`] }),
    expect: { tcp: ['closed refused likely', 'closed reset likely', 'blocked reset proven by core'] },
  },
  rejected('reject-port', ['port-unreachable', 'port-unreachable'], ['3/3', '1/4'], 'closed refused likely'),
  rejected('reject-net-admin', ['net-prohibited', 'policy-fail'], ['3/9', '1/5'], 'blocked rejected likely'),
  rejected('reject-host-admin', ['host-prohibited', 'reject-route'], ['3/10', '1/6'], 'blocked rejected likely'),
  rejected('reject-admin', ['admin-prohibited', 'admin-prohibited'], ['3/13', '1/1'], 'blocked rejected likely'),
  undelivered('reject-net', ['net-unreachable', 'no-route'], ['3/0', '1/0'], 'no-route'),
  undelivered('reject-host', ['host-unreachable', 'addr-unreachable'], ['3/1', '1/3'], 'no-host'),
  {
    name: 'forged-port',
    what: 'the firewall says port unreachable in the name of the host',
    at: 'server1',
    rules: (target) => ({
      ...forward({ 4: 'reject with icmp type port-unreachable', 6: 'reject with icmpv6 type port-unreachable' })(
        target,
      ),
      // The packet in the error, whose destination this is, begins 8 bytes into the ICMP message (RFC 792, RFC 4443 §3.1).
      'firewall.output':
        target.family === 4
          ? [`icmp type destination-unreachable @th,192,32 ${hex(target.address)} ip saddr set ${target.address}`]
          : [`icmpv6 type destination-unreachable @th,256,128 ${hex(target.address)} ip6 saddr set ${target.address}`],
    }),
    expect: everything(['closed refused likely', 'blocked rejected proven by firewall']),
  },

  {
    name: 'no-route',
    what: 'the first router has no route there',
    at: 'nowhere',
    few: true,
    expect: byFamily(
      astray(NO_ROUTE, 'unreachable no-route proven by router 3/0'),
      astray(NO_ROUTE, 'unreachable no-route proven by router 1/0'),
    ),
  },
  {
    name: 'route-unreachable',
    what: 'a router has a route there that says unreachable',
    at: 'beyond',
    route: { on: 'core', type: 'unreachable' },
    few: true,
    expect: byFamily(
      astray(NO_HOST, 'unreachable no-host proven by core 3/1'),
      astray(NO_ROUTE, 'unreachable no-route proven by core 1/0'),
    ),
  },
  {
    name: 'route-prohibit',
    what: 'the firewall has a route there that says prohibited',
    at: 'beyond',
    route: { on: 'firewall', type: 'prohibit' },
    few: true,
    expect: byFamily(
      everything(['blocked rejected likely', 'blocked rejected proven by firewall 3/13']),
      everything(['blocked rejected likely', 'blocked rejected proven by firewall 1/1']),
    ),
  },
  {
    name: 'route-blackhole',
    what: 'a router has a route there that swallows all',
    at: 'beyond',
    route: { on: 'core', type: 'blackhole' },
    undecided: SILENT_HOST,
    // It finds no way before it looks at the TTL, so the path ends at the router before it.
    expect: mute('router'),
  },
  {
    name: 'absent',
    what: 'nobody has the address, on the network of the servers',
    at: 'nobody',
    expect: byFamily(
      noHost('unreachable no-host proven by firewall 3/1'),
      noHost('unreachable no-host proven by firewall 1/3'),
    ),
  },
  {
    name: 'absent-on-link',
    what: 'nobody has the address, on our own network',
    at: 'on-link',
    expect: noHost('unreachable no-host proven'),
  },

  {
    name: 'own-drop',
    what: 'our own machine drops it',
    at: 'server1',
    rules: ({ to }) => ({ 'tech.output': [`${to} ${DATAGRAMS} drop`, `${to} ${TCP} drop`] }),
    expect: { tcp: ['blocked dropped proven'], ...datagrams(['blocked local proven']) },
  },
  {
    name: 'own-reject',
    what: 'our own machine rejects it',
    at: 'server1',
    rules: ({ to }) => ({ 'tech.output': [`${to} ${DATAGRAMS} reject`, `${to} ${TCP} reject`] }),
    expect: { tcp: ['closed refused likely', 'blocked local proven'], ...datagrams(['blocked local proven']) },
  },
  {
    name: 'own-route-unreachable',
    what: 'our own machine has a route there that says unreachable',
    at: 'beyond',
    route: { on: 'tech', type: 'unreachable' },
    expect: unsent('unreachable no-route proven'),
  },
  {
    name: 'own-route-prohibit',
    what: 'our own machine has a route there that says prohibited',
    at: 'beyond',
    route: { on: 'tech', type: 'prohibit' },
    expect: unsent('blocked local proven'),
  },
  {
    name: 'own-route-blackhole',
    what: 'our own machine has a route there that swallows all',
    at: 'beyond',
    route: { on: 'tech', type: 'blackhole' },
    expect: unsent('unreachable no-route proven'),
  },

  {
    name: 'intercept',
    what: 'TLS ends at another server',
    at: 'server1',
    rules: elsewhere('{ 443, 8305 }', OTHER_TLS_PORT),
    expect: { tls: ['intercepted issuer proven'], https: ['intercepted issuer proven'] },
  },
  {
    name: 'portal',
    what: 'connections end at a web page',
    at: 'server1',
    rules: elsewhere('{ 22, 443, 8305 }', 80),
    expect: { tcp: ['wrong-service stranger proven'] },
  },
  {
    name: 'accept-silence',
    what: 'accepted, and then nothing',
    at: 'server1',
    rules: hijacked(9001),
    expect: { tcp: ['wrong-service silent likely', 'wrong-service silent proven'] },
  },
  {
    name: 'accept-close',
    what: 'accepted, and closed',
    at: 'server1',
    rules: hijacked(9002),
    expect: { tcp: ['wrong-service closed proven'] },
  },
  {
    name: 'accept-reset',
    what: 'accepted, and reset',
    at: 'server1',
    rules: hijacked(9003),
    expect: { tcp: ['wrong-service reset likely', 'wrong-service reset likely', 'wrong-service reset proven'] },
  },
  {
    name: 'data-reset',
    what: 'the server resets on the first data',
    at: 'server1',
    rules: hijacked(9004),
    expect: { tcp: ['wrong-service reset likely', 'wrong-service reset likely', 'wrong-service reset proven'] },
  },
  {
    name: 'filter-data-reset',
    what: 'the firewall resets on the first data',
    at: 'server1',
    rules: (target) => ({
      'firewall.forward': [
        `${target.to} ${TCP} ${segments(target)} reject with tcp reset`,
        `${target.from} ${TCP_BACK} ${segments(target)} drop`,
      ],
    }),
    expect: { tcp: ['wrong-service reset likely', 'wrong-service reset likely', 'blocked reset proven by firewall'] },
  },
  {
    name: 'payload-drop',
    what: 'the handshake passes and the firewall drops the data',
    at: 'server1',
    rules: (target) => ({
      'firewall.forward': [
        `${target.to} ${TCP} ${segments(target)} drop`,
        `${target.from} ${TCP_BACK} ${segments(target)} drop`,
      ],
    }),
    expect: { tcp: ['wrong-service silent likely', 'blocked payload-dropped proven after firewall'] },
  },
  {
    name: 'syn-proxy',
    what: 'the firewall answers handshakes for a server that lives',
    at: 'server1',
    rules: synProxied,
    expect: {},
  },
  {
    name: 'syn-proxy-closed',
    what: 'the firewall answers handshakes for a server on which nothing listens',
    at: 'server2',
    rules: synProxied,
    expect: {
      ...closed,
      tcp: ['intercepted control-port proven'],
    },
  },
  {
    name: 'syn-proxy-dead',
    what: 'the firewall answers handshakes for a server that drops all but the witness',
    at: 'server2',
    rules: (target) => ({
      ...synProxied(target),
      'server2.input': [`${target.to} ${DATAGRAMS} drop`, `${target.to} ${TCP} drop`],
    }),
    expect: {
      tcp: ['intercepted control-port proven'],
      asked: dropped.asked ?? SILENCE,
      ambiguous: SILENCE,
      'one-way': ONE_WAY,
      ip: onlyRaw(SILENCE[0]),
    },
  },

  {
    name: 'first-lost',
    what: 'the first packet of every flow is lost',
    at: 'server1',
    rules: ({ to, ip }) => ({
      'firewall.forward': [
        ...['tcp', 'udp'].map(
          (transport) =>
            `${to} ${ip} saddr . ${ip} daddr . meta l4proto . th sport . th dport != @seen${ip} meta l4proto ${transport} add @seen${ip} { ${ip} saddr . ${ip} daddr . meta l4proto . th sport . th dport } drop`,
        ),
      ],
    }),
    expect: {},
  },
  {
    name: 'third-lost',
    what: 'one in three of our packets is lost',
    at: 'server1',
    // A count of its own for each flow, so that each meets the same pattern whatever the others do.
    rules: ({ to }) => ({
      'firewall.forward': flows.map(({ transport, port }) => {
        const flow = transport === 'gre' ? 'meta l4proto gre' : `${transport} dport ${port}`;
        return `${to} ${flow} numgen inc mod 3 1 drop`;
      }),
    }),
    expect: {},
  },
  {
    name: 'delay',
    what: 'every answer comes two seconds late',
    at: 'server1',
    rules: (target) => ({
      'firewall.raw': [
        `iifname lan ${target.from} meta l4proto != tcp meta mark set ${LATE_MARK}`,
        `iifname lan ${target.from} meta l4proto tcp ${segments(target)} meta mark set ${LATE_MARK}`,
      ],
    }),
    expect: {},
  },
  {
    name: 'mtu',
    what: 'packets above 1280 bytes are lost without a word, each way',
    at: 'server1',
    rules: ({ to, from, family }) => ({
      'core.forward': [`${to} ${LARGE[family]} drop`, `${from} ${LARGE[family]} drop`],
    }),
    expect: {
      tls: ['wrong-service silent likely', 'blocked oversize-dropped likely'],
      https: ['wrong-service silent likely', 'blocked oversize-dropped likely'],
    },
  },
  {
    name: 'mtu-forward',
    what: 'our packets above 1280 bytes are lost without a word',
    at: 'server1',
    rules: ({ to, family }) => ({ 'core.forward': [`${to} ${LARGE[family]} drop`] }),
    // A ClientHello of some 2 KiB.
    with: { tls: { alpn: Array.from({ length: 8 }, (_, index) => `${index}`.repeat(250)) } },
    expect: { tls: ['wrong-service silent likely', 'blocked oversize-dropped proven'] },
  },
  {
    name: 'nat',
    what: 'the address stands for another, ours as well',
    at: 'beyond',
    rules: translated(addresses.server1[4], addresses.server1[6]),
    // A translator without ports to tell flows apart by drops the keepalive when it comes back as a flow of its own.
    expect: { ip: onlyRaw(SILENCE[0]) },
  },
  {
    name: 'nat-service-down',
    what: 'the address stands for a host on which nothing listens',
    at: 'beyond',
    rules: translated(addresses.server2[4], addresses.server2[6]),
    expect: closed,
  },
  {
    name: 'nat-absent',
    what: 'the address stands for one that nobody has',
    at: 'beyond',
    rules: translated(...ABSENT),
    // The translator says it in the name of the address: from here both are one.
    expect: noHost(NO_HOST),
  },
];

/** As nftables compares raw bytes. */
function hex(address: string): string {
  if (!address.includes(':')) {
    return `0x${address
      .split('.')
      .map((part) => Number(part).toString(16).padStart(2, '0'))
      .join('')}`;
  }
  const [head = '', tail = ''] = address
    .split('::')
    .map((half) => half.split(':').filter(Boolean))
    .map((half) => half.map((part) => part.padStart(4, '0')).join(''));
  return `0x${head}${tail.padStart(32 - head.length, '0')}`;
}

const FIRST = 100;
const NETWORKS: Readonly<Record<Behaviour['at'], number>> = {
  server1: 3,
  server2: 3,
  nobody: 3,
  'on-link': 1,
  beyond: 4,
  nowhere: 9,
};

export function targetOf(behaviour: Behaviour, family: Family): Target {
  const network = NETWORKS[behaviour.at];
  const host = FIRST + behaviours.indexOf(behaviour);
  const address = family === 4 ? `10.${network}.0.${host}` : `fd00:${network}::${host.toString(16)}`;
  const ip = family === 4 ? 'ip' : 'ip6';
  return {
    behaviour: behaviour.name,
    family,
    address,
    ip,
    to: `${ip} daddr ${address}`,
    from: `${ip} saddr ${address}`,
  };
}

/** What must be said of this flow; what a behaviour does not mention passes. */
export function expectedOf(behaviour: Behaviour, flow: Flow, family: Family): Seen {
  const found = behaviour.expect[flow.name] ?? behaviour.expect[flow.group] ?? passes[flow.group];
  return seenIn(found, family);
}

export function wordsAt(seen: Seen, tier: Tier): Words {
  const [first, second = first, third = second] = seen;
  return { 1: first, 2: second, 3: third }[tier];
}

export const asked = (behaviour: Behaviour): readonly Flow[] =>
  behaviour.few === true ? flows.filter(({ few }) => few === true) : flows;

/** The address of a place as it shows to the tech. */
export function addressOf(place: string, target: Target): string {
  if (place === 'target') return target.address;
  const known: Readonly<Record<string, ByFamily<string>>> = addresses;
  const found = known[place]?.[target.family];
  if (found === undefined) throw new Error(`no place "${place}" in the lab`);
  return found;
}
