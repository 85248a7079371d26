// SSH transport as bytes (RFC 4253): identification, unencrypted binary packets, KEXINIT and DISCONNECT. Pure.
// Nothing here is encrypted and no key is exchanged.
import { ProtocolError } from '../../src/bytes/errors.js';
import { Reader } from '../../src/bytes/reader.js';
import { lookOf, printable } from '../../src/bytes/text.js';
import { Writer } from '../../src/bytes/writer.js';

/** RFC 4253 §4.2: with CR LF. */
export const MAX_IDENTIFICATION = 255;
/** RFC 4253 §6.1: an uncompressed packet may have 35000 bytes in all. */
export const MAX_PACKET = 35_000;

export const MSG_DISCONNECT = 1;
export const MSG_IGNORE = 2;
export const MSG_DEBUG = 4;
export const MSG_KEXINIT = 20;

/** RFC 4253 §11.1. */
export const HOST_NOT_ALLOWED_TO_CONNECT = 1;
export const BY_APPLICATION = 11;

// RFC 4250 §4.2.2, in words.
const DISCONNECT_REASONS: Readonly<Record<number, string>> = {
  1: 'host not allowed to connect',
  2: 'protocol error',
  3: 'key exchange failed',
  5: 'MAC error',
  6: 'compression error',
  7: 'service not available',
  8: 'protocol version not supported',
  9: 'host key not verifiable',
  10: 'connection lost',
  11: 'by application',
  12: 'too many connections',
  13: 'authentication cancelled by user',
  14: 'no more authentication methods available',
  15: 'illegal user name',
};

export interface Identification {
  /** `2.0`, or `1.99` of a server that speaks both (RFC 4253 §5.1). */
  readonly protocol: string;
  /** `OpenSSH_9.2p1`. */
  readonly software: string;
  readonly comments?: string;
}

export interface KexInit {
  readonly kexAlgorithms: readonly string[];
  readonly hostKeyAlgorithms: readonly string[];
  readonly ciphersToServer: readonly string[];
  readonly ciphersToClient: readonly string[];
  readonly macsToServer: readonly string[];
  readonly macsToClient: readonly string[];
  readonly compressionToServer: readonly string[];
  readonly compressionToClient: readonly string[];
  readonly languagesToServer: readonly string[];
  readonly languagesToClient: readonly string[];
  readonly firstKexPacketFollows: boolean;
}

export interface Disconnect {
  readonly code: number;
  /** `too many connections`, or the number where it has no name. */
  readonly reason: string;
  readonly description: string;
}

export function encodeIdentification({ software, comments }: Omit<Identification, 'protocol'>): Uint8Array {
  return new Writer().latin1(`SSH-2.0-${software}${comments === undefined ? '' : ` ${comments}`}\r\n`).done();
}

/**
 * A line that begins with `SSH-`, with or without its line end.
 * RFC 4253 §4.2 forbids a minus sign in the software version; Cisco's and others' have one, so it is allowed here.
 * Throws ProtocolError for anything else.
 */
export function parseIdentification(line: Uint8Array): Identification {
  if (line.length > MAX_IDENTIFICATION) {
    throw new ProtocolError(`an SSH identification of ${String(line.length)} bytes, where 255 is the limit`);
  }
  const text = Buffer.from(line)
    .toString('latin1')
    .replace(/\r?\n$/, '');
  const match = /^SSH-(\d{1,3}\.\d{1,3})-([\x21-\x7e]*)(?: (.*))?$/.exec(text);
  const [, protocol, software, comments] = match ?? [];
  if (protocol === undefined || software === undefined) throw new ProtocolError(lookOf(line));
  return {
    protocol,
    software,
    ...(comments === undefined || comments === '' ? {} : { comments: printable(Buffer.from(comments, 'latin1'), 255) }),
  };
}

/**
 * How many bytes a binary packet has in all, from its first four.
 * Throws ProtocolError where RFC 4253 §6 and §6.1 do not allow that size: less than 16, more than 35000, no multiple of 8.
 */
export function readPacketSize(start: Uint8Array): number {
  const size = new Reader(start, 'SSH packet').u32() + 4;
  if (size < 16 || size > MAX_PACKET || size % 8 !== 0) {
    throw new ProtocolError(`an SSH packet of impossible size (${String(size)} bytes)`);
  }
  return size;
}

