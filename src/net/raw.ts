// Raw sockets of this machine, through the optional package raw-socket: loaded when first needed, one socket for each
// protocol and family, shared by all attempts. What packets mean is not decided here.
import type { Library, Socket } from 'raw-socket';
import { encodeIpPacket, internetChecksum, pseudoHeader, readIpPacket } from '../bytes/ip.js';
import type { IpPacket } from '../bytes/ip.js';
import { ProtocolError } from '../bytes/errors.js';
import type { Family } from '../contract/flow.js';

/** A packet that arrived, a copy. Over IPv6 the system shows neither hop limit nor destination. */
export type Heard = Pick<IpPacket, 'source' | 'payload'> & { readonly ttl?: number };

export interface RawSocket {
  /** `done` gets an error with the errno's name as code; it is called once, later. */
  send(payload: Uint8Array, to: string, done: (error: NodeJS.ErrnoException | undefined) => void): void;
  /** This user of the socket has done with it. Safe to call again. */
  close(): void;
}

/** Where raw sockets come from, so that a test can bring a network of its own. */
export interface RawSockets {
  /** Why none can be had here, in at most 63 characters; undefined where they can. */
  missing(): Promise<string | undefined>;
  /**
   * @param hear gets every packet of the protocol that this machine receives
   * @param source what ours leave from; default: what the routes say
   * Throws an error with the errno's name as code.
   */
  open(protocol: number, family: Family, hear: (packet: Heard) => void, source?: string): Promise<RawSocket>;
}

let loading: Promise<Library | Error> | undefined;

