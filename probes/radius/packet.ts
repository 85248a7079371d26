// RADIUS packets as bytes: header and authenticators (RFC 2865 §3, RFC 3579 §3.2, RFC 5997), ours, and attributes, which
// the radius package encodes and names. Pure; what an answer means stands in probe.ts.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import radius from 'radius';
import { ProtocolError } from '../../src/bytes/errors.js';
import { Reader } from '../../src/bytes/reader.js';
import { lookOf, printable } from '../../src/bytes/text.js';

export const ACCESS_REQUEST = 1;
export const ACCESS_ACCEPT = 2;
export const ACCESS_REJECT = 3;
export const ACCOUNTING_RESPONSE = 5;
export const ACCESS_CHALLENGE = 11;
export const STATUS_SERVER = 12;
/** RFC 7930 §4: a server that cannot answer otherwise says so. */
const PROTOCOL_ERROR = 52;

const CODES: Readonly<Record<number, string>> = {
  [ACCESS_REQUEST]: 'Access-Request',
  [ACCESS_ACCEPT]: 'Access-Accept',
  [ACCESS_REJECT]: 'Access-Reject',
  4: 'Accounting-Request',
  [ACCOUNTING_RESPONSE]: 'Accounting-Response',
  [ACCESS_CHALLENGE]: 'Access-Challenge',
  [STATUS_SERVER]: 'Status-Server',
  13: 'Status-Client',
  40: 'Disconnect-Request',
  43: 'CoA-Request',
  [PROTOCOL_ERROR]: 'Protocol-Error',
};
const ANSWERS: ReadonlySet<number> = new Set([
  ACCESS_ACCEPT,
  ACCESS_REJECT,
  ACCOUNTING_RESPONSE,
  ACCESS_CHALLENGE,
  PROTOCOL_ERROR,
]);

/** RFC 2865 §3: shortest and longest packet, and where its authenticator stands. */
export const HEADER_BYTES = 20;
const MAX_BYTES = 4096;
const AUTHENTICATOR_AT = 4;
export const AUTHENTICATOR_BYTES = 16;
/** RFC 3579 §3.2: type, length, 16 bytes. */
export const MESSAGE_AUTHENTICATOR_BYTES = 18;
/** RFC 2865 §5.2 and §5.1: what fits into the attributes. */
export const MAX_PASSWORD_BYTES = 128;
export const MAX_USER_BYTES = 253;

const REPLY_MESSAGE = 18;
const VENDOR_SPECIFIC = 26;
const NAS_IDENTIFIER_TYPE = 32;
const MESSAGE_AUTHENTICATOR = 80;

/**
 * How we call ourselves, for the server's log. It says which service is asked, too: a stand-in stands on any port and
 * has nothing else to tell by.
 */
export const NAS_IDENTIFIER = { authentication: 'linecheck auth', accounting: 'linecheck acct' } as const;

/** Signs where the site gives no secret, and the stand-in's answers. A real server knows it as little as any other. */
export const publishedSecret: Uint8Array = Uint8Array.from(Buffer.from('linecheck: no secret'));

export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

export interface RadiusPacket {
  readonly code: number;
  readonly identifier: number;
  readonly authenticator: Uint8Array;
  readonly attributes: readonly Attribute[];
}

export function codeName(code: number): string {
  return CODES[code] ?? `code ${code}`;
}

/**
 * A whole packet of any code. RFC 2865 §3: what is longer than its length field is padded, what is shorter is discarded.
 * Throws ProtocolError for that, for a length outside 20 to 4096, and for attributes that do not fill it.
 */
export function parsePacket(bytes: Uint8Array): RadiusPacket {
  const reader = new Reader(wholeOf(bytes), 'RADIUS packet');
  const code = reader.u8();
  const identifier = reader.u8();
  reader.skip(2);
  const authenticator = reader.bytes(AUTHENTICATOR_BYTES).slice();
  const attributes: Attribute[] = [];
  while (reader.remaining > 0) {
    const type = reader.u8();
    const size = reader.u8();
    if (size < 2) throw new ProtocolError(`a RADIUS attribute ${type} with length ${size}`);
    attributes.push({ type, value: reader.bytes(size - 2).slice() });
  }
  return { code, identifier, authenticator, attributes };
}

/** The request says that it is meant for an accounting service. */
export function isForAccounting({ attributes }: RadiusPacket): boolean {
  const name = attributes.find(({ type }) => type === NAS_IDENTIFIER_TYPE);
  return name !== undefined && Buffer.from(name.value).equals(Buffer.from(NAS_IDENTIFIER.accounting));
}

