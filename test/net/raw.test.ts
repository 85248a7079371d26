// Raw sockets of this machine: shared, kept from the garbage collector, closed with their last user, and missing.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { systemRawSockets, whyNotLoaded, type Heard } from '../../src/net/raw.js';
import { skipFor } from '../lab/requirements.js';

const missing = await systemRawSockets.missing();
const need = (ctx: Parameters<typeof skipFor>[0]): void =>
  skipFor(ctx, missing === undefined ? undefined : `${missing}; sudo npm test`);
const loopback = '127.0.0.1';
/** An echo request that nobody else sends. */
const request = (id: number): Uint8Array => {
  const sum = ~(0x0800 + id) & 0xffff;
  return Uint8Array.of(8, 0, sum >> 8, sum & 0xff, 0, 0, id >> 8, id & 0xff);
};
const repliesTo = (heard: readonly Heard[], id: number): number =>
  heard.filter(({ payload }) => payload[0] === 0 && payload[6] === id >> 8 && payload[7] === (id & 0xff)).length;

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds() && tries < 500; tries += 1) await delay(10);
}

describe('a raw socket', () => {
  it('hears what its protocol brings, with the sender and the TTL, in bytes of its own', async (ctx) => {
    need(ctx);
    const heard: Heard[] = [];
    const socket = await systemRawSockets.open(1, 4, (packet) => heard.push(packet));
    const failed = await new Promise<unknown>((done) => {
      socket.send(request(7001), loopback, done);
    });
    await new Promise<unknown>((done) => {
      socket.send(request(7002), loopback, done);
    });
    await until(() => repliesTo(heard, 7001) + repliesTo(heard, 7002) === 2);
    socket.close();
    expect(failed).toBeUndefined();
    expect([repliesTo(heard, 7001), repliesTo(heard, 7002)]).toEqual([1, 1]);
    expect(heard.filter(({ payload }) => payload[0] === 0)).toEqual(
      expect.arrayContaining([expect.objectContaining({ source: loopback, ttl: 64 })]),
    );
  });

  it('is one for all its users, and each hears everything until it is closed', async (ctx) => {
    need(ctx);
    const heard: Heard[][] = [[], []];
    const before = handles();
    const users = await Promise.all(heard.map((each) => systemRawSockets.open(1, 4, (packet) => each.push(packet))));
    expect(handles() - before).toBeLessThanOrEqual(1);
    users[0]?.send(request(7003), loopback, () => undefined);
    await until(() => heard.every((each) => repliesTo(each, 7003) === 1));
    users[0]?.close();
    users[0]?.close();
    users[1]?.send(request(7004), loopback, () => undefined);
    await until(() => repliesTo(heard[1] ?? [], 7004) === 1);
    users[1]?.close();
    expect(heard.map((each) => [repliesTo(each, 7003), repliesTo(each, 7004)])).toEqual([
      [1, 0],
      [1, 1],
    ]);
    await until(() => handles() === before);
    expect(handles()).toBe(before);
  });

  it('leaves from a source of the user’s choice', async (ctx) => {
    need(ctx);
    const heard: Heard[] = [];
    const hearing = await systemRawSockets.open(1, 4, (packet) => heard.push(packet));
    const sending = await systemRawSockets.open(1, 4, () => undefined, '127.0.0.77');
    sending.send(request(7005), loopback, () => undefined);
    const asked = (): Heard | undefined =>
      heard.find(({ payload }) => payload[0] === 8 && payload[6] === 7005 >> 8 && payload[7] === (7005 & 0xff));
    await until(() => asked() !== undefined);
    hearing.close();
    sending.close();
    expect(asked()?.source).toBe('127.0.0.77');
  });

  it('tells its errors by their codes', async (ctx) => {
    need(ctx);
    const socket = await systemRawSockets.open(47, 4, () => undefined);
    // A broadcast without leave.
    const error = await new Promise<NodeJS.ErrnoException | undefined>((done) => {
      socket.send(Uint8Array.of(0), '255.255.255.255', done);
    });
    socket.close();
    expect(['EACCES', 'ENETUNREACH']).toContain(error?.code);
  });
});

describe('without the package', () => {
  afterEach(() => {
    vi.doUnmock('raw-socket');
    vi.resetModules();
  });

  it.each([
    ['ERR_MODULE_NOT_FOUND', 'raw-socket is not installed (npm install raw-socket)'],
    // Its build failed or was not allowed; it was built for another Node.
    ['MODULE_NOT_FOUND', 'raw-socket is not built for this Node (npm rebuild raw-socket)'],
    ['ERR_DLOPEN_FAILED', 'raw-socket is not built for this Node (npm rebuild raw-socket)'],
  ])('%s says what to do, where it fits into a sentence', (code, words) => {
    expect(whyNotLoaded(Object.assign(new Error(''), { code }))).toBe(words);
    expect(words.length).toBeLessThanOrEqual(63);
  });

  it('nothing is opened and nothing thrown that a kit cannot name', async () => {
    vi.resetModules();
    vi.doMock('raw-socket', () => {
      throw new Error('no such module');
    });
    const { systemRawSockets: lacking } = await import('../../src/net/raw.js');
    const said = await lacking.missing();
    expect(said).toContain('raw-socket');
    await expect(lacking.open(1, 4, () => undefined)).rejects.toMatchObject({ code: 'EPERM', message: said });
  });

  it('EPERM of socket(2) is a lack of permission, too many open files is none', async () => {
    vi.resetModules();
    let said = 'Operation not permitted';
    vi.doMock('raw-socket', () => ({
      default: {
        createSocket: () => {
          throw new Error(said);
        },
      },
    }));
    const { systemRawSockets: lacking } = await import('../../src/net/raw.js');
    expect(await lacking.missing()).toBe('no CAP_NET_RAW for a raw socket');
    said = 'Too many open files';
    expect(await lacking.missing()).toBeUndefined();
    await expect(lacking.open(1, 4, () => undefined)).rejects.toMatchObject({ code: 'EMFILE', syscall: 'socket' });
  });
});

/** Polls of raw sockets, which Node counts as nothing: descriptors tell. */
function handles(): number {
  return readdirSync('/proc/self/fd').length;
}
