// Reading BER: forms that peers really send, and whatever else comes. What is written stands in bytes.test.ts.
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BerReader, element, elementSize, objectIdentifier, TAG, wholeNumber } from '../../src/bytes/ber.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import { requireServer } from '../lab/requirements.js';
import { hostileBytes } from '../probes/decoders.js';

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const reading = (hex: string): BerReader => new BerReader(bytesOf(hex), 'BER');

describe('a BER reader', () => {
  it('reads elements one after the other, and elements within elements', () => {
    // X.690 §8.6.4.2 and §8.2: the bit string 0A3B5F291CD and the boolean TRUE, here in a sequence.
    const reader = reading('30 0c 03 07 04 0a 3b 5f 29 1c d0 01 01 ff 05 00');
    const inner = reader.within(TAG.sequence);
    expect(inner.nextTag).toBe(TAG.bitString);
    expect(inner.next()).toEqual({ tag: TAG.bitString, content: bytesOf('04 0a 3b 5f 29 1c d0') });
    expect(inner.take(TAG.boolean)).toEqual(bytesOf('ff'));
    expect(inner.nextTag).toBeUndefined();
    expect(reader.next()).toEqual({ tag: TAG.null, content: bytesOf('') });
  });

  // X.690 §8.1.3.5 permits more length bytes than needed; Active Directory always writes four.
  it.each(['04 01 78', '04 81 01 78', '04 82 00 01 78', '04 84 00 00 00 01 78'])('takes a length as in %s', (hex) => {
    expect(reading(hex).take(TAG.octetString)).toEqual(bytesOf('78'));
    expect(elementSize(bytesOf(hex), 'BER')).toBe(bytesOf(hex).length);
  });

  it.each([
    ['an indefinite length', '30 80 05 00 00 00'],
    ['a length in five bytes', '30 85 00 00 00 00 00'],
    ['a tag of several bytes', '3f 81 00 00'],
  ])('refuses %s, which no peer here needs', (_, hex) => {
    expect(() => reading(hex).next()).toThrow(ProtocolError);
    expect(() => elementSize(bytesOf(hex), 'BER')).toThrow(ProtocolError);
  });

  it.each(['', '30', '30 01', '30 84 00 00', '30 84 ff ff ff ff 00', '30 02 05'])(
    'refuses %j, which ends early',
    (hex) => {
      expect(() => reading(hex).next()).toThrow('ends early');
    },
  );

  it('says which tag came where another belongs', () => {
    expect(() => reading('04 01 78').take(TAG.integer)).toThrow('BER with tag 0x04 where 0x02 belongs');
  });

  it.each([
    ['02 01 00', 0],
    ['02 01 7f', 127],
    ['02 02 00 80', 128],
    ['02 01 80', -128],
    ['02 02 ff 7f', -129],
    ['02 04 7f ff ff ff', 0x7fff_ffff],
    ['02 04 80 00 00 00', -0x8000_0000],
  ])('reads and writes %s as %i', (hex, value) => {
    expect(reading(hex).number()).toBe(value);
    expect(Uint8Array.from(wholeNumber(value))).toEqual(bytesOf(hex));
  });

  it('takes an integer in a longer form, but none of no bytes or beyond 32 bits', () => {
    expect(reading('02 04 00 00 00 05').number()).toBe(5);
    expect(() => reading('02 00').number()).toThrow('integer of 0 bytes');
    expect(() => reading('02 05 00 80 00 00 00').number()).toThrow('integer of 5 bytes');
  });

  it('reads an enumeration under its own tag', () => {
    expect(reading('0a 01 30').number(TAG.enumerated)).toBe(48);
    expect(() => reading('0a 01 30').number()).toThrow('tag 0x0a');
  });

  it('knows from its beginning how long an element is, or that more must come', () => {
    expect(elementSize(bytesOf(''), 'BER')).toBeUndefined();
    expect(elementSize(bytesOf('30'), 'BER')).toBeUndefined();
    expect(elementSize(bytesOf('30 82 01'), 'BER')).toBeUndefined();
    expect(elementSize(bytesOf('30 82 01 00'), 'BER')).toBe(260);
    expect(elementSize(bytesOf('30 84 ff ff ff ff'), 'BER')).toBe(6 + 0xffff_ffff);
  });

  it('gives back what was written, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0x1e }),
        fc.uint8Array({ maxLength: 700 }),
        fc.integer(),
        (tag, bytes, value) => {
          const reader = new BerReader(Buffer.concat([element(tag, bytes), wholeNumber(value)]), 'BER');
          expect(Buffer.from(reader.take(tag)).equals(bytes)).toBe(true);
          expect(reader.number()).toBe(value);
        },
      ),
    );
  });

  // X.690 §8.19.5 has the example {2 999 3}; the others are those of RFC 3418 and of RFC 1155's largest arc.
  it.each([
    ['06 03 88 37 03', '2.999.3'],
    ['06 08 2b 06 01 02 01 01 03 00', '1.3.6.1.2.1.1.3.0'],
    ['06 06 2b 8f ff ff ff 7f', '1.3.4294967295'],
    ['06 01 00', '0.0'],
    ['06 01 4f', '1.39'],
    ['06 01 50', '2.0'],
  ])('reads the object identifier %s as %s', (hex, text) => {
    expect(reading(hex).objectIdentifier()).toBe(text);
    expect(objectIdentifier(text)).toEqual(Buffer.from(bytesOf(hex)));
  });

  it.each(['06 00', '06 01 88', '06 02 2b 80', '06 06 2b 90 80 80 80 00', '02 01 00'])(
    'refuses %s as an object identifier',
    (hex) => {
      expect(() => reading(hex).objectIdentifier()).toThrow(ProtocolError);
    },
  );

  it('agrees with OpenSSL on where elements begin and how long they are', (ctx) => {
    requireServer(ctx, 'openssl', 'openssl');
    const bytes = element(
      TAG.sequence,
      element(TAG.octetString, new Uint8Array(200)),
      element(TAG.sequence, wholeNumber(-77), wholeNumber(3, TAG.enumerated)),
    );
    const said = execFileSync('openssl', ['asn1parse', '-inform', 'DER'], { input: bytes, encoding: 'latin1' });
    expect(said).toMatch(/^ {4}0:d=0 +hl=3 l= 211 cons: SEQUENCE/m);
    expect(said).toMatch(/INTEGER +:-4D/);
    expect(said).toMatch(/ENUMERATED +:03/);
    expect(elementSize(bytes, 'BER')).toBe(214);
  });

  it('reads or refuses whatever comes, and never past its end', () => {
    const walk = (reader: BerReader, depth: number): number => {
      let seen = 0;
      while (reader.nextTag !== undefined) {
        const { tag, content } = reader.next();
        seen += 2 + content.length;
        if ((tag & 0x20) !== 0 && depth < 8) walk(new BerReader(content, 'BER'), depth + 1);
      }
      return seen;
    };
    const samples = [element(TAG.sequence, element(TAG.sequence, wholeNumber(7)), element(0x04, new Uint8Array(130)))];
    const hostile = hostileBytes(samples);
    fc.assert(
      fc.property(hostile, (bytes) => {
        try {
          expect(walk(new BerReader(bytes, 'BER'), 0)).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
