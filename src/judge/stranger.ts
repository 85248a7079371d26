// Something accepted, and the flow's protocol did not come: a filter on the way, or another service.
import type { Outcome } from '../contract/outcome.js';
import type { Finding } from './finding.js';
import { fit, hopsAway } from './distance.js';
import { handshakeBy } from './interception.js';
import { hostHops } from './liveness.js';
import { byReceipt } from './receipt.js';
import { rejectedInFlight } from './refusal.js';
import { addressAtHop, evidenceOf, lastHop, oversizeLost, unacknowledged, type Scene } from './scene.js';
import { away, quoted } from './wording.js';

type Stranger = Extract<Outcome, { kind: 'stranger' }>;

export function stranger(scene: Scene, outcome: Stranger): Finding {
  const facts = outcome.facts;
  switch (outcome.came) {
    case 'other-protocol':
      return {
        verdict: 'wrong-service',
        how: 'stranger',
        certain: 'proven',
        proof: ['port'],
        facts,
        seen: quoted(outcome.detail),
      };
    case 'silence':
      return { facts, ...mute(scene) };
    case 'close':
      return { verdict: 'wrong-service', how: 'closed', certain: 'proven', proof: ['port'], facts };
    case 'reset':
      return { facts, ...resetOnData(scene) };
  }
}

// "Accepted and then mute: data never acknowledged was dropped on the way; acknowledged and ignored is wrong-service, silent."
function mute(scene: Scene): Finding {
  const after = lastHop(scene);
  const place = after === undefined ? {} : { after };
  const rejection = rejectedInFlight(scene);
  if (rejection !== undefined) return rejection;
  const lost = unacknowledged(scene);
  const size = oversizeLost(scene);
  if (size !== undefined) return oversize(scene);
  if (lost !== undefined) {
    return {
      verdict: 'blocked',
      how: 'payload-dropped',
      certain: 'proven',
      proof: ['port', 'acked'],
      direction: 'unknown',
      ...place,
      seen: `${lost.sent - lost.acked} of our ${lost.sent} bytes were never acknowledged`,
    };
  }
  const oneWay = scene.check.traits.silence === 'by-design';
  if (oneWay) return byReceipt(scene) ?? oneWayUnproven(scene);
  const acked = evidenceOf(scene, 'acked')[0];
  if (acked !== undefined) {
    return {
      verdict: 'wrong-service',
      how: 'silent',
      certain: 'proven',
      proof: ['port', 'acked', 'silence'],
      seen: `all ${acked.sent} bytes of ours were acknowledged and nothing was answered`,
    };
  }
  // Without TCP_INFO lost data and an idle service look the same.
  return { verdict: 'wrong-service', how: 'silent', certain: 'likely', proof: ['port', 'silence'] };
}

// "TCP whose server never speaks (plain syslog) is one-way like a trap: unproven without receipt."
export function oneWayUnproven(scene: Scene): Finding {
  return {
    verdict: 'unproven',
    how: 'one-way',
    certain: 'likely',
    proof: scene.check.carrier === 'tcp' ? ['port', 'silence'] : ['silence'],
  };
}

/** A small request answered and a large one lost, at whatever the large one met. */
export function oversize(scene: Scene): Finding {
  const size = oversizeLost(scene);
  const lost = unacknowledged(scene);
  const after = lastHop(scene);
  return {
    verdict: 'blocked',
    how: 'oversize-dropped',
    // Unacknowledged data shows that the packet was lost, and not that the service ignores large requests.
    certain: lost === undefined ? 'likely' : 'proven',
    proof: lost === undefined ? ['size'] : ['size', 'acked'],
    direction: 'unknown',
    ...(after === undefined ? {} : { after }),
    ...(size === undefined ? {} : { seen: `${size.small} bytes are answered, ${size.large} bytes are not` }),
  };
}

// "A reset that answers data and bears another TTL than the handshake is `blocked, reset`."
function resetOnData(scene: Scene): Finding {
  const rejection = rejectedInFlight(scene);
  if (rejection !== undefined) return rejection;
  const reset = evidenceOf(scene, 'reset').find(({ phase, ttl }) => phase === 'data' && ttl !== undefined);
  const handshake = evidenceOf(scene, 'alive').find(({ by, ttl }) => by === 'handshake' && ttl !== undefined);
  if (reset?.ttl === undefined || handshake?.ttl === undefined) {
    return { verdict: 'wrong-service', how: 'reset', certain: 'likely', proof: ['port', 'reset'] };
  }
  const resetHops = hopsAway(reset.ttl);
  const handshakeHops = hopsAway(handshake.ttl);
  if (resetHops === handshakeHops) {
    return { verdict: 'wrong-service', how: 'reset', certain: 'proven', proof: ['port', 'reset', 'ttl'] };
  }
  const known = hostHops(scene.host);
  if (resetHops > handshakeHops && known.firm && fit(reset.ttl, known.hops) === 'fits') {
    // The handshake was a SYN proxy's, and behind it the host itself refuses: the path is fine, nothing listens.
    const by = handshakeBy(scene);
    return {
      verdict: 'closed',
      how: 'reset',
      certain: 'proven',
      proof: ['reset', 'ttl'],
      ...(scene.target === undefined ? {} : { by: { address: scene.target } }),
      ...(by === undefined ? {} : { facts: { handshakeBy: by } }),
    };
  }
  const address = addressAtHop(scene, resetHops + 1);
  return {
    verdict: 'blocked',
    how: 'reset',
    certain: resetHops < handshakeHops ? 'proven' : 'likely',
    proof: ['reset', 'ttl'],
    ...(address === undefined ? {} : { by: { address } }),
    direction: 'forward',
    seen: `the handshake came from ${away(handshakeHops)}, the reset from ${resetHops}`,
  };
}