/** The payload of one whole binary packet without MAC; a view. Throws ProtocolError. */
export function parsePacket(packet: Uint8Array): Uint8Array {
  const size = readPacketSize(packet);
  const reader = new Reader(packet, 'SSH packet');
  reader.skip(4);
  const padding = reader.u8();
  const payload = size - 5 - padding;
  // RFC 4253 §6: at least four bytes of padding. A payload has at least its message number.
  if (padding < 4 || payload < 1) throw new ProtocolError(`an SSH packet with ${String(padding)} bytes of padding`);
  const bytes = reader.bytes(payload);
  reader.skip(padding);
  if (reader.remaining > 0) throw new ProtocolError(`${String(reader.remaining)} bytes after an SSH packet`);
  return bytes;
}

/** `random` fills the padding, which RFC 4253 §6 wants random even where nothing is encrypted. */
export function encodePacket(payload: Uint8Array, random: (size: number) => Uint8Array): Uint8Array {
  // The whole, with length and padding length, is a multiple of 8 and has at least 4 bytes of padding.
  const padding = 4 + ((8 - ((payload.length + 9) % 8)) % 8);
  return new Writer(payload.length + 16)
    .u32(1 + payload.length + padding)
    .u8(padding)
    .bytes(payload)
    .bytes(random(padding))
    .done();
}

/** RFC 4253 §7.1. Throws ProtocolError. Bytes after it are ignored: the field before them is reserved for extension. */
export function parseKexInit(payload: Uint8Array): KexInit {
  const reader = new Reader(payload, 'SSH KEXINIT');
  const message = reader.u8();
  if (message !== MSG_KEXINIT) throw new ProtocolError(`SSH message ${String(message)} instead of KEXINIT`);
  reader.skip(16);
  const kexInit = {
    kexAlgorithms: nameList(reader),
    hostKeyAlgorithms: nameList(reader),
    ciphersToServer: nameList(reader),
    ciphersToClient: nameList(reader),
    macsToServer: nameList(reader),
    macsToClient: nameList(reader),
    compressionToServer: nameList(reader),
    compressionToClient: nameList(reader),
    languagesToServer: nameList(reader),
    languagesToClient: nameList(reader),
    firstKexPacketFollows: reader.u8() !== 0,
  };
  reader.skip(4);
  return kexInit;
}

export function encodeKexInit(kexInit: KexInit, random: (size: number) => Uint8Array): Uint8Array {
  const writer = new Writer(512).u8(MSG_KEXINIT).bytes(random(16));
  for (const names of [
    kexInit.kexAlgorithms,
    kexInit.hostKeyAlgorithms,
    kexInit.ciphersToServer,
    kexInit.ciphersToClient,
    kexInit.macsToServer,
    kexInit.macsToClient,
    kexInit.compressionToServer,
    kexInit.compressionToClient,
    kexInit.languagesToServer,
    kexInit.languagesToClient,
  ]) {
    const list = names.join(',');
    writer.u32(list.length).latin1(list);
  }
  return writer
    .u8(kexInit.firstKexPacketFollows ? 1 : 0)
    .u32(0)
    .done();
}

/** RFC 4253 §11.1. Throws ProtocolError. The language tag may be missing; several old servers leave it out. */
export function parseDisconnect(payload: Uint8Array): Disconnect {
  const reader = new Reader(payload, 'SSH DISCONNECT');
  const message = reader.u8();
  if (message !== MSG_DISCONNECT) throw new ProtocolError(`SSH message ${String(message)} instead of DISCONNECT`);
  const code = reader.u32();
  const description = printable(reader.bytes(reader.u32()), 200);
  return { code, reason: DISCONNECT_REASONS[code] ?? `reason ${String(code)}`, description };
}

export function encodeDisconnect(code: number, description: string): Uint8Array {
  return new Writer().u8(MSG_DISCONNECT).u32(code).u32(description.length).latin1(description).u32(0).done();
}

/**
 * RFC 4251 §5: names, separated by commas. An empty name is forbidden and yet seen where a device's list ends in a
 * comma; it is dropped. A name that is not printable ASCII is a ProtocolError.
 */
function nameList(reader: Reader): readonly string[] {
  const list = reader.latin1(reader.u32());
  if (/[^\x21-\x7e]/.test(list)) throw new ProtocolError('an SSH KEXINIT with names that are not printable');
  return list.split(',').filter((name) => name !== '');
}
