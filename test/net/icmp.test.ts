// ICMP errors read off packets of the kernel and of nftables, and what each type and code refuses.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readIpPacket } from '../../src/bytes/ip.js';
import { icmpErrorOf, refusalOf } from '../../src/net/icmp.js';
import { hostileBytes } from '../probes/decoders.js';
import { vector } from '../probes/vectors.js';

const protocol = readIpPacket(vector('icmp/linux-6.18-error-protocol.hex')).payload;
const filtered = readIpPacket(vector('icmp/nftables-error-13.hex')).payload;
const nextHeader = vector('icmp/linux-6.18-error-next-header.hex');

describe('an ICMP error', () => {
  it('of a host without ESP names the packet', () => {
    expect(icmpErrorOf(protocol, 4)).toMatchObject({
      type: 3,
      code: 2,
      quoted: { protocol: 50, source: '10.1.0.2', destination: '10.3.0.11' },
    });
    expect(icmpErrorOf(nextHeader, 6)).toMatchObject({
      type: 4,
      code: 1,
      quoted: { protocol: 50, source: 'fd00:1::2', destination: 'fd00:3::12' },
    });
  });

  it('of a firewall names the ping', () => {
    expect(icmpErrorOf(filtered, 4)).toMatchObject({
      type: 3,
      code: 13,
      quoted: { protocol: 1, destination: '10.3.0.12' },
    });
    expect(icmpErrorOf(filtered, 4)?.quoted.payload.subarray(0, 2)).toEqual(Uint8Array.of(8, 0));
  });

  it.each([
    ['an echo reply', vector('icmp/linux-6.18-reply.hex'), 4],
    ['an ICMPv6 echo reply', vector('icmp/linux-6.18-reply-ipv6.hex'), 6],
    ['an error without a quotation', protocol.subarray(0, 8), 4],
    ['an error cut in its quotation', protocol.subarray(0, 20), 4],
    ['nothing', new Uint8Array(0), 4],
  ] as const)('is not %s', (_, bytes, family) => {
    expect(icmpErrorOf(bytes, family)).toBeUndefined();
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(hostileBytes([protocol, filtered, nextHeader]), fc.constantFrom(4, 6), (bytes, family) => {
        const error = icmpErrorOf(bytes, family);
        expect(error === undefined || error.type <= 127).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('what is refused', () => {
  it.each([
    [4, 3, 0, 'net-unreachable'],
    [4, 3, 1, 'host-unreachable'],
    [4, 3, 2, 'protocol-unreachable'],
    [4, 3, 3, 'port-unreachable'],
    [4, 3, 9, 'prohibited'],
    [4, 3, 10, 'prohibited'],
    [4, 3, 13, 'prohibited'],
    // Fragmentation needed is news about size; time exceeded and redirects end nothing.
    [4, 3, 4, undefined],
    [4, 11, 0, undefined],
    [4, 5, 1, undefined],
    [4, 12, 0, undefined],
    [6, 1, 0, 'net-unreachable'],
    [6, 1, 1, 'prohibited'],
    [6, 1, 3, 'host-unreachable'],
    [6, 1, 4, 'port-unreachable'],
    [6, 1, 6, 'prohibited'],
    [6, 4, 1, 'protocol-unreachable'],
    [6, 4, 0, undefined],
    [6, 2, 0, undefined],
    [6, 3, 0, undefined],
  ] as const)('IPv%i %i/%i: %s', (family, type, code, signal) => {
    expect(refusalOf(type, code, family)).toBe(signal);
  });
});
