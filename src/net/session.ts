// One attempt's ledger, its open handles and its pending waits. It opens nothing itself; tcp.ts, tls.ts and udp.ts do.
import { printable } from '../bytes/text.js';
import type { EvidenceBody, Evidence } from '../contract/evidence.js';
import type { Clock, Ledger, SocketRecord } from '../contract/ledger.js';
import type { WireEvent } from '../contract/outcome.js';
import type { SendOptions, Target } from '../contract/probe.js';
import { meaningOf } from './errno.js';
import type { Kernel } from './kernel.js';
import type { Segments } from './segments.js';

/** The attempt was cut short while something waited. */
export class Aborted extends Error {
  override readonly name = 'Aborted';
}

/** A socket failed; the ledger says how. */
export class SocketFailed extends Error {
  override readonly name = 'SocketFailed';
}

/** A dump shows at most this much of one packet. */
const DUMP_BYTES = 512;
/** And an attempt at most this many events. */
const WIRE_EVENTS = 400;

export interface SessionOptions {
  readonly clock: Clock;
  readonly verbose: boolean;
  /** Local addresses to probe from, where the user chose. */
  readonly source?: { readonly 4?: string; readonly 6?: string };
  /** Where it can be had, sockets are opened through it and looked back at. */
  readonly kernel?: Kernel;
  /** Where they can be had as well: how far away a handshake, data, a reset came from. */
  readonly segments?: Segments;
}

export class Session {
  readonly target: Target;
  readonly options: SessionOptions;
  readonly sockets: SocketRecord[] = [];
  readonly evidence: Evidence[] = [];
  readonly wire: WireEvent[] = [];
  aborted: Ledger['aborted'];
  seen: Ledger['seen'];
  #controller: AbortController | undefined;
  readonly #began: number;
  readonly #handles = new Set<() => void>();
  readonly #waits = new Set<(error: Error) => void>();

  constructor(target: Target, options: SessionOptions) {
    this.target = target;
    this.options = options;
    this.#began = options.clock.monotonicMs();
  }

  get ledger(): Ledger {
    return {
      sockets: this.sockets,
      evidence: this.evidence,
      wire: this.wire,
      ...(this.aborted === undefined ? {} : { aborted: this.aborted }),
      ...(this.seen === undefined ? {} : { seen: this.seen }),
    };
  }

  elapsedMs(): number {
    return this.options.clock.monotonicMs() - this.#began;
  }

  /** Made on first use: most probes never ask for it, and it costs as much memory as a socket. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.aborted !== undefined) this.#controller.abort(new Aborted(this.aborted));
    return this.#controller.signal;
  }

  record(carrier: SocketRecord['carrier']): SocketRecord {
    const record: SocketRecord = {
      carrier,
      state: 'opening',
      openedMs: this.elapsedMs(),
      sent: 0,
      received: 0,
      strangers: 0,
    };
    this.sockets.push(record);
    return record;
  }

  /** `destroy` is called at the end of the attempt, unless `release` was called before. */
  own(destroy: () => void): { release(): void } {
    if (this.aborted !== undefined) destroy();
    else this.#handles.add(destroy);
    return { release: () => this.#handles.delete(destroy) };
  }

  /** A promise that the end of the attempt rejects. */
  wait<T>(start: (resolve: (value: T) => void, reject: (error: Error) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.aborted !== undefined) {
        reject(new Aborted(this.aborted));
        return;
      }
      const end = (error: Error): void => {
        this.#waits.delete(end);
        reject(error);
      };
      this.#waits.add(end);
      start((value) => {
        this.#waits.delete(end);
        resolve(value);
      }, end);
    });
  }

  abort(reason: 'deadline' | 'interrupted'): void {
    if (this.aborted !== undefined) return;
    this.aborted = reason;
    const error = new Aborted(reason);
    for (const end of [...this.#waits]) end(error);
    this.#controller?.abort(error);
    this.close();
  }

  close(): void {
    // The youngest first: Node crashes when the socket under a TLS socket is destroyed before it.
    for (const destroy of [...this.#handles].reverse()) destroy();
    this.#handles.clear();
    if (this.#waits.size === 0) return;
    const error = new Aborted('closed');
    for (const end of [...this.#waits]) end(error);
  }

  see(body: EvidenceBody): void {
    this.evidence.push({ t: Math.round(this.elapsedMs()), source: 'attempt', ...body });
  }

  say(kind: 'connecting' | 'connected' | 'secured' | 'ended' | 'reset' | 'refused' | 'note', text: string): void {
    if (!this.options.verbose || this.wire.length >= WIRE_EVENTS) return;
    this.wire.push({ t: Math.round(this.elapsedMs()), kind, text });
  }

  dump(kind: 'sent' | 'received', bytes: Uint8Array, options?: SendOptions): void {
    if (!this.options.verbose || this.wire.length >= WIRE_EVENTS) return;
    const t = Math.round(this.elapsedMs());
    if (options?.secret === true) {
      this.wire.push({ t, kind, bytes: bytes.length });
      return;
    }
    const shown = bytes.subarray(0, DUMP_BYTES);
    this.wire.push({
      t,
      kind,
      bytes: bytes.length,
      hex: Buffer.from(shown.buffer, shown.byteOffset, shown.byteLength).toString('hex'),
      text: printable(shown, DUMP_BYTES),
    });
  }

  /** Writes an error of the operating system into the record. */
  fail(record: SocketRecord, error: NodeJS.ErrnoException, atOnce: boolean, sinceMs: number): SocketFailed {
    const afterMs = this.elapsedMs() - sinceMs;
    const meaning = meaningOf(error.code, { syscall: error.syscall, atOnce, afterMs });
    switch (meaning?.kind) {
      case 'refused':
        // A later error of the same socket is an echo of the first.
        record.refusal ??= {
          kind: 'refused',
          signal: meaning.signal,
          afterMs: Math.round(afterMs),
          // Of a proxy nobody else knows the address.
          ...(meaning.signal === 'refused' && this.target.proxied !== undefined ? { by: this.target.address } : {}),
        };
        this.say('refused', `${error.code ?? ''}: ${meaning.signal}`);
        break;
      case 'unable':
        record.unable ??= { reason: meaning.reason, detail: error.message };
        break;
      case 'reset':
        record.state = 'reset';
        this.say('reset', 'the far end reset the connection');
        break;
      case 'timeout':
        record.timedOut = true;
        break;
      case undefined:
        break;
    }
    return new SocketFailed(error.message, { cause: error });
  }
}
