// Tests of what this machine knows of itself and of names, without asking any other.
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { kernelAccess } from '../../src/net/kernel.js';
import { resolveName } from '../../src/net/names.js';
import { systemRawSockets } from '../../src/net/raw.js';
import { descriptorLimit, routeTo, sight, sourceOf } from '../../src/net/sight.js';

const now = (): number => performance.now();

describe('a source', () => {
  it('is an address of this machine', () => {
    expect(sourceOf('127.0.0.1')).toEqual({ 4: '127.0.0.1' });
    expect(sourceOf('127.0.0.77')).toEqual({ 4: '127.0.0.77' });
  });

  it('is every address of an interface, one a family', () => {
    const [name, addresses] =
      Object.entries(networkInterfaces()).find(([, list]) => list?.some(({ internal }) => internal)) ?? [];
    expect(name).toBeDefined();
    const found = sourceOf(name ?? '');
    expect(found?.[4]).toBe(addresses?.find(({ family }) => family === 'IPv4')?.address);
  });

  it('is nothing that this machine does not have', () => {
    expect(sourceOf('192.0.2.77')).toBeUndefined();
    expect(sourceOf('nosuch0')).toBeUndefined();
  });
});

describe('a route', () => {
  it('to loopback leaves from loopback', async () => {
    expect(await routeTo('127.0.0.1', 4)).toBe('127.0.0.1');
  });
});

describe('a name', () => {
  it('that is an address is found as itself', async () => {
    expect(await resolveName('192.0.2.1', now)).toEqual({
      ok: true,
      found: [{ address: '192.0.2.1', family: 4 }],
      ms: 0,
    });
    expect(await resolveName('2001:db8::1', now)).toMatchObject({ ok: true, found: [{ family: 6 }] });
  });

  it('of the hosts file is found with its addresses', async () => {
    const found = await resolveName('localhost', now);
    expect(found.ok && found.found.map(({ address }) => address)).toContain('127.0.0.1');
  });
});

describe('this machine', () => {
  it('says how many files it may open', () => {
    expect(descriptorLimit()).toBeGreaterThan(64);
  });

  it('claims the sight of raw sockets and of the kernel only where it can have them', async () => {
    const raw = (await systemRawSockets.missing()) === undefined;
    const kernel = 'kernel' in (await kernelAccess());
    expect(await sight()).toEqual({
      tier: raw ? 3 : kernel ? 2 : 1,
      can: ['errno', ...(kernel ? ['error-queue', 'ttl', 'tcp-info'] : []), ...(raw ? ['raw'] : [])],
    });
  });
});