/** As parsePacket, of one of the codes that answer a client. */
export function parseAnswer(bytes: Uint8Array): RadiusPacket {
  const packet = parsePacket(bytes);
  if (!ANSWERS.has(packet.code)) throw new ProtocolError(`a RADIUS ${codeName(packet.code)}, which answers nothing`);
  return packet;
}

/** The packet without padding. */
function wholeOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length < HEADER_BYTES) throw new ProtocolError(`${lookOf(bytes)}, too short for RADIUS`);
  const length = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
  if (length < HEADER_BYTES || length > MAX_BYTES || length > bytes.length) {
    throw new ProtocolError(`${lookOf(bytes)}, not RADIUS: its length would be ${length}`);
  }
  return bytes.subarray(0, length);
}

/** The longest Reply-Message that is shown, and how many names are. */
const MAX_TEXT = 200;
const MAX_NAMES = 40;

export interface NamedAttributes {
  /** Each name once, in the packet's order: `Session-Timeout`, `attribute 241` where no dictionary has one. */
  readonly names: readonly string[];
  /** What the server says to the user (RFC 2865 §5.18). */
  readonly replyMessage?: string;
}

/**
 * The attributes by name. Only Reply-Message is shown with its value: others are for the device, some of them keys.
 * Throws ProtocolError as parsePacket does, and for a value that is not of its attribute's type.
 */
export function readAttributes(bytes: Uint8Array): NamedAttributes {
  const { attributes } = parsePacket(bytes);
  const names: string[] = [];
  let replyMessage: string | undefined;
  for (const type of new Set(attributes.map((each) => each.type))) {
    const alike = attributes.filter((each) => each.type === type);
    const name = type === VENDOR_SPECIFIC ? 'Vendor-Specific' : nameOf(type, alike);
    if (type === REPLY_MESSAGE) replyMessage = printable(Buffer.concat(alike.map(({ value }) => value)), MAX_TEXT);
    names.push(name ?? `attribute ${type}`);
  }
  return { names: names.slice(0, MAX_NAMES), ...(replyMessage === undefined ? {} : { replyMessage }) };
}

/**
 * The name under which the package decodes attributes of one type. What vendors put into theirs it reads more strictly
 * than they write it, so Vendor-Specific is none of its business.
 */
function nameOf(type: number, alike: readonly Attribute[]): string | undefined {
  const size = alike.reduce((sum, { value }) => sum + 2 + value.length, HEADER_BYTES);
  const packet = Buffer.alloc(HEADER_BYTES);
  // A code that the package knows: Protocol-Error is not among them.
  packet.writeUInt8(ACCESS_ACCEPT, 0);
  packet.writeUInt16BE(size, 2);
  const body = alike.map(({ value }) => Buffer.concat([Uint8Array.of(type, value.length + 2), value]));
  let decoded: unknown;
  try {
    decoded = radius.decode_without_secret({ packet: Buffer.concat([packet, ...body]) }).attributes;
  } catch {
    throw new ProtocolError(`a RADIUS attribute ${type} that is not of its type`);
  }
  return typeof decoded === 'object' && decoded !== null ? Object.keys(decoded)[0] : undefined;
}

export interface Request {
  readonly code: typeof ACCESS_REQUEST | typeof STATUS_SERVER;
  readonly identifier: number;
  /** 16 bytes that nobody can guess (RFC 2865 §3). */
  readonly authenticator: Uint8Array;
  /** Printable; at most 253 characters. */
  readonly nasIdentifier: string;
  readonly user?: Uint8Array;
  /** As hidePassword or chapPassword makes it. */
  readonly password?: { readonly attribute: 'User-Password' | 'CHAP-Password'; readonly value: Uint8Array };
}

/** A request with its Message-Authenticator, which stands first: there nobody can push it aside (CVE-2024-3596). */
export function encodeRequest(request: Request, secret: Uint8Array): Uint8Array {
  const { code, identifier, authenticator, nasIdentifier, user, password } = request;
  const bytes = radius.encode({
    code: codeName(code),
    identifier,
    // The package signs nothing here: a Message-Authenticator given is left as it is.
    secret: '',
    attributes: [
      ['Message-Authenticator', Buffer.alloc(AUTHENTICATOR_BYTES)],
      ...(user === undefined ? [] : [['User-Name', Buffer.from(user)]]),
      ...(password === undefined ? [] : [[password.attribute, Buffer.from(password.value)]]),
      ['NAS-Identifier', Buffer.from(nasIdentifier, 'latin1')],
    ],
  });
  bytes.set(authenticator, AUTHENTICATOR_AT);
  bytes.set(createHmac('md5', secret).update(bytes).digest(), HEADER_BYTES + 2);
  return Uint8Array.from(bytes);
}

