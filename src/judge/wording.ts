// Small parts of sentences: ends of a flow, times, quotations. Whole sentences are in sentences.ts.
import type { BoundCheck, End } from '../contract/flow.js';
import type { Carrier } from '../contract/probe.js';

/** `12 ms`, `2.1 s`, `35 s`. */
export function seconds(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const value = ms / 1000;
  return value < 10 ? `${Number(value.toFixed(1))} s` : `${Math.round(value)} s`;
}

/** `tcp`, `udp`, `icmp`, `ip-47`, as reports write it. */
export function carrierKey(carrier: Carrier): string {
  return typeof carrier === 'string' ? carrier : `ip-${carrier.ipProtocol}`;
}

const IP_PROTOCOLS: Readonly<Record<number, string>> = { 47: ' (GRE)', 50: ' (ESP)', 51: ' (AH)' };

/** `TCP 443`, `ping`, `IP protocol 47 (GRE)`. */
export function carrierWords(carrier: Carrier, port: number | undefined): string {
  if (carrier === 'icmp') return 'ping';
  if (typeof carrier !== 'string') return `IP protocol ${carrier.ipProtocol}${IP_PROTOCOLS[carrier.ipProtocol] ?? ''}`;
  const name = carrier.toUpperCase();
  return port === undefined || port === 0 ? name : `${name} ${port}`;
}

/** `ntp.example.net (192.0.2.7)`, `192.0.2.7`, `role ntp-server`. */
export function endWords(end: End): string {
  if (end.address === undefined) return end.host ?? `role ${end.role}`;
  return end.host === undefined || end.host === end.address ? end.address : `${end.host} (${end.address})`;
}

/** The address the question left from, as far as known. */
export function sourceOf(check: BoundCheck, localAddress: string | undefined): string | undefined {
  return localAddress ?? check.from.address ?? check.from.host;
}

/** `10.2.0.5 to 10.2.0.11, TCP 8305`. */
export function routeWords(check: BoundCheck, localAddress?: string): string {
  const what = carrierWords(check.carrier, check.to.port);
  if (check.direction === 'in') {
    return `${endWords(check.from)} to ${check.to.address ?? check.to.host ?? 'this machine'}, ${what}`;
  }
  const via = check.via === undefined ? '' : ` through the proxy ${check.via}`;
  return `${sourceOf(check, localAddress) ?? 'this machine'} to ${endWords(check.to)}${via}, ${what}`;
}

/** A stranger's words inside a sentence of ours: one line, printable, short. */
export function quoted(text: string, max = 80): string {
  const plain = text
    .replace(/[^\p{L}\p{N}\p{P}\p{S} ]+/gu, ' ')
    .replace(/ +/g, ' ')
    .trim();
  const points = Array.from(plain);
  return points.length > max ? `${points.slice(0, max - 1).join('')}…` : plain;
}

/** `once`, `twice`, `5 times`. */
export function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`;
}

/** `1 hop away`, `3 hops away`. */
export function away(hops: number): string {
  return `${hops} ${hops === 1 ? 'hop' : 'hops'} away`;
}

/** `a, b and c`. */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}
