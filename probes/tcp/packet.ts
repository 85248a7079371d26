// The bytes that a tcp or udp flow's options spell out, and how they are looked for. Pure; no sockets.
import { z } from 'zod';

/** One datagram without fragments on any IPv6 path (RFC 8200 §5: 1280 bytes, less 48 of headers). */
export const MOST_BYTES = 1232;

const HEX = /^(?:[0-9a-fA-F]{2} ?)*$/;

/** Text as an option: sent and looked for as UTF-8. */
export const textOption = z.string().max(MOST_BYTES);

/** Bytes as an option, pairs of hexadecimal digits: `0d0a` or `0d 0a`. */
export const hexOption = z
  .string()
  .max(3 * MOST_BYTES)
  .regex(HEX, 'expected pairs of hexadecimal digits, such as "0d 0a"');

/** What a pair of options `x-text` and `x-hex` spells; undefined where neither is given. */
export function spelled(text: string | undefined, hex: string | undefined): Uint8Array | undefined {
  if (text !== undefined) return new TextEncoder().encode(text);
  if (hex !== undefined) return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  return undefined;
}

/** `wanted` stands somewhere in `bytes`. */
export function contains(bytes: Uint8Array, wanted: Uint8Array): boolean {
  return Buffer.from(bytes).includes(Buffer.from(wanted));
}