/** An answer to `request` with nothing but its Message-Authenticator, as a stand-in gives it. */
export function encodeAnswer(code: number, request: RadiusPacket, secret: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES + MESSAGE_AUTHENTICATOR_BYTES);
  bytes.set([code, request.identifier, 0, bytes.length]);
  bytes.set(request.authenticator, AUTHENTICATOR_AT);
  bytes.set([MESSAGE_AUTHENTICATOR, MESSAGE_AUTHENTICATOR_BYTES], HEADER_BYTES);
  bytes.set(createHmac('md5', secret).update(bytes).digest(), HEADER_BYTES + 2);
  bytes.set(responseAuthenticator(bytes, request.authenticator, secret), AUTHENTICATOR_AT);
  return Uint8Array.from(bytes);
}

/**
 * User-Password as it goes over the wire (RFC 2865 §5.2): padded to 16 and XORed with a chain of MD5. At most
 * MAX_PASSWORD_BYTES.
 */
export function hidePassword(password: Uint8Array, authenticator: Uint8Array, secret: Uint8Array): Uint8Array {
  const hidden = new Uint8Array(Math.max(16, Math.ceil(password.length / 16) * 16));
  hidden.set(password);
  let before = authenticator;
  for (let at = 0; at < hidden.length; at += 16) {
    const pad = createHash('md5').update(secret).update(before).digest();
    const block = hidden.subarray(at, at + 16);
    block.forEach((byte, index) => (block[index] = byte ^ (pad[index] ?? 0)));
    before = block;
  }
  return hidden;
}

/** CHAP-Password (RFC 2865 §5.3): an identifier and the response to the Request Authenticator, which is the challenge. */
export function chapPassword(password: Uint8Array, authenticator: Uint8Array, identifier: number): Uint8Array {
  const response = createHash('md5').update(Uint8Array.of(identifier)).update(password).update(authenticator).digest();
  return Uint8Array.from([identifier, ...response]);
}

/** RFC 2865 §3: MD5 over the answer with the request's authenticator in its place, and the secret. */
function responseAuthenticator(whole: Uint8Array, requestAuthenticator: Uint8Array, secret: Uint8Array): Uint8Array {
  return createHash('md5')
    .update(whole.subarray(0, AUTHENTICATOR_AT))
    .update(requestAuthenticator)
    .update(whole.subarray(HEADER_BYTES))
    .update(secret)
    .digest();
}

/** Whoever made this answer knows the secret and our request, as far as MD5 proves it (CVE-2024-3596). */
export function answerVerifies(bytes: Uint8Array, requestAuthenticator: Uint8Array, secret: Uint8Array): boolean {
  const whole = wholeOf(bytes);
  const given = whole.subarray(AUTHENTICATOR_AT, HEADER_BYTES);
  return timingSafeEqual(given, responseAuthenticator(whole, requestAuthenticator, secret));
}

/** RFC 3579 §3.2: HMAC-MD5 over the answer with the request's authenticator in its place and itself all zero. */
export function messageAuthenticatorOf(
  bytes: Uint8Array,
  requestAuthenticator: Uint8Array,
  secret: Uint8Array,
): 'verified' | 'wrong' | 'absent' {
  const whole = Uint8Array.from(wholeOf(bytes));
  const places: number[] = [];
  for (let at = HEADER_BYTES; at < whole.length; at += Math.max(2, whole[at + 1] ?? 2)) {
    if (whole[at] === MESSAGE_AUTHENTICATOR) places.push(at);
  }
  const [at] = places;
  if (at === undefined) return 'absent';
  if (places.length > 1 || whole[at + 1] !== MESSAGE_AUTHENTICATOR_BYTES) return 'wrong';
  const given = whole.slice(at + 2, at + MESSAGE_AUTHENTICATOR_BYTES);
  if (given.length !== AUTHENTICATOR_BYTES) return 'wrong';
  whole.fill(0, at + 2, at + MESSAGE_AUTHENTICATOR_BYTES);
  whole.set(requestAuthenticator, AUTHENTICATOR_AT);
  return timingSafeEqual(given, createHmac('md5', secret).update(whole).digest()) ? 'verified' : 'wrong';
}
