// Tests of the byte rooms: reader, writer, BER and the words for a stranger's bytes.
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitString, element, objectIdentifier, TAG, unsignedInteger } from '../../src/bytes/ber.js';
import { ProtocolError, TlsAlert } from '../../src/bytes/errors.js';
import { Reader } from '../../src/bytes/reader.js';
import { lookOf, printable } from '../../src/bytes/text.js';
import { Writer } from '../../src/bytes/writer.js';
import { requireServer } from '../lab/requirements.js';

describe('a reader', () => {
  it('gives back what a writer wrote', () => {
    fc.assert(
      fc.property(
        fc.nat(0xff),
        fc.nat(0xffff),
        fc.nat(0xffffffff),
        fc.bigInt(0n, 0xffffffffffffffffn),
        fc.uint8Array({ maxLength: 300 }),
        (a, b, c, d, rest) => {
          const reader = new Reader(new Writer(1).u8(a).u16(b).u32(c).u64(d).bytes(rest).done(), 'test');
          expect([reader.u8(), reader.u16(), reader.u32(), reader.u64()]).toEqual([a, b, c, d]);
          expect([...reader.rest()]).toEqual([...rest]);
          expect(reader.remaining).toBe(0);
        },
      ),
    );
  });

  it('throws a ProtocolError that says what ended early, and where', () => {
    const reader = new Reader(Uint8Array.of(1, 2, 3), 'NTP packet');
    reader.u16();
    expect(() => reader.u32()).toThrow(new ProtocolError('NTP packet ends early: 4 bytes wanted at 2, 1 left'));
    expect(reader.u8()).toBe(3);
  });

  it('never reads outside its bytes, whatever size is asked for', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.integer({ min: -5, max: 100 }), (bytes, size) => {
        const reader = new Reader(bytes, 'test');
        if (size < 0 || size > bytes.length) expect(() => reader.bytes(size)).toThrow(ProtocolError);
        else expect(reader.bytes(size)).toHaveLength(size);
      }),
    );
  });

  it('reads a view that begins inside a larger buffer', () => {
    const reader = new Reader(Uint8Array.of(0xff, 0x01, 0x02).subarray(1), 'test');
    expect(reader.u16()).toBe(0x0102);
  });
});

describe('a writer', () => {
  it('overwrites a length that became known later', () => {
    const writer = new Writer(2).u16(0).latin1('abc').zeros(2);
    writer.setU16(0, writer.length);
    expect([...writer.done()]).toEqual([0, 7, 0x61, 0x62, 0x63, 0, 0]);
  });
});

describe('BER', () => {
  it('writes the object identifier of X.690 §8.19.5', () => {
    expect([...objectIdentifier('2.100.3')]).toEqual([0x06, 0x03, 0x81, 0x34, 0x03]);
  });

  it('writes lengths as openssl reads them', (ctx) => {
    requireServer(ctx, 'openssl', 'openssl');
    for (const length of [0, 1, 127, 128, 255, 256, 65535, 65536]) {
      const der = element(TAG.octetString, new Uint8Array(length));
      const dump = execFileSync('openssl', ['asn1parse', '-inform', 'DER'], { input: der, maxBuffer: 1e7 }).toString(
        'latin1',
      );
      expect(dump).toContain(`l=${String(length).padStart(4)} prim: OCTET STRING`);
    }
  });

  it('writes an unsigned integer in its shortest form, with a zero before a high bit', () => {
    expect([...unsignedInteger(Uint8Array.of(0, 0, 0x7f))]).toEqual([2, 1, 0x7f]);
    expect([...unsignedInteger(Uint8Array.of(0x80))]).toEqual([2, 2, 0, 0x80]);
    expect([...unsignedInteger(Uint8Array.of(0, 0))]).toEqual([2, 1, 0]);
    expect([...bitString(Uint8Array.of(5))]).toEqual([3, 2, 0, 5]);
  });

  it('refuses what is no object identifier', () => {
    expect(() => objectIdentifier('1')).toThrow(RangeError);
  });
});

describe("a stranger's bytes", () => {
  it('never carry a control character into a sentence', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(printable(bytes)).toMatch(/^[ -~]*…?$/);
        expect(lookOf(bytes)).toMatch(/^[ -~]*…?"?\)?$/);
      }),
    );
  });

  it.each([
    ['SSH-2.0-OpenSSH_9.2\r\n', 'an SSH identification (SSH-2.0-OpenSSH_9.2)'],
    ['HTTP/1.1 400 Bad Request\r\nServer: x', 'an HTTP answer (HTTP/1.1 400 Bad Request)'],
    ['220 mail.example.net ESMTP\r\n', 'an SMTP or FTP greeting'],
    ['\u0016\u0003\u0001', 'a TLS handshake record'],
    ['\u0015\u0003\u0003', 'a TLS alert record'],
    ['hello', '5 bytes beginning "hello"'],
    ['', 'nothing'],
  ])('%j look like %s', (text, look) => {
    expect(lookOf(Buffer.from(text, 'latin1'))).toBe(look);
  });

  it('name a TLS alert by its RFC word and number', () => {
    expect(new TlsAlert(40, 'handshake_failure', false).message).toBe('TLS alert handshake_failure (40)');
  });
});
