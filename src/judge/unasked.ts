// Nothing was asked, or this machine could not ask: inbound flows, missing hosts, names, resources.
import type { Outcome } from '../contract/outcome.js';
import type { Finding } from './finding.js';
import { byReceipt } from './receipt.js';
import type { Scene } from './scene.js';
import { interrupted } from './silence.js';
import { quoted } from './wording.js';

type Unable = Extract<Outcome, { kind: 'unable' }>;

export function unasked(scene: Scene): Finding {
  const { record, check } = scene;
  const far = check.direction === 'in' ? check.from : check.to;
  const received = byReceipt(scene);
  if (received !== undefined) return received;
  if (far.host === undefined && far.address === undefined && check.broadcast !== true) {
    return { verdict: 'unproven', how: 'no-host', certain: 'likely', proof: [] };
  }
  if (record.resolution?.ok === false) {
    const { reason, detail } = record.resolution;
    const seen = quoted(detail);
    return reason === 'no-address'
      ? { verdict: 'unreachable', how: 'no-address', certain: 'proven', proof: ['resolver'], seen }
      : { verdict: 'error', how: 'resolver', certain: 'likely', proof: ['resolver'], seen };
  }
  if (check.direction === 'in') return { verdict: 'unproven', how: 'no-peer', certain: 'likely', proof: [] };
  if (record.interrupted === true) return interrupted();
  return { verdict: 'error', how: 'bug', certain: 'likely', proof: [], seen: 'this check was planned and never asked' };
}

/** "the tool could not look": it proves nothing about the network. */
export function unable(scene: Scene, outcome: Unable): Finding {
  const seen = quoted(outcome.detail);
  if (scene.record.interrupted === true) return interrupted();
  switch (outcome.reason) {
    case 'interrupted':
      return interrupted();
    case 'no-permission':
      return { verdict: 'unproven', how: 'no-permission', certain: 'likely', proof: ['errno'], seen };
    case 'address-in-use':
      return { verdict: 'unproven', how: 'port-in-use', certain: 'likely', proof: ['errno'], seen };
    // A source address or an IP version that this machine does not have is something it lacks, like descriptors.
    case 'no-resources':
    case 'no-source':
    case 'no-family':
      return { verdict: 'error', how: 'no-resources', certain: 'likely', proof: ['errno'], seen };
    case 'resolver':
      return { verdict: 'error', how: 'resolver', certain: 'likely', proof: ['resolver'], seen };
    case 'bug':
      return { verdict: 'error', how: 'bug', certain: 'likely', proof: [], seen };
  }
}
