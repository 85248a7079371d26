// Sockets of this machine's kernel, as net/kernel.ts hands them out: what they tell, that none is left, and that nothing
// is missed where there are none to be had.
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { kernelAccess, type Kernel } from '../../src/net/kernel.js';
import { openKit } from '../../src/net/kit.js';
import { pathFinder } from '../../src/net/path.js';
import { skipFor } from '../lab/requirements.js';
import { asking, clock } from './kit.js';
import { shutPort, tcpPeer, udpPeer } from './sockets.js';

const access = await kernelAccess();

function kernelOr(ctx: Parameters<typeof skipFor>[0]): Kernel {
  skipFor(ctx, 'missing' in access ? `${access.missing}; npm install` : undefined);
  if ('missing' in access) throw new Error(access.missing);
  return access.kernel;
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds() && tries < 500; tries += 1) await delay(10);
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('a socket of the kernel', () => {
  it.for(['127.0.0.1', '::1'])('hears a datagram of %s, with its sender and its TTL', async (address, ctx) => {
    const kernel = kernelOr(ctx);
    const port = await udpPeer((socket, message, from) => socket.send(message, from.port, from.address), address);
    const socket = kernel.open('udp', address === '::1' ? 6 : 4);
    socket.showTtl();
    socket.connect({ address, port });
    const heard: unknown[] = [];
    socket.watch(() => heard.push(socket.receive()));
    socket.send(Uint8Array.of(1, 2, 3));
    await until(() => heard.length > 0);
    const local = socket.local();
    socket.close();
    expect(heard).toEqual([{ bytes: Uint8Array.of(1, 2, 3), from: { address, port }, ttl: 64 }]);
    expect(local).toEqual({ address, port: expect.any(Number) as number });
  });

  it('keeps ICMP errors for whoever asks, each once, and goes on', async (ctx) => {
    const kernel = kernelOr(ctx);
    const port = await shutPort();
    const socket = kernel.open('udp', 4);
    socket.queueErrors(true);
    socket.showTtl();
    socket.connect({ address: '127.0.0.1', port });
    let woken = 0;
    const errors: unknown[] = [];
    socket.watch(() => {
      woken += 1;
      errors.push(...socket.errors());
    });
    for (const expected of [1, 2]) {
      socket.send(Uint8Array.of(0));
      await until(() => errors.length === expected);
    }
    await delay(50);
    socket.close();
    const refused = { errno: 111, origin: 'icmp', type: 3, code: 3, from: '127.0.0.1', ttl: 64 };
    expect(errors).toEqual([refused, refused]);
    // An error that nobody takes out would wake us for ever.
    expect(woken).toBe(2);
  });

  it('is closed once, and then is nobody’s', async (ctx) => {
    const kernel = kernelOr(ctx);
    const before = descriptors();
    const socket = kernel.open('udp', 4);
    socket.watch(() => undefined);
    expect(descriptors()).toBe(before + 1);
    socket.close();
    socket.close();
    expect(socket.fd).toBe(-1);
    expect(() => socket.receive()).toThrow('closed');
    expect(() => socket.setTtl(1)).toThrow('closed');
    await until(() => descriptors() === before);
    expect(descriptors()).toBe(before);
  });

  it('tells its errors by their codes', (ctx) => {
    const kernel = kernelOr(ctx);
    const socket = kernel.open('udp', 4);
    const codeOf = (call: () => void): unknown => {
      try {
        call();
        return 'none';
      } catch (error) {
        return error instanceof Error && 'code' in error ? error.code : error;
      }
    };
    expect(codeOf(() => socket.bind({ address: '192.0.2.1' }, false))).toBe('EADDRNOTAVAIL');
    expect(codeOf(() => socket.setTtl(1000))).toBe('EINVAL');
    expect(codeOf(() => socket.send(new Uint8Array(70_000)))).toBe('EMSGSIZE');
    socket.connect({ address: '127.0.0.1', port: 9 });
    // More than a datagram holds, less than the buffer does.
    expect(codeOf(() => socket.send(new Uint8Array(65_530)))).toBe('EMSGSIZE');
    socket.close();
  });
});

