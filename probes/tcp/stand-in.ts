// The smallest honest TCP peer: it accepts, says nothing, and stays until the client leaves.
import { EndOfStream } from '../../src/bytes/errors.js';
import type { StandIn, Stream } from '../../src/contract/probe.js';

/** After this much a client is no longer asking whether the port is open. */
const MOST_BYTES = 4096;

async function stay(stream: Stream): Promise<void> {
  let taken = 0;
  try {
    while (taken < MOST_BYTES) taken += (await stream.read({ atLeast: 1, max: MOST_BYTES })).length;
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
  }
}

export const standIn: StandIn = { carrier: 'tcp', session: stay };
