// The smallest SNMP agent: it names its engine, knows no user, and has nothing to show to any community.
// It never sends more than it was sent.
import { ProtocolError } from '../../src/bytes/errors.js';
import type { StandIn } from '../../src/contract/probe.js';
import { PDU, VALUE, encodeCommunityMessage, parseMessage, standInReport, type CommunityMessage } from './packet.js';

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
    return message.version === 3 ? standInReport(message) : shown(message);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** RFC 3416 §4.2.1: it has no object of any name; v1 has an error for that (RFC 1157 §4.1.2). */
function shown({ version, community, pdu }: CommunityMessage): Uint8Array | undefined {
  if (pdu.type !== PDU.get) return undefined;
  const varBinds = pdu.varBinds.map((each) => ({
    ...each,
    ...(version === 0 ? {} : { tag: VALUE.noSuchObject, value: new Uint8Array(0) }),
  }));
  const failed = version === 0 && varBinds.length > 0;
  return encodeCommunityMessage({
    version,
    community,
    pdu: { ...pdu, type: PDU.response, errorStatus: failed ? 2 : 0, errorIndex: failed ? 1 : 0, varBinds },
  });
}
