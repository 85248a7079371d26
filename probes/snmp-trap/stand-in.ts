// The smallest receiver of SNMP notifications: it names its engine, knows no user, and acknowledges informs of any
// community. It never sends more than it was sent.
import { ProtocolError } from '../../src/bytes/errors.js';
import type { StandIn } from '../../src/contract/probe.js';
import { PDU, encodeCommunityMessage, parseMessage, standInReport } from '../snmp/packet.js';

export const standIn: StandIn = {
  carrier: 'udp',
  reply(request) {
    const answer = answerTo(request);
    return answer === undefined || answer.length > request.length ? [] : [answer];
  },
};

function answerTo(request: Uint8Array): Uint8Array | undefined {
  try {
    const message = parseMessage(request);
    if (message.version === 3) return standInReport(message);
    // RFC 3416 §4.2.7: the same variables come back. SNMPv1 has no informs.
    if (message.version !== 1 || message.pdu.type !== PDU.inform) return undefined;
    return encodeCommunityMessage({ ...message, pdu: { ...message.pdu, type: PDU.response } });
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
