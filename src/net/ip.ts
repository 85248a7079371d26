// Packets of one IP protocol to one target, and the ICMP errors about them. Raw sockets come from raw.ts.
import { createSocket } from 'node:dgram';
import { ProtocolError } from '../bytes/errors.js';
import { canonicalAddress, withoutZone } from '../bytes/ip.js';
import type { SocketRecord } from '../contract/ledger.js';
import type { RefusalSignal } from '../contract/outcome.js';
import type { AcceptPacket, Packets, SendOptions } from '../contract/probe.js';
import { ICMP, ICMPV6, icmpErrorOf, refusalOf } from './icmp.js';
import type { IcmpError } from './icmp.js';
import type { Heard, RawSocket, RawSockets } from './raw.js';
import { SocketFailed } from './session.js';
import type { Session } from './session.js';
import { currentTurn } from './turn.js';

/** Between one sending of a request and the next. */
const RESEND_MS = 1000;

interface Hearing {
  take(packet: Uint8Array, from: { readonly address: string; readonly ttl?: number }): void;
  fail(error: Error): void;
}

class RawPackets implements Packets {
  readonly local: string;
  readonly #session: Session;
  readonly #record: SocketRecord;
  readonly #protocol: number;
  readonly #target: string;
  #socket: RawSocket | undefined;
  #asked: Uint8Array | undefined;
  #hearing: Hearing | undefined;
  #failure: SocketFailed | undefined;

  constructor(session: Session, record: SocketRecord, protocol: number, local: string) {
    this.#session = session;
    this.#record = record;
    this.#protocol = protocol;
    this.#target = canonicalAddress(session.target.address);
    this.local = local;
  }

  /** Opens what sends and hears; for another protocol than ICMP also what hears ICMP errors. */
  async open(raw: RawSockets): Promise<void> {
    const { target, options } = this.#session;
    const { family } = target;
    const icmp = family === 6 ? ICMPV6 : ICMP;
    const source = options.source?.[family];
    const own = async (protocol: number, hear: (packet: Heard) => void, from?: string): Promise<RawSocket> => {
      const socket = await raw.open(protocol, family, hear, from);
      // Where the attempt has ended meanwhile, this closes it at once.
      this.#session.own(() => socket.close());
      return socket;
    };
    if (this.#protocol !== icmp) await own(icmp, (packet) => this.#hearError(packet));
    this.#socket = await own(this.#protocol, (packet) => this.#hear(packet, this.#protocol === icmp), source);
  }

  #hear(packet: Heard, icmp: boolean): void {
    if (icmp && this.#hearError(packet)) return;
    const { payload, ttl } = packet;
    if (!this.#isTarget(packet.source)) return;
    // Where the target is this machine itself, what we send comes by as well.
    if (this.#asked !== undefined && this.#isAsked(payload) && payload.length === this.#asked.length) return;
    this.#record.received += payload.length;
    this.#hearing?.take(payload, { address: this.#target, ...(ttl === undefined ? {} : { ttl }) });
  }

  /** Takes an ICMP error about a packet of ours. False for everything else. */
  #hearError({ source, payload, ttl }: Heard): boolean {
    const { target } = this.#session;
    const error = icmpErrorOf(payload, target.family);
    if (error === undefined || !this.#isAbout(error)) return false;
    const { type, code } = error;
    const from = canonicalAddress(source);
    this.#session.dump('received', payload);
    const known = this.#session.evidence.some(
      (item) => item.kind === 'icmp' && item.from === from && item.type === type && item.code === code,
    );
    if (!known) this.#session.see({ kind: 'icmp', from, type, code, ...(ttl === undefined ? {} : { ttl }) });
    const said = refusalOf(type, code, target.family);
    if (said !== undefined) this.#refused(from, said, ttl);
    return true;
  }

  #refused(by: string, said: RefusalSignal, ttl: number | undefined): void {
    // Our own kernel speaks from our own address: a neighbour that did not answer.
    const signal = said === 'host-unreachable' && by === this.local ? 'no-neighbour' : said;
    const since = this.#record.askedMs ?? this.#record.openedMs;
    const afterMs = Math.round(this.#session.elapsedMs() - since);
    this.#record.refusal ??= { kind: 'refused', signal, afterMs, by, ...(ttl === undefined ? {} : { ttl }) };
    this.#session.say('refused', `${signal}, says ${by}`);
    this.#broken(new SocketFailed(`${by} says ${signal}`));
  }

  #isTarget(source: string): boolean {
    return source === this.#target || canonicalAddress(source) === this.#target;
  }

  #isAbout({ quoted }: IcmpError): boolean {
    return quoted.protocol === this.#protocol && quoted.destination === this.#target && this.#isAsked(quoted.payload);
  }

