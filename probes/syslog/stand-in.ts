// The smallest syslog server: it takes messages over UDP and over TCP, says nothing, and keeps nothing.
import { EndOfStream } from '../../src/bytes/errors.js';
import type { StandIn, Stream } from '../../src/contract/probe.js';

/** After this much a client is no longer asking whether messages arrive. */
const MOST_BYTES = 4096;

async function session(stream: Stream): Promise<void> {
  let taken = 0;
  try {
    while (taken < MOST_BYTES) taken += (await stream.read({ atLeast: 1, max: MOST_BYTES })).length;
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
  }
}

export const standIn: StandIn = { carrier: 'udp', reply: () => [] };

export const otherStandIns: readonly StandIn[] = [{ carrier: 'tcp', session }];
