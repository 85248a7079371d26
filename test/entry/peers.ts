// Servers on loopback that do right or wrong by those who ask them. What must come of it stands in the tests.
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';
import { afterAll } from 'vitest';
import { selfSigned } from '../../src/peer/certificate.js';

const HERE = '127.0.0.1';
const closing: (() => void)[] = [];

/** Closes all that this module opened, after the tests of the file. */
export function closePeersAfterwards(): void {
  afterAll(() => {
    for (const close of closing.splice(0)) close();
  });
}

export interface TcpPeer {
  readonly port: number;
  readonly server: Server;
  /** Connections so far. */
  connections(): number;
}

/** Does with each connection what `serve` says. */
export function tcpPeer(serve: (socket: Socket) => void): Promise<TcpPeer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    serve(socket);
  });
  closing.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, HERE, () => {
      const { port } = server.address() as AddressInfo;
      resolve({ port, server, connections: () => connections });
    });
  });
}

/** Answers each datagram with what `serve` makes of it; nothing: never. */
export function udpPeer(serve: (request: Buffer) => readonly Uint8Array[]): Promise<{ readonly port: number }> {
  const socket = createSocket('udp4');
  socket.on('message', (request, { address, port }) => {
    for (const reply of serve(request)) socket.send(reply, port, address, () => undefined);
  });
  closing.push(() => socket.close());
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, HERE, () => resolve({ port: socket.address().port }));
  });
}

/** A port on which nothing listens; it was free a moment ago. */
export async function shutPort(): Promise<number> {
  const { port, server } = await tcpPeer(() => undefined);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const garbage = (size: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 89 + 7) % 256));

/** What peers do that wish us ill, or are ill themselves. */
export const misdeeds: Readonly<Record<string, (socket: Socket) => void>> = {
  garbage: (socket) => socket.end(garbage(3000)),
  flood: (socket) => {
    const chunk = Buffer.alloc(256 * 1024, 'A');
    const pour = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', pour);
    socket.resume();
    pour();
  },
  trickle: (socket) => {
    const timer = setInterval(() => socket.write('A'), 500);
    socket.once('close', () => clearInterval(timer));
    socket.resume();
  },
  'close-at-once': (socket) => socket.end(),
  'reset-at-once': (socket) => socket.resetAndDestroy(),
  mute: (socket) => socket.resume(),
};

const FLOOD = garbage(1400);

/** As `misdeeds`, for datagrams. */
export const datagramMisdeeds: Readonly<Record<string, (request: Buffer) => readonly Uint8Array[]>> = {
  garbage: () => [garbage(300)],
  flood: () => Array.from({ length: 200 }, () => FLOOD),
  'one-byte': () => [Uint8Array.of(0)],
  mute: () => [],
};

/** A TLS server that wants to see a certificate, and then sends `text` and closes, or is `destroyed` at once. Whose it was stands in `shown`. */
export async function tlsPeer(
  text: string,
  { destroyed = false } = {},
): Promise<TcpPeer & { readonly shown: readonly string[] }> {
  const shown: string[] = [];
  const secureContext = createSecureContext(selfSigned('peer.example.net', randomBytes(8), Date.now()));
  const peer = await tcpPeer((socket) => {
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext,
      requestCert: true,
      rejectUnauthorized: false,
    });
    secured.on('error', () => undefined);
    secured.once('secure', () => {
      shown.push(secured.getPeerX509Certificate()?.subject ?? 'nobody');
      if (destroyed) secured.destroy();
      else secured.end(text);
    });
  });
  return { ...peer, shown };
}
