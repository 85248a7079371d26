// Messages of PPTP's control connection (RFC 2637 §2) that begin and end it, as bytes and as facts. No call stands here.
import { ProtocolError } from '../../src/bytes/errors.js';
import { Reader } from '../../src/bytes/reader.js';
import { lookOf, printable } from '../../src/bytes/text.js';
import { Writer } from '../../src/bytes/writer.js';
import type { Facts } from '../../src/contract/outcome.js';
import type { Stream } from '../../src/contract/probe.js';

const CONTROL_MESSAGE = 1;
const MAGIC_COOKIE = 0x1a2b3c4d;
/** 1.0: the major number in the high byte (RFC 2637 §2.1). */
export const VERSION = 0x0100;
/** Length, message type, magic cookie, control message type and a reserved field. */
const HEADER_BYTES = 12;
/** Host name and vendor string, filled up with zeros. */
const NAME_BYTES = 64;

const START_REQUEST = 1;
const START_REPLY = 2;
const STOP_REQUEST = 3;
const STOP_REPLY = 4;

/** RFC 2637 §2.1 to §2.4. */
const START_BYTES = 156;
const STOP_BYTES = 16;
/** Incoming-Call-Request, the longest (RFC 2637 §2.9). */
const MAX_BYTES = 220;

/** Start-Control-Connection-Reply (RFC 2637 §2.2). */
export const START_RESULT = { successful: 1, notAuthorized: 4, versionNotSupported: 5 } as const;
const START_RESULTS: Readonly<Record<number, string>> = {
  1: 'successful',
  2: 'general error',
  3: 'control connection already exists',
  4: 'requester not authorized',
  5: 'protocol version not supported',
};
const GENERAL_ERROR = 2;
/** RFC 2637 §2.16. */
const GENERAL_ERRORS: Readonly<Record<number, string>> = {
  0: 'none',
  1: 'not connected',
  2: 'bad format',
  3: 'bad value',
  4: 'no resource',
  5: 'bad vendor',
  6: 'PAC error',
};

/** What both sides say of themselves. */
export interface Introduction {
  /** Major and minor number, a byte each. */
  readonly version: number;
  readonly framing: number;
  readonly bearer: number;
  /** 0 of a client. */
  readonly maxChannels: number;
  readonly firmware: number;
  /** Printable. */
  readonly hostName: string;
  readonly vendor: string;
}

export interface Result {
  readonly result: number;
  readonly error: number;
}

export type ControlMessage =
  | ({ readonly kind: 'start-request' } & Introduction)
  | ({ readonly kind: 'start-reply' } & Introduction & Result)
  | { readonly kind: 'stop-request'; readonly reason: number }
  | ({ readonly kind: 'stop-reply' } & Result)
  | { readonly kind: 'other'; readonly type: number };

/** Bytes of the message that begins with these four. Throws ProtocolError where no control message begins so. */
export function readMessageSize(start: Uint8Array): number {
  const reader = new Reader(start, 'PPTP message');
  const size = reader.u16();
  if (reader.u16() !== CONTROL_MESSAGE || size < HEADER_BYTES || size > MAX_BYTES) {
    throw new ProtocolError(`${lookOf(start)}, no PPTP control message`);
  }
  return size;
}

/** One whole control message. Throws ProtocolError for anything else; reserved fields may hold whatever they like. */
export function parseMessage(bytes: Uint8Array): ControlMessage {
  const size = readMessageSize(bytes);
  const reader = new Reader(bytes, 'PPTP message');
  reader.skip(4);
  const cookie = reader.u32();
  if (cookie !== MAGIC_COOKIE) throw new ProtocolError(`${lookOf(bytes)}, no PPTP control message`);
  if (size !== bytes.length) {
    throw new ProtocolError(`a PPTP message of ${String(bytes.length)} bytes that says ${String(size)}`);
  }
  const type = reader.u16();
  reader.skip(2);
  switch (type) {
    case START_REQUEST: {
      const version = reader.u16();
      reader.skip(2);
      return whole({ kind: 'start-request', version, ...introductionIn(reader) }, reader);
    }
    case START_REPLY: {
      const version = reader.u16();
      return whole({ kind: 'start-reply', version, ...resultIn(reader), ...introductionIn(reader) }, reader);
    }
    case STOP_REQUEST: {
      const reason = reader.u8();
      reader.skip(3);
      return whole({ kind: 'stop-request', reason }, reader);
    }
    case STOP_REPLY: {
      const result = resultIn(reader);
      reader.skip(2);
      return whole({ kind: 'stop-reply', ...result }, reader);
    }
    default:
      return { kind: 'other', type };
  }
}

