// TACACS+ packets as bytes (RFC 8907): header, obfuscation, and the bodies of authentication. Pure. Authorization and
// accounting are not read.
import { createHash } from 'node:crypto';
import { ProtocolError } from '../../src/bytes/errors.js';
import { Reader } from '../../src/bytes/reader.js';
import { lookOf, printable } from '../../src/bytes/text.js';
import { Writer } from '../../src/bytes/writer.js';

/** RFC 8907 §4.1. */
export const HEADER_BYTES = 12;
const MAJOR_VERSION = 0xc;
/** The longest body taken: RFC 8907 §4.1 recommends 2^16. */
const MAX_BODY_BYTES = 65_536;
const AUTHENTICATION = 1;
const FLAG_UNENCRYPTED = 0x01;
const FLAG_SINGLE_CONNECT = 0x04;

const ACTION_LOGIN = 1;
const PRIVILEGE_USER = 1;
const SERVICE_LOGIN = 1;
const REPLY_FLAG_NO_ECHO = 0x01;
const CONTINUE_FLAG_ABORT = 0x01;

const STATUSES = {
  0x01: 'pass',
  0x02: 'fail',
  0x03: 'get-data',
  0x04: 'get-user',
  0x05: 'get-pass',
  0x06: 'restart',
  0x07: 'error',
  0x21: 'follow',
} as const;
export type Status = (typeof STATUSES)[keyof typeof STATUSES];
const statusNumbers = new Map(Object.entries(STATUSES).map(([number, status]) => [status, Number(number)]));

/** Keeps a reply's text out of the way of a terminal, and short. */
const MAX_TEXT = 200;

export interface Header {
  /** 0 for ASCII, 1 for PAP (RFC 8907 §5.4.1). */
  readonly minorVersion: number;
  /** The client's are odd, the server's even. */
  readonly sequence: number;
  readonly unencrypted: boolean;
  readonly singleConnect: boolean;
  readonly sessionId: Uint8Array;
}

/** A header of an authentication packet, and how long the body after it is. Throws ProtocolError for any other. */
export function parseHeader(bytes: Uint8Array): Header & { readonly bodyBytes: number } {
  const reader = new Reader(bytes, 'TACACS+ header');
  const version = reader.u8();
  const type = reader.u8();
  const sequence = reader.u8();
  const flags = reader.u8();
  const sessionId = reader.bytes(4).slice();
  const bodyBytes = reader.u32();
  const minorVersion = version & 0xf;
  if (version >> 4 !== MAJOR_VERSION || minorVersion > 1 || type < 1 || type > 3)
    throw new ProtocolError(lookOf(bytes));
  if (type !== AUTHENTICATION) throw new ProtocolError(`a TACACS+ packet of type ${type}, which is no authentication`);
  if (bodyBytes > MAX_BODY_BYTES) throw new ProtocolError(`a TACACS+ packet of ${bodyBytes} bytes`);
  return {
    minorVersion,
    sequence,
    unencrypted: (flags & FLAG_UNENCRYPTED) !== 0,
    singleConnect: (flags & FLAG_SINGLE_CONNECT) !== 0,
    sessionId,
    bodyBytes,
  };
}

/** A whole packet, its body obfuscated with `key` unless the header says that it is not. */
export function encodePacket(header: Header, body: Uint8Array, key: Uint8Array): Uint8Array {
  const flags = (header.unencrypted ? FLAG_UNENCRYPTED : 0) | (header.singleConnect ? FLAG_SINGLE_CONNECT : 0);
  return new Writer(HEADER_BYTES + body.length)
    .u8((MAJOR_VERSION << 4) | header.minorVersion)
    .u8(AUTHENTICATION)
    .u8(header.sequence)
    .u8(flags)
    .bytes(header.sessionId)
    .u32(body.length)
    .bytes(header.unencrypted ? body : obfuscated(body, header, key))
    .done();
}

/** RFC 8907 §4.5: XOR with a chain of MD5 over session id, key, version and sequence. Undoes itself. */
export function obfuscated(body: Uint8Array, header: Header, key: Uint8Array): Uint8Array {
  const out = Uint8Array.from(body);
  const version = Uint8Array.of((MAJOR_VERSION << 4) | header.minorVersion, header.sequence);
  let pad: Uint8Array = new Uint8Array(0);
  for (let at = 0; at < out.length; at += 16) {
    pad = createHash('md5').update(header.sessionId).update(key).update(version).update(pad).digest();
    const block = out.subarray(at, at + 16);
    for (const [index, byte] of block.entries()) block[index] = byte ^ (pad[index] ?? 0);
  }
  return out;
}

export interface Start {
  readonly type: 'ascii' | 'pap';
  readonly user: Uint8Array;
  /** Where the user sits; printable. */
  readonly port: string;
  /** The password, for PAP. */
  readonly data: Uint8Array;
}

