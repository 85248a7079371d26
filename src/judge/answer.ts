// The service answered: `open`, `denied`, or not deep enough. Interception has been ruled out before.
import type { Attempt, Facts, Outcome } from '../contract/outcome.js';
import type { Certainty, Proof } from '../contract/verdict.js';
import { retryWarning } from './askings.js';
import { reaches } from './depth.js';
import type { Finding } from './finding.js';
import { identityUnseen, tlsShown } from './identity.js';
import { handshakeBy, handshakeNearer } from './interception.js';
import { receiptOf, seenFrom } from './receipt.js';
import { oversizeLost, type Scene } from './scene.js';
import { away, quoted } from './wording.js';

type Answered = Extract<Outcome, { kind: 'answered' }>;
type TurnedAway = Extract<Outcome, { kind: 'turned-away' }>;

// "the expected protocol answered at least as deep as the flow's reach"
export function answered(scene: Scene, attempt: Attempt, outcome: Answered): Finding {
  const { depth } = outcome;
  const { reach } = scene.check;
  const proof: Proof[] = [depth];
  if (tlsShown(scene.record) !== undefined) proof.push('tls');
  if (receiptOf(scene)?.arrived === true) proof.push('receipt');
  const facts = { ...outcome.facts, ...seenFrom(scene) };

  const demand = depth === 'secure' && reach === 'protocol' ? certificateDemand(facts) : undefined;
  if (!reaches(depth, reach) && demand === undefined) {
    return {
      verdict: 'unproven',
      how: 'shallow',
      certain: 'likely',
      proof,
      facts,
      seen: `the answer proves only ${DEPTHS[depth]}, and the flow asks for ${reach === 'path' ? reach : DEPTHS[reach]}`,
    };
  }
  const stranger = byWhom(scene, proof, facts);
  if (stranger !== undefined) return stranger;
  // "A handshake answered nearer" with no word of the host's own proves a SYN proxy and nothing of the host: where the
  // handshake is the whole answer, that is less than the flow asks for.
  const nearer = handshakeNearer(scene);
  if (depth === 'port' && nearer !== undefined) {
    return {
      verdict: 'unproven',
      how: 'shallow',
      certain: 'likely',
      proof: [...proof, 'ttl'],
      facts: { ...facts, ...handshakeFact(scene) },
      seen: `the connection was accepted ${away(nearer.hops)} and the host is ${away(nearer.host)}, so the host itself has not answered`,
    };
  }
  const by = handshakeFact(scene);
  return {
    verdict: 'open',
    certain: demand ?? 'proven',
    proof,
    facts: { ...facts, ...by },
    warnings: warningsOf(scene, attempt, by.handshakeBy),
  };
}

/**
 * "A demand for some, a client certificate say, is `open` with that fact." A service that lets nobody in without one
 * has spoken for itself; no probe without one comes further. Undefined: no demand.
 */
function certificateDemand({ clientCertificate }: Facts): Certainty | undefined {
  if (clientCertificate === 'demanded') return 'proven';
  return clientCertificate === 'probably demanded' ? 'likely' : undefined;
}

/** The site says how the far end must prove who it is, and nothing that came did. */
function byWhom(scene: Scene, proof: readonly Proof[], facts: Facts): Finding | undefined {
  const unseen = identityUnseen(scene.record);
  if (unseen === undefined) return undefined;
  return {
    verdict: 'unproven',
    how: 'shallow',
    certain: 'likely',
    proof,
    facts,
    seen: `no certificate showed the ${unseen} that the site names, so who answered is not known`,
  };
}

const DEPTHS = {
  port: 'that the port accepts',
  secure: 'a secure channel',
  protocol: 'the protocol',
  service: 'the service',
} as const;

// "the service answered and refused a secret, credentials or an address that we presented"
export function denied(scene: Scene, attempt: Attempt, outcome: TurnedAway): Finding {
  const facts = { ...outcome.facts, ...seenFrom(scene) };
  const stranger = byWhom(scene, ['protocol'], facts);
  if (stranger !== undefined) return stranger;
  return {
    verdict: 'denied',
    how: outcome.presented,
    certain: 'proven',
    proof: ['protocol'],
    facts,
    seen: quoted(outcome.by),
    warnings: warningsOf(scene, attempt, undefined),
  };
}

function handshakeFact(scene: Scene): { readonly handshakeBy?: string } {
  const by = handshakeBy(scene);
  return by === undefined ? {} : { handshakeBy: by };
}

function warningsOf(scene: Scene, attempt: Attempt, handshake: string | undefined): readonly string[] {
  const warnings: string[] = [];
  const retries = retryWarning(scene.record, attempt);
  if (retries !== undefined) warnings.push(retries);
  const size = oversizeLost(scene);
  if (size !== undefined) {
    warnings.push(`${size.small} bytes were answered and ${size.large} were not: large packets may be lost on the way`);
  }
  // A SYN proxy that shows by TTL is a fact and common; one that accepts ports which must be shut hides dead services.
  if (handshake !== undefined && scene.host.acceptsShut.length > 0) {
    warnings.push(`connections to this host are accepted by ${handshake}`);
  }
  return warnings;
}
