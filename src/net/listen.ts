// Listening sockets for stand-ins. What is said on them is not decided here.
import { DgramAsPromised } from 'dgram-as-promised';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Clock } from '../contract/ledger.js';
import type { Endpoint, Stream } from '../contract/probe.js';
import { Session } from './session.js';
import { SocketFailed } from './session.js';
import { SocketStream } from './stream.js';

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly address: string;
  /** 0: a free one. */
  readonly port: number;
}

/** Serves each accepted connection and closes it when `serve` is done or fails. Rejects with the errno of bind. */
export function listenTcp(
  { address, port }: ListenOptions,
  clock: Clock,
  serve: (stream: Stream) => Promise<void>,
): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    const stream = acceptedStream(socket, clock);
    serve(stream).then(
      () => socket.destroySoon(),
      () => socket.destroy(),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, exclusive: true }, () => {
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of sockets) socket.destroy();
          }),
      });
    });
  });
}

function acceptedStream(socket: Socket, clock: Clock): SocketStream {
  const remote = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
  const family = socket.remoteFamily === 'IPv6' ? 6 : 4;
  const session = new Session({ ...remote, family, host: remote.address }, { clock, verbose: false });
  const record = session.record('tcp');
  record.state = 'open';
  socket.once('close', () => session.close());
  return new SocketStream(socket, session, record);
}

export interface ServerIdentity {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

/** Completes the server's side of a TLS handshake over an accepted stream. */
export function secureAccepted(
  stream: Stream,
  identity: ServerIdentity,
  options: { readonly alpn?: readonly string[]; readonly requestClientCert?: boolean },
  clock: Clock,
): Promise<Stream> {
  const secured = new TLSSocket(stream.socket, {
    isServer: true,
    secureContext: createSecureContext({ ...identity }),
    requestCert: options.requestClientCert ?? false,
    rejectUnauthorized: false,
    ...(options.alpn === undefined ? {} : { ALPNProtocols: [...options.alpn] }),
  });
  return new Promise((resolve, reject) => {
    secured.on('error', (error: Error) => reject(new SocketFailed(error.message, { cause: error })));
    secured.once('close', () => reject(new SocketFailed('the connection ended in the TLS handshake')));
    // A server's TLSSocket made by hand tells of its handshake with `secure`.
    secured.once('secure', () => resolve(acceptedStream(secured, clock)));
  });
}

/** Answers each datagram with what `reply` makes of it. Rejects with the errno of bind. */
export async function listenUdp(
  { address, port }: ListenOptions,
  reply: (request: Uint8Array, from: Endpoint) => readonly Uint8Array[],
): Promise<Listener> {
  const socket = DgramAsPromised.createSocket({
    type: address.includes(':') ? 'udp6' : 'udp4',
    ipv6Only: address.includes(':'),
  });
  const bound = await socket.bind({ address, port, exclusive: true });
  const serving = (async (): Promise<void> => {
    for await (const { msg, rinfo } of socket) {
      for (const answer of reply(msg, { address: rinfo.address, port: rinfo.port })) {
        // Whoever asked may be gone by now; that is nobody's error.
        await socket.send(answer, 0, answer.length, rinfo.port, rinfo.address).catch(() => undefined);
      }
    }
  })().catch(() => undefined);
  return {
    port: bound.port,
    close: async () => {
      await socket.close();
      await serving;
    },
  };
}
