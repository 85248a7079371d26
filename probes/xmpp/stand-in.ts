// The smallest XMPP server: it serves whatever domain it is asked for, offers STARTTLS and completes it, and lets nobody log in.
import { EndOfStream, ProtocolError } from '../../src/bytes/errors.js';
import type { Stage, StandIn, Stream } from '../../src/contract/probe.js';
import {
  NAMESPACE,
  PROCEED,
  STREAM_END,
  encodeFeatures,
  encodeHeader,
  encodeStreamError,
  isElement,
  parseHeader,
} from './packet.js';
import { XmlInput, type XmlEvent } from './xml.js';

const DIRECT_TLS = 5223;

/** @param implicit TLS from the start (XEP-0368) */
export async function serve(accepted: Stream, stage: Stage, implicit: boolean): Promise<void> {
  const stream = implicit ? await stage.secure(accepted) : accepted;
  try {
    const next = await converse(stream, stage, !implicit);
    if (next !== 'proceed') return;
    await stream.write(PROCEED);
    await converse(await stage.secure(stream), stage, false);
  } catch (error) {
    // A client that leaves without a word has its answer too.
    if (!(error instanceof EndOfStream)) throw error;
  }
}

/** One stream, to its end or to the agreement on TLS. */
async function converse(stream: Stream, stage: Stage, startTls: boolean): Promise<'proceed' | undefined> {
  const input = new XmlInput(stream);
  const root = await input.next();
  if (root.kind !== 'root') throw new ProtocolError('no XMPP stream');
  const { to } = parseHeader(root.element);
  const id = Buffer.from(stage.random(16)).toString('hex');
  await stream.write(encodeHeader({ ...(to === undefined ? {} : { from: to }), id }));
  await stream.write(encodeFeatures(startTls));
  const event = await input.next();
  if (startTls && isStartTls(event)) return 'proceed';
  // RFC 6120 §4.9.3.12: nobody may say anything else before a login, and there is none.
  if (event.kind !== 'end') await stream.write(encodeStreamError('not-authorized'));
  await stream.write(STREAM_END);
  return undefined;
}

function isStartTls(event: XmlEvent): boolean {
  return event.kind === 'child' && isElement(event.element, NAMESPACE.tls, 'starttls');
}

export const standIn: StandIn = {
  carrier: 'tcp',
  session: (stream, stage) => serve(stream, stage, stream.local.port === DIRECT_TLS),
};