/** A failed build of an optional package is silent: only loading it tells. */
function library(): Promise<Library | Error> {
  loading ??= import('raw-socket').then(
    (loaded) => loaded.default,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  return loading;
}

/** What strerror(3) of glibc, musl and Darwin says for the errors of socket(2) and sendto(2) on a raw socket. */
const ERRNO: Readonly<Record<string, string>> = {
  'Operation not permitted': 'EPERM',
  'Permission denied': 'EACCES',
  'Network is unreachable': 'ENETUNREACH',
  'Network unreachable': 'ENETUNREACH',
  'No route to host': 'EHOSTUNREACH',
  'Host is unreachable': 'EHOSTUNREACH',
  'Host is down': 'EHOSTUNREACH',
  'Invalid argument': 'EINVAL',
  'Protocol not supported': 'EPROTONOSUPPORT',
  'Address family not supported by protocol': 'EAFNOSUPPORT',
  'Address family not supported by protocol family': 'EAFNOSUPPORT',
  'Cannot assign requested address': 'EADDRNOTAVAIL',
  "Can't assign requested address": 'EADDRNOTAVAIL',
  'Address not available': 'EADDRNOTAVAIL',
  'Too many open files': 'EMFILE',
  'No file descriptors available': 'EMFILE',
  'Too many open files in system': 'ENFILE',
  'No buffer space available': 'ENOBUFS',
  'Cannot allocate memory': 'ENOMEM',
  'Out of memory': 'ENOMEM',
};

export const PERMISSION_MISSING = 'no CAP_NET_RAW for a raw socket';

function errnoOf(error: unknown, syscall: 'socket' | 'sendto'): NodeJS.ErrnoException {
  const said = error instanceof Error ? error.message : String(error);
  const code = ERRNO[said];
  const denied = syscall === 'socket' && (code === 'EPERM' || code === 'EACCES');
  const message = denied ? PERMISSION_MISSING : `${syscall}: ${said}`;
  return Object.assign(new Error(message, { cause: error }), {
    syscall,
    ...(code === undefined ? {} : { code: denied ? 'EPERM' : code }),
  });
}

/** Windows calls it otherwise, and there raw sockets serve nobody but administrators. */
const IPPROTO_IP = 0;
const IP_HDRINCL = 3;
const IPPROTO_IPV6 = 41;
/** linux/in6.h. The only way to choose the source of one packet of a shared socket without bind(2). */
const IPV6_HDRINCL = 36;
/** What systems start at; RFC 1700. */
const INITIAL_TTL = 64;
const ICMPV6 = 58;
/** Longer than any link's packet; what is longer than that is cut. */
const RECEIVE_BYTES = 9216;

interface Shared {
  readonly socket: Socket;
  readonly hearers: Set<(packet: Heard) => void>;
}

class SystemRawSockets implements RawSockets {
  /** The package's sockets close when they are garbage: this map keeps them. */
  readonly #shared = new Map<string, Shared>();

  async missing(): Promise<string | undefined> {
    const loaded = await library();
    if (loaded instanceof Error) return whyNotLoaded(loaded);
    try {
      loaded.createSocket({ protocol: 1, addressFamily: 1, bufferSize: 1 }).close();
      return undefined;
    } catch (error) {
      const { code, message } = errnoOf(error, 'socket');
      // Too many open files is no lack of permission.
      return code === 'EPERM' ? message : undefined;
    }
  }

  async open(protocol: number, family: Family, hear: (packet: Heard) => void, source?: string): Promise<RawSocket> {
    const loaded = await library();
    if (loaded instanceof Error) {
      throw Object.assign(new Error(whyNotLoaded(loaded), { cause: loaded }), { code: 'EPERM', syscall: 'socket' });
    }
    const key = `${protocol} ${family} ${source ?? ''}`;
    const shared = this.#shared.get(key) ?? this.#create(loaded, key, protocol, family, source);
    // A function of its own, so that two users with the same one are still two.
    const hearer = (packet: Heard): void => hear(packet);
    shared.hearers.add(hearer);
    let open = true;
    return {
      send: (payload, to, done) => {
        const packet = Buffer.from(source === undefined ? payload : wholePacket(protocol, source, to, payload));
        shared.socket.send(packet, 0, packet.length, to, (error) => {
          // Outside of the package, which would call back a second time for what is thrown here.
          setImmediate(() => done(error === null ? undefined : errnoOf(error, 'sendto')));
        });
      },
      close: () => {
        if (!open) return;
        open = false;
        shared.hearers.delete(hearer);
        if (shared.hearers.size > 0) return;
        if (this.#shared.get(key) === shared) this.#shared.delete(key);
        shared.socket.close();
      },
    };
  }

  #create(loaded: Library, key: string, protocol: number, family: Family, source: string | undefined): Shared {
    let socket: Socket;
    try {
      socket = loaded.createSocket({ protocol, addressFamily: family === 6 ? 2 : 1, bufferSize: RECEIVE_BYTES });
      if (source !== undefined) {
        if (family === 6) socket.setOption(IPPROTO_IPV6, IPV6_HDRINCL, 1);
        else socket.setOption(IPPROTO_IP, IP_HDRINCL, 1);
      }
    } catch (error) {
      throw errnoOf(error, 'socket');
    }
    const shared: Shared = { socket, hearers: new Set() };
    const waiting: Heard[] = [];
    socket.on('message', (bytes, from) => {
      const packet = heardOf(Uint8Array.from(bytes), from, family);
      if (packet === undefined) return;
      // The package calls from outside of Node's own callbacks: promises that are settled here would stay unnoticed until
      // something else happens.
      if (waiting.push(packet) > 1) return;
      setImmediate(() => {
        for (const each of waiting.splice(0)) for (const hearer of [...shared.hearers]) hearer(each);
      });
    });
    // Reading failed; the package goes on with the next packet, or closes the socket.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#shared.get(key) === shared) this.#shared.delete(key);
    });
    this.#shared.set(key, shared);
    return shared;
  }
}

/** An IPv4 raw socket shows the header, an IPv6 one does not (RFC 3542 §3). */
function heardOf(bytes: Uint8Array, from: string, family: Family): Heard | undefined {
  if (family === 6) return { source: from, payload: bytes };
  try {
    return readIpPacket(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function wholePacket(protocol: number, source: string, destination: string, payload: Uint8Array): Uint8Array {
  const packet = { protocol, ttl: INITIAL_TTL, source, destination, payload };
  if (protocol !== ICMPV6) return encodeIpPacket(packet);
  // With a header of ours the kernel no longer fills in the checksum (RFC 4443 §2.3).
  const summed = Uint8Array.from(payload);
  summed.set([0, 0], 2);
  const sum = internetChecksum(pseudoHeader(source, destination, protocol, payload.length), summed);
  summed.set([sum >> 8, sum & 0xff], 2);
  return encodeIpPacket({ ...packet, payload: summed });
}

/** In at most 63 characters. */
export function whyNotLoaded(error: Error): string {
  // Only the package itself is looked for by an import; what it lacks when it was not built, it requires.
  return 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    ? 'raw-socket is not installed (npm install raw-socket)'
    : 'raw-socket is not built for this Node (npm rebuild raw-socket)';
}

export const systemRawSockets: RawSockets = new SystemRawSockets();
