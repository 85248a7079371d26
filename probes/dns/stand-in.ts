// The smallest DNS servers, over UDP and TCP: they know no name and refuse every question, which is an answer.
import { EndOfStream } from '../../src/bytes/errors.js';
import { Reader } from '../../src/bytes/reader.js';
import type { StandIn, Stream } from '../../src/contract/probe.js';
import { refusalOf, withLength } from './packet.js';

/** A question is far shorter. */
const MOST_QUERY_BYTES = 1024;
const MOST_QUERIES = 16;

export const standIn: StandIn = {
  carrier: 'udp',
  reply(request) {
    const answer = refusalOf(request);
    return answer === undefined || answer.length > request.length ? [] : [answer];
  },
};

async function session(stream: Stream): Promise<void> {
  try {
    for (let each = 0; each < MOST_QUERIES; each += 1) {
      const size = new Reader(await stream.read({ atLeast: 2, max: 2 }), 'length of a DNS message').u16();
      if (size > MOST_QUERY_BYTES) return;
      const answer = refusalOf(await stream.read({ atLeast: size, max: size }));
      if (answer === undefined) return;
      await stream.write(withLength(answer));
    }
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
  }
}

export const otherStandIns: readonly StandIn[] = [{ carrier: 'tcp', session }];
