// The least ESP packet that a filter may take for one (RFC 4303 §2), of no security association. Pure.
import { Writer } from '../../src/bytes/writer.js';

export const ESP = 50;

/** SPI, sequence number, and what AES-GCM makes of nothing (RFC 4106): IV 8, pad length and next header 4, ICV 16. */
export const PACKET_BYTES = 4 + 4 + 8 + 4 + 16;
export const RANDOM_BYTES = 4 + 4 + 16;

/** @param random `RANDOM_BYTES` bytes; the SPI is made of the first four @param nonce 8 bytes, in the place of the IV */
export function encodePacket(random: Uint8Array, nonce: Uint8Array): Uint8Array {
  return (
    new Writer(PACKET_BYTES)
      // RFC 4303 §2.1: 0 to 255 are reserved. Whoever chooses one at random, one in 2^31 at most, meets another's.
      .u8((random[0] ?? 0) | 0x80)
      .bytes(random.subarray(1, 4))
      // The first of its association.
      .u32(1)
      .bytes(nonce.subarray(0, 8))
      .bytes(random.subarray(4, RANDOM_BYTES))
      .done()
  );
}
