// The `gre` probe (RFC 2784, RFC 2890): a keepalive as routers send it, which a tunnel's end sends back without knowing.
// It sets up no tunnel.
import { z } from 'zod';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Target, Traits } from '../../src/contract/probe.js';
import { withoutZone } from '../../src/bytes/ip.js';
import { GRE, KEEPALIVE_BYTES, encodeKeepalive, isKeepalive, parseGre } from './packet.js';

const options = z.strictObject({
  key: z
    .number()
    .int()
    .min(0)
    .max(0xffff_ffff)
    .describe('Key of the tunnel (RFC 2890), where it has one; an end with a key drops what comes without.')
    .optional(),
});

function bind(_carrier: Carrier, given: unknown): BoundProbe {
  const { key } = options.parse(given);
  const traits: Traits = {
    // An end that has no tunnel with us, or that forwards nothing out of it, is healthy and says nothing.
    silence: 'ambiguous',
    depths: ['protocol'],
    defaultDepth: 'protocol',
    sends: [
      {
        what: 'GRE keepalive (20 bytes less over IPv4)',
        packets: 1,
        bytes: KEEPALIVE_BYTES + (key === undefined ? 0 : 4),
      },
    ],
    needs: 'open a raw socket (CAP_NET_RAW)',
  };
  return { traits, ask: (target, kit) => ask(target, kit, key) };
}

async function ask(target: Target, kit: Kit, key: number | undefined): Promise<Outcome> {
  const packets = await kit.ip(GRE);
  const request = encodeKeepalive({
    local: packets.local,
    remote: withoutZone(target.address),
    nonce: kit.nonce,
    ...(key === undefined ? {} : { key }),
  });
  return packets.exchange<Outcome>(request, (packet) =>
    // Traffic of real tunnels comes by as well.
    isKeepalive(parseGre(packet), kit.nonce)
      ? { kind: 'answered', depth: 'protocol', facts: { keepalive: 'returned' } }
      : undefined,
  );
}

export const probe: Probe = {
  name: 'gre',
  summary: 'GRE (IP protocol 47): a tunnel’s end sends our keepalive back; silence proves nothing',
  carriers: [{ ipProtocol: GRE }],
  options,
  bind,
};
