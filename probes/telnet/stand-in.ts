// The smallest Telnet server: it negotiates as servers do, shows a banner, and lets nobody in.
import { EndOfStream } from '../../src/bytes/errors.js';
import type { StandIn, Stream } from '../../src/contract/probe.js';
import { TIMING_MARK, encodeNegotiation, parseTelnet, refusalOf, type Negotiation } from './packet.js';

const ECHO = 1;
const SUPPRESS_GO_AHEAD = 3;
const TERMINAL_TYPE = 24;
const OPENING: readonly Negotiation[] = [
  { verb: 'DO', option: TERMINAL_TYPE },
  { verb: 'WILL', option: ECHO },
  { verb: 'WILL', option: SUPPRESS_GO_AHEAD },
];
const BANNER = 'linecheck stand-in, nobody can log in here\r\n';
/** A client of this server has little to say. */
const MAX_BYTES = 4096;

async function serve(stream: Stream): Promise<void> {
  await stream.write(Buffer.concat([...OPENING.map(encodeNegotiation), Buffer.from(BANNER, 'latin1')]));
  try {
    let unparsed: Uint8Array = new Uint8Array(0);
    for (let bytes = 0; bytes < MAX_BYTES;) {
      const chunk = await stream.read({ atLeast: 1, max: MAX_BYTES });
      bytes += chunk.length;
      const all = Buffer.concat([unparsed, chunk]);
      const { negotiations, taken } = parseTelnet(all);
      unparsed = all.subarray(taken);
      const answers = negotiations.flatMap((heard) => answerTo(heard) ?? []);
      if (answers.length > 0) await stream.write(Buffer.concat(answers.map(encodeNegotiation)));
    }
  } catch (error) {
    // A client that leaves without a word has its answer too.
    if (!(error instanceof EndOfStream)) throw error;
  }
}

function answerTo(heard: Negotiation): Negotiation | undefined {
  if (heard.option === TIMING_MARK && heard.verb === 'DO') return { verb: 'WILL', option: TIMING_MARK };
  // What it offers itself is on: that a client wants it too needs no answer (RFC 1143 §7).
  if (heard.verb === 'DO' && (heard.option === ECHO || heard.option === SUPPRESS_GO_AHEAD)) return undefined;
  return refusalOf(heard);
}

export const standIn: StandIn = { carrier: 'tcp', session: serve };
