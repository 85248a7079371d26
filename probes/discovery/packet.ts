// What linecheck looks for devices with where the site spells out no bytes, and its stand-in's answer; the vendor's own
// are not public. Pure; no sockets.

/** Says to whoever captures it where it comes from; the attempt's nonce follows. */
const QUESTION = new TextEncoder().encode('linecheck discovery? ');
/** Differs from the question, so that two stand-ins can never keep each other talking. */
const ANSWER = new TextEncoder().encode('linecheck discovery! ');
const NONCE_BYTES = 8;

export const QUESTION_BYTES = QUESTION.length + NONCE_BYTES;

/** `question`, `answer`: linecheck's own, of whatever attempt. An answer to bytes that a site spelled out has no nonce. */
export interface Datagram {
  readonly kind: 'question' | 'answer' | 'other';
  readonly nonce?: Uint8Array;
}

export function encodeQuestion(nonce: Uint8Array): Uint8Array {
  return Uint8Array.from([...QUESTION, ...nonce]);
}

/** Never throws: what is not linecheck's is a device's or anybody's, and a device may say what it likes. */
export function readDatagram(bytes: Uint8Array): Datagram {
  const nonce = bytes.slice(QUESTION.length);
  const whole = nonce.length === NONCE_BYTES;
  if (begins(bytes, QUESTION)) return whole ? { kind: 'question', nonce } : { kind: 'other' };
  if (!begins(bytes, ANSWER)) return { kind: 'other' };
  if (nonce.length === 0) return { kind: 'answer' };
  return whole ? { kind: 'answer', nonce } : { kind: 'other' };
}

/**
 * What the stand-in says to any datagram: never more bytes than it got, and nothing to what is itself such an answer or
 * the beginning of one.
 */
export function answerTo(request: Uint8Array): Uint8Array | undefined {
  if (begins(request, ANSWER.subarray(0, request.length))) return undefined;
  const { kind, nonce = new Uint8Array(0) } = readDatagram(request);
  return Uint8Array.from([...ANSWER, ...(kind === 'question' ? nonce : [])]).subarray(0, request.length);
}

function begins(bytes: Uint8Array, label: Uint8Array): boolean {
  return bytes.length >= label.length && label.every((byte, at) => byte === bytes[at]);
}
