// The smallest honest HTTPS peer: one request head in, one tiny answer out, whatever was asked.
import type { Stage, StandIn, Stream } from '../../src/contract/probe.js';
import { HEAD_END, MOST_HEAD_BYTES, standInAnswer } from './packet.js';

async function session(stream: Stream, stage: Stage): Promise<void> {
  const secure = await stage.secure(stream, { alpn: ['http/1.1'] });
  await secure.write(standInAnswer(await secure.readUntil(HEAD_END, MOST_HEAD_BYTES)));
  await secure.end();
}

export const standIn: StandIn = { carrier: 'tcp', session };
