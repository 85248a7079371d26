// Cells of the verdict table: something answered, rightly, shallowly, in another's name, or to refuse what we presented.
import type { EvidenceBody } from '../../../src/contract/evidence.js';
import {
  FIREWALL,
  HERE,
  TARGET,
  alive,
  ambiguous,
  answered,
  at,
  attempt,
  oneWay,
  passing,
  path,
  receipt,
  record,
  run,
  refused,
  sent,
  shut,
  silent,
  stranger,
  turnedAway,
  udp,
  unable,
  type Cell,
} from '../records.js';

const tls = (over: Partial<Extract<EvidenceBody, { kind: 'tls' }>> = {}): EvidenceBody => ({
  kind: 'tls',
  issuer: 'CN=Site CA, O=Example',
  subject: 'CN=device',
  pin: 'AAAA',
  ...over,
});
const secure = { probe: 'tls', reach: 'secure' } as const;

export const answers: readonly Cell[] = [
  {
    name: 'an answer at the reach is open, proven by its depth',
    run: run(record({}, answered('protocol'))),
    is: { verdict: 'open', result: 'pass', certain: 'proven', proof: ['protocol'], facts: { version: '2.0' } },
    says: [/192\.0\.2\.5 to 198\.51\.100\.11, TCP 8305: ssh answers in 10 ms/],
  },
  {
    name: 'an answer deeper than the reach is open',
    run: run(record({ reach: 'port' }, answered('service'))),
    is: { verdict: 'open', proof: ['service'] },
  },
  {
    name: 'an accepted connection is open where the reach is port',
    run: run(record({ reach: 'port' }, answered('port'))),
    is: { verdict: 'open', proof: ['port'], certain: 'proven' },
    says: [/connection is accepted/],
  },
  {
    name: 'an accepted connection is open where the reach is path',
    run: run(record({ reach: 'path' }, answered('port'))),
    is: { verdict: 'open', result: 'pass' },
  },
  {
    name: 'an answer below the reach is unproven, shallow, and never green',
    run: run(record({}, answered('port'))),
    is: { verdict: 'unproven', how: 'shallow', result: 'unproven', proof: ['port'] },
    says: [/proves only that the port accepts/],
  },
  {
    name: 'a client certificate that is demanded and that we lack is open with that fact',
    run: run(record({}, answered('secure', { clientCertificate: 'demanded' }))),
    is: { verdict: 'open', result: 'pass', certain: 'proven', facts: { clientCertificate: 'demanded' } },
  },
  {
    name: 'a close right after the handshake, which asked for a certificate, is likely such a demand',
    run: run(record({}, answered('secure', { clientCertificate: 'probably demanded' }))),
    is: { verdict: 'open', certain: 'likely' },
  },
  {
    name: 'a demanded client certificate is shallow where the service itself must serve us',
    run: run(record({ reach: 'service' }, answered('secure', { clientCertificate: 'demanded' }))),
    is: { verdict: 'unproven', how: 'shallow' },
  },
  {
    name: 'a secure channel without such a demand is shallow where the protocol must answer',
    run: run(record({}, answered('secure', { clientCertificate: 'requested' }))),
    is: { verdict: 'unproven', how: 'shallow' },
  },
  {
    name: 'a protocol answer is shallow where the service itself must serve us',
    run: run(record({ reach: 'service' }, answered('protocol'))),
    is: { verdict: 'unproven', how: 'shallow' },
    says: [/the flow asks for the service/],
  },
  {
    name: 'an answer after silence is open, and says after how many askings and how slow',
    run: run(record({}, [silent(), answered()])),
    is: { verdict: 'open', result: 'pass', warning: 'answered only at asking 2, after 6 s' },
  },
  {
    name: 'requests resent within one attempt count as askings',
    run: run(record(udp, attempt(answered(), [], { sent: 3, durationMs: 2100 }))),
    is: { verdict: 'open', warning: 'answered only at asking 3, after 2.1 s' },
  },
  {
    name: 'a protocol whose asking takes two packets was not retried when two were sent',
    run: run(
      record(
        {
          ...udp,
          traits: { ...ambiguous.traits, sends: [{ what: 'discovery and request', packets: 2, bytes: 90 }] },
        },
        attempt(answered(), [], { sent: 2 }),
      ),
    ),
    is: { verdict: 'open', warning: undefined },
  },
  {
    name: 'an answer beside a refusal is open and the contradiction is described',
    run: run(record({}, [answered(), refused()])),
    is: { verdict: 'open', warning: 'not every asking was answered; of 2 askings: 1 answered, 1 refused' },
  },
  {
    name: 'a refused secret is denied, which passes with a warning',
    run: run(record({ ...udp, probe: 'radius' }, turnedAway('secret'))),
    is: {
      verdict: 'denied',
      how: 'secret',
      result: 'pass',
      certain: 'proven',
      proof: ['protocol'],
      warning: 'the service answered and refused our secret',
    },
    says: [/refused the shared secret \(Access-Reject\)/, /The network is fine/],
  },
  {
    name: 'refused credentials are denied and fail where the service must serve us',
    run: run(record({ reach: 'service' }, turnedAway('credentials'))),
    is: { verdict: 'denied', how: 'credentials', result: 'fail', warning: undefined },
    says: [/user name and password/, /does not try it again/],
  },
  {
    name: 'a refused client is denied',
    run: run(record({}, turnedAway('client'))),
    is: { verdict: 'denied', how: 'client', result: 'pass' },
    says: [/192\.0\.2\.5 added to the clients/],
  },
  {
    name: 'an answer without credentials does not undo a denial',
    run: run(record({}, [turnedAway('credentials'), answered('protocol')])),
    is: { verdict: 'denied', how: 'credentials' },
  },
  {
    name: 'a pin that differs is intercepted',
    run: run(record({ ...secure, identity: { pin: 'BBBB' } }, attempt(answered('secure'), [tls()]))),
    is: { verdict: 'intercepted', how: 'issuer', result: 'fail', certain: 'proven', proof: ['tls'] },
    says: [/CN=Site CA/, /another key/],
  },
  {
    name: 'a pin that matches settles it, whoever signed',
    run: run(
      record({ ...secure, identity: { pin: 'AAAA', issuer: 'CN=Other' } }, attempt(answered('secure'), [tls()])),
    ),
    is: { verdict: 'open', proof: ['secure', 'tls'] },
  },
  {
    name: 'an issuer that differs is intercepted',
    run: run(record({ ...secure, identity: { issuer: 'CN=Head Office CA' } }, attempt(answered('secure'), [tls()]))),
    is: { verdict: 'intercepted', how: 'issuer', certain: 'proven' },
    says: [/expects one of CN=Head Office CA/],
  },
  {
    name: 'a part of the issuer is enough, without regard to case and blanks',
    run: run(record({ ...secure, identity: { issuer: 'cn=site ca,o=example' } }, attempt(answered('secure'), [tls()]))),
    is: { verdict: 'open' },
  },
  {
    name: "a certificate that the site's CA did not sign is intercepted",
    run: run(
      record({ ...secure, identity: { ca: 'site-ca' } }, attempt(answered('secure'), [tls({ bySiteCa: false })])),
    ),
    is: { verdict: 'intercepted', how: 'issuer' },
  },
  {
    name: "a certificate that the site's CA signed is open",
    run: run(
      record({ ...secure, identity: { ca: 'site-ca' } }, attempt(answered('secure'), [tls({ bySiteCa: true })])),
    ),
    is: { verdict: 'open' },
  },
  {
    name: 'a self-signed certificate is a fact and no verdict where the site expects nobody',
    run: run(record(secure, attempt(answered('secure'), [tls({ issuer: 'CN=device' })]))),
    is: { verdict: 'open', warning: undefined },
  },
  {
    name: 'an identity that was never shown is not proven by silence about it',
    run: run(record({ ...secure, identity: { pin: 'AAAA' } }, answered('secure'))),
    is: { verdict: 'unproven', how: 'shallow' },
    says: [/no certificate showed the key/],
  },
  {
    name: 'an issuer expected and not shown is unproven',
    run: run(record({ ...secure, identity: { issuer: 'CN=Site' } }, answered('secure'))),
    is: { verdict: 'unproven', how: 'shallow' },
    says: [/showed the issuer/],
  },
  {
    name: 'a CA expected and not verified is unproven',
    run: run(record({ ...secure, identity: { ca: 'site-ca' } }, attempt(answered('secure'), [tls()]))),
    is: { verdict: 'unproven', how: 'shallow' },
  },
  {
    name: 'a proxy that closes after its own handshake is intercepted before it is a wrong service',
    run: run(record({ ...secure, identity: { pin: 'BBBB' } }, attempt(stranger('close'), [tls()]))),
    is: { verdict: 'intercepted', how: 'issuer' },
  },
  {
    name: 'an answer while the peer received nothing is intercepted',
    run: run(record({}, answered(), [receipt(false)])),
    is: { verdict: 'intercepted', how: 'receipt', certain: 'proven', proof: ['receipt'] },
    says: [/received nothing/],
  },
  {
    name: 'an answer and a receipt are open, with the address the peer saw',
    run: run(record({}, answered(), [receipt(true, true, FIREWALL)])),
    is: { verdict: 'open', proof: ['protocol', 'receipt'], facts: { version: '2.0', seenFrom: FIREWALL } },
  },
  {
    name: 'an accepted one-way TCP flow of which nothing arrived is intercepted',
    run: run(record(oneWay, sent(), [receipt(false)])),
    is: { verdict: 'intercepted', how: 'receipt' },
  },
  {
    name: "data from nearer than the host's other packets is intercepted, likely, by the hop that stands there",
    run: run(record({}, attempt(answered(), [alive('data', 63)]), [alive('echo', 62), path()])),
    is: { verdict: 'intercepted', how: 'ttl', certain: 'likely', proof: ['ttl'], by: { address: FIREWALL } },
    says: [/its data came from 1 hop away \(203\.0\.113\.1 stands there\), the host's other packets from 2/],
  },
  {
    name: "data as far away as the host's other packets is open, though ICMP starts at another TTL",
    run: run(record({}, attempt(answered(), [alive('data', 62)]), [alive('echo', 253)])),
    is: { verdict: 'open' },
  },
  {
    name: 'data from farther than an echo is open: somebody on the way answers ping',
    run: run(record({}, attempt(answered(), [alive('data', 62)]), [alive('echo', 63)])),
    is: { verdict: 'open' },
  },
  {
    name: "of two flows of one host only the nearer one's data accuses",
    run: run(
      record({}, attempt(answered(), [alive('data', 63)])),
      record({ flow: 'ssh', ...at(22) }, attempt(answered(), [alive('data', 62)])),
    ),
    is: { verdict: 'intercepted', how: 'ttl' },
  },
  {
    name: 'the farther one is open',
    run: run(
      record({}, attempt(answered(), [alive('data', 63)])),
      record({ flow: 'ssh', ...at(22) }, attempt(answered(), [alive('data', 62)])),
    ),
    index: 1,
    is: { verdict: 'open' },
  },
  {
    name: "a handshake from nearer followed by the host's own data is a SYN proxy: open",
    run: run(record({}, attempt(answered(), [alive('handshake', 63), alive('data', 62)]), [path()])),
    is: { verdict: 'open', facts: { version: '2.0', handshakeBy: FIREWALL }, certain: 'proven' },
  },
  {
    name: 'a SYN proxy without a path is told by its distance',
    run: run(record({}, attempt(answered(), [alive('handshake', 63)]), [alive('echo', 62)])),
    is: { verdict: 'open', facts: { version: '2.0', handshakeBy: 'something 1 hop away, nearer than the host at 2' } },
  },
  {
    name: 'a handshake and data from one place have no handshakeBy',
    run: run(record({}, attempt(answered(), [alive('handshake', 62), alive('data', 62)]))),
    is: { verdict: 'open', facts: { version: '2.0' } },
  },
  {
    name: 'a handshake from nearer and nothing else proves no port',
    run: run(record({ reach: 'port' }, attempt(answered('port'), [alive('handshake', 63)]), [alive('echo', 62)])),
    is: { verdict: 'unproven', how: 'shallow', proof: ['port', 'ttl'] },
    says: [/the host itself has not answered/],
  },
  {
    name: 'a handshake from nearer that is followed by a close is intercepted',
    run: run(record({}, attempt(stranger('close'), [alive('handshake', 63)]), [alive('echo', 62)])),
    is: { verdict: 'intercepted', how: 'ttl', certain: 'likely' },
  },
  {
    name: 'a port that must be shut and accepts makes a mere handshake intercepted, likely',
    run: run(record({ reach: 'port' }, answered('port'), [shut(9, stranger('close'))])),
    is: { verdict: 'intercepted', how: 'control-port', certain: 'likely', proof: ['control'] },
    says: [/TCP 9, which must be shut, accepts too/],
  },
  {
    name: 'two such ports prove it',
    run: run(record({ reach: 'port' }, answered('port'), [shut(9, stranger('close')), shut(7, answered('port'))])),
    is: { verdict: 'intercepted', how: 'control-port', certain: 'proven' },
  },
  {
    name: 'such a port seen beside another check of the host counts',
    run: run(
      record({}, stranger('silence')),
      record({ flow: 'web', ...at(443) }, answered(), [shut(9, stranger('silence'))]),
    ),
    is: { verdict: 'intercepted', how: 'control-port' },
  },
  {
    name: "the flow's own protocol at its reach through such a host is open, with handshakeBy and a warning",
    run: run(record({}, answered(), [shut(9, stranger('silence'))])),
    is: {
      verdict: 'open',
      facts: { version: '2.0', handshakeBy: 'something that also accepts TCP 9, which must be shut' },
      warning: 'connections to this host are accepted by something that also accepts TCP 9, which must be shut',
    },
  },
  {
    name: 'a port that must be shut and refuses is no sign of anything',
    run: run(record({ reach: 'port' }, answered('port'), [shut(9, refused())])),
    is: { verdict: 'open', warning: undefined },
  },
  {
    name: 'a port that must be shut says nothing of UDP',
    run: run(record(udp, answered(), [shut(9, stranger('close'))])),
    is: { verdict: 'open', facts: { version: '2.0' } },
  },
  {
    name: 'a port that must be shut does not make a stranger on UDP intercepted',
    run: run(record(udp, stranger('other-protocol'), [shut(9, stranger('close'))])),
    is: { verdict: 'wrong-service', how: 'stranger' },
  },
  {
    name: 'another flow that passes is no control that must be shut',
    run: run(record({ reach: 'port' }, answered('port'), [passing(22, answered())])),
    is: { verdict: 'open', warning: undefined },
  },
  {
    name: 'an answer with large packets lost is open, with a warning',
    run: run(
      record({}, answered(), [
        { kind: 'size', small: { bytes: 200, answered: true }, large: { bytes: 1400, answered: false } },
      ]),
    ),
    is: { verdict: 'open', warning: '200 bytes were answered and 1400 were not: large packets may be lost on the way' },
  },
  {
    name: 'a look that failed after an answer changes nothing of it',
    run: run(record({}, [answered(), unable('no-resources')])),
    is: { verdict: 'open' },
  },
  {
    name: 'an answer stands though the run was cut short',
    run: run(record({}, answered(), [], { interrupted: true })),
    is: { verdict: 'open', result: 'pass' },
  },
  {
    name: 'one untrusted issuer for hosts of two roles is a warning and no verdict',
    run: run(
      record(secure, attempt(answered('secure'), [tls()])),
      record(
        { ...secure, flow: 'cloud', ...at(443, '203.0.113.80', 'cloud') },
        attempt(answered('secure'), [tls({ pin: 'CCCC' })]),
      ),
    ),
    is: {
      verdict: 'open',
      result: 'pass',
      warning:
        "CN=Site CA, O=Example also signed for 203.0.113.80: a CA of your own, or a proxy on the way; the site file's `pin` or `issuer` would settle it",
    },
  },
  {
    name: 'one key under two names on unrelated hosts is called probably a proxy',
    run: run(
      record(secure, attempt(answered('secure'), [tls()])),
      record(
        { ...secure, flow: 'cloud', ...at(443, '203.0.113.80', 'cloud') },
        attempt(answered('secure'), [tls({ subject: 'CN=cloud' })]),
      ),
    ),
    is: {
      verdict: 'open',
      warning:
        "the same key is shown by 203.0.113.80 under another name: probably a proxy; the site file's `pin` or `issuer` would settle it",
    },
  },
  {
    name: 'one issuer for hosts of one role is no warning',
    run: run(
      record(secure, attempt(answered('secure'), [tls()])),
      record(
        { ...secure, flow: 'other', ...at(443, '203.0.113.80') },
        attempt(answered('secure'), [tls({ pin: 'CCCC' })]),
      ),
    ),
    is: { verdict: 'open', warning: undefined },
  },
  {
    name: 'one trusted certificate on two hosts is a shared one and no warning',
    run: run(
      record(secure, attempt({ kind: 'answered', depth: 'secure', facts: { trusted: true } }, [tls()])),
      record(
        { ...secure, flow: 'cloud', ...at(443, '203.0.113.80', 'cloud') },
        attempt({ kind: 'answered', depth: 'secure', facts: { trusted: true } }, [tls()]),
      ),
    ),
    is: { verdict: 'open', warning: undefined },
  },
  {
    name: 'one issuer that this machine trusts is no warning',
    run: run(
      record(secure, attempt({ kind: 'answered', depth: 'secure', facts: { trusted: true } }, [tls()])),
      record(
        { ...secure, flow: 'cloud', ...at(443, '203.0.113.80', 'cloud') },
        attempt(answered('secure'), [tls({ pin: 'CCCC' })]),
      ),
    ),
    is: { verdict: 'open', warning: undefined },
  },
  {
    name: 'a one-way message that the peer received is open by receipt',
    run: run(record({ ...udp, ...oneWay }, sent(), [receipt(true, false, HERE)])),
    is: { verdict: 'open', result: 'pass', certain: 'proven', proof: ['receipt'], facts: { seenFrom: HERE } },
    says: [/the far end received it from 192\.0\.2\.5/],
  },
  {
    name: 'a receipt opens a silent flow whose reach is path',
    run: run(record({ ...udp, ...ambiguous, reach: 'path' }, silent(), [receipt(true)])),
    is: { verdict: 'open', proof: ['receipt'] },
  },
  {
    name: 'a receipt without an answer leaves the way back unproven',
    run: run(record({ ...udp, ...ambiguous }, silent(), [receipt(true)])),
    is: { verdict: 'unproven', how: 'silence' },
  },
  {
    name: 'an inbound flow that a peer asked and that was answered is open',
    run: run(
      record(
        {
          direction: 'in',
          from: { role: 'device', host: TARGET, address: TARGET },
          to: { role: 'manager', address: HERE, port: 8305 },
        },
        [],
        [receipt(true, true)],
      ),
    ),
    is: { verdict: 'open', proof: ['receipt'] },
  },
];
