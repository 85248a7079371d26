// The `telnet` probe (RFC 854, RFC 855): the options that a server offers and asks for, all refused, and its banner.
// Where it says nothing of Telnet by itself, one question that every Telnet answers. No login, no key pressed.
import { z } from 'zod';
import { ProtocolError } from '../../src/bytes/errors.js';
import { lookOf, printable } from '../../src/bytes/text.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Stream, Traits } from '../../src/contract/probe.js';
import {
  TIMING_MARK,
  encodeNegotiation,
  isAssigned,
  isShowable,
  optionName,
  parseTelnet,
  refusalOf,
  type Negotiation,
  type Verb,
} from './packet.js';

export { standIn } from './stand-in.js';

/** A server that has something to say says it by then; one whose resolver is slow is asked meanwhile, and does not mind. */
const LISTEN_MS = 1000;
/** From our question on; a round trip, and a look at it. */
const ANSWER_MS = 2000;
/** A banner comes a few round trips after the options, when all of them are refused. */
const QUIET_MS = 500;
const MOST_BANNER_MS = 2000;

const MAX_BYTES = 16 * 1024;
const CHUNK = 4096;
/** What is negotiated beyond is left without an answer. */
const MOST_REFUSALS = 40;
/** What a fact may carry of a stranger's text, characters. */
const MAX_TEXT = 200;

const options = z.strictObject({
  'expect-text': z
    .string()
    .min(1)
    .max(200)
    .regex(/^[\x20-\x7e]*$/, 'expected printable ASCII')
    .describe(
      'Text that must stand in what the server says by itself. With it a port that speaks plain text without Telnet, as ' +
        'raw ports of console servers do, is proven too. Of one that says nothing until a key is pressed, the probe tcp ' +
        'proves that it accepts.',
    )
    .optional(),
});

type Given = z.infer<typeof options>;

export const probe: Probe = {
  name: 'telnet',
  summary: 'Telnet: the options that a server negotiates, all refused, and its banner; no login (RFC 854, RFC 855).',
  carriers: ['tcp'],
  defaultPort: 23,
  options,
  bind(_carrier: Carrier, given: unknown): BoundProbe {
    const parsed = options.parse(given);
    return { traits, ask: (_target, kit) => ask(kit, parsed) };
  },
};

/**
 * RFC 860: whoever speaks Telnet answers it, by WILL or by WONT, also a port that shows nothing until a key is pressed. It
 * begins no mode and presses no key. What does not speak Telnet gets three bytes that are no letter and no line end.
 */
const QUESTION = encodeNegotiation({ verb: 'DO', option: TIMING_MARK });

const traits: Traits = {
  silence: 'conclusive',
  depths: ['port', 'protocol'],
  defaultDepth: 'protocol',
  sends: [
    { what: 'a TCP connection, opened and closed', packets: 4, bytes: 0 },
    {
      what: 'DO TIMING-MARK, which presses no key, where the server says nothing of Telnet',
      packets: 1,
      bytes: QUESTION.length,
    },
    { what: 'refusals of the options that it wants, up to', packets: MOST_REFUSALS, bytes: QUESTION.length },
  ],
};

async function ask(kit: Kit, given: Given): Promise<Outcome> {
  const stream = await kit.tcp();
  const hearing = new Hearing(given['expect-text']);
  let asked = false;
  let untilMs = kit.now() + LISTEN_MS;
  while (!hearing.full) {
    const leftMs = Math.max(0, untilMs - kit.now());
    // Where nothing came at all, the deadline alone says that nothing will.
    const came =
      asked && hearing.nothing ? 'bytes' : await stream.peek(hearing.proven ? Math.min(leftMs, QUIET_MS) : leftMs);
    if (came === 'quiet') {
      if (asked || hearing.telnet || hearing.proven) break;
      await stream.write(QUESTION);
      asked = true;
      untilMs = kit.now() + ANSWER_MS;
      continue;
    }
    if (came !== 'bytes' && !hearing.nothing) break;
    const before = { nothing: hearing.nothing, telnet: hearing.telnet };
    hearing.take(await stream.read({ atLeast: 1, max: CHUNK }), asked);
    if (hearing.telnet && !before.telnet) untilMs = kit.now() + MOST_BANNER_MS;
    else if (asked && before.nothing) untilMs = kit.now() + ANSWER_MS;
    if (hearing.proven) kit.seen(hearing.outcome());
    // Nobody else is refused anything: an echo would send our words back as its own.
    if (hearing.telnet) await refuse(stream, kit, hearing);
  }
  const outcome = hearing.outcome();
  kit.seen(outcome);
  await leave(stream, kit);
  return outcome;
}

/** Never throws: what was heard stays true. */
async function refuse(stream: Stream, kit: Kit, hearing: Hearing): Promise<void> {
  const refusals = hearing.owed();
  if (refusals.length === 0) return;
  try {
    await stream.write(refusals);
  } catch {
    kit.note('the server did not wait for our refusals');
  }
}