function introductionIn(reader: Reader): Omit<Introduction, 'version'> {
  return {
    framing: reader.u32(),
    bearer: reader.u32(),
    maxChannels: reader.u16(),
    firmware: reader.u16(),
    hostName: nameIn(reader),
    vendor: nameIn(reader),
  };
}

function nameIn(reader: Reader): string {
  const field = reader.bytes(NAME_BYTES);
  const end = field.indexOf(0);
  return printable(end < 0 ? field : field.subarray(0, end));
}

function resultIn(reader: Reader): Result {
  return { result: reader.u8(), error: reader.u8() };
}

function whole(message: ControlMessage, reader: Reader): ControlMessage {
  if (reader.remaining === 0) return message;
  throw new ProtocolError(`a PPTP ${message.kind} with ${String(reader.remaining)} bytes too many`);
}

export function encodeMessage(message: Exclude<ControlMessage, { kind: 'other' }>): Uint8Array {
  switch (message.kind) {
    case 'start-request':
      return introduction(header(START_BYTES, START_REQUEST).u16(message.version).u16(0), message);
    case 'start-reply': {
      const { version, result, error } = message;
      return introduction(header(START_BYTES, START_REPLY).u16(version).u8(result).u8(error), message);
    }
    case 'stop-request':
      return header(STOP_BYTES, STOP_REQUEST).u8(message.reason).zeros(3).done();
    case 'stop-reply':
      return header(STOP_BYTES, STOP_REPLY).u8(message.result).u8(message.error).u16(0).done();
  }
}

function header(size: number, type: number): Writer {
  return new Writer(size).u16(size).u16(CONTROL_MESSAGE).u32(MAGIC_COOKIE).u16(type).u16(0);
}

function introduction(writer: Writer, message: Introduction): Uint8Array {
  const { framing, bearer, maxChannels, firmware, hostName, vendor } = message;
  writer.u32(framing).u32(bearer).u16(maxChannels).u16(firmware);
  for (const name of [hostName, vendor]) writer.latin1(name.slice(0, NAME_BYTES).padEnd(NAME_BYTES, '\0'));
  return writer.done();
}

/** The next whole message. Throws ProtocolError as soon as it is clear that none comes. */
export async function nextMessage(stream: Stream): Promise<ControlMessage> {
  const start = await stream.read({ atLeast: 4, max: 4 });
  const size = await readOrLook(start, stream);
  return parseMessage(Buffer.concat([start, await stream.read({ atLeast: size - 4, max: size - 4 })]));
}

/** Four bytes tell a stranger; what else of his is there makes him known. */
async function readOrLook(start: Uint8Array, stream: Stream): Promise<number> {
  try {
    return readMessageSize(start);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const more = await stream.read({ atLeast: 0, max: 76 });
    throw new ProtocolError(`${lookOf(Buffer.concat([start, more]))}, no PPTP control message`);
  }
}

/** `requester not authorized (4)`, `general error (2), no resource (4)`. */
export function sentenceOf({ result, error }: Result): string {
  const named = (names: Readonly<Record<number, string>>, code: number, what: string): string => {
    const name = names[code];
    return name === undefined ? `${what} ${String(code)}` : `${name} (${String(code)})`;
  };
  const said = named(START_RESULTS, result, 'result');
  // RFC 2637 §2.16: with any other result the error means nothing.
  return result === GENERAL_ERROR ? `${said}, ${named(GENERAL_ERRORS, error, 'error')}` : said;
}

/** What a server says of itself. */
export function replyFacts(reply: Introduction & Result): Facts {
  const { version, framing, bearer, maxChannels, firmware, hostName, vendor } = reply;
  // RFC 2637 §2.2: a bit for each that the server can do.
  const framings = namesOf(framing, ['asynchronous', 'synchronous']);
  const bearers = namesOf(bearer, ['analog', 'digital']);
  return {
    result: sentenceOf(reply),
    protocolVersion: `${String(version >> 8)}.${String(version & 0xff)}`,
    ...(hostName === '' ? {} : { hostName }),
    ...(vendor === '' ? {} : { vendor }),
    firmware,
    maxChannels,
    ...(framings.length === 0 ? {} : { framing: framings }),
    ...(bearers.length === 0 ? {} : { bearer: bearers }),
  };
}

function namesOf(bits: number, names: readonly string[]): readonly string[] {
  return names.filter((_, index) => (bits & (1 << index)) !== 0);
}
