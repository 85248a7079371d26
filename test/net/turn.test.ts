// What counts as at once: what our own kernel said to a call, and never what a packet brought, however fast.
import { once } from 'node:events';
import { Socket, connect, createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { currentTurn } from '../../src/net/turn.js';
import { shutPort } from './sockets.js';

/** Whether the error of what `begin` starts is there in the turn that it was started in. */
function isAtOnce(begin: (failed: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const began = currentTurn();
    begin(() => resolve(currentTurn() === began));
  });
}

const refused = (port: number) => (failed: () => void) => {
  connect({ port, host: '127.0.0.1', autoSelectFamily: false }).on('error', failed);
};
/** 192.0.2.1 is no address of this machine: bind() fails. */
const unbindable = (failed: () => void): void => {
  new Socket()
    .on('error', failed)
    .connect({ port: 9, host: '127.0.0.1', localAddress: '192.0.2.1', autoSelectFamily: false });
};
const unbindableDatagrams = (failed: () => void): void => {
  createSocket('udp4').on('error', failed).bind({ address: '192.0.2.1', exclusive: true });
};

it('a reset that came back before the next look at sockets is not at once, not even for a call from a timer', async () => {
  const port = await shutPort();
  // Loopback answers within the call; a timer's callbacks run right before sockets are looked at.
  for (let tries = 0; tries < 5; tries += 1) {
    await delay(1);
    expect(await isAtOnce(refused(port))).toBe(false);
  }
});

it('a call that fails is at once, from a timer and from anywhere else, also beside others that begin', async () => {
  for (const begin of [unbindable, unbindableDatagrams]) {
    expect(await isAtOnce(begin)).toBe(true);
    await delay(1);
    expect(await isAtOnce(begin)).toBe(true);
    // From what a socket brought.
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    server.close();
    expect(await Promise.all([isAtOnce(begin), isAtOnce(begin), isAtOnce(begin)])).toEqual([true, true, true]);
  }
});
