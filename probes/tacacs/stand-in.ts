// The smallest TACACS+ server: it asks for a user and a password, and lets nobody in. It does not know the site's
// secret, so it answers with a published one, which proves to nobody that it is the site's server.
import { EndOfStream, ProtocolError } from '../../src/bytes/errors.js';
import type { StandIn, Stream } from '../../src/contract/probe.js';
import {
  HEADER_BYTES,
  encodePacket,
  encodeReply,
  obfuscated,
  parseContinue,
  parseHeader,
  parseStart,
  publishedSecret,
  type Header,
  type Reply,
} from './packet.js';

const getUser: Reply = { status: 'get-user', noEcho: false, message: 'Username: ' };
const getPassword: Reply = { status: 'get-pass', noEcho: true, message: 'Password: ' };
const fail: Reply = { status: 'fail', noEcho: false, message: 'linecheck stand-in: nobody can log in here' };
const keyMismatch: Reply = { status: 'error', noEcho: false, message: 'linecheck stand-in: another secret' };

export const standIn: StandIn = {
  carrier: 'tcp',
  async session(stream: Stream): Promise<void> {
    try {
      await serve(stream);
    } catch (error) {
      // A client that leaves without a word, or says something else.
      if (!(error instanceof EndOfStream) && !(error instanceof ProtocolError)) throw error;
    }
  },
};

async function serve(stream: Stream): Promise<void> {
  const { header, body } = await receive(stream, 1);
  let start;
  try {
    start = parseStart(body);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    // RFC 8907 §4.5: a server that finds that the secrets differ returns ERROR.
    await send(stream, header, keyMismatch);
    return;
  }
  if (start.type === 'pap') {
    await send(stream, header, fail);
    return;
  }
  if (start.user.length === 0) {
    await send(stream, header, getUser);
    const user = await receive(stream, 3);
    if (parseContinue(user.body).abort) return;
    await send(stream, user.header, getPassword);
  } else {
    await send(stream, header, getPassword);
  }
  const password = await receive(stream, start.user.length === 0 ? 5 : 3);
  if (!parseContinue(password.body).abort) await send(stream, password.header, fail);
}

async function receive(stream: Stream, sequence: number): Promise<{ header: Header; body: Uint8Array }> {
  const header = parseHeader(await stream.read({ atLeast: HEADER_BYTES, max: HEADER_BYTES }));
  // RFC 8907 §4.5: a request in the clear is dropped.
  if (header.sequence !== sequence || header.unencrypted) throw new ProtocolError('a packet out of turn');
  const { bodyBytes } = header;
  const body = bodyBytes === 0 ? new Uint8Array(0) : await stream.read({ atLeast: bodyBytes, max: bodyBytes });
  return { header, body: obfuscated(body, header, publishedSecret) };
}

function send(stream: Stream, header: Header, reply: Reply): Promise<void> {
  const answer = { ...header, sequence: header.sequence + 1, singleConnect: false };
  return stream.write(encodePacket(answer, encodeReply(reply), publishedSecret));
}
