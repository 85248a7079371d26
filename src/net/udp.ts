// UDP: connected sockets, so that ICMP refusals surface; an unconnected one where anyone may answer.
import type { Socket } from 'node:dgram';
import { ProtocolError } from '../bytes/errors.js';
import { lookOf } from '../bytes/text.js';
import type { SocketRecord } from '../contract/ledger.js';
import type { Accept, Datagrams, Endpoint, SendOptions, UdpOptions } from '../contract/probe.js';
import type { QueuedError } from './control-message.js';
import { isAddressOf, openDatagramSocket } from './datagram-socket.js';
import type { DatagramSocket } from './datagram-socket.js';
import { seeQueued } from './rejection.js';
import { SocketFailed } from './session.js';
import type { Session } from './session.js';

/** Between one sending of a request and the next. */
const RESEND_MS = 1000;
/** A target that answers with this many datagrams which are not the protocol is only noise. */
const STRANGERS = 1000;

interface Hearing {
  take(bytes: Uint8Array, from: Endpoint, ttl: number | undefined): void;
  fail(error: Error): void;
}

class SocketDatagrams implements Datagrams {
  readonly #socket: DatagramSocket;
  readonly #session: Session;
  readonly #record: SocketRecord;
  readonly #to: Endpoint | undefined;
  #hearing: Hearing | undefined;
  /** What goes to and fro is not to be dumped. */
  #secret = false;
  #failure: SocketFailed | undefined;

  /** `to` is absent for a connected socket. `ear` is where answers come in; `from` says whose count. */
  constructor(
    socket: DatagramSocket,
    ear: DatagramSocket,
    session: Session,
    record: SocketRecord,
    to: Endpoint | undefined,
    from: (from: Endpoint) => boolean,
  ) {
    this.#socket = socket;
    this.#session = session;
    this.#record = record;
    this.#to = to;
    const message = (bytes: Uint8Array, sender: Endpoint, ttl?: number): void => {
      if (!from(sender)) {
        session.say('note', `a datagram from ${sender.address} port ${sender.port}, which was not asked`);
        return;
      }
      record.received += bytes.length;
      session.dump('received', bytes, { secret: this.#secret });
      this.#hearing?.take(bytes, sender, ttl);
    };
    socket.hear({
      message: ear === socket ? message : () => undefined,
      failed: (error) => this.#broken(error, false),
      rejected: (errors) => this.#rejected(errors),
    });
    if (ear === socket) return;
    ear.hear({
      message,
      failed: (error) => session.say('note', `where the answer is expected: ${error.message}`),
      // Nothing leaves from there that could be rejected.
      rejected: () => undefined,
    });
  }

  get local(): Endpoint {
    return this.#socket.local;
  }

  get socket(): Socket {
    const { library } = this.#socket;
    if (library === undefined)
      throw new TypeError('a socket for a library is asked for with kit.udp({ forLibrary: true })');
    return library;
  }

  #rejected(errors: readonly QueuedError[]): void {
    const failure = seeQueued(this.#session, this.#record, errors);
    if (failure === undefined) return;
    this.#failure ??= failure;
    this.#hearing?.fail(this.#failure);
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
    this.#socket.send(request, this.#to, (error, atOnce) => this.#broken(error, atOnce));
  }

  /** One answer that `accept` takes, or the failure of the socket, or the end of the attempt. */
  #hear<T>(accept: Accept<T>, taken: (value: T) => void, failed: (error: Error) => void): void {
    const record = this.#record;
    this.#hearing = {
      take: (bytes, from, ttl) => {
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
          const shown = ttl === undefined ? {} : { ttl };
          this.#session.see({ kind: 'alive', address: from.address, by: 'reply', ...shown });
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
        // Timers run before sockets are read, and the kernel's word comes a turn later: a refusal may be waiting.
        timer = setTimeout(() => setImmediate(() => setImmediate(() => resolve(undefined))), forMs);
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
  const socket = await openDatagramSocket(session, record, {
    bind,
    ...(connected ? { connect: { address, port } } : {}),
    broadcast,
    shared: bindPort !== undefined || elsewhere,
    forLibrary: options.forLibrary ?? false,
  });
  const { local } = socket;
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
    ? await openDatagramSocket(session, record, {
        bind: { port: local.port, address: local.address },
        connect: { address, port: answersFrom },
        broadcast: false,
        shared: true,
        forLibrary: false,
      })
    : socket;
  record.state = 'open';
  record.connectedMs = session.elapsedMs();
  if (connected || source !== undefined) record.localAddress = local.address;
  const from = (sender: Endpoint): boolean => acceptFrom !== 'target-any-port' || isAddressOf(sender.address, address);
  return new SocketDatagrams(socket, ear, session, record, connected ? undefined : { address, port }, from);
}
