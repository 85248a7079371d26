// The smallest DHCP server: it has no address to give, and tells only linecheck that it is there. A client that seeks an
// address must not get an offer of nothing. Its answers are no longer than the questions.
import { ProtocolError } from '../../src/bytes/errors.js';
import type { StandIn } from '../../src/contract/probe.js';
import {
  ACK,
  BOOT_REPLY,
  BOOT_REQUEST,
  DISCOVER,
  INFORM,
  OFFER,
  OPTION,
  OUR_CLASS,
  encodeMessage,
  messageTypeOf,
  optionOf,
  parseMessage,
  type DhcpMessage,
} from './packet.js';

export const standIn: StandIn = {
  carrier: 'udp',
  reply(request: Uint8Array): readonly Uint8Array[] {
    const asked = question(request);
    if (asked === undefined) return [];
    const type = messageTypeOf(asked) === INFORM ? ACK : OFFER;
    const answer = encodeMessage(
      { ...asked, op: BOOT_REPLY, hops: 0, options: [{ code: OPTION.messageType, value: Uint8Array.of(type) }] },
      // So that no byte of it can be missing unnoticed.
      'before-end',
    );
    return answer.length > request.length ? [] : [answer];
  },
};

function question(request: Uint8Array): DhcpMessage | undefined {
  try {
    const message = parseMessage(request);
    const type = messageTypeOf(message);
    const vendorClass = Buffer.from(optionOf(message, OPTION.vendorClass) ?? []).toString('latin1');
    const asks = message.op === BOOT_REQUEST && (type === DISCOVER || type === INFORM);
    return asks && vendorClass.startsWith(OUR_CLASS) ? message : undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
