// What is sent to an echo service, and how what comes back compares (RFC 862). Pure; no sockets.
import { ProtocolError } from '../../src/bytes/errors.js';
import { lookOf } from '../../src/bytes/text.js';

/** Says to whoever captures it where it comes from; the attempt's nonce and a line's end follow. */
const LABEL = new TextEncoder().encode('linecheck echo ');
/** What reads lines before it echoes, as a shell behind an inetd does, gets one. */
const LINE_END = new TextEncoder().encode('\r\n');
export const MESSAGE_BYTES = LABEL.length + 16 + LINE_END.length;

/** The label, the 8 bytes of the nonce in hexadecimal, and the end of a line. */
export function message(nonce: Uint8Array): Uint8Array {
  const digits = Buffer.from(nonce.subarray(0, 8)).toString('hex').padStart(16, '0');
  return Uint8Array.from([...LABEL, ...new TextEncoder().encode(digits), ...LINE_END]);
}

/** `came` is how the echo of `sent` begins, or all of it. */
export function isEchoOf(came: Uint8Array, sent: Uint8Array): boolean {
  return came.length <= sent.length && came.every((byte, at) => byte === sent[at]);
}

/** Throws ProtocolError with what came instead, where that is no echo, nor the beginning of one. */
export function mustEcho(came: Uint8Array, sent: Uint8Array): void {
  if (isEchoOf(came, sent)) return;
  const at = came.findIndex((byte, index) => byte !== sent[index]);
  throw new ProtocolError(
    at === 0 ? `${lookOf(came)}, not what was sent` : `an echo that differs from what was sent at byte ${at + 1}`,
  );
}
