// DNS messages as bytes (RFC 1035 §4, RFC 6891): a question, and what an answer says. dns-packet knows the names and the
// record types; the frame is looked at here before it gets to see any of it. Pure; no sockets.
import { RECURSION_DESIRED, decode, encode } from 'dns-packet';
import type { Answer } from 'dns-packet';
import { ProtocolError } from '../../src/bytes/errors.js';
import { Reader } from '../../src/bytes/reader.js';
import { lookOf, printable } from '../../src/bytes/text.js';
import { Writer } from '../../src/bytes/writer.js';

/** The types that can be asked for, and their numbers (RFC 1035 §3.2.2, RFC 3596, RFC 2782). */
export const TYPES = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 } as const;
export type RecordType = keyof typeof TYPES;

const OPT = 41;
const HEADER_BYTES = 12;
const ANSWERS_SHOWN = 16;
const DATA_CHARACTERS = 200;

export interface Question {
  readonly name: string;
  readonly type: RecordType;
  /** Offer EDNS with this size for UDP answers (RFC 6891 §6.2.3); absent: no EDNS. */
  readonly udpPayloadSize?: number;
}

/** A query with recursion desired, as a stub resolver sends it. `id`: two bytes. */
export function encodeQuery(id: Uint8Array, { name, type, udpPayloadSize }: Question): Uint8Array {
  return encode({
    type: 'query',
    id: new Reader(id, 'query id').u16(),
    flags: RECURSION_DESIRED,
    questions: [{ name, type, class: 'IN' }],
    additionals:
      udpPayloadSize === undefined
        ? []
        : [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: false,
              options: [],
            },
          ],
  });
}

/** Bytes of such a query, without the length that goes before it over TCP. */
export function queryBytes(question: Question): number {
  return encodeQuery(new Uint8Array(2), question).length;
}

/** RFC 1035 §4.2.2: over TCP a message goes with its length before it. */
export function withLength(message: Uint8Array): Uint8Array {
  return new Writer(2 + message.length).u16(message.length).bytes(message).done();
}

export interface Record {
  readonly name: string;
  readonly type: RecordType;
  /** As a zone file writes it: `192.0.2.1`, `10 mail.example.net`. */
  readonly data: string;
}

export interface Message {
  readonly id: number;
  readonly response: boolean;
  readonly opcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  /** All twelve bits, where EDNS carries the upper eight. */
  readonly rcode: number;
  readonly questions: number;
  /** The question section as it stands. */
  readonly question: Uint8Array;
  /** How many records answer, shown or not. */
  readonly answerCount: number;
  /** The first of them, as long as their types can be shown. */
  readonly answers: readonly Record[];
  /** What the far end takes over UDP, where it speaks EDNS. */
  readonly udpPayloadSize?: number;
}

/** Moves past a name. RFC 1035 §4.1.4: labels to an empty one, or to a pointer. Where that leads is dns-packet's to see. */
function skipName(reader: Reader): void {
  for (;;) {
    const length = reader.u8();
    if (length === 0) return;
    if (length >= 0xc0) {
      reader.skip(1);
      return;
    }
    if (length > 63) throw new ProtocolError('a DNS name with a label of an unknown kind');
    reader.skip(length);
  }
}

interface Frame {
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  /** Offset past it. */
  readonly end: number;
}

function readFrame(reader: Reader): Frame {
  skipName(reader);
  const [type, klass, ttl, size] = [reader.u16(), reader.u16(), reader.u32(), reader.u16()];
  reader.skip(size);
  const fixed = type === TYPES.A ? 4 : type === TYPES.AAAA ? 16 : size;
  if (size !== fixed) throw new ProtocolError(`a DNS address of ${size} bytes`);
  return { type, class: klass, ttl, end: reader.offset };
}

/**
 * A whole message. Throws ProtocolError where the bytes are none: a frame that does not fit them, a name that cannot be
 * read, or bytes left over. A message that says it is truncated may end within a record.
 */
export function parseMessage(bytes: Uint8Array): Message {
  if (bytes.length < HEADER_BYTES) throw new ProtocolError(`${lookOf(bytes)}, too short for DNS`);
  const reader = new Reader(bytes, 'DNS message');
  const [id, flags] = [reader.u16(), reader.u16()];
  const [questions, answerCount, authorities, additionals] = [reader.u16(), reader.u16(), reader.u16(), reader.u16()];
  for (let each = 0; each < questions; each += 1) {
    skipName(reader);
    reader.skip(4);
  }
  const question = bytes.slice(HEADER_BYTES, reader.offset);
  const truncated = (flags & 0x0200) !== 0;
  const frames: Frame[] = [];
  try {
    for (let left = answerCount + authorities + additionals; left > 0; left -= 1) frames.push(readFrame(reader));
    if (reader.remaining > 0) throw new ProtocolError(`${reader.remaining} bytes after a DNS message`);
  } catch (error) {
    if (!truncated || !(error instanceof ProtocolError)) throw error;
  }
  const opt = frames.slice(answerCount).find(({ type }) => type === OPT);
  return {
    id,
    response: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 15,
    authoritative: (flags & 0x0400) !== 0,
    truncated,
    recursionDesired: (flags & 0x0100) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    // RFC 6891 §6.1.3: the upper eight bits stand where other records have the upper part of their TTL.
    rcode: (flags & 15) | (opt === undefined ? 0 : (opt.ttl >>> 24) << 4),
    questions,
    question,
    answerCount,
    answers: answersOf(bytes, questions, frames.slice(0, answerCount)),
    ...(opt === undefined ? {} : { udpPayloadSize: opt.class }),
  };
}

