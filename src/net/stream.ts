// A Stream over a connected socket: reads on demand, bounded in memory. Used by probes' and stand-ins' ends alike.
import type { Socket } from 'node:net';
import { EndOfStream, ProtocolError } from '../bytes/errors.js';
import { lookOf } from '../bytes/text.js';
import type { SocketRecord } from '../contract/ledger.js';
import type { Endpoint, SendOptions, Stream, Want } from '../contract/probe.js';
import { alertOf, brokenRecordOf } from './alert.js';
import { SocketFailed } from './session.js';
import type { Session } from './session.js';
import { packetTtl } from './watched.js';

/** What may lie unread before the peer is told to wait. */
const UNREAD_BYTES = 64 * 1024;
/** How long a polite end waits for the peer's own. */
const FAREWELL_MS = 250;

export class SocketStream implements Stream {
  readonly socket: Socket;
  readonly #session: Session;
  readonly record: SocketRecord;
  #chunks: Uint8Array[] = [];
  #unread = 0;
  #flowing = false;
  #over: 'end' | 'reset' | undefined;
  /** The far end's alert, or what is no TLS. */
  #failure: ProtocolError | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Socket, session: Session, record: SocketRecord) {
    this.socket = socket;
    this.#session = session;
    this.record = record;
  }

  get local(): Endpoint {
    return { address: this.socket.localAddress ?? '', port: this.socket.localPort ?? 0 };
  }

  get remote(): Endpoint {
    return { address: this.socket.remoteAddress ?? '', port: this.socket.remotePort ?? 0 };
  }

  /** Begins to take bytes in; before that a library may still have the socket. */
  #flow(): void {
    if (this.#flowing) return;
    this.#flowing = true;
    const { socket, record } = this;
    const session = this.#session;
    socket.on('data', (chunk: Buffer) => {
      if (record.repliedMs === undefined) {
        record.repliedMs = session.elapsedMs();
        session.see({ kind: 'alive', address: session.target.address, by: 'data', ...packetTtl(socket, 'data') });
      }
      record.received += chunk.length;
      session.dump('received', chunk);
      this.#chunks.push(chunk);
      this.#unread += chunk.length;
      if (this.#unread >= UNREAD_BYTES) socket.pause();
      this.#wake?.();
    });
    const over = (how: 'end' | 'reset'): void => {
      if (this.#over === undefined) {
        this.#over = how;
        session.say('ended', how === 'end' ? 'the far end closed' : 'the connection is gone');
      }
      this.#wake?.();
    };
    socket.once('end', () => {
      if (record.state === 'open') record.state = 'ended';
      over('end');
    });
    socket.once('error', (error) => {
      this.#failure = alertOf(error) ?? brokenRecordOf(error);
      over('reset');
    });
    socket.once('close', () => over(record.state === 'reset' ? 'reset' : 'end'));
    if (socket.destroyed) over(record.state === 'reset' ? 'reset' : 'end');
  }

  /** Resolves when something changed, or after `ms`. */
  #change(ms?: number): Promise<'change' | 'quiet'> {
    return this.#session.wait((resolve) => {
      const settle = (what: 'change' | 'quiet'): void => {
        this.#wake = undefined;
        clearTimeout(timer);
        owned.release();
        resolve(what);
      };
      const timer = ms === undefined ? undefined : setTimeout(() => settle('quiet'), ms);
      const owned = this.#session.own(() => clearTimeout(timer));
      this.#wake = () => settle('change');
    });
  }

  #take(size: number): Uint8Array {
    const out = new Uint8Array(size);
    let at = 0;
    while (at < size) {
      const [first] = this.#chunks;
      if (first === undefined) break;
      const part = first.subarray(0, size - at);
      out.set(part, at);
      at += part.length;
      if (part.length === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(part.length);
    }
    this.#unread -= at;
    if (this.#unread < UNREAD_BYTES && this.socket.isPaused()) this.socket.resume();
    return out;
  }

  #ended(): Error {
    if (this.#failure !== undefined) return this.#failure;
    return this.#over === 'reset'
      ? new SocketFailed('the connection was reset')
      : new EndOfStream(this.record.received);
  }

  async read({ atLeast, max, quietMs }: Want): Promise<Uint8Array> {
    this.#flow();
    while (this.#unread < atLeast && this.#unread < UNREAD_BYTES) {
      if (this.#over !== undefined) throw this.#ended();
      await this.#change();
    }
    if (quietMs !== undefined) {
      while (this.#unread < Math.min(max, UNREAD_BYTES) && this.#over === undefined) {
        if ((await this.#change(quietMs)) === 'quiet') break;
      }
    }
    return this.#take(Math.min(this.#unread, max));
  }

  async readUntil(delimiter: Uint8Array, max: number): Promise<Uint8Array> {
    this.#flow();
    for (;;) {
      const joined = Buffer.concat(this.#chunks);
      const at = joined.indexOf(delimiter);
      if (at >= 0 && at + delimiter.length <= max) return this.#take(at + delimiter.length);
      if (this.#unread >= max || at >= 0)
        throw new ProtocolError(`no end of line in ${lookOf(joined.subarray(0, max))}`);
      if (this.#over !== undefined) throw this.#ended();
      await this.#change();
    }
  }

  async peek(ms: number): Promise<'bytes' | 'end' | 'reset' | 'quiet'> {
    this.#flow();
    if (this.#unread === 0 && this.#over === undefined) await this.#change(ms);
    if (this.#unread > 0) return 'bytes';
    if (this.#failure !== undefined) throw this.#failure;
    return this.#over ?? 'quiet';
  }

  write(bytes: Uint8Array, options?: SendOptions): Promise<void> {
    const { record } = this;
    const session = this.#session;
    record.askedMs ??= session.elapsedMs();
    record.sent += bytes.length;
    session.dump('sent', bytes, options);
    return session.wait((resolve, reject) => {
      this.socket.write(bytes, (error) => {
        if (error) reject(new SocketFailed(error.message, { cause: error }));
        else resolve();
      });
    });
  }

  async end(): Promise<void> {
    this.#flow();
    this.socket.end();
    while (this.#over === undefined) {
      this.#take(this.#unread);
      if ((await this.#change(FAREWELL_MS)) === 'quiet') break;
    }
  }
}
