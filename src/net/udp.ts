// UDP: connected sockets, so that ICMP refusals surface; an unconnected one where anyone may answer.
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { ProtocolError } from '../bytes/errors.js';
import { lookOf } from '../bytes/text.js';
import type { SocketRecord } from '../contract/ledger.js';
import type { Accept, Datagrams, Endpoint, SendOptions, UdpOptions } from '../contract/probe.js';
import { SocketFailed } from './session.js';
import type { Session } from './session.js';
import { currentTurn } from './turn.js';

/** Between one sending of a request and the next. */
const RESEND_MS = 1000;
/** A target that answers with this many datagrams which are not the protocol is only noise. */
const STRANGERS = 1000;

interface Hearing {
  take(bytes: Uint8Array, from: Endpoint): void;
  fail(error: Error): void;
}

class SocketDatagrams implements Datagrams {
  readonly socket: Socket;
  readonly #session: Session;
  readonly #record: SocketRecord;
  readonly #to: Endpoint | undefined;
  #hearing: Hearing | undefined;
  /** What goes to and fro is not to be dumped. */
  #secret = false;
  #failure: SocketFailed | undefined;

  /** `to` is absent for a connected socket. `ear` is where answers come in; `from` says whose count. */
  constructor(
    socket: Socket,
    ear: Socket,
    session: Session,
    record: SocketRecord,
    to: Endpoint | undefined,
    from: (from: Endpoint) => boolean,
  ) {
    this.socket = socket;
    this.#session = session;
    this.#record = record;
    this.#to = to;
    ear.on('message', (message, sender) => {
      const endpoint = { address: sender.address, port: sender.port };
      if (!from(endpoint)) {
        session.say('note', `a datagram from ${sender.address} port ${sender.port}, which was not asked`);
        return;
      }
      record.received += message.length;
      session.dump('received', message, { secret: this.#secret });
      this.#hearing?.take(message, endpoint);
    });
    socket.on('error', (error) => this.#broken(error, false));
    if (ear !== socket)
      ear.on('error', (error) => session.say('note', `where the answer is expected: ${error.message}`));
  }

  get local(): Endpoint {
    const { address, port } = this.socket.address();
    return { address, port };
  }

  #broken(error: NodeJS.ErrnoException, atOnce: boolean): void {
    this.#failure ??= this.#session.fail(this.#record, error, atOnce, this.#record.askedMs ?? this.#record.openedMs);
    this.#hearing?.fail(this.#failure);
  }

  #transmit(request: Uint8Array, options: SendOptions | undefined): void {
    const record = this.#record;
    record.askedMs ??= this.#session.elapsedMs();
    record.sent += 1;
    this.#secret = options?.secret ?? false;
    this.#session.dump('sent', request, options);
    const turn = currentTurn();
    const sent = (error: Error | null): void => {
      if (error !== null) this.#broken(error, currentTurn() === turn);
    };
    if (this.#to === undefined) this.socket.send(request, sent);
    else this.socket.send(request, this.#to.port, this.#to.address, sent);
  }

  /** One answer that `accept` takes, or the failure of the socket, or the end of the attempt. */
  #hear<T>(accept: Accept<T>, taken: (value: T) => void, failed: (error: Error) => void): void {
    const record = this.#record;
    this.#hearing = {
      take: (bytes, from) => {
        let value: T | undefined;
        try {
          value = accept(bytes, from);
        } catch (error) {
          if (!(error instanceof ProtocolError)) {
            failed(error instanceof Error ? error : new Error(String(error)));
            return;
          }
          record.strangerLook ??= error.message;
        }
        if (value === undefined) {
          record.strangers += 1;
          record.strangerLook ??= lookOf(bytes);
          if (record.strangers >= STRANGERS)
            failed(new ProtocolError(`a flood of ${STRANGERS} datagrams of another kind`));
          return;
        }
        if (record.repliedMs === undefined) {
          record.repliedMs = this.#session.elapsedMs();
          this.#session.see({ kind: 'alive', address: from.address, by: 'reply' });
        }
        taken(value);
      },
      fail: failed,
    };
    if (this.#failure !== undefined) failed(this.#failure);
  }

  #ask<T, R>(
    request: Uint8Array,
    accept: Accept<T>,
    options: SendOptions | undefined,
    step: (value: T, resolve: (result: R) => void) => void,
  ): Promise<R> {
    const session = this.#session;
    let timer: NodeJS.Timeout | undefined;
    const owned = session.own(() => clearInterval(timer));
    const asking = session.wait<R>((resolve, reject) => {
      this.#hear(accept, (value) => step(value, resolve), reject);
      if (this.#failure !== undefined) return;
      this.#transmit(request, options);
      timer = setInterval(() => this.#transmit(request, options), RESEND_MS);
    });
    return asking.finally(() => {
      clearInterval(timer);
      owned.release();
      this.#hearing = undefined;
    });
  }

  exchange<T>(request: Uint8Array, accept: Accept<T>, options?: SendOptions): Promise<T> {
    return this.#ask<T, T>(request, accept, options, (value, resolve) => resolve(value));
  }

  collect<T>(request: Uint8Array, accept: Accept<T>, forMs: number, options?: SendOptions): Promise<readonly T[]> {
    const all: T[] = [];
    let timer: NodeJS.Timeout | undefined;
    const owned = this.#session.own(() => clearTimeout(timer));
    return this.#ask<T, readonly T[]>(request, accept, options, (value, resolve) => {
      all.push(value);
      timer ??= setTimeout(() => resolve(all), forMs);
    }).finally(() => {
      clearTimeout(timer);
      owned.release();
    });
  }

  send(request: Uint8Array, forMs: number, options?: SendOptions): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const owned = this.#session.own(() => clearTimeout(timer));
    return this.#session
      .wait<undefined>((resolve, reject) => {
        this.#hear(
          () => undefined,
          () => undefined,
          reject,
        );
        if (this.#failure !== undefined) return;
        this.#transmit(request, options);
        timer = setTimeout(() => resolve(undefined), forMs);
      })
      .finally(() => {
        clearTimeout(timer);
        owned.release();
        this.#hearing = undefined;
      })
      .then(() => undefined);
  }
}