/** RFC 8907 §5.1: the user, the port and the data have at most 255 bytes each. */
export const MAX_FIELD_BYTES = 255;
export const START_BYTES = 8;
export const CONTINUE_BYTES = 5;
const TYPES = { ascii: 1, pap: 2 } as const;

export function encodeStart({ type, user, port, data }: Start): Uint8Array {
  return new Writer()
    .u8(ACTION_LOGIN)
    .u8(PRIVILEGE_USER)
    .u8(TYPES[type])
    .u8(SERVICE_LOGIN)
    .u8(user.length)
    .u8(port.length)
    .u8(0)
    .u8(data.length)
    .bytes(user)
    .latin1(port)
    .bytes(data)
    .done();
}

/** The body of a START. Throws ProtocolError where its lengths do not fill it, as they do not where the key is another. */
export function parseStart(body: Uint8Array): Start {
  const reader = new Reader(body, 'TACACS+ START');
  const action = reader.u8();
  const privilege = reader.u8();
  const type = reader.u8();
  reader.skip(1);
  const [userBytes, portBytes, addressBytes, dataBytes] = [reader.u8(), reader.u8(), reader.u8(), reader.u8()];
  if (userBytes + portBytes + addressBytes + dataBytes !== reader.remaining) {
    throw new ProtocolError('a TACACS+ START whose lengths do not fit, as with another key');
  }
  if (action !== ACTION_LOGIN || privilege > 15 || (type !== TYPES.ascii && type !== TYPES.pap)) {
    throw new ProtocolError(`a TACACS+ START of action ${action} and type ${type}`);
  }
  const user = reader.bytes(userBytes).slice();
  const port = printable(reader.bytes(portBytes), MAX_TEXT);
  reader.skip(addressBytes);
  return { type: type === TYPES.pap ? 'pap' : 'ascii', user, port, data: reader.bytes(dataBytes).slice() };
}

export interface Reply {
  readonly status: Status;
  /** What the user types is not to be shown: it is a password. */
  readonly noEcho: boolean;
  /** For the user; printable, at most 200 characters. */
  readonly message: string;
}

export function encodeReply({ status, noEcho, message }: Reply): Uint8Array {
  return new Writer()
    .u8(statusNumbers.get(status) ?? 0)
    .u8(noEcho ? REPLY_FLAG_NO_ECHO : 0)
    .u16(message.length)
    .u16(0)
    .latin1(message)
    .done();
}

/** The body of a REPLY. Throws ProtocolError as parseStart does: it is how another key shows (RFC 8907 §4.5). */
export function parseReply(body: Uint8Array): Reply {
  const reader = new Reader(body, 'TACACS+ REPLY');
  const status = statusOf(reader.u8());
  const flags = reader.u8();
  const messageBytes = reader.u16();
  const dataBytes = reader.u16();
  if (messageBytes + dataBytes !== reader.remaining || status === undefined) {
    throw new ProtocolError('a TACACS+ REPLY that cannot be read, as with another key');
  }
  const message = printable(reader.bytes(messageBytes), MAX_TEXT);
  return { status, noEcho: (flags & REPLY_FLAG_NO_ECHO) !== 0, message };
}

function statusOf(number: number): Status | undefined {
  for (const [status, each] of statusNumbers) if (each === number) return status;
  return undefined;
}

export interface Continue {
  readonly abort: boolean;
  /** What the user typed. */
  readonly message: Uint8Array;
  /** Why it is aborted, for the server's log; printable. */
  readonly reason: string;
}

export function encodeContinue({ abort, message, reason }: Continue): Uint8Array {
  return new Writer()
    .u16(message.length)
    .u16(reason.length)
    .u8(abort ? CONTINUE_FLAG_ABORT : 0)
    .bytes(message)
    .latin1(reason)
    .done();
}

/** The body of a CONTINUE. Throws ProtocolError as parseStart does. */
export function parseContinue(body: Uint8Array): Continue {
  const reader = new Reader(body, 'TACACS+ CONTINUE');
  const messageBytes = reader.u16();
  const dataBytes = reader.u16();
  const flags = reader.u8();
  if (messageBytes + dataBytes !== reader.remaining) {
    throw new ProtocolError('a TACACS+ CONTINUE whose lengths do not fit, as with another key');
  }
  const message = reader.bytes(messageBytes).slice();
  return {
    abort: (flags & CONTINUE_FLAG_ABORT) !== 0,
    message,
    reason: printable(reader.bytes(dataBytes), MAX_TEXT),
  };
}

/** Obfuscates where the site gives no secret, and the stand-in's replies. A real server knows it as little as any other. */
export const publishedSecret: Uint8Array = Uint8Array.from(Buffer.from('linecheck: no secret'));
