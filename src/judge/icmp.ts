// What an ICMP or ICMPv6 error says by type and code (RFC 792, RFC 1812 §5.2.7.1, RFC 4443 §3). Who sent it is judged elsewhere.
import type { Evidence } from '../contract/evidence.js';
import { isIPv6 } from './address.js';

export type IcmpEvidence = Extract<Evidence, { kind: 'icmp' }>;

/** `port`, `protocol`: nothing takes it there; `prohibited`: a filter says no; `no-route`, `no-host`: cannot be delivered. */
export type IcmpMeaning = 'port' | 'protocol' | 'prohibited' | 'no-route' | 'no-host';

const IPV4_UNREACHABLE: Readonly<Record<number, IcmpMeaning>> = {
  0: 'no-route',
  1: 'no-host',
  2: 'protocol',
  3: 'port',
  // 4, fragmentation needed, is news about size and no refusal; 5, source route failed, is never about a packet of ours.
  6: 'no-route',
  7: 'no-host',
  8: 'no-route',
  9: 'prohibited',
  10: 'prohibited',
  11: 'no-route',
  12: 'no-host',
  13: 'prohibited',
  14: 'prohibited',
  15: 'prohibited',
};

const IPV6_UNREACHABLE: Readonly<Record<number, IcmpMeaning>> = {
  0: 'no-route',
  1: 'prohibited',
  2: 'no-route',
  3: 'no-host',
  4: 'port',
  5: 'prohibited',
  6: 'prohibited',
};

/** Undefined for what refuses nothing: time exceeded, packet too big, redirects. */
export function meaningOf(error: { from: string; type: number; code: number }): IcmpMeaning | undefined {
  if (!isIPv6(error.from)) return error.type === 3 ? IPV4_UNREACHABLE[error.code] : undefined;
  if (error.type === 1) return IPV6_UNREACHABLE[error.code];
  // RFC 4443 §3.4: unrecognised Next Header, IPv6's kin of protocol unreachable.
  return error.type === 4 && error.code === 1 ? 'protocol' : undefined;
}

const NAMES: Readonly<Record<IcmpMeaning, string>> = {
  port: 'port unreachable',
  protocol: 'protocol unreachable',
  prohibited: 'administratively prohibited',
  'no-route': 'network unreachable',
  'no-host': 'host unreachable',
};

/** `ICMP administratively prohibited (3/13)`. */
export function icmpName(error: { from: string; type: number; code: number }): string {
  const meaning = meaningOf(error);
  const family = isIPv6(error.from) ? 'ICMPv6' : 'ICMP';
  return `${family} ${meaning === undefined ? 'error' : NAMES[meaning]} (${error.type}/${error.code})`;
}
