// Verdicts told to a person: one sentence of what was seen, and what to do next and whom to ask. No rules; what a sentence
// says is in the finding already. Where a verdict is only likely, so is its sentence.
import type { HowWords, VerdictWord } from '../contract/verdict.js';
import { mixture, requestsSent, silences } from './askings.js';
import type { Finding } from './finding.js';
import type { Scene } from './scene.js';
import { carrierWords, endWords, routeWords, seconds, sourceOf, times } from './wording.js';

export interface Telling {
  readonly summary: string;
  readonly advice?: string;
}

/** What is said after `10.2.0.5 to 10.2.0.11, TCP 443: `. */
interface Phrase {
  readonly said: string;
  readonly advice?: string;
}
type Teller = (scene: Scene, finding: Finding) => Phrase;
type Book = {
  readonly [V in VerdictWord]: [HowWords[V]] extends [never] ? Teller : Readonly<Record<HowWords[V], Teller>>;
};

export function sentences(scene: Scene, finding: Finding): Telling {
  const { said, advice } = tellerOf(finding)(scene, finding);
  const differing = finding.verdict === 'open' || finding.verdict === 'denied' ? undefined : mixture(scene.record);
  const told = differing === undefined ? undefined : `The askings differ: ${differing}.`;
  const all = [advice, finding.hint, told].filter((part) => part !== undefined);
  return {
    summary: `${routeWords(scene.check, scene.deciding?.localAddress)}: ${said}.`,
    ...(all.length === 0 ? {} : { advice: all.join(' ') }),
  };
}

function tellerOf(finding: Finding): Teller {
  switch (finding.verdict) {
    case 'open':
      return BOOK.open;
    case 'denied':
      return BOOK.denied[finding.how];
    case 'closed':
      return BOOK.closed[finding.how];
    case 'blocked':
      return BOOK.blocked[finding.how];
    case 'unreachable':
      return BOOK.unreachable[finding.how];
    case 'intercepted':
      return BOOK.intercepted[finding.how];
    case 'wrong-service':
      return BOOK['wrong-service'][finding.how];
    case 'unproven':
      return BOOK.unproven[finding.how];
    case 'error':
      return BOOK.error[finding.how];
  }
}

