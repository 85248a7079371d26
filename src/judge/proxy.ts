// What stops a check on its way into a proxy. What the far end says through one is judged like anything it says.
import type { Outcome } from '../contract/outcome.js';
import type { Finding } from './finding.js';
import type { Scene } from './scene.js';
import { quoted } from './wording.js';

type Refused = Extract<Outcome, { kind: 'refused' }>;

/** Undefined where there is no proxy, or where nothing left this machine. */
export function refusedByProxy(scene: Scene, outcome: Refused): Finding | undefined {
  const { via } = scene.check;
  if (via === undefined || outcome.signal === 'local-firewall' || outcome.signal === 'no-route') return undefined;
  const by = outcome.by === undefined ? {} : { by: { address: outcome.by } };
  if (outcome.said !== undefined) {
    // HTTP in the proxy's own connection: nobody else says it.
    return {
      verdict: 'blocked',
      how: 'rejected',
      certain: 'proven',
      proof: ['rejection'],
      ...by,
      direction: 'forward',
      seen: quoted(outcome.said),
    };
  }
  return {
    verdict: 'blocked',
    how: 'rejected',
    certain: 'likely',
    proof: ['errno'],
    ...by,
    direction: 'forward',
    seen: 'a refused connection to the proxy',
    hint: `The proxy ${via} did not accept the connection; of what lies beyond it nothing is known.`,
  };
}

/** Undefined where there is no proxy. */
export function silentProxy(scene: Scene): Finding | undefined {
  const { via } = scene.check;
  if (via === undefined || scene.record.interrupted === true) return undefined;
  return {
    verdict: 'unreachable',
    how: 'silent',
    certain: 'likely',
    proof: ['silence'],
    hint: `It was the proxy ${via} that did not answer; of what lies beyond it nothing is known.`,
  };
}
