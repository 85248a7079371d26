// UDP: a connected socket, so that ICMP refusals surface; an unconnected one where the answer may come from elsewhere.
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { ProtocolError } from '../bytes/errors.js';
import { lookOf } from '../bytes/text.js';
import type { SocketRecord } from '../contract/ledger.js';
import type { Accept, Datagrams, Endpoint, SendOptions, UdpOptions } from '../contract/probe.js';
import type { SocketFailed } from './session.js';
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
  #failure: SocketFailed | undefined;

  /** `to` is absent for a connected socket. `from` says whose datagrams count. */
  constructor(
    socket: Socket,
    session: Session,
    record: SocketRecord,
    to: Endpoint | undefined,
    from: (from: Endpoint) => boolean,
  ) {
    this.socket = socket;
    this.#session = session;
    this.#record = record;
    this.#to = to;
    socket.on('message', (message, sender) => {
      const endpoint = { address: sender.address, port: sender.port };
      if (!from(endpoint)) {
        session.say('note', `a datagram from ${sender.address} port ${sender.port}, which was not asked`);
        return;
      }
      record.received += message.length;
      session.dump('received', message);
      this.#hearing?.take(message, endpoint);
    });
    socket.on('error', (error) => this.#broken(error, false));
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

/** Rejects with SocketFailed (the ledger says why) or Aborted. */
export function openUdp(session: Session, options: UdpOptions): Promise<Datagrams> {
  const { target } = session;
  const record = session.record('udp');
  const broadcast = options.broadcast ?? target.broadcast ?? false;
  const acceptFrom = broadcast ? 'anyone' : (options.acceptFrom ?? 'target');
  const answersFrom = target.answersFrom;
  // A connected socket never hears an answer from another address or port.
  const connected = acceptFrom === 'target' && (answersFrom === undefined || answersFrom === target.port);
  const bindPort = options.bind?.port ?? target.sourcePort;
  const source = session.options.source?.[target.family];
  const socket = createSocket({
    type: target.family === 6 ? 'udp6' : 'udp4',
    reuseAddr: false,
    ipv6Only: target.family === 6,
  });
  let open = true;
  const owned = session.own(() => {
    if (open) socket.close();
  });
  socket.once('close', () => {
    open = false;
    owned.release();
    if (record.state === 'open') record.state = 'closed';
  });
  return session.wait<Datagrams>((resolve, reject) => {
    const turn = currentTurn();
    const failedToOpen = (error: NodeJS.ErrnoException): void => {
      reject(session.fail(record, error, currentTurn() === turn, record.openedMs));
    };
    const ready = (): void => {
      socket.off('error', failedToOpen);
      record.state = 'open';
      record.connectedMs = session.elapsedMs();
      const { address } = socket.address();
      if (connected || source !== undefined) record.localAddress = address;
      const from = (sender: Endpoint): boolean => {
        if (connected || acceptFrom === 'anyone') return true;
        if (sender.address !== target.address) return false;
        return acceptFrom === 'target-any-port' || sender.port === (answersFrom ?? target.port);
      };
      const to = connected ? undefined : { address: target.address, port: target.port };
      resolve(new SocketDatagrams(socket, session, record, to, from));
    };
    socket.once('error', failedToOpen);
    const bind = {
      ...(bindPort === undefined ? {} : { port: bindPort }),
      ...(source === undefined ? {} : { address: source }),
    };
    socket.bind({ ...bind, exclusive: true }, () => {
      if (!open) return;
      try {
        if (broadcast) socket.setBroadcast(true);
      } catch (error) {
        failedToOpen(error as NodeJS.ErrnoException);
        return;
      }
      if (!connected) {
        ready();
        return;
      }
      session.say('connecting', `${target.address} port ${target.port}, UDP`);
      // Typed without the error that it is called with.
      socket.connect(target.port, target.address, (error?: NodeJS.ErrnoException) => {
        if (!open) return;
        if (error) failedToOpen(error);
        else ready();
      });
    });
  });
}