const BOOK: Book = {
  open: (scene, finding) => ({ said: openSaid(scene, finding) }),

  denied: {
    secret: (scene, finding) => ({
      said: `${scene.check.probe} answered and refused the shared secret${by(finding)}`,
      advice: `The network is fine. Compare the secret with the one that ${far(scene)} holds for ${source(scene)}.`,
    }),
    credentials: (scene, finding) =>
      finding.facts?.['clientCertificate'] === 'refused'
        ? {
            said: `${scene.check.probe} answered and refused the client certificate${by(finding)}`,
            advice: `The network is fine. Have ${far(scene)} trust the CA that signed the certificate, and check that it has not expired.`,
          }
        : {
            said: `${scene.check.probe} answered and refused the user name and password${by(finding)}`,
            advice: `The network is fine. Check the account with whoever runs ${far(scene)}; linecheck does not try it again.`,
          },
    client: (scene, finding) => ({
      said: `${scene.check.probe} answered and refused this machine as a client${by(finding)}`,
      advice: `The network is fine. Have ${source(scene)} added to the clients that ${far(scene)} accepts.`,
    }),
  },

  closed: {
    reset: (scene, finding) => ({
      said: `${refusedBy(scene, finding)} with a TCP reset${after(scene)}; nothing listens there`,
      advice: closedAdvice(scene, finding),
    }),
    'port-unreachable': (scene, finding) => ({
      said: `${refusedBy(scene, finding)} with ${finding.seen ?? 'ICMP port unreachable'}${after(scene)}; nothing listens there`,
      advice: closedAdvice(scene, finding),
    }),
    refused: (scene, finding) => ({
      said: `refused${after(scene)}, ${finding.by === undefined ? 'it seems by' : likely(finding, 'by')} ${host(scene)} itself; ${
        scene.check.carrier === 'tcp' || scene.check.carrier === 'udp'
          ? 'nothing listens there'
          : 'nothing handles it there'
      }`,
      advice: closedAdvice(scene, finding),
    }),
  },

  blocked: {
    rejected: (scene, finding) => {
      if (finding.by === undefined && finding.proof.includes('ttl')) {
        return {
          said: `${likely(finding, 'rejected')} by something on the way, not by the host; ${what(finding)}`,
          advice: askFor(scene, 'whoever runs the firewalls on the way'),
        };
      }
      if (finding.by === undefined) {
        return {
          said: `probably rejected by something on the way: this machine was told${after(scene)} that it cannot be reached`,
          advice: `${askFor(scene, 'whoever runs the firewalls on the way')} Which device it was did not show.`,
        };
      }
      const { address } = finding.by;
      if (finding.proof.includes('neighbours')) {
        return {
          said: `nothing came back, probably rejected by ${address}; ${finding.seen ?? 'it rejects others'}`,
          advice: askFor(scene, `whoever runs ${address}`),
        };
      }
      if (finding.proof.includes('ttl') && address !== scene.target) {
        return {
          said: `${likely(finding, 'rejected')} by ${address}, not by the host; ${what(finding)}`,
          advice: askFor(scene, `whoever runs ${address}`),
        };
      }
      if (address === scene.target) {
        return {
          said: `${likely(finding, 'rejected')} by the firewall of ${address} itself, ${what(finding)}${after(scene)}`,
          advice: askFor(scene, `whoever runs ${address}`),
        };
      }
      return {
        said: `${likely(finding, 'rejected')} by ${address} with ${what(finding)}${after(scene)}`,
        advice: askFor(scene, `whoever runs ${address}`),
      };
    },
    reset: (scene, finding) => ({
      said: `${likely(finding, 'reset')} by ${finding.by?.address ?? 'something on the way'}, not by the host; ${finding.seen ?? 'the TTL differs'}`,
      advice: askFor(scene, `whoever runs ${finding.by?.address ?? 'the firewall or intrusion prevention on the way'}`),
    }),
    dropped: (scene, finding) => {
      const where = finding.after === undefined ? '' : ` at or after ${hop(finding)}`;
      const lost =
        finding.direction === 'return' ? `the answer was ${likely(finding, 'dropped')} on its way back` : undefined;
      const gone = lost ?? `${likely(finding, 'dropped')}${where}`;
      if (finding.proof.includes('receipt')) {
        return {
          said: `${gone}; ${finding.seen ?? 'the far end reports it'}`,
          advice:
            finding.direction === 'return'
              ? `Ask whoever runs the firewalls on the way to let back the ${answerRule(scene)}.`
              : askFor(
                  scene,
                  where === ''
                    ? 'whoever runs the firewalls on the way'
                    : `whoever runs ${hop(finding)} or what follows it`,
                ),
        };
      }
      return {
        said: `${gone}; nothing came back (${asked(scene)}), and the host is up${finding.seen === undefined ? '' : ` (${finding.seen})`}`,
        advice: `${askFor(scene, where === '' ? 'whoever runs the firewalls on the way' : `whoever runs ${hop(finding)} or what follows it`)} It may also be the firewall of ${host(scene)} itself, or its answers that are dropped.`,
      };
    },
    'payload-dropped': (scene, finding) => ({
      said: `the connection is accepted and the data after it is ${likely(finding, 'dropped')}; ${finding.seen ?? 'it was never acknowledged'}`,
      advice: `Ask whoever runs the firewalls or intrusion prevention on the way what they do with ${scene.check.probe} on ${port(scene)}${
        finding.after === undefined ? '' : `; the last router that answered is ${hop(finding)}`
      }.`,
    }),
    'oversize-dropped': (scene, finding) => ({
      said: `large packets are ${likely(finding, 'lost')} on the way: ${finding.seen ?? 'small ones are answered'}`,
      advice: `Ask whoever runs the tunnels and firewalls on the way to ${host(scene)} about the MTU, and to let ICMP "fragmentation needed" (3/4; IPv6: packet too big, 2/0) through.`,
    }),
    local: (scene, finding) => ({
      said: `this machine's own firewall or routing policy stops it${finding.seen === undefined ? '' : ` (${finding.seen})`}; nothing left the machine`,
      advice: `Allow ${port(scene)} to ${host(scene)} in this machine's own outgoing rules (nft list ruleset, ip rule, ip route get ${scene.target ?? host(scene)}).`,
    }),
  },

  unreachable: {
    'no-route': (scene, finding) =>
      finding.by === undefined
        ? {
            said: `this machine has no route to ${host(scene)}`,
            advice: `Check this machine's gateway and routes (ip route get ${scene.target ?? host(scene)}).`,
          }
        : {
            said: `${finding.by.address} has no route to ${host(scene)}: ${what(finding)}${after(scene)}`,
            advice: `Ask whoever runs ${finding.by.address} for a route to ${host(scene)}.`,
          },
    'no-host': (scene, finding) =>
      finding.by === undefined
        ? {
            said: `${likely(finding, 'no machine')} at that address: ${finding.seen ?? 'its lookup on the local network got no answer'}`,
            advice: `Check that ${host(scene)} is switched on and plugged in, and that this is its address.`,
          }
        : {
            said: `${finding.by.address} finds no machine at ${finding.by.address === scene.target ? 'the other side of it' : 'that address'}: ${what(finding)}${after(scene)}`,
            advice: `Check that ${host(scene)} is switched on, plugged in, and that this is its address; then ask whoever runs ${finding.by.address}.`,
          },
    'no-address': (scene, finding) => ({
      said: `the name has no address here${finding.seen === undefined || finding.seen === '' ? '' : ` (${finding.seen})`}`,
      advice: `Check how the site file spells the name; ask whoever runs DNS to add it, or write the address instead.`,
    }),
    silent: (scene, finding) => ({
      said: `nothing came back (${asked(scene)}), nor anything else from that address: it is down, or all is dropped${
        finding.after === undefined ? '' : ` at or after ${hop(finding)}`
      }`,
      advice: `First check that ${host(scene)} is up and that this is its address. If it is, ask whoever runs the firewalls ${
        finding.after === undefined ? 'on the way' : `at or after ${finding.after.address}`
      } to allow ${rule(scene)}.`,
    }),
  },

  intercepted: {
    issuer: (scene, finding) => ({
      said: `the TLS session does not end at ${host(scene)}: it shows ${finding.seen ?? 'another certificate'}`,
      advice: `Ask whoever runs the TLS inspection or proxy on the way to exempt ${rule(scene)}. If the certificate was renewed, bring pin and issuer in the site file up to date.`,
    }),
    ttl: (scene, finding) => ({
      said: `something nearer than ${host(scene)} probably answers in its name; ${finding.seen ?? 'the TTLs differ'}`,
      advice: `Ask whoever runs ${finding.by?.address ?? 'the proxies and firewalls on the way'} whether it answers for ${port(scene)}, and to let it pass to the host.`,
    }),
    'control-port': (scene, finding) => ({
      said: `something ${likely(finding, 'accepts')} connections in place of ${host(scene)}: ${finding.seen ?? 'ports that must be shut accept too'}`,
      advice: `Ask whoever runs the firewalls on the way what accepts connections to ${host(scene)} (a proxy, a portal, SYN protection), and check the service behind it.`,
    }),
    receipt: (scene) => ({
      said: `something answered or accepted it, and ${host(scene)} received nothing`,
      advice: `Ask whoever runs the firewalls on the way what answers for ${host(scene)} on ${port(scene)}, a proxy or a translated address.`,
    }),
  },

  'wrong-service': {
    stranger: (scene, finding) => ({
      said: `the port accepts, but ${scene.check.probe} does not answer there; it shows ${nonEmpty(finding.seen, 'another protocol')}`,
      advice: `Ask whoever runs ${host(scene)} what listens on ${port(scene)}; a proxy or a login portal on the way would look like this too.`,
    }),
    silent: (scene, finding) => ({
      said: `the port accepts and then says nothing; ${finding.seen ?? `${scene.check.probe} got no answer`}`,
      advice:
        finding.certain === 'proven'
          ? `The service on ${host(scene)} hangs, or something accepts in its place: ask whoever runs it to look at ${port(scene)}.`
          : `Either the service on ${host(scene)} hangs, or something on the way drops the data: ask whoever runs the host first, then the firewalls.`,
    }),
    closed: (scene) => ({
      said: `the connection is accepted and then closed, before ${scene.check.probe} answers`,
      advice: `Ask whoever runs ${host(scene)}: the service may not know ${source(scene)} as a client, or be starting, or another one listens on ${port(scene)}.`,
    }),
    reset: (scene, finding) => ({
      said: `the connection is accepted and then reset, before ${scene.check.probe} answers`,
      advice:
        finding.certain === 'proven'
          ? `Ask whoever runs ${host(scene)} what listens on ${port(scene)} and whether it accepts ${source(scene)}.`
          : `Ask whoever runs ${host(scene)} first; a firewall or intrusion prevention on the way may also have sent the reset.`,
    }),
  },

  unproven: {
    silence: (scene, finding) =>
      scene.check.carrier === 'tcp'
        ? {
            said: `no answer, and ${finding.seen ?? 'that alone proves nothing'}`,
            advice: `A longer wait decides it.`,
          }
        : {
            said: `nothing came back (${asked(scene)}); ${finding.seen ?? silenceMeans(scene)}`,
            advice: `A linecheck on ${host(scene)} would prove what arrives. Or ask whoever runs ${host(scene)} whether the question shows in its log.`,
          },
    'one-way': (scene, finding) => ({
      said: `sent, and this protocol has no answer: whether it arrived cannot be seen from here`,
      advice: `Look for ${finding.facts?.['nonce'] === undefined ? 'it' : String(finding.facts['nonce'])} in the log of ${host(scene)}, or let a linecheck there confirm receipt.`,
    }),
    'no-peer': (scene) => ({
      said: `${endWords(scene.check.from)} asks and this machine answers, so it can only be proven from there`,
      advice: `On ${endWords(scene.check.from)} run: linecheck check SITE --as ${scene.check.from.role} (with this site file).`,
    }),
    'no-host': (scene) => ({
      said: `the site names no host for role ${absentRole(scene)}, so nothing was asked`,
      advice: `Name it: --host ${absentRole(scene)}=ADDRESS, or under hosts in the site file; write none if there is none.`,
    }),
    'no-permission': (scene, finding) => ({
      said: `this machine was not allowed to ask (${nonEmpty(finding.seen, 'permission denied')}), so nothing is known`,
      advice: `${scene.check.traits.needs === undefined ? 'It needs a privilege' : `It needs to ${scene.check.traits.needs}`}: run it with sudo, or give node the capability, once: sudo setcap ${scene.check.to.port === undefined ? 'cap_net_raw' : 'cap_net_bind_service'}+ep $(readlink -f $(which node)).`,
    }),
    'port-in-use': (scene, finding) => ({
      said: `another program here holds the port that it must be sent from (${nonEmpty(finding.seen, 'address in use')})`,
      advice: `Stop the program that holds ${scene.check.carrier === 'udp' ? 'UDP' : 'TCP'} port ${
        scene.check.sourcePort === undefined ? 'of the source' : String(scene.check.sourcePort)
      } on this machine for the time of the check (ss -lnp shows it), and ask again.`,
    }),
    shallow: (scene, finding) => ({
      said: `it answers, but ${finding.seen ?? 'less than the flow asks for'}`,
      advice: shallowAdvice(scene),
    }),
    interrupted: () => ({
      said: `the run ended before this was decided`,
      advice: `Run it again, with a longer --max-time or fewer flows (--flow).`,
    }),
  },

  error: {
    'no-resources': (scene, finding) => ({
      said: `this machine could not ask: ${nonEmpty(finding.seen, 'out of resources')}; nothing is known of the network`,
      advice: `Check this machine's open-file limit (ulimit -n), and the source address and IP version that the site file asks for; a lower --concurrency may help.`,
    }),
    resolver: (scene, finding) => ({
      said: `the name could not be looked up: ${nonEmpty(finding.seen, 'the resolver did not answer')}; nothing was asked`,
      advice: `Check this machine's DNS servers, or write the address of ${scene.check.to.host ?? 'the host'} in the site file.`,
    }),
    bug: (_scene, finding) => ({
      said: `linecheck itself failed here: ${nonEmpty(finding.seen, 'no reason known')}; nothing is known of the network`,
      advice: `Please report it with the output of --format json.`,
    }),
  },
};

