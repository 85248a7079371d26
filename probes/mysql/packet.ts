// The connection phase of the MySQL protocol as bytes: greeting, TLS request, login, what answers it, and the quit.
// Source: "Client/Server Protocol" in the MySQL Source Code Documentation; MariaDB's "Client/Server Protocol". Little-endian.
import { createHash } from 'node:crypto';
import { ProtocolError } from '../../src/bytes/errors.js';
import { Reader } from '../../src/bytes/reader.js';
import { lookOf, printable } from '../../src/bytes/text.js';
import { Writer } from '../../src/bytes/writer.js';
import type { Stream } from '../../src/contract/probe.js';

const HEADER_BYTES = 4;
/** Greetings and refusals are shorter; 512 bytes is what a server's message may have (MYSQL_ERRMSG_SIZE). */
const MAX_PAYLOAD = 1024;
/** What a fact may carry of a stranger's text, characters. */
const MAX_TEXT = 200;

/** "Capabilities Flags", without their prefix CLIENT_. */
const CAPABILITIES = {
  LONG_PASSWORD: 0x1,
  FOUND_ROWS: 0x2,
  LONG_FLAG: 0x4,
  CONNECT_WITH_DB: 0x8,
  NO_SCHEMA: 0x10,
  COMPRESS: 0x20,
  ODBC: 0x40,
  LOCAL_FILES: 0x80,
  IGNORE_SPACE: 0x100,
  PROTOCOL_41: 0x200,
  INTERACTIVE: 0x400,
  SSL: 0x800,
  IGNORE_SIGPIPE: 0x1000,
  TRANSACTIONS: 0x2000,
  SECURE_CONNECTION: 0x8000,
  MULTI_STATEMENTS: 0x1_0000,
  MULTI_RESULTS: 0x2_0000,
  PS_MULTI_RESULTS: 0x4_0000,
  PLUGIN_AUTH: 0x8_0000,
  CONNECT_ATTRS: 0x10_0000,
  PLUGIN_AUTH_LENENC_CLIENT_DATA: 0x20_0000,
  CAN_HANDLE_EXPIRED_PASSWORDS: 0x40_0000,
  SESSION_TRACK: 0x80_0000,
  DEPRECATE_EOF: 0x100_0000,
  OPTIONAL_RESULTSET_METADATA: 0x200_0000,
  ZSTD_COMPRESSION_ALGORITHM: 0x400_0000,
  QUERY_ATTRIBUTES: 0x800_0000,
  MULTI_FACTOR_AUTHENTICATION: 0x1000_0000,
} as const;

export type Capability = keyof typeof CAPABILITIES;

const isCapability = (name: string): name is Capability => Object.hasOwn(CAPABILITIES, name);
const NAMES = Object.keys(CAPABILITIES).filter(isCapability);

/** The first byte of a payload: what kind of packet it is. */
const OK = 0x00;
const MORE = 0x01;
const GREETING = 0x0a;
const SWITCH = 0xfe;
const ERROR = 0xff;
const COM_QUIT = 0x01;

/** utf8mb3_general_ci, which every server knows. */
const CHARACTER_SET = 33;
const MAX_PACKET_SIZE = 1 << 24;
const NONCE_BYTES = 20;

export const NATIVE_PASSWORD = 'mysql_native_password';
export const CACHING_SHA2_PASSWORD = 'caching_sha2_password';
export const CLEAR_PASSWORD = 'mysql_clear_password';
const ED25519 = 'client_ed25519';

