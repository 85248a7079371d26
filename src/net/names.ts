// Names to addresses, as the system's own resolver has it: nsswitch, hosts file, split DNS.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Family } from '../contract/flow.js';

export interface Found {
  readonly address: string;
  readonly family: Family;
}

export type Resolution =
  | { readonly ok: true; readonly found: readonly Found[]; readonly ms: number }
  | { readonly ok: false; readonly reason: 'no-address' | 'resolver'; readonly detail: string; readonly ms: number };

/** getaddrinfo's words for a name that truly has no address; every other error is the resolver's own trouble. */
const NO_ADDRESS = new Set(['ENOTFOUND', 'ENODATA']);

/**
 * All addresses of a name, each once. An address literal is found as itself, at once. Never rejects.
 * @param now monotonic ms
 */
export async function resolveName(host: string, now: () => number): Promise<Resolution> {
  const literal = isIP(host);
  if (literal !== 0) return { ok: true, found: [{ address: host, family: literal === 6 ? 6 : 4 }], ms: 0 };
  const began = now();
  try {
    const seen = new Map<string, Found>();
    for (const { address, family } of await lookup(host, { all: true, order: 'verbatim' })) {
      seen.set(address, { address, family: family === 6 ? 6 : 4 });
    }
    return { ok: true, found: [...seen.values()], ms: now() - began };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return {
      ok: false,
      reason: NO_ADDRESS.has(code) ? 'no-address' : 'resolver',
      detail: error instanceof Error ? error.message : code,
      ms: now() - began,
    };
  }
}
