// The `esp` probe (RFC 4303): one packet of no security association. A healthy peer drops it without a word (§3.4.2), so
// only a host that has no ESP says something, and a peer that reports what arrived. IKE is another probe's business.
import { z } from 'zod';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Kit, Probe, Target, Traits } from '../../src/contract/probe.js';
import { ESP, PACKET_BYTES, RANDOM_BYTES, encodePacket } from './packet.js';

const options = z.strictObject({});

const traits: Traits = {
  silence: 'by-design',
  depths: ['protocol'],
  defaultDepth: 'protocol',
  sends: [{ what: 'ESP packet with a random SPI, which the peer may log', packets: 1, bytes: PACKET_BYTES }],
  needs: 'open a raw socket (CAP_NET_RAW)',
};

/** An ICMP error takes one round trip; who has not refused in a second will not. */
const REFUSAL_MS = 1000;

async function ask(_target: Target, kit: Kit): Promise<Outcome> {
  const packets = await kit.ip(ESP);
  await packets.send(encodePacket(kit.random(RANDOM_BYTES), kit.nonce), REFUSAL_MS);
  return { kind: 'sent', sent: 1, waitedMs: REFUSAL_MS };
}

export const probe: Probe = {
  name: 'esp',
  summary:
    'ESP (IP protocol 50): one packet of no association; no peer answers it, a refusal or a receipt proves the path',
  carriers: [{ ipProtocol: ESP }],
  options,
  bind: (): BoundProbe => ({ traits, ask }),
};
