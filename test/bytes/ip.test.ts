// IP headers, addresses and the Internet checksum: against the kernel's packets and RFC 1071's example, and hostile bytes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressBytes,
  canonicalAddress,
  encodeIpPacket,
  internetChecksum,
  pseudoHeader,
  readIpPacket,
} from '../../src/bytes/ip.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import { hostileBytes } from '../probes/decoders.js';
import { vector } from '../probes/vectors.js';

const kernels = vector('icmp/linux-6.18-error-protocol.hex');

describe('an IP packet', () => {
  it('of the kernel is read', () => {
    expect(readIpPacket(kernels)).toMatchObject({
      protocol: 1,
      ttl: 62,
      source: '10.3.0.11',
      destination: '10.1.0.2',
    });
    expect(readIpPacket(kernels).payload).toEqual(kernels.subarray(20));
  });

  it.each([
    ['192.0.2.1', '198.51.100.255'],
    ['2001:db8::1', '2001:db8:0:1::ff'],
  ])('is read as it was written, from %s to %s', (source, destination) => {
    const packet = { protocol: 47, ttl: 9, source, destination, payload: Uint8Array.of(1, 2, 3) };
    expect(readIpPacket(encodeIpPacket(packet))).toEqual(packet);
  });

  it('has a header whose checksum is right', () => {
    const packet = encodeIpPacket({
      protocol: 47,
      ttl: 64,
      source: '192.0.2.1',
      destination: '192.0.2.2',
      payload: Uint8Array.of(1),
    });
    expect(internetChecksum(packet.subarray(0, 20))).toBe(0);
    expect(internetChecksum(kernels.subarray(0, 20))).toBe(0);
  });

  it('may have options', () => {
    const options = Uint8Array.of(0x94, 4, 0, 0);
    const longer = Uint8Array.from([0x46, ...kernels.subarray(1, 20), ...options, ...kernels.subarray(20)]);
    expect(readIpPacket(longer)).toEqual(readIpPacket(kernels));
  });

  it.each([
    ['of another version', [0x50, ...new Uint8Array(40)]],
    ['with a header too short', [0x44, ...new Uint8Array(40)]],
    ['that is empty', []],
    ['cut in its header', [0x45, 0, 0]],
    ['cut in its options', [0x4f, ...new Uint8Array(40)]],
  ])('%s is none', (_, bytes) => {
    expect(() => readIpPacket(Uint8Array.from(bytes))).toThrow(ProtocolError);
  });

  it('is read or refused, whatever comes', () => {
    fc.assert(
      fc.property(hostileBytes([kernels, kernels.subarray(28)]), (bytes) => {
        try {
          expect(readIpPacket(bytes).payload.length).toBeLessThan(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the Internet checksum', () => {
  it('is that of RFC 1071 §3', () => {
    // Its sum is ddf2; the checksum is the complement.
    expect(internetChecksum(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(0xddf2 ^ 0xffff);
  });

  it('of an ICMPv6 message covers the addresses', () => {
    const reply = vector('icmp/linux-6.18-reply-ipv6.hex');
    expect(internetChecksum(pseudoHeader('fd00:3::11', 'fd00:1::2', 58, reply.length), reply)).toBe(0);
    expect(internetChecksum(pseudoHeader('fd00:3::12', 'fd00:1::2', 58, reply.length), reply)).not.toBe(0);
  });

  it('takes an odd byte for the high one', () => {
    expect(internetChecksum(Uint8Array.of(0x12))).toBe(0x1200 ^ 0xffff);
  });
});

it('two texts of one address are one', () => {
  expect(canonicalAddress('2001:DB8:0:0::1')).toBe('2001:db8::1');
  expect(canonicalAddress('fe80::1%eth0')).toBe('fe80::1');
  expect(addressBytes('fe80::1%eth0')).toHaveLength(16);
});
