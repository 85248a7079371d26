// The kit of one attempt: everything a probe may touch, over one session's sockets.
import { randomBytes } from 'node:crypto';
import type { KitSession, Ledger } from '../contract/ledger.js';
import type { Outcome } from '../contract/outcome.js';
import type { Kit, Packets, Pinged, SecureStream, Stream, Target, TlsOptions, UdpOptions } from '../contract/probe.js';
import type { RawSockets } from './raw.js';
import { openTunnel } from './proxy.js';
import { Session } from './session.js';
import type { SessionOptions } from './session.js';
import { SocketStream } from './stream.js';
import { connectTcp } from './tcp.js';
import { openUdp } from './udp.js';

export interface KitOptions extends SessionOptions {
  readonly login: boolean;
  /** Throws for a name that the site does not have. */
  readonly secret: (name: string) => Uint8Array;
  /** Default: those of this machine. */
  readonly raw?: RawSockets;
}

class NetKit implements Kit {
  readonly #session: Session;
  readonly #options: KitOptions;
  #nonce: Uint8Array | undefined;

  constructor(session: Session, options: KitOptions) {
    this.#session = session;
    this.#options = options;
  }

  get login(): boolean {
    return this.#options.login;
  }

  get nonce(): Uint8Array {
    return (this.#nonce ??= randomBytes(8));
  }

  get signal(): AbortSignal {
    return this.#session.signal;
  }

  async tcp(): Promise<SocketStream> {
    const stream = await connectTcp(this.#session);
    if (this.#session.target.proxied?.how === 'tunnel') await openTunnel(this.#session, stream);
    return stream;
  }

  async tls(options: TlsOptions = {}, over?: Stream): Promise<SecureStream> {
    // node:tls costs more to load than to use; a run of plain checks never does.
    const { secure } = await import('./tls.js');
    const stream = over ?? (await this.tcp());
    if (!(stream instanceof SocketStream)) throw new TypeError('kit.tls takes over only a stream that the kit opened');
    return secure(this.#session, stream, options, this.#options.secret);
  }

  udp(options: UdpOptions = {}): ReturnType<typeof openUdp> {
    return openUdp(this.#session, options);
  }

  async ip(protocol: number): Promise<Packets> {
    const { openIp } = await import('./ip.js');
    return openIp(this.#session, protocol, await this.#raw());
  }

  async ipAllowed(): Promise<boolean> {
    return (await (await this.#raw()).missing()) === undefined;
  }

  async ping(): Promise<Pinged> {
    const { ping } = await import('./ping.js');
    return ping(this.#session, (await (await this.#raw()).missing()) ?? 'there are raw sockets');
  }

  async #raw(): Promise<RawSockets> {
    return this.#options.raw ?? (await import('./raw.js')).systemRawSockets;
  }

  random(size: number): Uint8Array {
    return randomBytes(size);
  }

  now(): number {
    return this.#options.clock.wallMs();
  }

  secret(name: string): Uint8Array {
    return this.#options.secret(name);
  }

  note(text: string): void {
    this.#session.say('note', text);
  }

  seen(outcome: Outcome): void {
    this.#session.seen = outcome;
  }
}

class NetKitSession implements KitSession {
  readonly kit: Kit;
  readonly #session: Session;

  constructor(session: Session, kit: Kit) {
    this.kit = kit;
    this.#session = session;
  }

  get ledger(): Ledger {
    return this.#session.ledger;
  }

  elapsedMs(): number {
    return this.#session.elapsedMs();
  }

  abort(reason: 'deadline' | 'interrupted'): void {
    this.#session.abort(reason);
  }

  close(): void {
    this.#session.close();
  }
}

export function openKit(target: Target, options: KitOptions): KitSession {
  const session = new Session(target, options);
  return new NetKitSession(session, new NetKit(session, options));
}
