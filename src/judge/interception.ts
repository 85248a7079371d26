// Signs that a connection ends elsewhere than at the target. Asked first of whatever was accepted, whatever came then.
import type { Outcome } from '../contract/outcome.js';
import { hopsAway } from './distance.js';
import { reaches } from './depth.js';
import type { Finding } from './finding.js';
import { contradictsIdentity } from './identity.js';
import { hostHops } from './liveness.js';
import { receiptOf } from './receipt.js';
import { addressAtHop, evidenceOf, type Scene } from './scene.js';
import { away, listed } from './wording.js';

type Taken = Extract<Outcome, { kind: 'answered' | 'turned-away' | 'stranger' | 'sent' }>;

export function intercepted(scene: Scene, outcome: Taken): Finding | undefined {
  const finding = signOf(scene, outcome);
  const facts = 'facts' in outcome ? outcome.facts : undefined;
  // What answered in the target's name is what the tech must show to whoever runs it.
  return finding === undefined || facts === undefined ? finding : { ...finding, facts: { ...facts, ...finding.facts } };
}

function signOf(scene: Scene, outcome: Taken): Finding | undefined {
  return (
    otherIdentity(scene) ??
    peerReceivedNothing(scene, outcome) ??
    dataFromNearer(scene) ??
    everyPortAccepts(scene, outcome) ??
    onlyHandshakeFromNearer(scene, outcome)
  );
}

/** OpenSSL's words for a chain in which the next issuer is not to be found. */
const BROKEN_CHAIN: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);
const FORGOTTEN_INTERMEDIATE =
  'If that issuer is an intermediate of your own CA, the server forgets to send it along: have it sent, or add it to `ca`.';

// "pin, expected issuer or site CA does not match"
function otherIdentity(scene: Scene): Finding | undefined {
  const contradiction = contradictsIdentity(scene.record);
  if (contradiction === undefined) return undefined;
  const { outcome } = scene.deciding ?? {};
  const distrust = outcome !== undefined && 'facts' in outcome ? outcome.facts['distrust'] : undefined;
  const broken = typeof distrust === 'string' && BROKEN_CHAIN.has(distrust) && scene.check.identity?.ca !== undefined;
  return {
    verdict: 'intercepted',
    how: 'issuer',
    certain: 'proven',
    proof: ['tls'],
    seen: contradiction,
    ...(broken ? { hint: FORGOTTEN_INTERMEDIATE } : {}),
  };
}

// "the peer received nothing". A datagram that nobody answered and that did not arrive was dropped: that is not said here.
function peerReceivedNothing(scene: Scene, outcome: Taken): Finding | undefined {
  if (receiptOf(scene)?.arrived !== false) return undefined;
  if (outcome.kind === 'sent' && scene.check.carrier !== 'tcp') return undefined;
  return { verdict: 'intercepted', how: 'receipt', certain: 'proven', proof: ['receipt'] };
}

// "the TTL of its *data* against the host's other packets (likely)". Only a nearer sender can stand on the path; data from
// farther than some packet of the host's comes through that one's sender (NAT, or a firewall that answers ping).
function dataFromNearer(scene: Scene): Finding | undefined {
  if (scene.host.distances.length === 0) return undefined;
  const data = ownDataHops(scene);
  const others = otherHops(scene);
  if (data === undefined || others.length === 0 || others.includes(data) || data > Math.max(...others))
    return undefined;
  return nearerSender(scene, data, Math.max(...others), 'its data');
}

// "a port that must be shut accepts too". Where the flow's own protocol answers at its reach a SYN proxy accepts for the
// host and passes the data on: that is `open`, with the fact `handshakeBy`.
function everyPortAccepts(scene: Scene, outcome: Taken): Finding | undefined {
  const ports = scene.host.acceptsShut;
  if (ports.length === 0 || scene.check.carrier !== 'tcp' || ownProtocolAnswers(scene, outcome)) return undefined;
  return {
    verdict: 'intercepted',
    how: 'control-port',
    // One port may really serve something; two that must both be shut do not by chance.
    certain: ports.length > 1 ? 'proven' : 'likely',
    proof: ['control'],
    seen: `TCP ${listed(ports.map(String))}, which must be shut, ${ports.length > 1 ? 'accept' : 'accepts'} too`,
  };
}

// The handshake came from nearer than the host, and of the host itself came nothing: a SYN proxy with nobody behind it,
// or a proxy. A reset is judged by its own TTL, not here.
function onlyHandshakeFromNearer(scene: Scene, outcome: Taken): Finding | undefined {
  if (outcome.kind !== 'stranger' || outcome.came === 'reset' || outcome.came === 'other-protocol') return undefined;
  const nearer = handshakeNearer(scene);
  if (nearer === undefined || ownDataHops(scene) !== undefined) return undefined;
  return nearerSender(scene, nearer.hops, nearer.host, 'the handshake');
}

function nearerSender(scene: Scene, hops: number, host: number, what: string): Finding {
  const address = addressAtHop(scene, hops + 1);
  const place = address === undefined ? '' : ` (${address} stands there)`;
  return {
    verdict: 'intercepted',
    how: 'ttl',
    certain: 'likely',
    proof: ['ttl'],
    ...(address === undefined ? {} : { by: { address } }),
    seen: `${what} came from ${away(hops)}${place}, the host's other packets from ${host}`,
  };
}

function ownProtocolAnswers(scene: Scene, outcome: Taken): boolean {
  if (outcome.kind === 'turned-away') return true;
  return outcome.kind === 'answered' && outcome.depth !== 'port' && reaches(outcome.depth, scene.check.reach);
}

/** Of this very check, the nearest wins: data that a proxy sends must not hide behind the host's own. */
function ownDataHops(scene: Scene): number | undefined {
  const hops = scene.host.distances
    .filter(({ record, by }) => record === scene.record && (by === 'data' || by === 'reply'))
    .map((item) => item.hops);
  return hops.length === 0 ? undefined : Math.min(...hops);
}

/** Data, replies and echoes from the address that are not this check's own answer. Handshakes may be a SYN proxy's. */
function otherHops(scene: Scene): readonly number[] {
  return scene.host.distances
    .filter(({ record, by }) => by === 'echo' || (record !== scene.record && (by === 'data' || by === 'reply')))
    .map(({ hops }) => hops);
}

/** The handshake of this check came from nearer than packets that are the host's own. */
export function handshakeNearer(scene: Scene): { readonly hops: number; readonly host: number } | undefined {
  const { target } = scene;
  const known = hostHops(scene.host);
  if (!known.firm) return undefined;
  const handshake = evidenceOf(scene, 'alive').find(
    ({ by, ttl, address }) => by === 'handshake' && ttl !== undefined && address === target,
  );
  if (handshake?.ttl === undefined) return undefined;
  const hops = hopsAway(handshake.ttl);
  const host = Math.max(...known.hops);
  return hops < host && !known.hops.includes(hops) ? { hops, host } : undefined;
}

/** Who answers handshakes in the host's name, as a fact; undefined where nothing says that somebody does. */
export function handshakeBy(scene: Scene): string | undefined {
  const nearer = handshakeNearer(scene);
  if (nearer !== undefined) {
    return (
      addressAtHop(scene, nearer.hops + 1) ?? `something ${away(nearer.hops)}, nearer than the host at ${nearer.host}`
    );
  }
  const ports = scene.host.acceptsShut;
  if (ports.length === 0 || scene.check.carrier !== 'tcp') return undefined;
  return `something that also accepts TCP ${listed(ports.map(String))}, which must be shut`;
}