describe('a thousand attempts', () => {
  it('leave no descriptor, whatever became of them', { timeout: 120_000 }, async (ctx) => {
    const kernel = kernelOr(ctx);
    const [tcp, udp, shut] = await Promise.all([
      tcpPeer((socket) => socket.end('hello')),
      udpPeer((socket, message, from) => socket.send(message, from.port, from.address)),
      shutPort(),
    ]);
    const line = Buffer.from('?');
    const kinds: readonly (() => Promise<{ outcome: { kind: string } }>)[] = [
      () =>
        asking(
          async (_, kit) => {
            await (await kit.tcp()).read({ atLeast: 5, max: 5 });
            return { kind: 'answered', depth: 'protocol', facts: {} };
          },
          { port: tcp, kit: { kernel } },
        ),
      () =>
        asking(async (_, kit) => (await kit.udp()).exchange(line, () => ({ kind: 'sent', sent: 1, waitedMs: 0 })), {
          port: udp,
          kit: { kernel },
        }),
      () =>
        asking(async (_, kit) => (await kit.tcp(), { kind: 'silent', sent: 1, waitedMs: 0 }), {
          port: shut,
          kit: { kernel },
        }),
      () =>
        asking(async (_, kit) => (await kit.udp()).exchange(line, () => ({ kind: 'silent', sent: 1, waitedMs: 0 })), {
          port: shut,
          kit: { kernel },
        }),
    ];
    const before = descriptors();
    const outcomes = new Map<string, number>();
    for (let round = 0; round < 10; round += 1) {
      const done = await Promise.all(Array.from({ length: 25 }, () => kinds.map((ask) => ask())).flat());
      for (const { outcome } of done) outcomes.set(outcome.kind, (outcomes.get(outcome.kind) ?? 0) + 1);
    }
    await until(() => descriptors() <= before);
    expect(descriptors()).toBeLessThanOrEqual(before);
    expect(Object.fromEntries(outcomes)).toEqual({ answered: 250, sent: 250, refused: 500 });
  });
});

describe('without koffi', () => {
  afterEach(() => {
    vi.doUnmock('koffi');
    vi.doUnmock('node:os');
    vi.resetModules();
  });

  async function accessAnew(): ReturnType<typeof kernelAccess> {
    vi.resetModules();
    return (await import('../../src/net/kernel.js')).kernelAccess();
  }

  it('says what to do, where it fits into a sentence', async () => {
    vi.doMock('koffi', () => {
      throw new Error('no such module');
    });
    const found = await accessAnew();
    expect(found).toEqual({ missing: expect.stringContaining('npm install koffi') as string });
    expect('missing' in found && found.missing.length).toBeLessThanOrEqual(63);
  });

  it.each([
    ['platform', 'darwin', 'not Linux'],
    ['arch', 's390x', 's390x, and x64 or arm64 wanted'],
  ])('another %s loads nothing: %s', async (what, name, words) => {
    vi.doMock('koffi', () => {
      throw new Error('must not be loaded');
    });
    vi.doMock('node:os', async (original) => ({ ...(await original<object>()), [what]: () => name }));
    expect(await accessAnew()).toEqual({ missing: words });
  });

  it('no path is searched, and a kit sees what plain Node sees', async () => {
    expect(
      await pathFinder({ clock })({ address: '127.0.0.1', family: 4, carrier: 'tcp', port: 9 }, { budgetMs: 100 }),
    ).toBe(undefined);
    const target = { address: '127.0.0.1', family: 4, host: '127.0.0.1', port: await shutPort() } as const;
    const session = openKit(target, { clock, verbose: false, login: false, secret: () => new Uint8Array(0) });
    await expect(session.kit.tcp()).rejects.toThrow('ECONNREFUSED');
    expect(session.ledger.sockets[0]?.refusal).toMatchObject({ signal: 'refused' });
    session.close();
  });
});
