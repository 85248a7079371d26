// What the peer at the far end says it received, where one end's silence would decide nothing.
import type { Evidence } from '../contract/evidence.js';
import type { Finding } from './finding.js';
import { evidenceOf, lastHop, type Scene } from './scene.js';

export type Receipt = Extract<Evidence, { kind: 'receipt' }>;

/** Of several, the one that tells most: arrived and answered, arrived, not arrived. */
export function receiptOf(scene: Scene): Receipt | undefined {
  const receipts = evidenceOf(scene, 'receipt');
  return (
    receipts.find(({ arrived, sentBack }) => arrived && sentBack) ??
    receipts.find(({ arrived }) => arrived) ??
    receipts[0]
  );
}

/** Address translation is a fact: firewall rules match the address that arrives. */
export function seenFrom(scene: Scene): Readonly<Record<string, string>> {
  const from = receiptOf(scene)?.from;
  return from === undefined ? {} : { seenFrom: from };
}

/**
 * For a question that nothing answered: `open` where the far end proves receipt of what needs no answer, `dropped` with
 * its direction where an answer was due. A peer that received and did not answer leaves the way back unproven.
 */
export function byReceipt(scene: Scene): Finding | undefined {
  const receipt = receiptOf(scene);
  if (receipt === undefined) return undefined;
  const { check } = scene;
  const oneWay = check.traits.silence === 'by-design';
  // An inbound flow is asked by the peer, and the receipt is ours: what came back reached the peer, or it says so.
  const answered = check.direction === 'in' && receipt.sentBack;
  if (receipt.arrived && (oneWay || check.reach === 'path' || answered)) {
    return { verdict: 'open', certain: 'proven', proof: ['receipt'], facts: seenFrom(scene) };
  }
  const after = lastHop(scene);
  const place = after === undefined ? {} : { after };
  if (!receipt.arrived) {
    return {
      verdict: 'blocked',
      how: 'dropped',
      certain: 'proven',
      proof: ['receipt', 'silence'],
      direction: 'forward',
      ...place,
      seen: 'nothing arrived at the far end, which listened',
    };
  }
  if (receipt.sentBack && scene.deciding !== undefined) {
    return {
      verdict: 'blocked',
      how: 'dropped',
      certain: 'proven',
      proof: ['receipt', 'silence'],
      direction: 'return',
      ...place,
      facts: seenFrom(scene),
      seen: 'the far end received it and answered, and the answer never came back',
    };
  }
  return undefined;
}
