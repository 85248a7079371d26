// How far away the sender of a packet stands, told from the TTL it arrived with. Pure arithmetic; whose packet it was is
// not known here.

// Stacks start at one of these (RFC 1700 recommends 64; Windows uses 128, routers and many embedded stacks 255). One host
// may start its ICMP at 255 and its TCP at 64, so hops are compared, not TTLs: a wrong accusation is worse than a missed one.
const INITIAL_TTLS = [64, 128, 255] as const;

/** Routers between the sender and here: 62 is 2, 253 is 2, 126 is 2. */
export function hopsAway(ttl: number): number {
  const initial = INITIAL_TTLS.find((start) => start >= ttl) ?? 255;
  return initial - ttl;
}

export type Fit = 'fits' | 'nearer' | 'farther' | 'unknown';

/**
 * A packet's TTL against those of packets that are known to be the host's, given in hops. Only what is nearer than the
 * host can have been sent by something on the path to it; what comes from farther has been passed on by the address (NAT).
 */
export function fit(ttl: number | undefined, hostHops: readonly number[]): Fit {
  if (ttl === undefined || hostHops.length === 0) return 'unknown';
  const hops = hopsAway(ttl);
  if (hostHops.includes(hops)) return 'fits';
  return hops < Math.max(...hostHops) ? 'nearer' : 'farther';
}
