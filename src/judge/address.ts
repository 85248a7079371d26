// Addresses compared as the judge meets them: from the plan, from the kernel, from a packet. No parsing beyond that.

/** One spelling for one address: no zone, no IPv4-mapped prefix, lower case. The plan's addresses are canonical already. */
export function canonical(address: string): string {
  // An IPv4 address has but one.
  if (!address.includes(':')) return address;
  return address
    .toLowerCase()
    .replace(/%.*$/, '')
    .replace(/^::ffff:(?=\d+\.)/, '');
}

export function sameAddress(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && canonical(a) === canonical(b);
}

export function isIPv6(address: string): boolean {
  return canonical(address).includes(':');
}

/** The /24 or /64 an address stands in: what most sites route and filter as one. */
export function network(address: string): string {
  const plain = canonical(address);
  if (!isIPv6(plain)) return plain.split('.').slice(0, 3).join('.');
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':');
}
