// ICMP and ICMPv6 echo messages as bytes (RFC 792, RFC 4443 §4). Pure.
import { ProtocolError } from '../../src/bytes/errors.js';
import { internetChecksum } from '../../src/bytes/ip.js';
import { Reader } from '../../src/bytes/reader.js';
import { Writer } from '../../src/bytes/writer.js';
import type { Family } from '../../src/contract/flow.js';

export const ICMP = 1;
export const ICMPV6 = 58;

/** What ping sends everywhere, so no filter finds our size odd: 8 bytes of header and 56 of payload. */
export const MESSAGE_BYTES = 64;

const REQUEST: Readonly<Record<Family, number>> = { 4: 8, 6: 128 };
const REPLY: Readonly<Record<Family, number>> = { 4: 0, 6: 129 };

export interface Echo {
  readonly identifier: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Says to whoever captures it where it comes from; the attempt's nonce stands before it. */
const LABEL = new TextEncoder().encode(' linecheck echo request ');

/** Identifier and sequence from `id`, 4 random bytes; the nonce in the payload. */
export function echoOf(id: Uint8Array, nonce: Uint8Array): Echo {
  const numbers = new Reader(id, 'echo id');
  const payload = new Uint8Array(MESSAGE_BYTES - 8);
  payload.set(nonce.subarray(0, 8));
  payload.set(LABEL, 8);
  return { identifier: numbers.u16(), sequence: numbers.u16(), payload };
}

/** Over IPv6 the checksum stays zero: it covers the addresses, and the kernel fills it in (RFC 3542 §3.1). */
export function encodeRequest(echo: Echo, family: Family): Uint8Array {
  return encoded(REQUEST[family], echo, family);
}

function encoded(type: number, { identifier, sequence, payload }: Echo, family: Family): Uint8Array {
  const message = new Writer(8 + payload.length).u8(type).u8(0).u16(0).u16(identifier).u16(sequence).bytes(payload);
  if (family === 4) message.setU16(2, internetChecksum(message.done()));
  return message.done();
}

/**
 * An echo reply. Undefined for every other ICMP message; throws ProtocolError for one that is cut short or whose checksum
 * is wrong: a raw socket gets it before the kernel has looked, except over IPv6 (RFC 3542 §3.1).
 */
export function parseReply(message: Uint8Array, family: Family): Echo | undefined {
  const reader = new Reader(message, 'ICMP message');
  const type = reader.u8();
  const code = reader.u8();
  if (type !== REPLY[family] || code !== 0) return undefined;
  reader.skip(2);
  const echo = { identifier: reader.u16(), sequence: reader.u16(), payload: reader.rest() };
  if (family === 4 && internetChecksum(message) !== 0) throw new ProtocolError('an ICMP message with a wrong checksum');
  return echo;
}

export function sameEcho(one: Echo, other: Echo): boolean {
  return (
    one.identifier === other.identifier &&
    one.sequence === other.sequence &&
    one.payload.length === other.payload.length &&
    one.payload.every((byte, at) => byte === other.payload[at])
  );
}
