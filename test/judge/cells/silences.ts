// Cells of the verdict table: nothing came, or something accepted and then did not speak the protocol.
import type { EvidenceBody } from '../../../src/contract/evidence.js';
import {
  FIREWALL,
  HERE,
  ROUTER,
  TARGET,
  alive,
  ambiguous,
  answered,
  at,
  attempt,
  icmp,
  lives,
  oneWay,
  passing,
  path,
  receipt,
  record,
  refused,
  run,
  sent,
  shut,
  silent,
  stranger,
  udp,
  unable,
  type Cell,
} from '../records.js';

const acked = (sentBytes: number, ackedBytes: number): EvidenceBody => ({
  kind: 'acked',
  sent: sentBytes,
  acked: ackedBytes,
});
const size: EvidenceBody = {
  kind: 'size',
  small: { bytes: 200, answered: true },
  large: { bytes: 1400, answered: false },
};
const rejectedNeighbour = record(
  { flow: 'web', ...at(443) },
  attempt(refused('host-unreachable'), [icmp(FIREWALL, 3, 13)]),
);
const inbound = {
  direction: 'in',
  from: { role: 'device', host: TARGET, address: TARGET },
  to: { role: 'manager', address: HERE, port: 8305 },
} as const;

export const silences: readonly Cell[] = [
  {
    name: 'UDP silence is unreachable, no-host, where a TCP flow waited out the lookup of that host',
    run: run(record({ ...udp, ...ambiguous }, silent()), record(at(22), refused('no-neighbour', { afterMs: 3060 }))),
    is: { verdict: 'unreachable', how: 'no-host', result: 'fail', certain: 'likely', proof: ['neighbours'] },
  },
  {
    name: 'what needs no answer is unreachable, no-host, where another flow was told that nobody has the address',
    run: run(
      record({ ...udp, ...oneWay }, sent()),
      record(at(22), attempt(refused('host-unreachable'), [icmp(ROUTER, 3, 1)])),
    ),
    is: { verdict: 'unreachable', how: 'no-host', result: 'fail', certain: 'likely', proof: ['neighbours'] },
  },
  {
    name: 'who says in the name of the address that nobody has it is no sign of life',
    run: run(
      record({ ...udp, ...oneWay }, sent()),
      record(at(22), attempt(refused('host-unreachable'), [icmp(TARGET, 3, 1)])),
    ),
    is: { verdict: 'unreachable', how: 'no-host', certain: 'likely', proof: ['neighbours'] },
  },
  {
    name: 'UDP silence is no more than silence where the host came back while it was asked',
    run: run(
      record({ ...udp, ...ambiguous }, silent()),
      record(at(22), refused('no-neighbour', { afterMs: 3060 })),
      lives,
    ),
    is: { verdict: 'unproven', how: 'silence' },
  },
  {
    name: 'TCP silence, asked twice, on a host that answers elsewhere is blocked, dropped, proven',
    run: run(record({}, [silent(), silent()]), lives),
    is: {
      verdict: 'blocked',
      how: 'dropped',
      result: 'fail',
      certain: 'proven',
      proof: ['silence'],
      direction: 'unknown',
    },
    says: [
      /: dropped; nothing came back \(asked twice, 5 s each\), and the host is up \(TCP 22 answers\)/,
      /firewall of 198\.51\.100\.11 itself/,
    ],
  },
  {
    name: 'asked once it is likely',
    run: run(record({}, silent()), lives),
    is: { verdict: 'blocked', how: 'dropped', certain: 'likely' },
    says: [/probably dropped/],
  },
  {
    name: 'the last hop that answered is after',
    run: run(record({}, [silent(), silent()], [path()]), lives),
    is: { verdict: 'blocked', how: 'dropped', after: { hop: 2, address: FIREWALL }, proof: ['path', 'silence'] },
    says: [/at or after 203\.0\.113\.1 \(hop 2\)/],
  },
  {
    name: 'a control that passes to the same host is proof of its life',
    run: run(record({}, [silent(), silent()], [passing(22, answered())])),
    is: { verdict: 'blocked', how: 'dropped', certain: 'proven', proof: ['control', 'silence'] },
  },
  {
    name: 'a host known only by a refusal that may be forged makes it likely',
    run: run(record({}, [silent(), silent()]), record({ flow: 'ssh', ...at(22) }, refused('refused'))),
    is: { verdict: 'blocked', how: 'dropped', certain: 'likely' },
    says: [/TCP 22 is refused/],
  },
  ...(['echo', 'neighbour', 'reply', 'data', 'handshake'] as const).map((by): Cell => ({
    name: `a host known to live by ${by} makes it proven`,
    run: run(record({}, [silent(), silent()], [alive(by)])),
    is: { verdict: 'blocked', how: 'dropped', certain: 'proven' },
  })),
  {
    name: 'an ICMP error of the host itself is a sign of its life',
    run: run(record({}, [silent(), silent()]), record(udp, attempt(refused('port-unreachable'), [icmp(TARGET, 3, 3)]))),
    is: { verdict: 'blocked', how: 'dropped', certain: 'likely' },
  },
  {
    name: 'a path search that reached the host is a sign of its life',
    run: run(record({}, [silent(), silent()], [path(true)])),
    is: { verdict: 'blocked', how: 'dropped', certain: 'proven' },
  },
  {
    name: 'a stranger on another port is a sign of life',
    run: run(record({}, [silent(), silent()]), record({ flow: 'web', ...at(443) }, stranger('close'))),
    is: { verdict: 'blocked', how: 'dropped', certain: 'proven' },
  },
  {
    name: "a port-unreachable forged in the host's name does not make the host one that limits its refusals",
    run: run(
      record(udp, silent(), [alive('echo', 62)], { undiagnosed: true }),
      record({ ...udp, ...at(161) }, attempt(refused('port-unreachable'), [icmp(TARGET, 3, 3, 63)])),
    ),
    is: { verdict: 'blocked', how: 'dropped', certain: 'likely' },
  },
  {
    name: "ECONNREFUSED that was a firewall's ICMP is no sign of life of the host",
    run: run(
      record({}, [silent(), silent()]),
      record({ flow: 'web', ...at(443) }, attempt(refused('refused'), [icmp(FIREWALL, 3, 3)])),
    ),
    is: { verdict: 'unreachable', how: 'silent' },
  },
  {
    name: 'another host that answers is no sign of life of this one',
    run: run(record({}, [silent(), silent()]), record({ flow: 'ssh', ...at(22, '198.51.100.12') }, answered())),
    is: { verdict: 'unreachable', how: 'silent' },
  },
  {
    name: 'an answer by a proxy in its name is no sign of its life',
    run: run(
      record({}, [silent(), silent()]),
      record(
        { flow: 'web', ...at(443), identity: { pin: 'AAAA' } },
        attempt(answered('secure'), [{ kind: 'tls', pin: 'BBBB', issuer: 'CN=Proxy' }]),
      ),
    ),
    is: { verdict: 'unreachable', how: 'silent' },
  },
  {
    name: 'a handshake by something that accepts every port is no sign of its life',
    run: run(
      record({}, [silent(), silent()]),
      record({ flow: 'web', ...at(443), reach: 'port' }, answered('port'), [shut(9, stranger('close'))]),
    ),
    is: { verdict: 'unreachable', how: 'silent' },
  },
  {
    name: 'TCP silence on a host of which nothing came is unreachable, silent, likely, naming both causes',
    run: run(record({}, [silent(), silent()], [path()])),
    is: {
      verdict: 'unreachable',
      how: 'silent',
      result: 'fail',
      certain: 'likely',
      proof: ['path', 'silence'],
      after: { hop: 2, address: FIREWALL },
    },
    says: [
      /it is down, or all is dropped at or after 203\.0\.113\.1 \(hop 2\)/,
      /check that 198\.51\.100\.11 is up/,
      /at or after 203\.0\.113\.1/,
    ],
  },
  {
    name: 'a TCP wait below 3.4 s is never called dropped',
    run: run(record({}, [silent(3399), silent(1000)]), lives),
    is: { verdict: 'unproven', how: 'silence', result: 'unproven' },
    says: [/3\.4 s is too short a wait/, /--timeout 5s/],
  },
  {
    name: 'a TCP wait of 3.4 s is',
    run: run(record({}, [silent(3400), silent(1000)]), lives),
    is: { verdict: 'blocked', how: 'dropped' },
  },
  {
    name: 'what was not asked again is likely, and says so',
    run: run(record({}, [silent(), silent()], [], { undiagnosed: true }), lives),
    is: { verdict: 'blocked', how: 'dropped', certain: 'likely' },
    says: [/It was not asked again/],
  },
  {
    name: 'what was not asked again takes the culprit of its neighbours on the host, likely',
    run: run(record({}, silent(), [], { undiagnosed: true }), rejectedNeighbour),
    is: {
      verdict: 'blocked',
      how: 'rejected',
      certain: 'likely',
      proof: ['neighbours', 'silence'],
      by: { address: FIREWALL, icmp: { type: 3, code: 13 } },
    },
    says: [/203\.0\.113\.1 rejects TCP 443 to 198\.51\.100\.11/],
  },
  {
    name: 'a neighbour in the same network serves as well',
    run: run(
      record({}, silent(), [], { undiagnosed: true }),
      record(at(443, '198.51.100.77'), attempt(refused('host-unreachable'), [icmp(FIREWALL, 3, 13)])),
    ),
    is: { verdict: 'blocked', how: 'rejected', proof: ['neighbours', 'silence'] },
  },
  {
    name: 'one in another network does not',
    run: run(
      record({}, silent(), [], { undiagnosed: true }),
      record(at(443, '203.0.113.77'), attempt(refused('host-unreachable'), [icmp(FIREWALL, 3, 13)])),
    ),
    is: { verdict: 'unreachable', how: 'silent' },
  },
  {
    name: 'what was asked again and stayed silent is not inferred from neighbours',
    run: run(record({}, [silent(), silent()]), rejectedNeighbour),
    is: { verdict: 'unreachable', how: 'silent', by: undefined },
  },
  {
    name: 'conclusive UDP silence takes the culprit of its neighbours too when not asked again',
    run: run(record(udp, silent(), [], { undiagnosed: true }), rejectedNeighbour),
    is: { verdict: 'blocked', how: 'rejected', certain: 'likely' },
  },
  {
    name: 'a rejection of its own keeps proven though the second look was cut',
    run: run(record({}, attempt(refused('host-unreachable'), [icmp(FIREWALL, 3, 13)]), [], { undiagnosed: true })),
    is: { verdict: 'blocked', how: 'rejected', certain: 'proven' },
  },
  {
    name: 'conclusive UDP silence on a live host is blocked, dropped, and never more than likely',
    run: run(record(udp, [silent(5000, 5), silent(5000, 5)], [path()]), lives),
    is: {
      verdict: 'blocked',
      how: 'dropped',
      certain: 'likely',
      proof: ['path', 'silence'],
      after: { hop: 2, address: FIREWALL },
    },
    says: [/nothing came back \(question sent 10 times in 10 s\)/],
  },
  {
    name: 'conclusive UDP silence of a host of which nothing is known is unproven',
    run: run(record(udp, silent())),
    is: { verdict: 'unproven', how: 'silence', result: 'unproven', proof: ['silence'] },
    says: [/a host that is down look the same/],
  },
  {
    name: 'conclusive UDP silence of a host known only by a refusal is unproven',
    run: run(record(udp, silent()), record({ flow: 'ssh', ...at(22) }, refused('refused'))),
    is: { verdict: 'unproven', how: 'silence' },
  },
  {
    name: 'ambiguous UDP silence is unproven though the host lives',
    run: run(record({ ...udp, ...ambiguous }, [silent(), silent()]), lives),
    is: { verdict: 'unproven', how: 'silence' },
    says: [/may ignore a stranger/],
  },
  {
    name: 'UDP silence not asked again is unproven where the host limits its refusals',
    run: run(
      record(udp, silent(), [], { undiagnosed: true }),
      record({ ...udp, ...at(161) }, attempt(refused('port-unreachable'), [icmp(TARGET, 3, 3)])),
      lives,
    ),
    is: { verdict: 'unproven', how: 'silence' },
    says: [/limits how often/],
  },
  {
    name: 'a broadcast that nobody answers is unproven',
    run: run(
      record({ ...udp, broadcast: true, ...at(3080, '192.0.2.255') }, silent()),
      record(at(22, '192.0.2.255'), answered()),
    ),
    is: { verdict: 'unproven', how: 'silence' },
  },
  {
    name: 'ESP silence is unproven',
    run: run(record({ ...ambiguous, carrier: { ipProtocol: 50 }, probe: 'esp' }, silent()), lives),
    is: { verdict: 'unproven', how: 'silence' },
  },
  {
    name: 'silence of which nothing arrived at the peer is dropped forward, proven',
    run: run(record({ ...udp, ...ambiguous }, silent(), [receipt(false)])),
    is: { verdict: 'blocked', how: 'dropped', certain: 'proven', proof: ['receipt', 'silence'], direction: 'forward' },
    says: [/nothing arrived at the far end/],
  },
  {
    name: 'silence that the peer received and answered is dropped on the way back, proven',
    run: run(record({}, silent(), [receipt(true, true)])),
    is: { verdict: 'blocked', how: 'dropped', certain: 'proven', direction: 'return' },
    says: [/on its way back/, /let back the answers of TCP 8305 from 198\.51\.100\.11 to 192\.0\.2\.5/],
  },
  {
    name: 'a one-way datagram of which nothing arrived is dropped forward, proven',
    run: run(record({ ...udp, ...oneWay }, sent(), [receipt(false)])),
    is: { verdict: 'blocked', how: 'dropped', certain: 'proven', direction: 'forward' },
  },
  {
    name: 'a one-way datagram without receipt is unproven, one-way',
    run: run(record({ ...udp, ...oneWay }, sent()), lives),
    is: { verdict: 'unproven', how: 'one-way', result: 'unproven', proof: ['silence'] },
    says: [/whether it arrived cannot be seen from here/, /log of 198\.51\.100\.11/],
  },
  {
    name: 'a one-way datagram that can be found in a log says by what',
    run: run(record({ ...udp, ...oneWay }, sent({ nonce: '0102030405060708' })), lives),
    is: { verdict: 'unproven', how: 'one-way', facts: { nonce: '0102030405060708' } },
    says: [/Look for 0102030405060708 in the log/],
  },
  {
    name: 'a one-way datagram that somebody rejects is blocked, rejected',
    run: run(record({ ...udp, ...oneWay }, sent(), [icmp(FIREWALL, 3, 13)])),
    is: { verdict: 'blocked', how: 'rejected', certain: 'proven' },
  },
  {
    name: 'a TCP server that never speaks is one-way',
    run: run(record({ ...oneWay, probe: 'syslog' }, stranger('silence'))),
    is: { verdict: 'unproven', how: 'one-way', proof: ['port', 'silence'] },
  },
  {
    name: 'a TCP server that never speaks stays one-way though its TCP acknowledged',
    run: run(record({ ...oneWay, probe: 'syslog' }, stranger('silence'), [acked(40, 40)])),
    is: { verdict: 'unproven', how: 'one-way' },
  },
  {
    name: 'a TCP server that never speaks is open by receipt',
    run: run(record({ ...oneWay, probe: 'syslog' }, stranger('silence'), [receipt(true)])),
    is: { verdict: 'open', proof: ['receipt'] },
  },
  {
    name: 'one-way TCP data that was never acknowledged is payload-dropped',
    run: run(record({ ...oneWay, probe: 'syslog' }, sent(), [acked(40, 0)])),
    is: { verdict: 'blocked', how: 'payload-dropped', certain: 'proven' },
  },
  {
    name: 'data that was never acknowledged is lost at no hop that is known where the path of the handshake reached the host',
    run: run(record({}, stranger('silence'), [acked(40, 0), path(true)])),
    is: { verdict: 'blocked', how: 'payload-dropped', certain: 'proven', after: undefined },
  },
  {
    name: 'accepted, and the data never acknowledged, is blocked, payload-dropped',
    run: run(record({}, stranger('silence'), [acked(40, 0), path()])),
    is: {
      verdict: 'blocked',
      how: 'payload-dropped',
      result: 'fail',
      certain: 'proven',
      proof: ['port', 'acked'],
      after: { hop: 2, address: FIREWALL },
    },
    says: [/40 of our 40 bytes were never acknowledged/],
  },
  {
    name: 'acknowledged and ignored is wrong-service, silent, proven',
    run: run(record({}, stranger('silence'), [acked(40, 40)])),
    is: {
      verdict: 'wrong-service',
      how: 'silent',
      result: 'fail',
      certain: 'proven',
      proof: ['port', 'acked', 'silence'],
    },
  },
  {
    name: 'mute without TCP_INFO is wrong-service, silent, likely, and the advice names both',
    run: run(record({}, stranger('silence'))),
    is: { verdict: 'wrong-service', how: 'silent', certain: 'likely' },
    says: [/hangs, or something on the way drops the data/],
  },
  {
    name: 'small answered and large not is blocked, oversize-dropped, likely',
    run: run(record({}, stranger('silence'), [size])),
    is: { verdict: 'blocked', how: 'oversize-dropped', certain: 'likely', proof: ['size'] },
    says: [/200 bytes are answered, 1400 bytes are not/, /MTU/],
  },
  {
    name: 'and proven where the large one was never acknowledged',
    run: run(record({}, stranger('silence'), [size, acked(1400, 0)])),
    is: { verdict: 'blocked', how: 'oversize-dropped', certain: 'proven', proof: ['size', 'acked'] },
  },
  {
    name: 'a silent datagram protocol can be oversize-dropped too',
    run: run(record(udp, silent(), [size])),
    is: { verdict: 'blocked', how: 'oversize-dropped' },
  },
  {
    name: 'large and small both unanswered is no matter of size',
    run: run(record({}, stranger('silence'), [{ ...size, small: { bytes: 200, answered: false } }])),
    is: { verdict: 'wrong-service', how: 'silent' },
  },
  {
    name: 'another protocol is wrong-service, stranger, proven, in its own words',
    run: run(record({}, stranger('other-protocol', 'an SMTP\u001b[31m greeting'))),
    is: { verdict: 'wrong-service', how: 'stranger', result: 'fail', certain: 'proven', proof: ['port'] },
    says: [/shows an SMTP \[31m greeting/],
  },
  {
    name: 'accepted and closed is wrong-service, closed',
    run: run(record({}, stranger('close'))),
    is: { verdict: 'wrong-service', how: 'closed', result: 'fail', certain: 'proven' },
  },
  {
    name: 'accepted and reset is wrong-service, reset, likely',
    run: run(record({}, stranger('reset'))),
    is: { verdict: 'wrong-service', how: 'reset', certain: 'likely', proof: ['port', 'reset'] },
  },
  {
    name: 'a reset on data from where the handshake came is wrong-service, reset, proven',
    run: run(
      record({}, attempt(stranger('reset'), [alive('handshake', 62), { kind: 'reset', ttl: 62, phase: 'data' }])),
    ),
    is: { verdict: 'wrong-service', how: 'reset', certain: 'proven', proof: ['port', 'reset', 'ttl'] },
  },
  {
    name: 'a reset on data from nearer than the handshake is blocked, reset, by the hop that stands there',
    run: run(
      record({}, attempt(stranger('reset'), [alive('handshake', 62), { kind: 'reset', ttl: 63, phase: 'data' }]), [
        path(),
      ]),
    ),
    is: { verdict: 'blocked', how: 'reset', certain: 'proven', proof: ['reset', 'ttl'], by: { address: FIREWALL } },
    says: [/the handshake came from 2 hops away, the reset from 1/],
  },
  {
    name: 'a reset on data from farther, of which nothing else is known, is blocked, reset, likely',
    run: run(
      record({}, attempt(stranger('reset'), [alive('handshake', 63), { kind: 'reset', ttl: 62, phase: 'data' }])),
    ),
    is: { verdict: 'blocked', how: 'reset', certain: 'likely' },
  },
  {
    name: 'a reset on data from nearer is another one though somebody there answers ping in the name of the host',
    run: run(
      record({}, attempt(stranger('reset'), [alive('handshake', 62), { kind: 'reset', ttl: 63, phase: 'data' }]), [
        alive('echo', 63),
      ]),
    ),
    is: { verdict: 'blocked', how: 'reset', certain: 'proven' },
  },
  {
    name: 'a SYN proxy before a host that refuses is closed, by the host',
    run: run(
      record({}, attempt(stranger('reset'), [alive('handshake', 63), { kind: 'reset', ttl: 62, phase: 'data' }]), [
        alive('echo', 62),
      ]),
    ),
    is: { verdict: 'closed', how: 'reset', certain: 'proven', by: { address: TARGET } },
  },
  {
    name: 'silence when the run was cut short is unproven, interrupted',
    run: run(record({}, silent(), [], { interrupted: true }), lives),
    is: { verdict: 'unproven', how: 'interrupted', result: 'unproven', proof: [] },
    says: [/the run ended before/],
  },
  {
    name: 'nothing asked when the run was cut short is unproven, interrupted',
    run: run(record({}, [], [], { interrupted: true })),
    is: { verdict: 'unproven', how: 'interrupted' },
  },
  {
    name: 'a one-way flow cut short is unproven, interrupted',
    run: run(record({ ...udp, ...oneWay }, sent(), [], { interrupted: true })),
    is: { verdict: 'unproven', how: 'interrupted' },
  },
  {
    name: 'an attempt that was cut short is unproven, interrupted',
    run: run(record({}, unable('interrupted'))),
    is: { verdict: 'unproven', how: 'interrupted' },
  },
  {
    name: 'an inbound flow is unproven, no-peer, with the command that would prove it',
    run: run(record(inbound, [])),
    is: { verdict: 'unproven', how: 'no-peer', result: 'unproven', proof: [] },
    says: [/^198\.51\.100\.11 to 192\.0\.2\.5, TCP 8305/, /On 198\.51\.100\.11 run: linecheck check SITE --as device/],
  },
  {
    name: 'an inbound flow whose role has no host is unproven, no-host',
    run: run(record({ ...inbound, from: { role: 'device' } }, [])),
    is: { verdict: 'unproven', how: 'no-host' },
    says: [/role device/],
  },
  {
    name: 'a flow whose role has no host is unproven, no-host, with what to write',
    run: run(record({ to: { role: 'ntp-server', port: 123 } }, [])),
    is: { verdict: 'unproven', how: 'no-host', result: 'unproven' },
    says: [/no host for role ntp-server/, /--host ntp-server=ADDRESS/],
  },
  {
    name: 'a name without address is unreachable, no-address, proven by the resolver',
    run: run(
      record({ to: { role: 'device', host: 'fmc.example.net', port: 443 } }, [], [], {
        resolution: { ok: false, reason: 'no-address', detail: 'ENOTFOUND' },
      }),
    ),
    is: { verdict: 'unreachable', how: 'no-address', result: 'fail', certain: 'proven', proof: ['resolver'] },
    says: [/fmc\.example\.net, TCP 443: the name has no address here \(ENOTFOUND\)/],
  },
  {
    name: 'a resolver that does not answer is an error, unproven',
    run: run(
      record({ to: { role: 'device', host: 'fmc.example.net', port: 443 } }, [], [], {
        resolution: { ok: false, reason: 'resolver', detail: 'ETIMEOUT' },
      }),
    ),
    is: { verdict: 'error', how: 'resolver', result: 'unproven' },
    says: [/ETIMEOUT/, /write the address of fmc\.example\.net/],
  },
  ...(
    [
      ['no-permission', 'unproven', 'no-permission'],
      ['address-in-use', 'unproven', 'port-in-use'],
      ['no-resources', 'error', 'no-resources'],
      ['no-source', 'error', 'no-resources'],
      ['no-family', 'error', 'no-resources'],
      ['resolver', 'error', 'resolver'],
      ['bug', 'error', 'bug'],
    ] as const
  ).map(([reason, verdict, how]): Cell => ({
    name: `unable, ${reason}, is ${verdict}, ${how}, with its detail`,
    run: run(record({}, unable(reason, 'bind EACCES 0.0.0.0:68'))),
    is: { verdict, how, result: 'unproven' },
    says: [/bind EACCES 0\.0\.0\.0:68/],
  })),
  {
    name: 'a check that was never asked, for no reason given, is an error and not green',
    run: run(record({}, [])),
    is: { verdict: 'error', how: 'bug', result: 'unproven' },
  },
  {
    name: 'silence counts before a second look that could not be made',
    run: run(record({}, [silent(), unable('no-resources')]), lives),
    is: { verdict: 'blocked', how: 'dropped', certain: 'likely' },
  },
  {
    name: 'silence towards an answer that came on another flow of a name is judged by address',
    run: run(
      record({ to: { role: 'device', host: 'fmc.example.net', address: TARGET, port: 8305 } }, [silent(), silent()]),
      lives,
    ),
    is: { verdict: 'blocked', how: 'dropped' },
    says: [/fmc\.example\.net \(198\.51\.100\.11\)/],
  },
];