/** Telnet has no farewell but the end of the connection. Never throws. */
async function leave(stream: Stream, kit: Kit): Promise<void> {
  try {
    await stream.end();
  } catch {
    kit.note('the connection was gone before we left it');
  }
}

/** What others say first, and show no terminal. */
const FOREIGN = /^(?:SSH-|HTTP\/|220[ -])/;

function hasWords(text: Uint8Array): boolean {
  return isShowable(text) && /[A-Za-z]{4}/.test(Buffer.from(text).toString('latin1'));
}

/** What came so far, and what it proves. */
class Hearing {
  readonly #expected: string | undefined;
  #unparsed: Uint8Array = new Uint8Array(0);
  #text: Uint8Array = new Uint8Array(0);
  #bytes = 0;
  #refused = 0;
  #owed: Negotiation[] = [];
  #timingMark: Verb | undefined;
  readonly #heard: Readonly<Record<Verb, Set<number>>> = {
    WILL: new Set(),
    WONT: new Set(),
    DO: new Set(),
    DONT: new Set(),
  };

  constructor(expected: string | undefined) {
    this.#expected = expected;
  }

  get nothing(): boolean {
    return this.#bytes === 0;
  }

  /** More of it would say nothing more. */
  get full(): boolean {
    return this.#bytes >= MAX_BYTES;
  }

  /** @param asked our question is under way. Throws ProtocolError where this is clearly something else. */
  take(bytes: Uint8Array, asked: boolean): void {
    this.#bytes += bytes.length;
    const all = Buffer.concat([this.#unparsed, bytes]);
    const { text, negotiations, taken } = parseTelnet(all);
    this.#unparsed = all.subarray(taken);
    this.#text = Buffer.concat([this.#text, text]);
    for (const negotiation of negotiations) this.#hear(negotiation, asked);
    if (this.#negotiations > 0 || this.#timingMark !== undefined || this.#expected !== undefined) return;
    if (FOREIGN.test(Buffer.from(this.#text).toString('latin1')) || !isShowable(this.#text)) {
      throw new ProtocolError(lookOf(this.#text));
    }
  }

  #hear(negotiation: Negotiation, asked: boolean): void {
    const { verb, option } = negotiation;
    if (asked && option === TIMING_MARK) {
      // Our own question, from an echo or from one who asks the same: an answer to it would be echoed too.
      if (verb === 'DO' && !this.telnet) return;
      if (verb === 'WILL' || verb === 'WONT') {
        this.#timingMark ??= verb;
        return;
      }
    }
    this.#heard[verb].add(option);
    const refusal = refusalOf(negotiation);
    if (refusal === undefined || this.#refused >= MOST_REFUSALS) return;
    this.#refused += 1;
    this.#owed.push(refusal);
  }

  /** The refusals that are due, to be sent now. */
  owed(): Uint8Array {
    return Buffer.concat(this.#owed.splice(0).map(encodeNegotiation));
  }

  /** Of options that have a name. */
  get #negotiations(): number {
    return Object.values(this.#heard).reduce((sum, heard) => sum + [...heard].filter(isAssigned).length, 0);
  }

  /**
   * It speaks Telnet: it answers our question, or it negotiates. Three bytes may look like that by chance, so that to a
   * single negotiation belong words for a terminal; without any it is asked as well.
   */
  get telnet(): boolean {
    const negotiations = this.#negotiations;
    return this.#timingMark !== undefined || negotiations > 1 || (negotiations === 1 && hasWords(this.#text));
  }

  /** It speaks Telnet, or it says what the site expects of it. */
  get proven(): boolean {
    return this.#expected === undefined ? this.telnet : Buffer.from(this.#text).includes(this.#expected);
  }

  outcome(): Outcome {
    const facts = this.#facts();
    if (this.proven) return { kind: 'answered', depth: 'protocol', facts };
    const { banner } = facts;
    const said = typeof banner === 'string' ? `"${banner}"` : lookOf(this.#text);
    const detail =
      this.#expected === undefined
        ? `text without Telnet: ${said}`
        : `${said}, in which the expected text does not stand`;
    return { kind: 'stranger', came: 'other-protocol', detail, facts };
  }

  #facts(): Facts {
    const names = (verb: Verb): readonly string[] => [...this.#heard[verb]].slice(0, MOST_REFUSALS).map(optionName);
    const [offers, wants] = [names('WILL'), names('DO')];
    const words = Buffer.from(this.#text)
      .toString('latin1')
      .replace(/[\s\0]+/g, ' ')
      .trim();
    return {
      ...(offers.length === 0 ? {} : { offers }),
      ...(wants.length === 0 ? {} : { wants }),
      ...(this.#timingMark === undefined ? {} : { timingMark: this.#timingMark }),
      ...(this.telnet ? {} : { negotiation: 'none' }),
      ...(words === '' ? {} : { banner: printable(Buffer.from(words, 'latin1'), MAX_TEXT) }),
    };
  }
}
