// BER (X.690): elements with one-byte tags and definite lengths. Written in the shortest form, as DER has it; read in any,
// as LDAP and SNMP peers send it. Pure.
import { ProtocolError } from './errors.js';
import { lookOf } from './text.js';

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
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

/** A whole number of at most 32 bits in two's complement (X.690 §8.3), under another tag for an enumeration. */
export function wholeNumber(value: number, tag: number = TAG.integer): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  let start = 0;
  // The first nine bits must not all be alike (X.690 §8.3.2).
  while (start < 3 && [0, -1].includes(bytes.readInt16BE(start) >> 7)) start += 1;
  return element(tag, bytes.subarray(start));
}

/** An element as it was read. `content` is a view. */
export interface BerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** Some peers write every length in four bytes; a longer one names more than any reader here takes (X.690 §8.1.3.5). */
const MOST_LENGTH_BYTES = 4;

/** RFC 2578 §3.5 has no larger one; UUIDs as object identifiers do, and nobody here has a use for them. */
const MOST_ARC = 0xffff_ffff;

/**
 * Bytes of the header, and of the content it announces, of the element that `bytes` begins; undefined where more of the
 * header must come first. Throws ProtocolError for a tag of several bytes, an indefinite length and one of 4 GiB or more.
 */
function headerOf(bytes: Uint8Array, what: string): { readonly header: number; readonly length: number } | undefined {
  const [tag, first] = bytes;
  if (tag === undefined) return undefined;
  if ((tag & 0x1f) === 0x1f) throw new ProtocolError(`${lookOf(bytes)}, no ${what}`);
  if (first === undefined) return undefined;
  if (first < 0x80) return { header: 2, length: first };
  const header = 2 + (first & 0x7f);
  if (header === 2 || header > 2 + MOST_LENGTH_BYTES) throw new ProtocolError(`${lookOf(bytes)}, no ${what}`);
  if (bytes.length < header) return undefined;
  return { header, length: bytes.subarray(2, header).reduce((sum, byte) => sum * 256 + byte, 0) };
}

/** Bytes of the whole element that `start` begins, for a stream; undefined where its header is not all there yet. */
export function elementSize(start: Uint8Array, what: string): number | undefined {
  const found = headerOf(start, what);
  return found === undefined ? undefined : found.header + found.length;
}

/** The elements that stand one after the other in `bytes`, to its end. `what` names it for the error: `LDAP message`. */
export class BerReader {
  readonly #what: string;
  #rest: Uint8Array;

  constructor(bytes: Uint8Array, what: string) {
    this.#rest = bytes;
    this.#what = what;
  }

  /** The tag of the next element, which stays; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#rest[0];
  }

  /** Throws ProtocolError where no whole element follows. */
  next(): BerElement {
    const [tag] = this.#rest;
    const found = headerOf(this.#rest, this.#what);
    if (tag === undefined || found === undefined || found.length > this.#rest.length - found.header) {
      throw new ProtocolError(
        `${this.#what} ends early: no whole element in its last ${String(this.#rest.length)} bytes`,
      );
    }
    const end = found.header + found.length;
    const content = this.#rest.subarray(found.header, end);
    this.#rest = this.#rest.subarray(end);
    return { tag, content };
  }

  /** The content of the next element, which must bear this tag. */
  take(tag: number): Uint8Array {
    const found = this.next();
    if (found.tag === tag) return found.content;
    throw new ProtocolError(`${this.#what} with tag ${hex(found.tag)} where ${hex(tag)} belongs`);
  }

  /** The elements inside the next one, which must bear this tag. */
  within(tag: number): BerReader {
    return new BerReader(this.take(tag), this.#what);
  }

  /** An integer or, under its tag, an enumeration, of at most 32 bits, in the shortest form or a longer one. */
  number(tag: number = TAG.integer): number {
    const content = this.take(tag);
    if (content.length < 1 || content.length > 4) {
      throw new ProtocolError(`${this.#what} with an integer of ${String(content.length)} bytes`);
    }
    return Buffer.from(content).readIntBE(0, content.length);
  }

  /** `1.3.6.1.2.1`; of arcs of at most 32 bits. */
  objectIdentifier(): string {
    return dotted(this.take(TAG.objectIdentifier), this.#what);
  }
}

/**
 * The dotted form of an object identifier's content (X.690 §8.19). Throws ProtocolError for an empty one, one that breaks
 * off within an arc, and an arc of more than 32 bits.
 */
function dotted(content: Uint8Array, what: string): string {
  const arcs: number[] = [];
  let arc = 0;
  let within = false;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > MOST_ARC) throw new ProtocolError(`${what} with an object identifier of a very large number`);
    within = byte >= 0x80;
    if (within) continue;
    // X.690 §8.19.4: arcs 0 and 1 have at most 40 below them, arc 2 has any number.
    const root = Math.min(2, Math.floor(arc / 40));
    if (arcs.length === 0) arcs.push(root, arc - 40 * root);
    else arcs.push(arc);
    arc = 0;
  }
  if (within || arcs.length === 0) throw new ProtocolError(`${what} with half an object identifier`);
  return arcs.join('.');
}

function hex(tag: number): string {
  return `0x${tag.toString(16).padStart(2, '0')}`;
}
