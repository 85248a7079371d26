// ICMP and ICMPv6 errors as packets: what they say, and about which packet of ours (RFC 792, RFC 4443). Pure.
import { ProtocolError } from '../bytes/errors.js';
import { readIpPacket } from '../bytes/ip.js';
import type { IpPacket } from '../bytes/ip.js';
import { Reader } from '../bytes/reader.js';
import type { Family } from '../contract/flow.js';
import type { RefusalSignal } from '../contract/outcome.js';

export const ICMP = 1;
export const ICMPV6 = 58;

export interface IcmpError {
  readonly type: number;
  readonly code: number;
  /** As much of the packet that caused it as came back. */
  readonly quoted: IpPacket;
}

/** Destination unreachable, source quench, redirect, time exceeded, parameter problem. */
const ERRORS_4 = [3, 4, 5, 11, 12];

/** Undefined for what is no error, or one that quotes no packet that can be read. */
export function icmpErrorOf(message: Uint8Array, family: Family): IcmpError | undefined {
  try {
    const reader = new Reader(message, 'ICMP message');
    const type = reader.u8();
    // RFC 4443 §2.1: ICMPv6 errors have the high bit clear.
    if (family === 6 ? type >= 128 : !ERRORS_4.includes(type)) return undefined;
    const code = reader.u8();
    reader.skip(6);
    return { type, code, quoted: readIpPacket(reader.rest()) };
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

// RFC 1812 §5.2.7.1, and RFC 792 for the first six. 4 is news about size, and no packet of ours has a source route (5).
const UNREACHABLE_4: Readonly<Record<number, RefusalSignal>> = {
  0: 'net-unreachable',
  1: 'host-unreachable',
  2: 'protocol-unreachable',
  3: 'port-unreachable',
  6: 'net-unreachable',
  7: 'host-unreachable',
  8: 'net-unreachable',
  9: 'prohibited',
  10: 'prohibited',
  11: 'net-unreachable',
  12: 'host-unreachable',
  13: 'prohibited',
  14: 'prohibited',
  15: 'prohibited',
};

// RFC 4443 §3.1.
const UNREACHABLE_6: Readonly<Record<number, RefusalSignal>> = {
  0: 'net-unreachable',
  1: 'prohibited',
  2: 'net-unreachable',
  3: 'host-unreachable',
  4: 'port-unreachable',
  5: 'prohibited',
  6: 'prohibited',
};

/** Undefined for errors that refuse nothing: time exceeded, packet too big, redirects. */
export function refusalOf(type: number, code: number, family: Family): RefusalSignal | undefined {
  if (family === 4) return type === 3 ? UNREACHABLE_4[code] : undefined;
  if (type === 1) return UNREACHABLE_6[code];
  // RFC 4443 §3.4: unrecognised Next Header, what IPv6 has for protocol unreachable.
  return type === 4 && code === 1 ? 'protocol-unreachable' : undefined;
}