function openSaid(scene: Scene, finding: Finding): string {
  const { check, deciding } = scene;
  const outcome = deciding?.outcome;
  if (outcome?.kind !== 'answered') {
    const seenFrom = finding.facts?.['seenFrom'];
    return `the far end received it${typeof seenFrom === 'string' ? ` from ${seenFrom}` : ''}`;
  }
  const took = seconds(
    deciding?.timings.replyMs ?? deciding?.timings.tlsMs ?? deciding?.timings.connectMs ?? deciding?.durationMs ?? 0,
  );
  switch (outcome.depth) {
    case 'port':
      return `the connection is accepted in ${took}`;
    case 'secure':
      return `a secure session stands after ${took}`;
    case 'protocol':
      return `${check.probe} answers in ${took}`;
    case 'service':
      return `${check.probe} answers and serves us in ${took}`;
  }
}

/** The word itself where proven, `probably` before it where not. */
function likely(finding: Finding, word: string): string {
  return finding.certain === 'proven' ? word : `probably ${word}`;
}

function by(finding: Finding): string {
  return finding.seen === undefined || finding.seen === '' ? '' : ` (${finding.seen})`;
}

function nonEmpty(text: string | undefined, otherwise: string): string {
  return text === undefined || text === '' ? otherwise : text;
}

