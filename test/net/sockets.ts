// Peers on loopback that behave as a test wants them to, and are gone when it is over.
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket as DatagramSocket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { selfSigned } from '../../src/peer/certificate.js';

/** The port of a server that does `serve` with each connection. */
export function tcpPeer(serve: (socket: Socket) => void, address = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return new Promise((resolve) => {
    server.listen(0, address, () => resolve((server.address() as AddressInfo).port));
  });
}

/** A TLS server; `afterwards` gets the plain socket under each session once the handshake is over. */
export async function tlsPeer(afterwards: (plain: Socket) => void): Promise<{ readonly port: number }> {
  const { cert, key } = selfSigned('peer.example.net', randomBytes(8), Date.now());
  const port = await tcpPeer((plain) => {
    // The session has a stream of its own, so that the socket stays free for what is no TLS.
    const [near, far] = duplexPair();
    plain.on('data', (bytes: Buffer) => near.write(bytes));
    near.on('data', (bytes: Buffer) => plain.write(bytes));
    const secured = new TLSSocket(far, { isServer: true, cert, key });
    secured.on('error', () => undefined);
    secured.once('secure', () => setImmediate(() => afterwards(plain)));
  });
  return { port };
}

/** The port of a socket that does `hear` with each datagram. */
export function udpPeer(
  hear: (socket: DatagramSocket, message: Buffer, from: RemoteInfo) => void,
  address = '127.0.0.1',
): Promise<number> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (message, from) => hear(socket, message, from));
  onTestFinished(() => {
    socket.close();
  });
  return new Promise((resolve) => {
    socket.bind(0, address, () => resolve(socket.address().port));
  });
}

/** A port of loopback on which nothing listens. */
export async function shutPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
