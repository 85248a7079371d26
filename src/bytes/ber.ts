// BER as DER has it (X.690): definite lengths, shortest form. Writing only; readers come with the protocols that need them. Pure.

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element. X.690 §8.1.3: a length below 128 is one byte, a longer one says first how many bytes it takes. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  const size: number[] = [];
  if (length < 0x80) size.push(length);
  else {
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) size.unshift(rest % 256);
    size.unshift(0x80 | size.length);
  }
  return Buffer.concat([Uint8Array.of(tag, ...size), ...contents]);
}

/** X.690 §8.19: the first two arcs share a number, each number is base 128. Throws for fewer than two arcs. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first, second, ...rest] = dotted.split('.').map(Number);
  if (first === undefined || second === undefined) throw new RangeError(`no object identifier: ${dotted}`);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift(0x80 | (left % 128));
    return digits;
  });
  return element(TAG.objectIdentifier, Uint8Array.from(bytes));
}

/** Unsigned, from its bytes: X.690 §8.3.3 wants a zero before a set high bit. */
export function unsignedInteger(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  const shortest = start < 0 ? Uint8Array.of(0) : bytes.subarray(start);
  const [high = 0] = shortest;
  return element(TAG.integer, ...(high >= 0x80 ? [Uint8Array.of(0)] : []), shortest);
}

/** A bit string of whole bytes. */
export function bitString(bytes: Uint8Array): Uint8Array {
  return element(TAG.bitString, Uint8Array.of(0), bytes);
}
