// The smallest honest TLS peer: a handshake with the stage's certificate, and silence until the client leaves.
import { EndOfStream } from '../../src/bytes/errors.js';
import type { Stage, StandIn, Stream } from '../../src/contract/probe.js';

const MOST_BYTES = 4096;

async function session(stream: Stream, stage: Stage): Promise<void> {
  const secure = await stage.secure(stream);
  let taken = 0;
  try {
    while (taken < MOST_BYTES) taken += (await secure.read({ atLeast: 1, max: MOST_BYTES })).length;
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
  }
}

export const standIn: StandIn = { carrier: 'tcp', session };