export interface Packet {
  /** Counted on by both sides, one after the other, and begun anew with each command. */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

export interface Refusal {
  readonly kind: 'refusal';
  readonly code: number;
  /** SQLSTATE, where the server gives one. */
  readonly state?: string;
  /** Printable, and short. */
  readonly message: string;
}

export interface Greeting {
  readonly kind: 'greeting';
  readonly version: string;
  readonly connectionId: number;
  readonly capabilities: readonly Capability[];
  /** What the password is hashed with: 8 bytes of a server older than 4.1, else 20. */
  readonly nonce: Uint8Array;
  /** How the server begins to authenticate; absent before 5.5.7. */
  readonly plugin?: string;
}

/** What follows a login. */
export type Answer =
  | { readonly kind: 'accepted' }
  | Refusal
  /** Authenticate in another way, with this nonce. Without a plugin: as before 4.1. */
  | { readonly kind: 'switch'; readonly plugin: string; readonly nonce: Uint8Array }
  /** The plugin's own bytes; one more is owed, unless the plugin says otherwise. */
  | { readonly kind: 'more'; readonly bytes: Uint8Array };

export interface Login {
  readonly capabilities: readonly Capability[];
  readonly user: Uint8Array;
  /** At most 255 bytes. */
  readonly answer: Uint8Array;
  readonly plugin: string;
  /** Shown in performance_schema.session_connect_attrs; names and values of at most 250 bytes in all. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** How many bytes the payload has, from a packet's first four. Throws ProtocolError for more than any reader here takes. */
export function readPayloadSize(header: Uint8Array): number {
  const size = little(new Reader(header, 'MySQL packet header'), 3);
  if (size < 1 || size > MAX_PAYLOAD) throw new ProtocolError(`a MySQL packet of ${size} bytes`);
  return size;
}

/** The next whole packet. Throws ProtocolError where its header is none. */
export async function takePacket(stream: Stream): Promise<Packet> {
  const header = await stream.read({ atLeast: HEADER_BYTES, max: HEADER_BYTES });
  const size = readPayloadSize(header);
  return { sequence: header[3] ?? 0, payload: await stream.read({ atLeast: size, max: size }) };
}

/** The first packet of a server. Throws ProtocolError as soon as it is clear that none comes. */
export async function takeGreeting(stream: Stream): Promise<Greeting | Refusal> {
  const start = await stream.read({ atLeast: HEADER_BYTES + 1, max: HEADER_BYTES + 1 });
  const [low = 0, middle = 0, high = 0, sequence, kind] = start;
  const size = low + 0x100 * middle + 0x1_0000 * high;
  if (size < 3 || size > MAX_PAYLOAD || sequence !== 0 || (kind !== GREETING && kind !== ERROR)) {
    throw new ProtocolError(lookOf(Buffer.concat([start, await stream.read({ atLeast: 0, max: 75 })])));
  }
  const rest = await stream.read({ atLeast: size - 1, max: size - 1 });
  return parseGreeting(Buffer.concat([Uint8Array.of(kind), rest]));
}

/** HandshakeV10, or the refusal that a server sends in its place. Throws ProtocolError for anything else. */
export function parseGreeting(payload: Uint8Array): Greeting | Refusal {
  const reader = new Reader(payload, 'MySQL greeting');
  const first = reader.u8();
  if (first === ERROR) return parseRefusal(payload);
  if (first !== GREETING) throw new ProtocolError(`no MySQL greeting of protocol 10: ${lookOf(payload)}`);
  const version = plainText(terminated(reader));
  if (!/\d/.test(version)) throw new ProtocolError('a MySQL greeting without a version');
  const connectionId = little(reader, 4);
  const first8 = reader.bytes(8);
  reader.skip(1);
  let flags = little(reader, 2);
  // Before 4.1 nothing may follow.
  if (reader.remaining === 0)
    return { kind: 'greeting', version, connectionId, capabilities: named(flags), nonce: first8 };
  reader.skip(3);
  flags += little(reader, 2) * 0x1_0000;
  const capabilities = named(flags);
  const nonceBytes = reader.u8();
  reader.skip(10);
  if (!capabilities.includes('SECURE_CONNECTION')) {
    return { kind: 'greeting', version, connectionId, capabilities, nonce: first8 };
  }
  const rest = reader.bytes(Math.min(reader.remaining, Math.max(13, nonceBytes - 8)));
  const nonce = Uint8Array.from([...first8, ...rest]).subarray(0, NONCE_BYTES);
  if (nonce.length < NONCE_BYTES) throw new ProtocolError(`a MySQL greeting with a nonce of ${nonce.length} bytes`);
  if (!capabilities.includes('PLUGIN_AUTH')) return { kind: 'greeting', version, connectionId, capabilities, nonce };
  // 5.5.7 to 5.5.9 end the name with the packet, and not with a zero (MySQL bug 59453).
  return { kind: 'greeting', version, connectionId, capabilities, nonce, plugin: plainText(untilZero(reader.rest())) };
}

/** What follows a login or what was said to `switch` or `more`. Throws ProtocolError for an empty or malformed packet. */
export function parseAnswer(payload: Uint8Array): Answer {
  const reader = new Reader(payload, 'MySQL answer to a login');
  switch (reader.u8()) {
    case OK:
      return { kind: 'accepted' };
    case ERROR:
      return parseRefusal(payload);
    case SWITCH: {
      if (reader.remaining === 0) return { kind: 'switch', plugin: 'mysql_old_password', nonce: new Uint8Array(0) };
      const plugin = plainText(terminated(reader));
      return { kind: 'switch', plugin, nonce: reader.bytes(Math.min(reader.remaining, NONCE_BYTES)) };
    }
    case MORE:
      return { kind: 'more', bytes: reader.rest() };
    default:
      // MariaDB puts a 1 only before what would be mistaken for one of the above.
      return { kind: 'more', bytes: payload };
  }
}

/** ERR_Packet. Throws ProtocolError for one with a code that no server sends, or with no words. */
export function parseRefusal(payload: Uint8Array): Refusal {
  const reader = new Reader(payload, 'MySQL error');
  if (reader.u8() !== ERROR) throw new ProtocolError(`no MySQL error: ${lookOf(payload)}`);
  const code = little(reader, 2);
  const rest = reader.latin1(reader.remaining);
  const [, state, text = ''] = /^(?:#([0-9A-Z]{5}))?(.*)$/s.exec(rest) ?? [];
  // "Error Message Elements": servers have 1000 and up, clients 2000; MariaDB's own begin at 1900 and 4000.
  // eslint-disable-next-line no-control-regex -- words have no control characters, and other bytes do
  if (code < 1000 || code > 9999 || text.length < 4 || /[\u0000-\u0008\u000e-\u001f]/.test(text)) {
    throw new ProtocolError(`no MySQL error: ${lookOf(payload)}`);
  }
  const message = plainText(Buffer.from(text, 'latin1'));
  return { kind: 'refusal', code, ...(state === undefined ? {} : { state }), message };
}

/** `1045 (28000): Access denied for user ...`. */
export function sentenceOf({ code, state, message }: Refusal): string {
  return `${code}${state === undefined ? '' : ` (${state})`}: ${message}`;
}

/** SSLRequest: the beginning of a login, which goes on in TLS. */
export function encodeTlsRequest(sequence: number, capabilities: readonly Capability[]): Uint8Array {
  return encodePacket(sequence, loginHeader(capabilities));
}

/** HandshakeResponse41. */
export function encodeLogin(sequence: number, login: Login): Uint8Array {
  const { capabilities, user, answer, plugin, attributes } = login;
  const writer = new Writer(128).bytes(loginHeader(capabilities)).bytes(user).u8(0).u8(answer.length).bytes(answer);
  if (capabilities.includes('PLUGIN_AUTH')) writer.latin1(plugin).u8(0);
  if (capabilities.includes('CONNECT_ATTRS')) {
    const pairs = new Writer();
    for (const text of Object.entries(attributes).flat()) pairs.u8(text.length).latin1(text);
    writer.u8(pairs.length).bytes(pairs.done());
  }
  return encodePacket(sequence, writer.done());
}

export function encodeQuit(): Uint8Array {
  return encodePacket(0, Uint8Array.of(COM_QUIT));
}

export function encodePacket(sequence: number, payload: Uint8Array): Uint8Array {
  return littleTo(new Writer(HEADER_BYTES + payload.length), 3, payload.length)
    .u8(sequence)
    .bytes(payload)
    .done();
}

/**
 * What a plugin is told by someone without a password. A server whose user does not exist pretends that he does, with the
 * plugin of any account that it has (MariaDB, sql_acl.cc), and counts an answer of the wrong length as a broken handshake.
 */
export function answerWithoutPassword(plugin: string): Uint8Array {
  if (plugin === NATIVE_PASSWORD || plugin === 'mysql_old_password') return new Uint8Array(0);
  // Measured: auth_ed25519 of MariaDB 10.11 counts anything but 64 bytes as an error of the handshake; they sign nothing.
  if (plugin === ED25519) return new Uint8Array(64);
  return Uint8Array.of(0);
}

/** "Native Authentication": SHA1(password) XOR SHA1(nonce, SHA1(SHA1(password))). */
export function nativeAnswer(password: Uint8Array, nonce: Uint8Array): Uint8Array {
  const once = hash('sha1', password);
  return xor(once, hash('sha1', nonce, hash('sha1', once)));
}

/** "Caching_sha2_password": SHA256(password) XOR SHA256(SHA256(SHA256(password)), nonce). */
export function cachingSha2Answer(password: Uint8Array, nonce: Uint8Array): Uint8Array {
  const once = hash('sha256', password);
  return xor(once, hash('sha256', hash('sha256', once), nonce));
}

export type ClientPacket =
  | { readonly kind: 'tls-request' }
  | {
      readonly kind: 'login';
      readonly user: string;
      readonly capabilities: readonly Capability[];
      readonly answer: Uint8Array;
      readonly plugin?: string;
      readonly attributes: readonly (readonly [string, string])[];
    };

/** What a client says to a greeting: SSLRequest or HandshakeResponse41. Throws ProtocolError. */
export function parseLogin(payload: Uint8Array): ClientPacket {
  const reader = new Reader(payload, 'MySQL login');
  const capabilities = named(little(reader, 4));
  if (!capabilities.includes('PROTOCOL_41')) throw new ProtocolError('a MySQL login of before 4.1');
  reader.skip(28);
  if (reader.remaining === 0 && capabilities.includes('SSL')) return { kind: 'tls-request' };
  const user = plainText(terminated(reader));
  const answer = reader.bytes(reader.u8());
  if (capabilities.includes('CONNECT_WITH_DB')) terminated(reader);
  const plugin = capabilities.includes('PLUGIN_AUTH') ? plainText(terminated(reader)) : undefined;
  const attributes: [string, string][] = [];
  if (capabilities.includes('CONNECT_ATTRS')) {
    const pairs = new Reader(reader.bytes(reader.u8()), 'MySQL connection attributes');
    while (pairs.remaining > 0) attributes.push([plainText(sized(pairs)), plainText(sized(pairs))]);
  }
  return { kind: 'login', user, capabilities, answer, ...(plugin === undefined ? {} : { plugin }), attributes };
}

export function encodeGreeting(greeting: Omit<Greeting, 'kind'>): Uint8Array {
  const { version, connectionId, capabilities, nonce, plugin = '' } = greeting;
  const flags = flagsOf(capabilities);
  const writer = new Writer(128).u8(GREETING).latin1(version).u8(0);
  littleTo(writer, 4, connectionId).bytes(nonce.subarray(0, 8)).u8(0);
  // Autocommit is all there is to say of the server's status.
  littleTo(littleTo(writer, 2, flags & 0xffff).u8(CHARACTER_SET), 2, 2);
  littleTo(writer, 2, flags >>> 16)
    .u8(nonce.length + 1)
    .zeros(10)
    .bytes(nonce.subarray(8))
    .u8(0);
  return encodePacket(0, writer.latin1(plugin).u8(0).done());
}

export function encodeRefusal(sequence: number, { code, state = 'HY000', message }: Omit<Refusal, 'kind'>): Uint8Array {
  return encodePacket(sequence, littleTo(new Writer().u8(ERROR), 2, code).latin1(`#${state}${message}`).done());
}

function loginHeader(capabilities: readonly Capability[]): Uint8Array {
  const writer = littleTo(littleTo(new Writer(32), 4, flagsOf(capabilities)), 4, MAX_PACKET_SIZE);
  return writer.u8(CHARACTER_SET).zeros(23).done();
}

function named(flags: number): readonly Capability[] {
  return NAMES.filter((name) => (flags & CAPABILITIES[name]) !== 0);
}

function flagsOf(capabilities: readonly Capability[]): number {
  return capabilities.reduce((flags, name) => flags | CAPABILITIES[name], 0);
}

function little(reader: Reader, size: number): number {
  return reader.bytes(size).reduceRight((value, byte) => value * 0x100 + byte, 0);
}

function littleTo(writer: Writer, size: number, value: number): Writer {
  for (let at = 0; at < size; at += 1) writer.u8((value >>> (8 * at)) & 0xff);
  return writer;
}

/** Up to a zero, which is taken too. Throws ProtocolError where none comes. */
function terminated(reader: Reader): Uint8Array {
  const bytes: number[] = [];
  for (let byte = reader.u8(); byte !== 0; byte = reader.u8()) bytes.push(byte);
  return Uint8Array.from(bytes);
}

function untilZero(bytes: Uint8Array): Uint8Array {
  const at = bytes.indexOf(0);
  return at < 0 ? bytes : bytes.subarray(0, at);
}

/** Of at most 250 bytes: longer ones announce their size in several. */
function sized(reader: Reader): Uint8Array {
  return reader.bytes(reader.u8());
}

function plainText(bytes: Uint8Array): string {
  return printable(bytes, MAX_TEXT);
}

function hash(algorithm: 'sha1' | 'sha256', ...parts: readonly Uint8Array[]): Uint8Array {
  return parts.reduce((made, part) => made.update(part), createHash(algorithm)).digest();
}

function xor(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((byte, at) => byte ^ (other[at] ?? 0));
}
