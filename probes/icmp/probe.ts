// The `icmp` probe (RFC 792, RFC 4443 §4): one echo request, and the reply that carries the same bytes back.
import { z } from 'zod';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Kit, Probe, Target, Traits } from '../../src/contract/probe.js';
import { ICMP, ICMPV6, MESSAGE_BYTES, echoOf, encodeRequest, parseReply, sameEcho } from './packet.js';

const options = z.strictObject({});

const traits: Traits = {
  // RFC 1122 §3.2.2.6 wants every host to answer; their filters and those on the way often do not let it.
  silence: 'ambiguous',
  depths: ['protocol'],
  defaultDepth: 'protocol',
  sends: [{ what: 'ICMP echo request', packets: 1, bytes: MESSAGE_BYTES }],
  needs: 'open a raw socket (CAP_NET_RAW), or start the system’s ping',
};

async function ask({ family }: Target, kit: Kit): Promise<Outcome> {
  if (!(await kit.ipAllowed())) {
    const { ttl } = await kit.ping();
    return answered(ttl, 'the system’s ping');
  }
  const packets = await kit.ip(family === 6 ? ICMPV6 : ICMP);
  const asked = echoOf(kit.random(4), kit.nonce);
  return packets.exchange(encodeRequest(asked, family), (message, { ttl }) => {
    const reply = parseReply(message, family);
    // Replies to other programs of this machine come by as well.
    return reply !== undefined && sameEcho(reply, asked) ? answered(ttl, 'a raw socket') : undefined;
  });
}

function answered(ttl: number | undefined, askedBy: string): Outcome {
  return { kind: 'answered', depth: 'protocol', facts: { ...(ttl === undefined ? {} : { ttl }), askedBy } };
}

export const probe: Probe = {
  name: 'icmp',
  summary:
    'ICMP echo (ping): the host answers with the same bytes; many hosts and filters drop it, so silence proves nothing',
  carriers: ['icmp'],
  options,
  bind: (): BoundProbe => ({ traits, ask }),
};
