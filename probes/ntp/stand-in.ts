// The smallest NTP server: it answers a client's question, and says that its clock is not synchronised.
// It never sends more than it was sent.
import { ProtocolError } from '../../src/bytes/errors.js';
import type { StandIn } from '../../src/contract/probe.js';
import {
  HEADER_BYTES,
  LEAP_UNKNOWN,
  MODE_CLIENT,
  MODE_SERVER,
  STRATUM_UNSYNCHRONISED,
  encodePacket,
  parsePacket,
  type NtpPacket,
} from './packet.js';

export const standIn: StandIn = {
  carrier: 'udp',
  reply(request: Uint8Array): readonly Uint8Array[] {
    const asked = question(request);
    if (asked === undefined) return [];
    const answer = encodePacket({
      // It has no clock worth following, and a client that asks it for the time must not believe it.
      leap: LEAP_UNKNOWN,
      stratum: STRATUM_UNSYNCHRONISED,
      version: asked.version,
      mode: MODE_SERVER,
      poll: asked.poll,
      precision: -20,
      rootDelayMs: 0,
      rootDispersionMs: 0,
      referenceId: new Uint8Array(4),
      reference: 0n,
      originate: asked.transmit,
      receive: 0n,
      transmit: 0n,
    });
    return answer.length > request.length ? [] : [answer];
  },
};

function question(request: Uint8Array): NtpPacket | undefined {
  if (request.length < HEADER_BYTES) return undefined;
  try {
    const packet = parsePacket(request);
    return packet.mode === MODE_CLIENT ? packet : undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
