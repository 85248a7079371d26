// The smallest echo server over TCP (RFC 862). Over UDP there is none: two echo servers, or one and any service that
// answers, never stop talking once a forged datagram has introduced them.
import { EndOfStream } from '../../src/bytes/errors.js';
import type { StandIn, Stream } from '../../src/contract/probe.js';

/** After this much a client is no longer asking whether the echo works. */
const MOST_BYTES = 4096;

async function session(stream: Stream): Promise<void> {
  let echoed = 0;
  try {
    while (echoed < MOST_BYTES) {
      const bytes = await stream.read({ atLeast: 1, max: MOST_BYTES - echoed });
      echoed += bytes.length;
      await stream.write(bytes);
    }
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
  }
}

export const standIn: StandIn = { carrier: 'tcp', session };
