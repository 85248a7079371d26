// What this machine is and can see: its addresses, its routes, its descriptors. Sends nothing.
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Family } from '../contract/flow.js';
import type { Sight } from '../contract/report.js';

/** linux/capability.h. */
const CAP_NET_RAW = 13n;

/** Plain Node sees errno; with CAP_NET_RAW and the package raw-socket, tried here, also what raw sockets show. */
export async function sight(): Promise<{ readonly tier: 1 | 2 | 3; readonly can: readonly Sight[] }> {
  const plain = { tier: 1, can: ['errno'] } as const;
  // Without the capability there is no need to load anything.
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readOr('/proc/self/status'))?.[1];
  if (effective !== undefined && ((BigInt(`0x${effective}`) >> CAP_NET_RAW) & 1n) === 0n) return plain;
  const { systemRawSockets } = await import('./raw.js');
  return (await systemRawSockets.missing()) === undefined ? { tier: 3, can: ['errno', 'raw'] } : plain;
}

export type Source = { readonly 4?: string; readonly 6?: string };

/** The local addresses that an address or interface name stands for; undefined where this machine has neither. */
export function sourceOf(source: string): Source | undefined {
  const interfaces = networkInterfaces();
  const named = interfaces[source];
  if (named !== undefined) {
    const found: { 4?: string; 6?: string } = {};
    for (const { family, address } of named) {
      // A link-local address reaches no other link; it is the source only where nothing better stands there.
      if (family === 'IPv4') found[4] ??= address;
      else if (!address.startsWith('fe80:')) found[6] ??= address;
    }
    return found[4] === undefined && found[6] === undefined ? undefined : found;
  }
  const here = Object.values(interfaces).flatMap((list) => list ?? []);
  const loopback4 = source.startsWith('127.') && isIP(source) === 4;
  if (!loopback4 && !here.some(({ address }) => address === source)) return undefined;
  return isIP(source) === 6 ? { 6: source } : { 4: source };
}

/** The address that this machine's routes would ask from; undefined where it has no route. Connects a datagram socket, which sends nothing. */
export function routeTo(address: string, family: Family): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    const done = (local: string | undefined): void => {
      socket.close();
      resolve(local);
    };
    socket.once('error', () => done(undefined));
    // Port 9, discard: any would do.
    socket.connect(9, address, (error?: Error) => done(error ? undefined : socket.address().address));
  });
}

/** How many files this process may have open; a cautious guess where the system does not say. */
export function descriptorLimit(): number {
  const limit = /^Max open files\s+(\d+|unlimited)/m.exec(readOr('/proc/self/limits'))?.[1];
  if (limit === undefined) return 256;
  return limit === 'unlimited' ? 1_000_000 : Number(limit);
}

/** The text of a file of the system's, empty where there is none: not Linux. */
function readOr(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