interface Opening {
  readonly bind: { readonly port?: number; readonly address?: string };
  /** Absent: the socket stays unconnected. */
  readonly connect?: Endpoint;
  readonly broadcast: boolean;
  /** Other sockets of ours may stand on the same local port; the connected ones get only their peer's datagrams. */
  readonly shared: boolean;
}

/** Opens one socket. Rejects with what the system said, and whether it said it at once. */
function openSocket(session: Session, record: SocketRecord, opening: Opening): Promise<Socket> {
  const v6 = session.target.family === 6;
  const socket = createSocket({ type: v6 ? 'udp6' : 'udp4', reuseAddr: opening.shared, ipv6Only: v6 });
  let open = true;
  const owned = session.own(() => {
    if (open) socket.close();
  });
  socket.once('close', () => {
    open = false;
    owned.release();
    if (record.state === 'open') record.state = 'closed';
  });
  return session.wait<Socket>((resolve, reject) => {
    const turn = currentTurn();
    const failed = (error: NodeJS.ErrnoException): void => {
      reject(session.fail(record, error, currentTurn() === turn, record.openedMs));
    };
    const ready = (): void => {
      socket.off('error', failed);
      resolve(socket);
    };
    socket.once('error', failed);
    socket.bind({ ...opening.bind, exclusive: true }, () => {
      if (!open) return;
      try {
        if (opening.broadcast) socket.setBroadcast(true);
        if (opening.connect === undefined) {
          ready();
          return;
        }
        // Typed without the error that it is called with.
        socket.connect(opening.connect.port, opening.connect.address, (error?: NodeJS.ErrnoException) => {
          if (!open) return;
          if (error) failed(error);
          else ready();
        });
      } catch (error) {
        failed(error as NodeJS.ErrnoException);
      }
    });
  });
}

/** Rejects with SocketFailed (the ledger says why) or Aborted. */
export async function openUdp(session: Session, options: UdpOptions): Promise<Datagrams> {
  const { target } = session;
  const { address, port, answersFrom } = target;
  const record = session.record('udp');
  const broadcast = options.broadcast ?? target.broadcast ?? false;
  const acceptFrom = broadcast ? 'anyone' : (options.acceptFrom ?? 'target');
  const elsewhere = acceptFrom === 'target' && answersFrom !== undefined && answersFrom !== port;
  const connected = acceptFrom === 'target';
  const bindPort = options.bind?.port ?? target.sourcePort;
  const source = session.options.source?.[target.family];
  const bind = {
    ...(bindPort === undefined ? {} : { port: bindPort }),
    ...(source === undefined ? {} : { address: source }),
  };
  session.say('connecting', `${address} port ${port}, UDP`);
  const socket = await openSocket(session, record, {
    bind,
    ...(connected ? { connect: { address, port } } : {}),
    broadcast,
    shared: bindPort !== undefined || elsewhere,
  });
  const local = socket.address();
  if (connected && local.port === port && local.address === address) {
    // The question would come back as its own answer.
    record.unable = {
      reason: 'address-in-use',
      detail: `${address} port ${port} is where this question itself leaves from`,
    };
    throw new SocketFailed(record.unable.detail);
  }
  // A connected socket never hears an answer from another port. A second one on the same local port does, and the first
  // still hears the refusals.
  const ear = elsewhere
    ? await openSocket(session, record, {
        bind: { port: local.port, address: local.address },
        connect: { address, port: answersFrom },
        broadcast: false,
        shared: true,
      })
    : socket;
  record.state = 'open';
  record.connectedMs = session.elapsedMs();
  if (connected || source !== undefined) record.localAddress = local.address;
  const from = (sender: Endpoint): boolean => acceptFrom !== 'target-any-port' || sender.address === address;
  return new SocketDatagrams(socket, ear, session, record, connected ? undefined : { address, port }, from);
}
