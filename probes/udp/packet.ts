// The datagram that linecheck sends where the flow spells out none, and the stand-in's answer to it. Pure; no sockets.

/** Says to whoever captures it where it comes from; the attempt's nonce follows. */
const QUESTION = new TextEncoder().encode('linecheck? ');
/** Differs from the question, so that two stand-ins can never keep each other talking. */
const ANSWER = new TextEncoder().encode('linecheck! ');
const NONCE_BYTES = 8;

function begins(bytes: Uint8Array, label: Uint8Array): boolean {
  const shared = Math.min(bytes.length, label.length);
  return label.subarray(0, shared).every((byte, at) => byte === bytes[at]);
}

/** 11 bytes of label and the 8 of the nonce. */
export function question(nonce: Uint8Array): Uint8Array {
  return Uint8Array.from([...QUESTION, ...nonce]);
}

/**
 * What the stand-in says to any datagram: never more bytes than it got, and nothing to what is itself such an answer or
 * the beginning of one.
 */
export function answerTo(request: Uint8Array): Uint8Array | undefined {
  if (request.length === 0 || begins(request, ANSWER)) return undefined;
  const nonce = begins(request, QUESTION) ? request.subarray(QUESTION.length, QUESTION.length + NONCE_BYTES) : [];
  return Uint8Array.from([...ANSWER, ...nonce]).subarray(0, request.length);
}

/** `own`: the stand-in's answer to this nonce; `foreign`: to another, a late or forged one; `other`: no stand-in's. */
export function answerKind(reply: Uint8Array, nonce: Uint8Array): 'own' | 'foreign' | 'other' {
  if (reply.length !== ANSWER.length + NONCE_BYTES || !begins(reply, ANSWER)) return 'other';
  return reply.subarray(ANSWER.length).every((byte, at) => byte === nonce[at]) ? 'own' : 'foreign';
}
