// The smallest MySQL server: it greets, begins TLS where asked to, and lets nobody in.
import { EndOfStream } from '../../src/bytes/errors.js';
import type { Stage, StandIn, Stream } from '../../src/contract/probe.js';
import { NATIVE_PASSWORD, encodeGreeting, encodeRefusal, parseLogin, takePacket } from './packet.js';

const MAX_AHEAD = 16 * 1024;

async function serve(accepted: Stream, stage: Stage): Promise<void> {
  let stream = accepted;
  await stream.write(
    encodeGreeting({
      version: '8.0.0-linecheck-stand-in',
      connectionId: 1,
      capabilities: ['LONG_PASSWORD', 'PROTOCOL_41', 'SSL', 'SECURE_CONNECTION', 'PLUGIN_AUTH', 'CONNECT_ATTRS'],
      // Clients take it for text, which a zero would end.
      nonce: stage.random(20).map((byte) => 0x21 + (byte % 0x5d)),
      plugin: NATIVE_PASSWORD,
    }),
  );
  try {
    let packet = await takePacket(stream);
    if (parseLogin(packet.payload).kind === 'tls-request') {
      await giveBack(stream);
      stream = await stage.secure(stream);
      packet = await takePacket(stream);
    }
    const message = 'Access denied: nobody can log in to a linecheck stand-in';
    await stream.write(encodeRefusal(packet.sequence + 1, { code: 1045, state: '28000', message }));
  } catch (error) {
    // A client that leaves without a word has its answer too.
    if (!(error instanceof EndOfStream)) throw error;
  }
}

/** Nothing is said between a request for TLS and its handshake, so that both may come in one segment: what did is TLS's. */
async function giveBack(stream: Stream): Promise<void> {
  const ahead = await stream.read({ atLeast: 0, max: MAX_AHEAD });
  stream.socket.pause();
  if (ahead.length > 0) stream.socket.unshift(ahead);
}

export const standIn: StandIn = { carrier: 'tcp', session: serve };
