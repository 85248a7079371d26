// The smallest IKE responder: it has no keys and no policy, and says NO_PROPOSAL_CHOSEN to every first message, in the
// version that asked. On port 4500's framing it answers in kind. Its answers are far shorter than the questions.
import { ProtocolError } from '../../src/bytes/errors.js';
import type { StandIn } from '../../src/contract/probe.js';
import {
  AGGRESSIVE_MODE,
  FLAG_INITIATOR,
  FLAG_RESPONSE,
  IKE_SA_INIT,
  INFORMATIONAL_V1,
  MAIN_MODE,
  NO_PROPOSAL_CHOSEN,
  V1,
  V2,
  encodeMessage,
  encodeNotification,
  marked,
  parseMessage,
  unmarked,
  type Message,
} from './packet.js';

export const standIn: StandIn = {
  carrier: 'udp',
  reply(request: Uint8Array): readonly Uint8Array[] {
    const inner = unmarked(request);
    const asked = question(inner ?? request);
    if (asked === undefined) return [];
    const answer = encodeMessage(refusalOf(asked));
    const framed = inner === undefined ? answer : marked(answer);
    return framed.length > request.length ? [] : [framed];
  },
};

/** A first message of either version: nothing that is an answer, and nothing that belongs to an exchange under way. */
function question(request: Uint8Array): Message | undefined {
  let message: Message;
  try {
    message = parseMessage(request);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
  const { major, exchangeType, flags, messageId, responderSpi, payloads } = message;
  if (messageId !== 0 || responderSpi.some((byte) => byte !== 0)) return undefined;
  const first = payloads[0]?.type;
  if (major === 2)
    return exchangeType === IKE_SA_INIT && flags === FLAG_INITIATOR && first === V2.sa ? message : undefined;
  const phase1 = exchangeType === MAIN_MODE || exchangeType === AGGRESSIVE_MODE;
  return phase1 && flags === 0 && first === V1.sa ? message : undefined;
}

function refusalOf({ initiatorSpi, responderSpi, major }: Message): Message {
  const body = encodeNotification(NO_PROPOSAL_CHOSEN, new Uint8Array(0), major);
  return {
    initiatorSpi,
    // RFC 7296 §2.6: without an SA there is no responder's SPI.
    responderSpi,
    major,
    minor: 0,
    exchangeType: major === 1 ? INFORMATIONAL_V1 : IKE_SA_INIT,
    flags: major === 1 ? 0 : FLAG_RESPONSE,
    messageId: 0,
    payloads: [{ type: major === 1 ? V1.notify : V2.notify, body }],
  };
}
