// Cells of the verdict table: somebody said no. By the target it is closed, by others blocked or unreachable.
import {
  FIREWALL,
  HERE,
  ROUTER,
  TARGET,
  alive,
  answered,
  at,
  attempt,
  icmp,
  lives,
  oneWay,
  path,
  record,
  refused,
  run,
  sent,
  silent,
  stranger,
  udp,
  type Cell,
} from '../records.js';

const V6 = '2001:db8:2::11';
const V6_ROUTER = '2001:db8:1::1';
const six = {
  to: { role: 'device', host: V6, address: V6, port: 8305 },
  from: { role: 'manager', address: '2001:db8:1::5' },
};
const gre = {
  carrier: { ipProtocol: 47 },
  probe: 'gre',
  to: { role: 'device', host: TARGET, address: TARGET },
} as const;

/** "From others": ICMP type and code, and what they make of it. */
const fromOthers: readonly Cell[] = [
  ...([2, 3, 9, 10, 13] as const).map((code): Cell => ({
    name: `ICMP 3/${code} from somebody else is blocked, rejected, proven, by him`,
    run: run(record({}, attempt(refused('host-unreachable'), [icmp(FIREWALL, 3, code)]))),
    is: {
      verdict: 'blocked',
      how: 'rejected',
      result: 'fail',
      certain: 'proven',
      proof: ['rejection'],
      by: { address: FIREWALL, icmp: { type: 3, code } },
      direction: 'forward',
    },
    says: [
      /rejected by 203\.0\.113\.1/,
      new RegExp(`\\(3/${code}\\)`),
      /Ask whoever runs 203\.0\.113\.1 to allow TCP 8305 from 192\.0\.2\.5/,
    ],
  })),
  ...([1, 4, 5, 6] as const).map((code): Cell => ({
    name: `ICMPv6 1/${code} from somebody else is blocked, rejected, proven, by him`,
    run: run(record(six, attempt(refused('prohibited'), [icmp(V6_ROUTER, 1, code)]))),
    is: { verdict: 'blocked', how: 'rejected', certain: 'proven', by: { address: V6_ROUTER, icmp: { type: 1, code } } },
    says: [/ICMPv6/],
  })),
  ...(
    [
      [ROUTER, {}, 3, 0, 'no-route'],
      [ROUTER, {}, 3, 1, 'no-host'],
      [V6_ROUTER, six, 1, 0, 'no-route'],
      [V6_ROUTER, six, 1, 3, 'no-host'],
    ] as const
  ).map(([from, over, type, code, how]): Cell => ({
    name: `${from.includes(':') ? 'ICMPv6' : 'ICMP'} ${type}/${code} from somebody else is unreachable, ${how}`,
    run: run(record(over, attempt(refused('net-unreachable'), [icmp(from, type, code)]))),
    is: { verdict: 'unreachable', how, result: 'fail', certain: 'proven', by: { address: from, icmp: { type, code } } },
  })),
];

