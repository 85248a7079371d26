// What the kernel hands over beside packets, read from bytes that a real one wrote: Linux 6.18 on x86-64, in a lab of
// tech, router, firewall and server, captured with recvmsg(2) and getsockopt(2).
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readControlMessages, readSocketAddress, readTcpInfo } from '../../src/net/control-message.js';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));

/** The firewall's `reject with icmp type admin-prohibited`, in the error queue of a TCP socket. */
const PROHIBITED_4 = `1400000000000000 00000000 02000000 3f000000 00000000
  3000000000000000 00000000 0b000000 71000000 02030d00 00000000 00000000 02000000 0a020002 0000000000000000`;
/** `reject with icmpv6 type admin-prohibited`, likewise. */
const PROHIBITED_6 = `1400000000000000 29000000 34000000 3f000000 00000000
  3c00000000000000 29000000 19000000 0d000000 03010100 00000000 00000000
  0a000000 00000000 fd000002000000000000000000000002 00000000 00000000`;
/** The server's port-unreachable, in the queue of a UDP socket that shows no TTL; no padding at the end. */
const PORT_UNREACHABLE = `3000000000000000 00000000 0b000000 6f000000 02030300 00000000 00000000 02000000 0a03000b 0000000000000000`;

describe('control messages', () => {
  it('tell who sent an ICMP error, what it says and the TTL it came with', () => {
    const error = { errno: 113, origin: 'icmp', type: 3, code: 13, from: '10.2.0.2', ttl: 63 };
    expect(readControlMessages(bytes(PROHIBITED_4))).toEqual({ ttl: 63, error });
  });

  it('tell the same of ICMPv6', () => {
    const error = { errno: 13, origin: 'icmp', type: 1, code: 1, from: 'fd00:2::2', ttl: 63 };
    expect(readControlMessages(bytes(PROHIBITED_6))).toEqual({ ttl: 63, error });
  });

  it('tell of an error without its TTL where that was not asked for', () => {
    const error = { errno: 111, origin: 'icmp', type: 3, code: 3, from: '10.3.0.11' };
    expect(readControlMessages(bytes(PORT_UNREACHABLE))).toEqual({ error });
  });

  it('tell the TTL of a datagram, and the hop limit of a segment', () => {
    expect(readControlMessages(bytes('1400000000000000 00000000 02000000 3e000000 00000000'))).toEqual({ ttl: 62 });
    expect(readControlMessages(bytes('1400000000000000 29000000 34000000 3e000000 00000000'))).toEqual({ ttl: 62 });
  });

  it('call an error without a packet local, and name nobody for it', () => {
    // EMSGSIZE of a datagram larger than the route takes: ee_origin 1, ee_info the MTU, offender AF_UNSPEC.
    const local = `3000000000000000 00000000 0b000000 5a000000 01000000 dc050000 00000000 00000000 00000000 0000000000000000`;
    expect(readControlMessages(bytes(local))).toEqual({ error: { errno: 90, origin: 'local', type: 0, code: 0 } });
  });

  it('take a time stamp for no error', () => {
    const stamp = `2000000000000000 00000000 0b000000 2a000000 04000000 00000000 00000000`;
    expect(readControlMessages(bytes(stamp))).toEqual({});
  });

  it('are read as far as they go where they are cut short, and never throw', () => {
    const whole = bytes(PROHIBITED_4);
    for (let length = 0; length < whole.length; length += 1) {
      const { error, ttl } = readControlMessages(whole.subarray(0, length));
      expect(error).toBeUndefined();
      expect(ttl).toBe(length >= 20 ? 63 : undefined);
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (any) => typeof readControlMessages(any) === 'object'));
  });
});

describe('a socket address', () => {
  it('is read of either family, and of no other', () => {
    expect(readSocketAddress(bytes('0200 03e9 0a03000b 0000000000000000'))).toEqual({
      address: '10.3.0.11',
      port: 1001,
    });
    expect(readSocketAddress(bytes('0a00 03e9 00000000 fd000003000000000000000000000011 00000000'))).toEqual({
      address: 'fd00:3::11',
      port: 1001,
    });
    expect(readSocketAddress(bytes('0000 0000 00000000 0000000000000000'))).toBeUndefined();
    expect(readSocketAddress(bytes('02'))).toBeUndefined();
  });
});

/** struct tcp_info up to tcpi_bytes_retrans, of connections on which `hello` was written. */
const ANSWERED = `010000000007aa01e01c0300409c0000a8050000180200000000000000000000000000000000000000000000e005000000000000e005
  0000e0050000dc05000058fa00006a00000029000000ffffff7f0b000000a80500000300000000000000903800000000000053a97d17
  00000000ffffffffffffffff060000000000000005000000000000000400000003000000000000006900000001000000010000003ad0
  c10000000000000000000000000000000000000000000000000000000000020000000000000005000000000000000000000000000000`;
const DROPPED = `010402000207aa0100350c0000000000a8050000180200000100000000000000010000000100000000000000a002000000000000e805
  0000e8050000dc05000058fa00004000000020000000ffffff7f01000000a805000003000000000000009038000003000000f4298a26
  00000000ffffffffffffffff010000000000000000000000000000000600000001000000000000004000000000000000040000000000
  000000000000a00217000000000000000000000000000000000000000000010000000000000014000000000000000f00000000000000`;

describe('TCP_INFO', () => {
  it('counts what left once and what was acknowledged, without our SYN', () => {
    expect(readTcpInfo(bytes(ANSWERED))).toEqual({ state: 1, sent: 5, acked: 5, unsent: 0, resent: 0 });
  });

  it('does not count what was sent again, and knows that nothing was acknowledged', () => {
    expect(readTcpInfo(bytes(DROPPED))).toEqual({ state: 1, sent: 5, acked: 0, unsent: 0, resent: 3 });
  });

  it('is not read where the kernel is too old to count bytes', () => {
    expect(() => readTcpInfo(bytes(ANSWERED).subarray(0, 192))).toThrow('192 bytes');
  });
});