  /** RFC 792 quotes at least eight bytes of the payload. */
  #isAsked(payload: Uint8Array): boolean {
    const asked = this.#asked;
    if (asked === undefined || payload.length < Math.min(8, asked.length)) return false;
    const icmp = this.#protocol === ICMP || this.#protocol === ICMPV6;
    // The kernel writes an ICMPv6 checksum, and a translator of addresses any.
    return payload.subarray(0, 8).every((byte, at) => (icmp && (at === 2 || at === 3)) || byte === asked[at]);
  }

  #broken(failure: SocketFailed): void {
    this.#failure ??= failure;
    this.#hearing?.fail(this.#failure);
  }

  #transmit(request: Uint8Array, options: SendOptions | undefined): void {
    const record = this.#record;
    record.askedMs ??= this.#session.elapsedMs();
    record.sent += 1;
    this.#asked = request;
    this.#session.dump('sent', request, options);
    this.#socket?.send(request, this.#session.target.address, (error) => {
      // sendto(2) alone speaks here, and what comes back from the network never does: it is our own kernel's word.
      if (error !== undefined) {
        this.#broken(this.#session.fail(record, error, true, record.askedMs ?? record.openedMs));
      }
    });
  }

  #take<T>(accept: AcceptPacket<T>, taken: (value: T) => void, failed: (error: Error) => void): Hearing['take'] {
    const record = this.#record;
    const echo = this.#protocol === ICMP || this.#protocol === ICMPV6;
    return (packet, from) => {
      let value: T | undefined;
      try {
        value = accept(packet, from);
      } catch (error) {
        if (!(error instanceof ProtocolError)) failed(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      if (value === undefined) return;
      this.#session.dump('received', packet);
      record.repliedMs ??= this.#session.elapsedMs();
      // Only an echo's TTL is the host's own: another protocol's answer may be a packet that we made and it passed on.
      const ttl = echo && from.ttl !== undefined ? { ttl: from.ttl } : {};
      this.#session.see({ kind: 'alive', address: from.address, by: echo ? 'echo' : 'reply', ...ttl });
      taken(value);
    };
  }

  async exchange<T>(request: Uint8Array, accept: AcceptPacket<T>, options?: SendOptions): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const owned = this.#session.own(() => clearInterval(timer));
    try {
      return await this.#session.wait<T>((resolve, reject) => {
        this.#hearing = { take: this.#take(accept, resolve, reject), fail: reject };
        if (this.#failure !== undefined) {
          reject(this.#failure);
          return;
        }
        this.#transmit(request, options);
        timer = setInterval(() => this.#transmit(request, options), RESEND_MS);
      });
    } finally {
      clearInterval(timer);
      owned.release();
      this.#hearing = undefined;
    }
  }

  async send(request: Uint8Array, forMs: number, options?: SendOptions): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const owned = this.#session.own(() => clearTimeout(timer));
    try {
      await this.#session.wait<undefined>((resolve, reject) => {
        this.#hearing = { take: () => undefined, fail: reject };
        if (this.#failure !== undefined) {
          reject(this.#failure);
          return;
        }
        this.#transmit(request, options);
        timer = setTimeout(() => resolve(undefined), forMs);
      });
    } finally {
      clearTimeout(timer);
      owned.release();
      this.#hearing = undefined;
    }
  }
}

/** The address that this machine asks the target from. Rejects with what its routes say, known to the ledger. */
export function localAddressOf(session: Session, record: SocketRecord): Promise<string> {
  const { address, family } = session.target;
  const source = session.options.source?.[family];
  if (source !== undefined) return Promise.resolve(withoutZone(source));
  return session.wait<string>((resolve, reject) => {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    const owned = session.own(() => socket.close());
    const turn = currentTurn();
    const failed = (error: NodeJS.ErrnoException): void => {
      owned.release();
      socket.close();
      reject(session.fail(record, error, currentTurn() === turn, record.openedMs));
    };
    socket.once('error', failed);
    // Connecting a datagram socket asks the routes and sends nothing. Port 9, discard: any would do.
    socket.connect(9, address, (error?: NodeJS.ErrnoException) => {
      if (session.aborted !== undefined) return;
      if (error) {
        failed(error);
        return;
      }
      const local = canonicalAddress(socket.address().address);
      owned.release();
      socket.close();
      resolve(local);
    });
  });
}

/** Rejects with SocketFailed (the ledger says why) or Aborted. */
export async function openIp(session: Session, protocol: number, raw: RawSockets): Promise<Packets> {
  const record = session.record('ip');
  session.say('connecting', `${session.target.address}, IP protocol ${protocol}`);
  const local = await localAddressOf(session, record);
  record.localAddress = local;
  const packets = new RawPackets(session, record, protocol, local);
  try {
    await packets.open(raw);
  } catch (error) {
    throw session.fail(record, error instanceof Error ? error : new Error(String(error)), true, record.openedMs);
  }
  record.state = 'open';
  record.connectedMs = session.elapsedMs();
  return packets;
}
