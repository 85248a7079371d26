// The `pptp` probe (RFC 2637): it begins a control connection and ends it. No call is placed, so no GRE packet is sent and
// no user named.
import { z } from 'zod';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Stream, Target } from '../../src/contract/probe.js';
import {
  START_RESULT,
  VERSION,
  encodeMessage,
  nextMessage,
  replyFacts,
  sentenceOf,
  type ControlMessage,
} from './packet.js';

export { standIn } from './stand-in.js';

/** Any framing, any bearer; host name and vendor tell the server's administrator what came by. */
const START = encodeMessage({
  kind: 'start-request',
  version: VERSION,
  framing: 3,
  bearer: 3,
  maxChannels: 0,
  firmware: 0,
  hostName: 'linecheck',
  vendor: 'linecheck',
});
/** RFC 2637 §2.3: 1 gives no particular reason. */
const STOP = encodeMessage({ kind: 'stop-request', reason: 1 });
/** How long a server may take to reply to our stop, ms; its answer is in already. */
const FAREWELL_MS = 1000;

/** How many messages of no use may come before the reply. */
const MAX_OTHERS = 4;

type StartReply = Extract<ControlMessage, { kind: 'start-reply' }>;

const options = z.strictObject({});

export const probe: Probe = {
  name: 'pptp',
  summary: 'PPTP: a control connection, begun and ended; no call, no GRE, no login (RFC 2637).',
  carriers: ['tcp'],
  defaultPort: 1723,
  options,
  bind(_carrier: Carrier, given: unknown): BoundProbe {
    options.parse(given);
    return {
      traits: {
        silence: 'conclusive',
        depths: ['port', 'protocol'],
        defaultDepth: 'protocol',
        sends: [
          { what: 'Start-Control-Connection-Request', packets: 1, bytes: START.length },
          { what: 'Stop-Control-Connection-Request', packets: 1, bytes: STOP.length },
        ],
      },
      ask,
    };
  },
};

async function ask(_target: Target, kit: Kit): Promise<Outcome> {
  const stream = await kit.tcp();
  await stream.write(START);
  const reply = await startReply(stream);
  const facts = replyFacts(reply);
  const outcome: Outcome =
    reply.result === START_RESULT.notAuthorized
      ? {
          kind: 'turned-away',
          presented: 'client',
          by: `PPTP Start-Control-Connection-Reply, ${sentenceOf(reply)}`,
          facts,
        }
      : { kind: 'answered', depth: 'protocol', facts };
  kit.seen(outcome);
  await leave(stream, kit, reply.result === START_RESULT.successful);
  return outcome;
}

/** Throws ProtocolError where another message comes, EndOfStream where none does. */
async function startReply(stream: Stream): Promise<StartReply> {
  for (let others = 0; ; others += 1) {
    const message = await nextMessage(stream);
    if (message.kind === 'start-reply') return message;
    // Some servers begin with an Echo-Request, which they should keep for later (RFC 2637 §2.5).
    if (message.kind !== 'other' || others >= MAX_OTHERS) {
      throw new ProtocolError(`a PPTP message of another kind (${message.kind}) than was asked for (start-reply)`);
    }
  }
}

/** `begun`: there is a control connection to stop; else the connection is closed (RFC 2637 §3.1.3). Never throws. */
async function leave(stream: Stream, kit: Kit, begun: boolean): Promise<void> {
  try {
    if (begun) {
      await stream.write(STOP);
      await stream.peek(FAREWELL_MS);
    }
    await stream.end();
  } catch {
    kit.note('the server did not wait for our stop');
  }
}
