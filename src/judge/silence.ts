// Nothing came back. What that means hangs on the protocol, on the wait, and on whether the host lives; green it never is.
import type { Outcome } from '../contract/outcome.js';
import { silences } from './askings.js';
import type { Finding } from './finding.js';
import { byReceipt } from './receipt.js';
import { lookupFailed, rejectedInFlight } from './refusal.js';
import { evidenceOf, lastHop, oversizeLost, unacknowledged, type Scene } from './scene.js';
import { oneWayUnproven, oversize } from './stranger.js';
import { seconds } from './wording.js';

type Silent = Extract<Outcome, { kind: 'silent' }>;

/**
 * Below about 3.5 s a TCP connect on Linux cannot tell an absent host (EHOSTUNREACH at 3.06 s) from dropped packets.
 * The margin below 3.5 s is for timers that fire early and clocks that round.
 */
const TCP_TELLING_MS = 3400;

const SHORT = `too short a wait to tell a host that is down from packets that are dropped`;

export function silent(scene: Scene, outcome: Silent): Finding {
  const told = rejectedInFlight(scene) ?? byReceipt(scene);
  if (told !== undefined) return told;
  if (scene.record.interrupted === true) return interrupted();
  if (oversizeLost(scene) !== undefined) return oversize(scene);
  // Datagrams never hear that a lookup failed; a TCP flow to the same host does.
  if (scene.host.lookupFailed && scene.host.alive === undefined) return lookupFailed(scene);
  return scene.check.carrier === 'tcp' ? tcp(scene, outcome) : datagram(scene);
}

// "TCP silence on a host that answers anything else is `blocked, dropped`"; else "`silent`, `likely`, with `after`, and
// advice that names both causes".
function tcp(scene: Scene, outcome: Silent): Finding {
  const { host } = scene;
  if (outcome.waitedMs < TCP_TELLING_MS) {
    return { ...unproven(), seen: `${seconds(outcome.waitedMs)} is ${SHORT}`, hint: 'Ask again with --timeout 5s.' };
  }
  const inferred = fromNeighbours(scene);
  if (inferred !== undefined) return inferred;
  const place = placeOf(scene);
  if (host.alive !== undefined) {
    return {
      verdict: 'blocked',
      how: 'dropped',
      // "What fell silent in the parallel pass is asked again, paced, before anything is called dropped."
      certain: host.alive === 'proven' && silences(scene.record) > 1 ? 'proven' : 'likely',
      proof: [...place.proof, 'silence'],
      direction: 'unknown',
      ...place.after,
      ...aliveSeen(scene),
    };
  }
  return {
    verdict: 'unreachable',
    how: 'silent',
    certain: 'likely',
    proof: [...place.proof, 'silence'],
    ...place.after,
  };
}

// "UDP silence is `blocked` only for a conclusive protocol on a host that is proven alive, and never more than `likely`
// without a peer (servers ignore strangers); else `unproven`." IP protocols and ping are no different.
function datagram(scene: Scene): Finding {
  const { host, check } = scene;
  if (check.traits.silence !== 'conclusive') return unproven();
  const inferred = fromNeighbours(scene);
  if (inferred !== undefined) return inferred;
  if (host.alive !== 'proven') return unproven();
  if (scene.record.undiagnosed === true && host.refusesUdp) {
    // Hosts send about six ICMP errors at once and then one a second (Linux icmp_ratelimit): not asked again, a closed port
    // and a dropped question look the same here.
    return { ...unproven(), seen: 'the host refuses other UDP questions and limits how often it says so' };
  }
  const place = placeOf(scene);
  return {
    verdict: 'blocked',
    how: 'dropped',
    certain: 'likely',
    proof: [...place.proof, 'silence'],
    direction: 'unknown',
    ...place.after,
    ...aliveSeen(scene),
  };
}

// "What the budget did not reach is `likely`, inferred from its neighbours, and says so."
function fromNeighbours(scene: Scene): Finding | undefined {
  if (scene.record.undiagnosed !== true) return undefined;
  const near = scene.hosts.rejecterNear(scene.target, scene.record);
  if (near === undefined) return undefined;
  return {
    verdict: 'blocked',
    how: 'rejected',
    certain: 'likely',
    proof: ['neighbours', 'silence'],
    by: near.by,
    direction: 'forward',
    seen: `no word came for this flow itself, but ${near.by.address} rejects ${near.flow}`,
  };
}

/** It left this machine and nothing refused it. */
export function sent(scene: Scene): Finding {
  const told = rejectedInFlight(scene) ?? byReceipt(scene);
  if (told !== undefined) return told;
  if (scene.record.interrupted === true) return interrupted();
  if (scene.host.lookupFailed && scene.host.alive === undefined) return lookupFailed(scene);
  const lost = unacknowledged(scene);
  if (lost !== undefined) {
    return {
      verdict: 'blocked',
      how: 'payload-dropped',
      certain: 'proven',
      proof: ['port', 'acked'],
      direction: 'unknown',
      ...placeOf(scene).after,
      seen: `${lost.sent - lost.acked} of our ${lost.sent} bytes were never acknowledged`,
    };
  }
  const outcome = scene.deciding?.outcome;
  const facts = outcome?.kind === 'sent' && outcome.facts !== undefined ? { facts: outcome.facts } : {};
  return { ...oneWayUnproven(scene), ...facts };
}

export function interrupted(): Finding {
  return { verdict: 'unproven', how: 'interrupted', certain: 'likely', proof: [] };
}

function unproven(): Finding {
  return { verdict: 'unproven', how: 'silence', certain: 'likely', proof: ['silence'] };
}

function placeOf(scene: Scene): { proof: ('path' | 'control')[]; after: Pick<Finding, 'after'> } {
  const hop = lastHop(scene);
  const proof: ('path' | 'control')[] = hop === undefined ? [] : ['path'];
  if (evidenceOf(scene, 'control').some(({ role }) => role === 'open')) proof.push('control');
  return { proof, after: hop === undefined ? {} : { after: hop } };
}

function aliveSeen(scene: Scene): { seen?: string } {
  return scene.host.witness === undefined ? {} : { seen: scene.host.witness };
}
