// TCP: does something accept, and does it stay? With an expectation, does it say what it should? Knows no protocol.
import { z } from 'zod';
import { EndOfStream } from '../../src/bytes/errors.js';
import { lookOf } from '../../src/bytes/text.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Stream, Target } from '../../src/contract/probe.js';
import { contains, hexOption, spelled, textOption } from './packet.js';

export { standIn } from './stand-in.js';

const options = z
  .strictObject({
    'send-text': textOption.min(1).describe('Text to send once connected; needs an expectation.').optional(),
    'send-hex': hexOption
      .min(2)
      .describe('Bytes to send once connected, hexadecimal; needs an expectation.')
      .optional(),
    'expect-text': textOption.min(1).describe('Text that must stand in the first 4 KiB of the answer.').optional(),
    'expect-hex': hexOption.min(2).describe('Bytes that must stand in the first 4 KiB of the answer.').optional(),
  })
  .refine((o) => o['send-text'] === undefined || o['send-hex'] === undefined, {
    error: 'send-text and send-hex exclude each other',
    path: ['send-hex'],
  })
  .refine((o) => o['expect-text'] === undefined || o['expect-hex'] === undefined, {
    error: 'expect-text and expect-hex exclude each other',
    path: ['expect-hex'],
  })
  // Without one nobody could say what an answer, or a close after our bytes, means.
  .refine(
    (o) =>
      (o['send-text'] === undefined && o['send-hex'] === undefined) ||
      o['expect-text'] !== undefined ||
      o['expect-hex'] !== undefined,
    { error: 'what is sent needs expect-text or expect-hex', path: ['expect-text'] },
  );

/** An answer in which the expectation does not stand by then is another service's. */
const MOST_ANSWER = 4096;
/** Bytes came and then none for this long: the peer has said what it had to say. */
const SAID_ALL_MS = 2000;
/** What of an uninvited greeting is looked at. */
const MOST_GREETING = 256;
const GREETING_QUIET_MS = 50;

/**
 * How long an accepted connection is watched for a close or reset, ms. Whoever accepts in another's name and finds
 * nobody behind, or dislikes the client, shows it a round trip after the handshake; a connect takes one round trip.
 */
function watchMs(connectMs: number): number {
  return Math.min(1000, Math.max(50, 3 * connectMs));
}

async function watch(stream: Stream, connectMs: number): Promise<Outcome> {
  switch (await stream.peek(watchMs(connectMs))) {
    case 'quiet':
      return { kind: 'answered', depth: 'port', facts: {} };
    case 'bytes': {
      const greeting = await stream.read({ atLeast: 1, max: MOST_GREETING, quietMs: GREETING_QUIET_MS });
      return { kind: 'answered', depth: 'port', facts: { greeting: lookOf(greeting) } };
    }
    // inetd with access lists, proxies and load balancers without a server behind all accept and drop: not open.
    case 'end':
      return { kind: 'stranger', came: 'close', detail: 'accepted, and closed at once without a byte', facts: {} };
    case 'reset':
      return { kind: 'stranger', came: 'reset', detail: 'accepted, and reset at once', facts: {} };
  }
}

async function expectBytes(stream: Stream, wanted: Uint8Array): Promise<Outcome> {
  let answer: Uint8Array = new Uint8Array(0);
  const facts = (): Facts => ({ answer: lookOf(answer) });
  const stranger = (): Outcome => ({
    kind: 'stranger',
    came: 'other-protocol',
    detail: `${lookOf(answer)}, in which what was expected does not stand`,
    facts: facts(),
  });
  while (answer.length < MOST_ANSWER) {
    if (answer.length > 0 && (await stream.peek(SAID_ALL_MS)) === 'quiet') return stranger();
    let more: Uint8Array;
    try {
      more = await stream.read({ atLeast: 1, max: MOST_ANSWER - answer.length });
    } catch (error) {
      if (error instanceof EndOfStream && answer.length > 0) return stranger();
      throw error;
    }
    answer = Uint8Array.from([...answer, ...more]);
    if (contains(answer, wanted)) return { kind: 'answered', depth: 'protocol', facts: facts() };
  }
  return stranger();
}

function bind(_carrier: Carrier, given: unknown): BoundProbe {
  const parsed = options.parse(given);
  const send = spelled(parsed['send-text'], parsed['send-hex']);
  const wanted = spelled(parsed['expect-text'], parsed['expect-hex']);
  return {
    traits: {
      silence: 'conclusive',
      depths: wanted === undefined ? ['port'] : ['port', 'protocol'],
      defaultDepth: wanted === undefined ? 'port' : 'protocol',
      sends: [
        { what: 'a TCP connection, opened and closed', packets: 4, bytes: 0 },
        ...(send === undefined ? [] : [{ what: 'the bytes that the flow spells out', packets: 1, bytes: send.length }]),
      ],
    },
    async ask(_target: Target, kit: Kit): Promise<Outcome> {
      const beganMs = kit.now();
      const stream = await kit.tcp();
      const connectMs = kit.now() - beganMs;
      if (send !== undefined) await stream.write(send);
      return wanted === undefined ? watch(stream, connectMs) : expectBytes(stream, wanted);
    },
  };
}

export const probe: Probe = {
  name: 'tcp',
  summary: 'A TCP connection: something accepts and keeps it; with an expectation, it also says the right thing',
  carriers: ['tcp'],
  options,
  bind,
};
