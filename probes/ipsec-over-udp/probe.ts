// The `ipsec-over-udp` probe: Cisco's own way to carry ESP, on UDP 10000 unless another port is agreed. A gateway says
// nothing on it to whom it has no tunnel with, so a refusal proves something here, and silence nothing.
import { z } from 'zod';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Kit, Probe, Traits } from '../../src/contract/probe.js';

/**
 * A keepalive as NAT-T has it (RFC 3948 §2.3). It is too short for ESP, whose header alone is 8 bytes (RFC 4303 §2), so no
 * gateway looks for a tunnel of that number and logs that it has none, as it would for an ESP packet that we made up.
 */
const KEEPALIVE = Uint8Array.of(0xff);

const traits: Traits = {
  silence: 'ambiguous',
  depths: ['port'],
  defaultDepth: 'port',
  sends: [{ what: 'keepalive', packets: 1, bytes: KEEPALIVE.length }],
};

export const probe: Probe = {
  name: 'ipsec-over-udp',
  summary: "Cisco's IPsec over UDP: a refusal shows that nothing listens; silence proves nothing.",
  carriers: ['udp'],
  defaultPort: 10_000,
  options: z.strictObject({}),
  bind: (): BoundProbe => ({ traits, ask: (_target, kit) => ask(kit) }),
};

async function ask(kit: Kit): Promise<Outcome> {
  const socket = await kit.udp();
  // Who answers a keepalive is not IPsec: no answer is the protocol's own, so each makes its sender a stranger.
  return socket.exchange<Outcome>(KEEPALIVE, () => undefined);
}
