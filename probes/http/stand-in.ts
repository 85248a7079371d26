// The smallest honest HTTP peer: one request head in, one tiny answer out, whatever was asked.
import type { StandIn, Stream } from '../../src/contract/probe.js';
import { HEAD_END, MOST_HEAD_BYTES, standInAnswer } from '../https/packet.js';

async function session(stream: Stream): Promise<void> {
  await stream.write(standInAnswer(await stream.readUntil(HEAD_END, MOST_HEAD_BYTES)));
  await stream.end();
}

export const standIn: StandIn = { carrier: 'tcp', session };