export const refusals: readonly Cell[] = [
  ...fromOthers,
  {
    name: 'ECONNREFUSED alone is closed, refused, likely',
    run: run(record({}, refused('refused'))),
    is: { verdict: 'closed', how: 'refused', result: 'fail', certain: 'likely', proof: ['errno'] },
    says: [/it seems by 198\.51\.100\.11 itself/, /a firewall refuses in the host's name/],
  },
  {
    name: "a reset whose distance fits the host's other packets is closed, proven",
    run: run(record({}, refused('reset', { ttl: 62 }), [alive('echo', 62)])),
    is: { verdict: 'closed', how: 'reset', certain: 'proven', proof: ['reset', 'ttl'], by: { address: TARGET } },
    says: [/itself refuses with a TCP reset after 12 ms; nothing listens there/, /The network is fine/],
  },
  {
    name: 'a reset of unknown TTL is closed, likely',
    run: run(record({}, refused('reset'), [alive('echo', 62)])),
    is: { verdict: 'closed', how: 'reset', certain: 'likely', proof: ['reset'] },
  },
  {
    name: 'a reset with nothing to compare it to is closed, likely',
    run: run(record({}, refused('reset', { ttl: 62 }))),
    is: { verdict: 'closed', how: 'reset', certain: 'likely' },
  },
  {
    name: 'a refusal is not measured against itself',
    run: run(record({}, refused('reset', { ttl: 62 }), [alive('refusal', 62)])),
    is: { verdict: 'closed', certain: 'likely' },
  },
  {
    name: 'a reset from nearer than the host is blocked, reset, by the hop that stands there',
    run: run(record({}, refused('reset', { ttl: 63 }), [alive('echo', 62), path()])),
    is: { verdict: 'blocked', how: 'reset', certain: 'proven', proof: ['reset', 'ttl'], by: { address: FIREWALL } },
    says: [/reset by 203\.0\.113\.1, not by the host/, /came from 1 hop away/],
  },
  {
    name: 'a reset nearer than handshakes alone is blocked, reset, likely',
    run: run(record({}, refused('reset', { ttl: 63 }), [alive('handshake', 62)])),
    is: { verdict: 'blocked', how: 'reset', certain: 'likely', by: undefined },
  },
  {
    name: 'a reset from farther than the echo is closed, likely: the address is translated',
    run: run(record({}, refused('reset', { ttl: 61 }), [alive('echo', 62)])),
    is: { verdict: 'closed', how: 'reset', certain: 'likely' },
  },
  {
    name: 'ECONNREFUSED beside the reset that was seen is closed, reset',
    run: run(
      record({}, attempt(refused('refused'), [{ kind: 'reset', ttl: 62, phase: 'connect' }]), [alive('echo', 62)]),
    ),
    is: { verdict: 'closed', how: 'reset', certain: 'proven' },
  },
  {
    name: 'ECONNREFUSED with a TTL of a nearer sender is blocked, reset',
    run: run(record({}, refused('refused', { ttl: 63 }), [alive('echo', 62)])),
    is: { verdict: 'blocked', how: 'reset' },
  },
  {
    name: "a port-unreachable from the target's address and distance is closed, proven",
    run: run(record(udp, attempt(refused('port-unreachable'), [icmp(TARGET, 3, 3, 62)]), [alive('reply', 62)])),
    is: { verdict: 'closed', how: 'port-unreachable', certain: 'proven', proof: ['rejection', 'ttl'] },
    says: [/ICMP port unreachable \(3\/3\)/],
  },
  {
    name: 'a port-unreachable forged with the target address gives itself away by its TTL',
    run: run(record(udp, attempt(refused('port-unreachable'), [icmp(TARGET, 3, 3, 63)]), [alive('reply', 62), path()])),
    is: {
      verdict: 'blocked',
      how: 'rejected',
      certain: 'proven',
      proof: ['rejection', 'ttl'],
      by: { address: FIREWALL },
    },
    says: [/rejected by 203\.0\.113\.1, not by the host; it bears the host's address/],
  },
  {
    name: "a port-unreachable from the target's address without a TTL is closed, likely",
    run: run(record(udp, attempt(refused('port-unreachable'), [icmp(TARGET, 3, 3)]))),
    is: { verdict: 'closed', how: 'port-unreachable', certain: 'likely' },
  },
  {
    name: 'ECONNREFUSED that was an ICMP 3/3 of a firewall is blocked, rejected',
    run: run(record({}, attempt(refused('refused'), [icmp(FIREWALL, 3, 3)]))),
    is: {
      verdict: 'blocked',
      how: 'rejected',
      certain: 'proven',
      by: { address: FIREWALL, icmp: { type: 3, code: 3 } },
    },
  },
  {
    name: 'a refusal by a named other without its code is blocked, rejected, by him',
    run: run(record(udp, refused('port-unreachable', { by: FIREWALL }))),
    is: { verdict: 'blocked', how: 'rejected', certain: 'proven', by: { address: FIREWALL } },
  },
  {
    name: 'time exceeded refuses nothing',
    run: run(record({}, attempt(silent(), [icmp(ROUTER, 11, 0)]))),
    is: { verdict: 'unreachable', how: 'silent', by: undefined },
  },
  {
    name: 'the time exceeded of ICMPv6, which is type 3 there, refuses nothing',
    run: run(record(six, attempt(silent(), [icmp(V6_ROUTER, 3, 0)]))),
    is: { verdict: 'unreachable', how: 'silent', by: undefined },
  },
  {
    name: 'a rejection that came beside silence counts: datagrams never see host unreachable',
    run: run(record(udp, attempt(silent(), [icmp(ROUTER, 3, 1)]))),
    is: {
      verdict: 'unreachable',
      how: 'no-host',
      certain: 'proven',
      by: { address: ROUTER, icmp: { type: 3, code: 1 } },
    },
  },
  {
    name: 'a rejection that came once the connection stood is blocked, rejected',
    run: run(record({}, attempt(stranger('silence'), [icmp(FIREWALL, 3, 13)]))),
    is: { verdict: 'blocked', how: 'rejected', by: { address: FIREWALL, icmp: { type: 3, code: 13 } } },
  },
  {
    name: 'a rejection that came before the reset is blocked, rejected',
    run: run(record({}, attempt(stranger('reset'), [icmp(FIREWALL, 3, 13)]))),
    is: { verdict: 'blocked', how: 'rejected' },
  },
  {
    name: "the target's own firewall rejects in its own name",
    run: run(record({}, attempt(refused('host-unreachable'), [icmp(TARGET, 3, 10, 62)]), [alive('echo', 62)])),
    is: {
      verdict: 'blocked',
      how: 'rejected',
      certain: 'proven',
      by: { address: TARGET, icmp: { type: 3, code: 10 } },
    },
    says: [/by the firewall of 198\.51\.100\.11 itself/],
  },
  {
    name: "the target's own firewall without a TTL is likely",
    run: run(record({}, attempt(refused('host-unreachable'), [icmp(TARGET, 3, 13)]))),
    is: { verdict: 'blocked', how: 'rejected', certain: 'likely' },
  },
  {
    name: 'a target that finds no host behind itself is unreachable, likely',
    run: run(record({}, attempt(refused('host-unreachable'), [icmp(TARGET, 3, 1)]))),
    is: {
      verdict: 'unreachable',
      how: 'no-host',
      certain: 'likely',
      by: { address: TARGET, icmp: { type: 3, code: 1 } },
    },
  },
  {
    name: 'a host called unreachable that answers elsewhere is likely only, and the advice says so',
    run: run(record({}, attempt(refused('host-unreachable'), [icmp(ROUTER, 3, 1)])), lives),
    is: { verdict: 'unreachable', how: 'no-host', certain: 'likely' },
    says: [/Yet the host is up \(TCP 22 answers\)/],
  },
  {
    name: "our own kernel's host unreachable is a neighbour that did not answer",
    run: run(record({}, attempt(refused('host-unreachable', { afterMs: 3060 }), [icmp(HERE, 3, 1)]))),
    is: { verdict: 'unreachable', how: 'no-host', certain: 'proven', by: undefined },
    says: [/no machine at that address: the lookup of its address on the local network got no answer/],
  },
  {
    name: "our own kernel's no route is ours",
    run: run(record({}, attempt(refused('net-unreachable'), [icmp(HERE, 3, 0)]))),
    is: { verdict: 'unreachable', how: 'no-route', by: undefined },
    says: [/this machine has no route/],
  },
  {
    name: 'a rejection from our own address is our own firewall',
    run: run(record({}, attempt(refused('refused'), [icmp(HERE, 3, 3)]))),
    is: { verdict: 'blocked', how: 'local', certain: 'proven' },
  },
  {
    name: "this machine's own firewall is blocked, local, proven",
    run: run(record(udp, refused('local-firewall'))),
    is: { verdict: 'blocked', how: 'local', result: 'fail', certain: 'proven', proof: ['errno'] },
    says: [/this machine's own firewall/, /outgoing rules/],
  },
  {
    name: "this machine's own routing table is unreachable, no-route, proven",
    run: run(record({}, refused('no-route'))),
    is: { verdict: 'unreachable', how: 'no-route', result: 'fail', certain: 'proven', proof: ['errno'] },
    says: [/this machine has no route to 198\.51\.100\.11/],
  },
  {
    name: 'EHOSTUNREACH at once is blocked, rejected, likely, by nobody known',
    run: run(record({}, refused('host-unreachable'))),
    is: { verdict: 'blocked', how: 'rejected', certain: 'likely', proof: ['errno'], by: undefined },
    says: [/probably rejected by something on the way/, /Which device it was did not show/],
  },
  {
    name: 'ENETUNREACH at once is blocked, rejected, likely',
    run: run(record({}, refused('net-unreachable'))),
    is: { verdict: 'blocked', how: 'rejected', certain: 'likely' },
  },
  {
    name: 'EHOSTUNREACH over IPv6 is unreachable, no-host, at once or after a second: a filter says EACCES there',
    run: run(record(six, refused('host-unreachable', { afterMs: 1030 }))),
    is: { verdict: 'unreachable', how: 'no-host', certain: 'likely', proof: ['errno'] },
  },
  {
    name: 'ENETUNREACH over IPv6 is unreachable, no-route',
    run: run(record(six, refused('net-unreachable'))),
    is: { verdict: 'unreachable', how: 'no-route', certain: 'likely', proof: ['errno'] },
  },
  {
    name: 'EHOSTUNREACH at once is unreachable, no-host, where datagrams to that host went without a word',
    run: run(record({}, refused('host-unreachable', { afterMs: 900 })), record(udp, silent())),
    is: { verdict: 'unreachable', how: 'no-host', certain: 'likely' },
  },
  {
    name: 'ENETUNREACH is unreachable, no-route, where datagrams to that host went without a word',
    run: run(record({}, refused('net-unreachable')), record({ ...udp, ...oneWay }, sent())),
    is: { verdict: 'unreachable', how: 'no-route', certain: 'likely' },
  },
  {
    name: 'EHOSTUNREACH at once stays rejected where datagrams to that host went without a word and it lives',
    run: run(record({}, refused('host-unreachable')), record(udp, silent()), lives),
    is: { verdict: 'blocked', how: 'rejected', certain: 'likely' },
  },
  {
    name: 'EHOSTUNREACH after three seconds is a filter that limits its errors where a datagram was told as well',
    run: run(
      record({}, refused('no-neighbour', { afterMs: 3060 })),
      record(udp, refused('host-unreachable', { afterMs: 3060 })),
    ),
    is: { verdict: 'blocked', how: 'rejected', certain: 'likely' },
  },
  {
    name: 'EHOSTUNREACH of a datagram is a filter, however late: of a lookup that failed it hears nothing',
    run: run(record(udp, refused('no-neighbour', { afterMs: 3060 }))),
    is: { verdict: 'blocked', how: 'rejected', certain: 'likely' },
  },
  {
    name: 'ENETUNREACH after three seconds is no lookup that failed',
    run: run(record({}, refused('net-unreachable', { afterMs: 3060 }))),
    is: { verdict: 'blocked', how: 'rejected', certain: 'likely' },
  },
  {
    name: 'EHOSTUNREACH after three seconds is unreachable, no-host',
    run: run(record({}, refused('host-unreachable', { afterMs: 3060 }))),
    is: { verdict: 'unreachable', how: 'no-host', certain: 'likely', proof: ['errno'] },
    says: [/gave up after 3\.1 s, as it does when the address is not in use/],
  },
  {
    name: 'a failed neighbour lookup is unreachable, no-host, however fast',
    run: run(record({}, refused('no-neighbour', { afterMs: 5 }))),
    is: { verdict: 'unreachable', how: 'no-host', certain: 'likely' },
  },
  {
    name: 'a failed neighbour lookup of a host that answers elsewhere says so',
    run: run(record({}, refused('no-neighbour', { afterMs: 3060 })), lives),
    is: { verdict: 'unreachable', how: 'no-host' },
    says: [/it may come and go/],
  },
  {
    name: 'EHOSTUNREACH at once is unreachable, no-host, where another flow of the run waited out the lookup of that host',
    run: run(
      record({}, refused('host-unreachable', { afterMs: 90 })),
      record(at(22), refused('no-neighbour', { afterMs: 3060 })),
    ),
    is: { verdict: 'unreachable', how: 'no-host', certain: 'likely' },
    says: [/another flow of this run was told that nobody has 198\.51\.100\.11/],
  },
  {
    name: 'a paced asking that is rejected at once undoes what looked like a failed lookup',
    run: run(record({}, [refused('no-neighbour', { afterMs: 3060 }), refused('host-unreachable', { afterMs: 2 })])),
    is: { verdict: 'blocked', how: 'rejected', certain: 'likely' },
  },
  {
    name: 'EHOSTUNREACH at once stays rejected where the failed lookup was of another host, or the host lives',
    run: run(
      record({}, refused('host-unreachable', { afterMs: 90 })),
      record(at(22, '198.51.100.77'), refused('no-neighbour', { afterMs: 3060 })),
    ),
    is: { verdict: 'blocked', how: 'rejected', certain: 'likely' },
  },
  {
    name: 'EACCES is blocked, rejected, likely',
    run: run(record(six, refused('prohibited'))),
    is: { verdict: 'blocked', how: 'rejected', certain: 'likely' },
  },
  {
    name: 'protocol unreachable by the target is closed for an IP protocol: the path is open',
    run: run(record(gre, attempt(refused('protocol-unreachable'), [icmp(TARGET, 3, 2, 62)]), [alive('echo', 62)])),
    is: { verdict: 'closed', how: 'refused', certain: 'proven' },
    says: [/IP protocol 47 \(GRE\)/, /nothing handles it there/],
  },
  {
    name: 'ENOPROTOOPT alone is closed, likely, for an IP protocol',
    run: run(record(gre, refused('protocol-unreachable'))),
    is: { verdict: 'closed', how: 'refused', certain: 'likely' },
  },
  {
    name: 'ENOPROTOOPT alone is somebody else for TCP, which every host has',
    run: run(record({}, refused('protocol-unreachable'))),
    is: { verdict: 'blocked', how: 'rejected', certain: 'likely' },
  },
  {
    name: 'a refusal beats silence, and the difference is told',
    run: run(record({}, [silent(), refused('refused')])),
    is: { verdict: 'closed', how: 'refused' },
    says: [/of 2 askings: 1 silent, 1 refused/],
  },
  {
    name: 'a refusal by a known sender beats one by errno',
    run: run(record(udp, [refused('refused'), refused('port-unreachable', { by: FIREWALL })])),
    is: { verdict: 'blocked', how: 'rejected', by: { address: FIREWALL } },
  },
  {
    name: 'a refusal stands though the run was cut short',
    run: run(record({}, refused('refused'), [], { interrupted: true })),
    is: { verdict: 'closed', result: 'fail' },
  },
  {
    name: 'reach: path passes on closed, with a warning where it is only likely',
    run: run(record({ reach: 'path' }, refused('refused'))),
    is: {
      verdict: 'closed',
      result: 'pass',
      warning: "a firewall that refuses in the target's name would look the same",
    },
  },
  {
    name: 'reach: path passes on closed, proven, without a warning',
    run: run(record({ reach: 'path' }, refused('reset', { ttl: 62 }), [alive('echo', 62)])),
    is: { verdict: 'closed', result: 'pass', warning: undefined },
  },
  {
    name: 'reach: path fails on a forged reset',
    run: run(record({ reach: 'path' }, refused('reset', { ttl: 63 }), [alive('echo', 62)])),
    is: { verdict: 'blocked', result: 'fail' },
  },
  {
    name: 'the TTLs of other checks of the host serve as well',
    run: run(
      record({}, refused('reset', { ttl: 62 })),
      record({ flow: 'ssh', ...at(22) }, attempt(answered(), [alive('data', 62)])),
    ),
    is: { verdict: 'closed', certain: 'proven' },
  },
];