function what(finding: Finding): string {
  return nonEmpty(finding.seen, 'an ICMP error');
}

function hop(finding: Finding): string {
  return finding.after === undefined ? 'an unknown hop' : `${finding.after.address} (hop ${finding.after.hop})`;
}

function host(scene: Scene): string {
  return scene.check.direction === 'in' ? endWords(scene.check.from) : endWords(scene.check.to);
}

const far = host;

function source(scene: Scene): string {
  return sourceOf(scene.check, scene.deciding?.localAddress) ?? 'this machine';
}

function port(scene: Scene): string {
  return carrierWords(scene.check.carrier, scene.check.to.port);
}

/** `TCP 443 from 10.2.0.5 to 10.2.0.11`. */
function rule(scene: Scene): string {
  const { check } = scene;
  const to = check.to.address ?? check.to.host ?? `role ${check.to.role}`;
  const from = check.direction === 'in' ? endWords(check.from) : source(scene);
  return `${port(scene)} from ${from} to ${to}`;
}

function answerRule(scene: Scene): string {
  const { check } = scene;
  const from = check.to.address ?? check.to.host ?? `role ${check.to.role}`;
  return `answers of ${port(scene)} from ${from} to ${source(scene)}`;
}

function askFor(scene: Scene, whom: string): string {
  return `Ask ${whom} to allow ${rule(scene)}.`;
}

