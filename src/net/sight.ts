// What this machine is and can see: its addresses, its routes, its descriptors. Sends nothing.
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Family } from '../contract/flow.js';
import type { Sight } from '../contract/report.js';
import { kernelAccess } from './kernel.js';
import type { Kernel, KernelSocket } from './kernel.js';

/** linux/capability.h. */
const CAP_NET_RAW = 13n;

/** Plain Node sees errno. What else this machine shows is tried here, not guessed; tier 2 with koffi, tier 3 with raw sockets. */
export async function sight(): Promise<{ readonly tier: 1 | 2 | 3; readonly can: readonly Sight[] }> {
  const access = await kernelAccess();
  const kernel = 'kernel' in access ? kernelSight(access.kernel) : [];
  const raw: readonly Sight[] = (await hasRawSockets()) ? ['raw'] : [];
  const tier = raw.length > 0 ? 3 : kernel.includes('error-queue') ? 2 : 1;
  return { tier, can: ['errno', ...kernel, ...raw] };
}

/** What the kernel grants on sockets that go nowhere. */
function kernelSight(kernel: Kernel): readonly Sight[] {
  const grants = (kind: 'tcp' | 'udp', ask: (socket: KernelSocket) => boolean): boolean => {
    let socket: KernelSocket | undefined;
    try {
      socket = kernel.open(kind, 4);
      return ask(socket);
    } catch {
      return false;
    } finally {
      socket?.close();
    }
  };
  const tries: readonly (readonly [Sight, boolean])[] = [
    ['error-queue', grants('udp', (socket) => (socket.queueErrors(true), socket.errors().length === 0))],
    ['ttl', grants('udp', (socket) => (socket.showTtl(), socket.setTtl(64), true))],
    ['tcp-info', grants('tcp', (socket) => socket.tcpInfo() !== undefined)],
  ];
  return tries.filter(([, granted]) => granted).map(([sight]) => sight);
}

async function hasRawSockets(): Promise<boolean> {
  // Without the capability there is no need to load anything.
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readOr('/proc/self/status'))?.[1];
  if (effective !== undefined && ((BigInt(`0x${effective}`) >> CAP_NET_RAW) & 1n) === 0n) return false;
  const { systemRawSockets } = await import('./raw.js');
  return (await systemRawSockets.missing()) === undefined;
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
