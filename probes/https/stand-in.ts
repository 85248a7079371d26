// The smallest honest HTTPS peer: one request head in, one tiny answer out, whatever was asked.
import type { Stage, StandIn, Stream } from '../../src/contract/probe.js';

const HEAD_END = new TextEncoder().encode('\r\n\r\n');
const MOST_HEAD_BYTES = 8192;
const BODY = 'linecheck stand-in\n';

async function session(stream: Stream, stage: Stage): Promise<void> {
  const secure = await stage.secure(stream, { alpn: ['http/1.1'] });
  const head = await secure.readUntil(HEAD_END, MOST_HEAD_BYTES);
  // RFC 9110 §9.3.2: the answer to HEAD has the same fields and no body.
  const body = Buffer.from(head.subarray(0, 5)).toString('latin1') === 'HEAD ' ? '' : BODY;
  const fields = ['HTTP/1.1 200 OK', 'content-type: text/plain', `content-length: ${BODY.length}`, 'connection: close'];
  await secure.write(new TextEncoder().encode(`${fields.join('\r\n')}\r\n\r\n${body}`));
  await secure.end();
}

export const standIn: StandIn = { carrier: 'tcp', session };
