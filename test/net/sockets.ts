// Peers on loopback that behave as a test wants them to, and are gone when it is over.
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket as DatagramSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';

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
