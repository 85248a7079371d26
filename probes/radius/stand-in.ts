// The smallest RADIUS server: it says that it is there (RFC 5997), and lets nobody in. It does not know the site's
// secret, so it answers with a published one, which proves to nobody that it is the site's server.
import { ProtocolError } from '../../src/bytes/errors.js';
import type { StandIn } from '../../src/contract/probe.js';
import {
  ACCESS_ACCEPT,
  ACCESS_REJECT,
  ACCESS_REQUEST,
  ACCOUNTING_RESPONSE,
  STATUS_SERVER,
  encodeAnswer,
  isForAccounting,
  parsePacket,
  publishedSecret,
  type RadiusPacket,
} from './packet.js';

export const standIn: StandIn = {
  carrier: 'udp',
  reply(request: Uint8Array): readonly Uint8Array[] {
    const asked = question(request);
    const code = asked === undefined ? undefined : answerTo(asked);
    if (asked === undefined || code === undefined) return [];
    const answer = encodeAnswer(code, asked, publishedSecret);
    return answer.length > request.length ? [] : [answer];
  },
};

function answerTo(asked: RadiusPacket): number | undefined {
  if (asked.code === ACCESS_REQUEST) return ACCESS_REJECT;
  if (asked.code !== STATUS_SERVER) return undefined;
  return isForAccounting(asked) ? ACCOUNTING_RESPONSE : ACCESS_ACCEPT;
}

function question(request: Uint8Array): RadiusPacket | undefined {
  try {
    return parsePacket(request);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
