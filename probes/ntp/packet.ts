// The NTP packet header as bytes (RFC 5905 §7.3) and its timestamps (§6). Extension fields and MACs are not read. Pure.
import { ProtocolError } from '../../src/bytes/errors.js';
import { Reader } from '../../src/bytes/reader.js';
import { lookOf, printable } from '../../src/bytes/text.js';
import { Writer } from '../../src/bytes/writer.js';

export const HEADER_BYTES = 48;
export const MODE_CLIENT = 3;
export const MODE_SERVER = 4;
/** Both as a leap indicator and in the design of RFC 5905 §7.3: the clock is not synchronised. */
export const LEAP_UNKNOWN = 3;
/** RFC 5905 §7.3: from 16 on a stratum means unsynchronised. */
export const STRATUM_UNSYNCHRONISED = 16;

export interface NtpPacket {
  /** 0 none, 1 last minute has 61 s, 2 it has 59 s, 3 unsynchronised. */
  readonly leap: number;
  readonly version: number;
  readonly mode: number;
  /** 0 unspecified or kiss-o'-death, 1 primary, 2 to 15 secondary, 16 unsynchronised. */
  readonly stratum: number;
  /** log2 of seconds, signed. */
  readonly poll: number;
  readonly precision: number;
  readonly rootDelayMs: number;
  readonly rootDispersionMs: number;
  /** Four bytes; what they mean depends on the stratum. */
  readonly referenceId: Uint8Array;
  /** NTP timestamps: 32.32 fixed point, seconds since 1900, modulo 2^32. */
  readonly reference: bigint;
  readonly originate: bigint;
  readonly receive: bigint;
  readonly transmit: bigint;
}

/**
 * A whole header, of any mode. Throws ProtocolError where it is shorter than 48 bytes, has a version that no server
 * speaks (0, 5 to 7), or is a control (6) or private (7) message, which have other formats.
 */
export function parsePacket(bytes: Uint8Array): NtpPacket {
  const reader = new Reader(bytes, 'NTP packet');
  if (bytes.length < HEADER_BYTES) throw new ProtocolError(`${lookOf(bytes)}, too short for NTP`);
  const first = reader.u8();
  const version = (first >> 3) & 7;
  const mode = first & 7;
  if (version < 1 || version > 4) throw new ProtocolError(`${lookOf(bytes)}, not an NTP version`);
  if (mode === 0 || mode >= 6) throw new ProtocolError(`an NTP packet of mode ${String(mode)}`);
  return {
    leap: first >> 6,
    version,
    mode,
    stratum: reader.u8(),
    poll: signed8(reader.u8()),
    precision: signed8(reader.u8()),
    // RFC 5905 §6: short format, 16.16 seconds. Root delay was signed in RFC 1305 and is a small number in both.
    rootDelayMs: (signed32(reader.u32()) / 65_536) * 1000,
    rootDispersionMs: (reader.u32() / 65_536) * 1000,
    referenceId: reader.bytes(4).slice(),
    reference: reader.u64(),
    originate: reader.u64(),
    receive: reader.u64(),
    transmit: reader.u64(),
  };
}

export function encodePacket(packet: NtpPacket): Uint8Array {
  return new Writer(HEADER_BYTES)
    .u8((packet.leap << 6) | (packet.version << 3) | packet.mode)
    .u8(packet.stratum)
    .u8(packet.poll & 0xff)
    .u8(packet.precision & 0xff)
    .u32(Math.round((packet.rootDelayMs / 1000) * 65_536) >>> 0)
    .u32(Math.round((packet.rootDispersionMs / 1000) * 65_536) >>> 0)
    .bytes(packet.referenceId)
    .u64(packet.reference)
    .u64(packet.originate)
    .u64(packet.receive)
    .u64(packet.transmit)
    .done();
}

/**
 * A client's question. All but version, mode and the transmit timestamp is zero: a server copies that timestamp and uses
 * nothing else (RFC 5905 §8). It is random (8 bytes) and so tells nobody our clock, and nobody off the path can answer.
 */
export function encodeRequest(version: number, transmit: Uint8Array): Uint8Array {
  return new Writer(HEADER_BYTES)
    .u8((version << 3) | MODE_CLIENT)
    .zeros(39)
    .bytes(transmit.subarray(0, 8))
    .done();
}

/** A kiss code (RFC 5905 §7.4), where the packet is a kiss-o'-death: `RATE`. */
export function kissCodeOf({ stratum, referenceId }: Pick<NtpPacket, 'stratum' | 'referenceId'>): string | undefined {
  if (stratum !== 0) return undefined;
  const text = String.fromCharCode(...referenceId);
  return /^[A-Z]{4}$/.test(text) ? text : undefined;
}

/**
 * RFC 5905 §7.3: text for stratum 0 and 1, padded with zeros; above that an IPv4 address, or the first four bytes of the
 * MD5 of an IPv6 address, which cannot be told from one. undefined where it is all zero.
 */
export function referenceIdText({
  stratum,
  referenceId,
}: Pick<NtpPacket, 'stratum' | 'referenceId'>): string | undefined {
  if (referenceId.every((byte) => byte === 0)) return undefined;
  if (stratum >= 2 && stratum < STRATUM_UNSYNCHRONISED) return referenceId.join('.');
  let end = referenceId.length;
  while (end > 0 && referenceId[end - 1] === 0) end -= 1;
  const text = referenceId.subarray(0, end);
  return text.every((byte) => byte >= 0x20 && byte < 0x7f) ? printable(text) : referenceId.join('.');
}

/** Seconds from 1900 to 1970. */
const UNIX_EPOCH = 2_208_988_800n;
const FRACTIONS = 4_294_967_296;

/** Milliseconds since 1970 as an NTP timestamp. */
export function timestampOf(unixMs: number): bigint {
  const seconds = Math.floor(unixMs / 1000);
  const fraction = Math.floor(((unixMs - seconds * 1000) / 1000) * FRACTIONS);
  return BigInt.asUintN(64, ((BigInt(seconds) + UNIX_EPOCH) << 32n) | BigInt(fraction));
}

/**
 * Offset of the server's clock from ours and round-trip delay, ms (RFC 5905 §8), from the four timestamps.
 * Differences are modulo 2^64, so an era's end (2036) between them does no harm.
 */
export function clockOf(
  originate: bigint,
  receive: bigint,
  transmit: bigint,
  destination: bigint,
): { offsetMs: number; delayMs: number } {
  const there = millis(receive - originate);
  const back = millis(transmit - destination);
  return { offsetMs: (there + back) / 2, delayMs: there - back };
}

function millis(difference: bigint): number {
  return (Number(BigInt.asIntN(64, difference)) / FRACTIONS) * 1000;
}

function signed8(value: number): number {
  return (value << 24) >> 24;
}

function signed32(value: number): number {
  return value | 0;
}