const SHOWN: ReadonlySet<number> = new Set(Object.values(TYPES));

/**
 * The answers that can be shown. dns-packet reads past what a record says of its length, unfolds type bitmaps a
 * hundredfold and throws errors of any kind: it gets a header that counts these records alone, and must end where they do.
 */
function answersOf(bytes: Uint8Array, questions: number, frames: readonly Frame[]): readonly Record[] {
  const other = frames.findIndex(({ type }) => !SHOWN.has(type));
  const count = Math.min(other < 0 ? frames.length : other, ANSWERS_SHOWN);
  const end = frames[count - 1]?.end;
  if (end === undefined) return [];
  const head = new Writer(HEADER_BYTES).bytes(bytes.subarray(0, 4)).u16(questions).u16(count).zeros(4).done();
  const part = Buffer.concat([head, bytes.subarray(HEADER_BYTES, end)]);
  let answers: readonly Answer[];
  try {
    answers = decode(part).answers ?? [];
  } catch (error) {
    throw new ProtocolError('a DNS message with a name or record that cannot be read', { cause: error });
  }
  if (decode.bytes !== part.length) throw new ProtocolError('a DNS record of another length than it says');
  return answers.flatMap((answer) => {
    const record = recordOf(answer);
    return record === undefined ? [] : [record];
  });
}

function plain(text: string): string {
  return printable(new TextEncoder().encode(text), DATA_CHARACTERS);
}

function recordOf(answer: Answer): Record | undefined {
  const record = (type: RecordType, data: string): Record => ({ name: plain(answer.name), type, data: plain(data) });
  switch (answer.type) {
    case 'A':
    case 'AAAA':
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return record(answer.type, answer.data);
    case 'MX':
      return record('MX', `${answer.data.preference ?? 0} ${answer.data.exchange}`);
    case 'SRV': {
      const { priority = 0, weight = 0, port, target } = answer.data;
      return record('SRV', `${priority} ${weight} ${port} ${target}`);
    }
    case 'SOA': {
      const { mname, rname, serial = 0 } = answer.data;
      return record('SOA', `${mname} ${rname} ${serial}`);
    }
    case 'TXT':
      return record(
        'TXT',
        [answer.data]
          .flat()
          .map((part) => (typeof part === 'string' ? part : part.toString('latin1')))
          .join(''),
      );
    default:
      return undefined;
  }
}

/** RFC 1035 §4.1.1, RFC 2136 §2.2, RFC 6891 §9, RFC 7873 §8. */
const RCODES = new Map([
  [0, 'NOERROR'],
  [1, 'FORMERR'],
  [2, 'SERVFAIL'],
  [3, 'NXDOMAIN'],
  [4, 'NOTIMP'],
  [5, 'REFUSED'],
  [9, 'NOTAUTH'],
  [16, 'BADVERS'],
  [23, 'BADCOOKIE'],
]);
const NOERROR = 0;
const NXDOMAIN = 3;

/** `REFUSED`; `RCODE 11` where it has no name. */
export function rcodeName(rcode: number): string {
  return RCODES.get(rcode) ?? `RCODE ${rcode}`;
}

/** RFC 4343: names are the same in either case, and a server may copy or fold it. */
function sameLetters(a: Uint8Array, b: Uint8Array): boolean {
  const folded = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);
  return a.length === b.length && a.every((byte, at) => folded(byte) === folded(b[at] ?? 0));
}

/**
 * It answers `query`: its id, its question, as a response to a standard query. A server that could not or would not read
 * the question may leave it out, with an rcode that says so.
 */
export function answers(message: Message, query: Message): boolean {
  if (!message.response || message.id !== query.id || message.opcode !== query.opcode) return false;
  if (message.questions === 0 && message.answerCount === 0)
    return message.rcode !== NOERROR && message.rcode !== NXDOMAIN;
  return message.questions === query.questions && sameLetters(message.question, query.question);
}

/** What a stand-in says to a query: refused, with the question as it came. undefined: it is no query, say nothing. */
export function refusalOf(request: Uint8Array): Uint8Array | undefined {
  let query: Message;
  try {
    query = parseMessage(request);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
  if (query.response || query.opcode !== 0 || query.questions !== 1) return undefined;
  const REFUSED = 5;
  const flags = 0x8000 | (query.recursionDesired ? 0x0100 : 0) | REFUSED;
  return new Writer(HEADER_BYTES + query.question.length)
    .u16(query.id)
    .u16(flags)
    .u16(1)
    .zeros(6)
    .bytes(query.question)
    .done();
}
