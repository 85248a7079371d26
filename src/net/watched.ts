// A TCP socket of Node's that was opened through kernel.ts, so that the kernel can be asked what became of it: who refused,
// what was acknowledged, how far away its packets came from. Node owns the descriptor; this only looks.
import { Socket } from 'node:net';
import type { SocketRecord } from '../contract/ledger.js';
import type { KernelSocket } from './kernel.js';
import { seeQueued } from './rejection.js';
import type { Following, SegmentTtls } from './segments.js';
import type { Session } from './session.js';

/** linux/tcp_states.h: TCP_CLOSE. After that the kernel no longer knows. */
const CLOSED = 7;

export class WatchedSocket extends Socket {
  readonly #kernel: KernelSocket;
  readonly #session: Session;
  readonly #record: SocketRecord;
  readonly #following: Following | undefined;

  /** Takes `kernel`, fresh from `open`, over. */
  constructor(kernel: KernelSocket, session: Session, record: SocketRecord) {
    // An unconnected socket must not be read from; Node reads once it is connected.
    const options = { fd: kernel.fd, manualStart: true };
    super(options);
    this.#kernel = kernel;
    this.#session = session;
    this.#record = record;
    const { target, options: surroundings } = session;
    this.#following = surroundings.segments?.follow(target.address, target.family);
    this.once('connect', () => {
      // With it the kernel would end an established connection at the first ICMP error, which without it may pass (RFC 1122 §4.2.3.9).
      if (this.#isOpen()) kernel.queueErrors(false);
    });
  }

  /** `{ttl}` of the segment that just came in, where it was overheard or the kernel shows it: without raw sockets, over IPv6 alone. */
  packetTtl(of: 'handshake' | 'data'): { readonly ttl?: number } {
    if (!this.#isOpen()) return {};
    const ttl = this.#overheard()[of] ?? this.#kernel.lastTtl();
    return ttl === undefined ? {} : { ttl };
  }

  #overheard(): SegmentTtls {
    return this.#following?.ttls(this.#kernel.local().port, this.#session.target.port) ?? {};
  }

  /** Called once, before Node closes the descriptor. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    try {
      if (this.#isOpen()) this.#lookBack(error);
    } catch {
      // The kernel would not tell. The connection ends as it would have without being asked about.
    } finally {
      this.#kernel.forget();
      this.#following?.close();
      super._destroy(error, callback);
    }
  }

  #lookBack(error: NodeJS.ErrnoException | null): void {
    const session = this.#session;
    const record = this.#record;
    const { reset: ttl } = this.#overheard();
    const shown = ttl === undefined ? {} : { ttl };
    if (record.connectedMs !== undefined) {
      if (ttl !== undefined) session.see({ kind: 'reset', phase: 'data', ttl });
      this.#seeAcknowledged();
      return;
    }
    if (error === null) return;
    seeQueued(session, record, this.#kernel.errors());
    // An ICMP error would have been queued: what refused was a reset.
    if (error.code !== 'ECONNREFUSED' || record.refusal !== undefined) return;
    session.see({ kind: 'reset', phase: 'connect', ...shown });
    record.refusal = {
      kind: 'refused',
      signal: 'reset',
      afterMs: Math.round(session.elapsedMs() - record.openedMs),
      by: session.target.address,
      ...shown,
    };
  }

  /** For a connection on which nothing came, or that the deadline ended: did our bytes arrive? */
  #seeAcknowledged(): void {
    if (this.#session.aborted !== 'deadline' && this.#record.received > 0) return;
    const info = this.#kernel.tcpInfo();
    if (info === undefined || info.state === CLOSED || info.sent === 0) return;
    const { sent, acked, resent } = info;
    // Not acknowledged and not yet sent again: it is too early to tell.
    if (acked < sent && resent === 0) return;
    this.#session.see({ kind: 'acked', sent, acked });
  }

  /** Node still has the descriptor that it was given: another file's may have the same number later. */
  #isOpen(): boolean {
    const { fd } = this.#kernel;
    return fd >= 0 && descriptorOf(this) === fd;
  }
}

/** Node does not tell officially; where it does not tell at all, nothing is looked at. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return undefined;
  return typeof handle.fd === 'number' ? handle.fd : undefined;
}

/** `{ttl}` of the handshake or data that just came in, where this machine shows it. */
export function packetTtl(socket: Socket, of: 'handshake' | 'data'): { readonly ttl?: number } {
  return socket instanceof WatchedSocket ? socket.packetTtl(of) : {};
}

/** A socket that can be looked back at, or, where the machine cannot, any. */
export function openTcpSocket(session: Session, record: SocketRecord): Socket {
  const { kernel } = session.options;
  if (kernel === undefined) return new Socket();
  let opened: KernelSocket;
  try {
    opened = kernel.open('tcp', session.target.family);
  } catch {
    // Node's own socket meets the same error, where the table of errors explains it.
    return new Socket();
  }
  try {
    opened.queueErrors(true);
    opened.showTtl();
    return new WatchedSocket(opened, session, record);
  } catch {
    opened.close();
    return new Socket();
  }
}