/** `after 12 ms`, of a refusal. */
function after(scene: Scene): string {
  const outcome = scene.deciding?.outcome;
  return outcome?.kind === 'refused' ? ` after ${seconds(outcome.afterMs)}` : '';
}

function refusedBy(scene: Scene, finding: Finding): string {
  return finding.certain === 'proven' ? `${host(scene)} itself refuses` : `refused, probably by ${host(scene)} itself,`;
}

function closedAdvice(scene: Scene, finding: Finding): string {
  const start = `Ask whoever runs ${host(scene)} to start the service on ${port(scene)}`;
  return finding.certain === 'proven'
    ? `The network is fine. ${start}.`
    : `${start}. If it runs, a firewall refuses in the host's name.`;
}

/** What went out and how long we listened: `asked twice, 5 s each`, `NTP request sent 10 times in 10 s`. */
function asked(scene: Scene): string {
  const { record, check, deciding } = scene;
  if (check.carrier === 'tcp') {
    const count = Math.max(1, silences(record));
    const waited = deciding?.outcome.kind === 'silent' ? `, ${seconds(deciding.outcome.waitedMs)}` : '';
    return `asked ${times(count)}${waited}${count > 1 && waited !== '' ? ' each' : ''}`;
  }
  const question = check.traits.sends[0]?.what ?? 'question';
  const waits = record.attempts.map(({ outcome }) => (outcome.kind === 'silent' ? outcome.waitedMs : 0));
  const total = waits.reduce((sum, waitedMs) => sum + waitedMs, 0);
  return `${question} sent ${times(Math.max(1, requestsSent(record)))} in ${seconds(total)}`;
}

function silenceMeans(scene: Scene): string {
  return scene.check.traits.silence === 'conclusive'
    ? 'a dropped question and a host that is down look the same'
    : 'a healthy server may ignore a stranger, so that decides nothing';
}

function shallowAdvice(scene: Scene): string {
  if (scene.check.identity !== undefined) {
    return `Compare what ${host(scene)} shows with pin, issuer and ca in the site file (linecheck probe tls shows it).`;
  }
  return scene.check.reach === 'service'
    ? `Give it the credentials or secrets of the service, and allow their use with --login.`
    : `Ask again with a probe that speaks the flow's own protocol.`;
}

function absentRole(scene: Scene): string {
  return scene.check.direction === 'in' ? scene.check.from.role : scene.check.to.role;
}
