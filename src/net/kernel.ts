// System calls on sockets that Node does not make: error queues, TTLs, TCP_INFO, raw sockets. The only file that calls C
// (through koffi, optional, loaded when asked for); everything it hands out is a copy. Linux, 64-bit, little-endian.
import { arch, endianness, platform } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type * as koffiPackage from 'koffi';
import { addressBytes } from '../bytes/ip.js';
import type { Family } from '../contract/flow.js';
import type { Endpoint } from '../contract/probe.js';
import { AF_INET, AF_INET6, readControlMessages, readSocketAddress, readTcpInfo } from './control-message.js';
import type { QueuedError, TcpInfo } from './control-message.js';

// sys/socket.h (asm-generic: x86-64 and arm64 agree).
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_BROADCAST = 6;
const MSG_DONTWAIT = 0x40;
const MSG_ERRQUEUE = 0x2000;
const MSG_NOSIGNAL = 0x4000;
// asm-generic/errno.h; Node has no name for the second.
const EAGAIN = 11;
const EINPROGRESS = 115;
// linux/in.h.
const IPPROTO_IP = 0;
const IPPROTO_TCP = 6;
const IPPROTO_IPV6 = 41;
const IP_TTL = 2;
const IP_RECVERR = 11;
const IP_RECVTTL = 12;
// linux/in6.h.
const IPV6_2292PKTOPTIONS = 6;
const IPV6_UNICAST_HOPS = 16;
const IPV6_RECVERR = 25;
const IPV6_V6ONLY = 26;
const IPV6_RECVHOPLIMIT = 51;
// linux/tcp.h.
const TCP_INFO = 11;
/** linux/tcp_states.h; the first byte of TCP_INFO. */
const SYN_SENT = 2;

// One block of memory, so that no address that the kernel gets can move or be collected: offsets and sizes.
const VALUE = { at: 0, size: 8 };
const LENGTH = { at: 16, size: 8 };
const NAME = { at: 64, size: 128 };
/** struct iovec: void *iov_base, size_t iov_len. */
const IOVEC = { at: 192, size: 16 };
/**
 * struct msghdr: void *msg_name @0, socklen_t msg_namelen @8, struct iovec *msg_iov @16, size_t msg_iovlen @24,
 * void *msg_control @32, size_t msg_controllen @40, int msg_flags @48. musl has int and padding for size_t: the same bytes.
 */
const MSGHDR = { at: 256, size: 56 };
const CONTROL = { at: 512, size: 512 };
const OPTION = { at: 1024, size: 512 };
const PAYLOAD = { at: 4096, size: 65_536 };
const SLAB_BYTES = 4096 + 65_536;

/** Errors of one socket that are read at a time: a flood is only noise, and what it says it says often. */
const ERRORS_AT_ONCE = 64;

/** A datagram or packet as it came in. */
export interface Received {
  readonly bytes: Uint8Array;
  /** Absent where the system names nobody. */
  readonly from?: Endpoint;
  /** TTL or hop limit that it arrived with, where `showTtl` was called. */
  readonly ttl?: number;
}

export type KernelSocketKind = 'tcp' | 'udp' | 'raw-tcp';

/** Opens sockets of this machine; a test may bring others. */
export interface Kernel {
  /** Non-blocking. Throws an error with the errno's name as code. */
  open(kind: KernelSocketKind, family: Family): KernelSocket;
}

/** One socket. All methods but `close` and `forget` throw an error with the errno's name as code where the kernel refuses. */
export interface KernelSocket {
  readonly family: Family;
  /** Negative once it is closed or forgotten. */
  readonly fd: number;
  /** `shared`: others of this machine may stand on the same port. */
  bind(local: Partial<Endpoint>, shared: boolean): void;
  /** TCP: the handshake is under way when it returns. */
  connect(to: Endpoint): void;
  /** Without `to` the socket is connected. An error of an earlier packet is not thrown: it is in the queue. */
  send(bytes: Uint8Array, to?: Endpoint): void;
  /** Undefined where nothing waits. */
  receive(): Received | undefined;
  /** ICMP errors about packets of this socket are kept for `errors`, from now on; `false` throws away what is there. */
  queueErrors(on: boolean): void;
  /** What the error queue holds, at most 64 at a time; takes it out. */
  errors(): readonly QueuedError[];
  /** `receive` and `errors` tell the TTL of what came in. */
  showTtl(): void;
  /** TTL or hop limit of what leaves from now on. */
  setTtl(ttl: number): void;
  allowBroadcast(): void;
  /** The socket's pending error, by its name, which it then no longer has. */
  failure(): string | undefined;
  /** TCP: the handshake is not over. */
  isConnecting(): boolean;
  /** Undefined for a connection that is over, or where the kernel is too old. */
  tcpInfo(): TcpInfo | undefined;
  /** Hop limit of the last segment that TCP over IPv6 took in, where `showTtl` was called; undefined over IPv4. */
  lastTtl(): number | undefined;
  local(): Endpoint;
  /** Calls back, in a turn of its own, whenever there is something to receive, an error, or (`writable`) a connection. */
  watch(notice: () => void, writable?: boolean): void;
  /** Ends watching and closes. Safe to call again. */
  close(): void;
  /** Somebody else closes it: from now on this object touches the descriptor no more. */
  forget(): void;
}

/** Signatures of libc, 64-bit. Pointers are views of the slab. */
interface Calls {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly close: (fd: number) => number;
  readonly bind: (fd: number, address: Uint8Array, length: number) => number;
  readonly connect: (fd: number, address: Uint8Array, length: number) => number;
  readonly sendto: (
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array | null,
    addressLength: number,
  ) => number | bigint;
  readonly recvmsg: (fd: number, message: Uint8Array, flags: number) => number | bigint;
  readonly setsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: number) => number;
  readonly getsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array) => number;
  readonly getsockname: (fd: number, address: Uint8Array, length: Uint8Array) => number;
  readonly if_nametoindex: (name: string) => number;
}

type Koffi = typeof koffiPackage;
type PollHandle = koffiPackage.node.PollHandle;

class SystemCalls {
  readonly koffi: Koffi;
  readonly #calls: Calls;
  readonly #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  readonly #base: bigint;

  constructor(koffi: Koffi, calls: Calls) {
    this.koffi = koffi;
    this.#calls = calls;
    this.#base = koffi.address(this.#slab);
  }

  #view({ at, size }: { at: number; size: number }): Buffer {
    return this.#slab.subarray(at, at + size);
  }

  /** Of the call just made: nothing may stand between the two. */
  #error(syscall: string): NodeJS.ErrnoException {
    const errno = this.koffi.errno();
    const code = getSystemErrorName(-errno);
    return Object.assign(new Error(`${syscall} ${code}`), { code, errno: -errno, syscall });
  }

  socket(kind: KernelSocketKind, family: Family): number {
    const type = { tcp: SOCK_STREAM, udp: SOCK_DGRAM, 'raw-tcp': SOCK_RAW }[kind];
    const domain = family === 6 ? AF_INET6 : AF_INET;
    const fd = this.#calls.socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, kind === 'raw-tcp' ? IPPROTO_TCP : 0);
    if (fd < 0) throw this.#error('socket');
    return fd;
  }

  close(fd: number): void {
    this.#calls.close(fd);
  }

  /** Writes struct sockaddr_in or sockaddr_in6 into the slab and returns its length. */
  #address(family: Family, { address, port }: Partial<Endpoint>): number {
    const name = this.#view(NAME).fill(0);
    name.writeUInt16LE(family === 6 ? AF_INET6 : AF_INET, 0);
    name.writeUInt16BE(port ?? 0, 2);
    if (family === 4) {
      if (address !== undefined) name.set(addressBytes(address), 4);
      return 16;
    }
    if (address !== undefined) {
      name.set(addressBytes(address), 8);
      name.writeUInt32LE(this.#zone(address), 24);
    }
    return 28;
  }

  #zone(address: string): number {
    const zone = /%(.+)$/.exec(address)?.[1];
    if (zone === undefined) return 0;
    return /^\d+$/.test(zone) ? Number(zone) : this.#calls.if_nametoindex(zone);
  }

  bind(fd: number, family: Family, local: Partial<Endpoint>): void {
    const length = this.#address(family, local);
    if (this.#calls.bind(fd, this.#view(NAME), length) < 0) throw this.#error('bind');
  }

  connect(fd: number, family: Family, to: Endpoint): void {
    const length = this.#address(family, to);
    if (this.#calls.connect(fd, this.#view(NAME), length) === 0) return;
    const error = this.#error('connect');
    if (error.errno !== -EINPROGRESS) throw error;
  }

  send(fd: number, family: Family, bytes: Uint8Array, to: Endpoint | undefined): void {
    if (bytes.length > PAYLOAD.size) {
      throw Object.assign(new Error('send EMSGSIZE'), { code: 'EMSGSIZE', syscall: 'send' });
    }
    const payload = this.#view(PAYLOAD);
    payload.set(bytes);
    const length = to === undefined ? 0 : this.#address(family, to);
    const address = to === undefined ? null : this.#view(NAME);
    const sent = this.#calls.sendto(fd, payload, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, length);
    if (sent < 0) throw this.#error('send');
  }

  #message(fd: number, flags: number): (Received & { readonly error?: QueuedError }) | undefined {
    const iovec = this.#view(IOVEC);
    iovec.writeBigUInt64LE(this.#base + BigInt(PAYLOAD.at), 0);
    iovec.writeBigUInt64LE(BigInt(PAYLOAD.size), 8);
    const message = this.#view(MSGHDR).fill(0);
    message.writeBigUInt64LE(this.#base + BigInt(NAME.at), 0);
    message.writeUInt32LE(NAME.size, 8);
    message.writeBigUInt64LE(this.#base + BigInt(IOVEC.at), 16);
    message.writeBigUInt64LE(1n, 24);
    message.writeBigUInt64LE(this.#base + BigInt(CONTROL.at), 32);
    message.writeBigUInt64LE(BigInt(CONTROL.size), 40);
    const size = Number(this.#calls.recvmsg(fd, message, flags | MSG_DONTWAIT));
    if (size < 0) {
      const error = this.#error('recvmsg');
      if (error.errno === -EAGAIN) return undefined;
      throw error;
    }
    const nameBytes = Math.min(message.readUInt32LE(8), NAME.size);
    const controlBytes = Math.min(Number(message.readBigUInt64LE(40)), CONTROL.size);
    const from = readSocketAddress(this.#view({ at: NAME.at, size: nameBytes }));
    return {
      bytes: Uint8Array.from(this.#view({ at: PAYLOAD.at, size: Math.min(size, PAYLOAD.size) })),
      ...(from === undefined ? {} : { from }),
      ...readControlMessages(this.#view({ at: CONTROL.at, size: controlBytes })),
    };
  }

  receive(fd: number): Received | undefined {
    return this.#message(fd, 0);
  }

  errors(fd: number): readonly QueuedError[] {
    const errors: QueuedError[] = [];
    for (let read = 0; read < ERRORS_AT_ONCE; read += 1) {
      const message = this.#message(fd, MSG_ERRQUEUE);
      if (message === undefined) break;
      if (message.error !== undefined) errors.push(message.error);
    }
    return errors;
  }

  set(fd: number, level: number, option: number, value: number): void {
    const view = this.#view(VALUE);
    view.writeInt32LE(value, 0);
    if (this.#calls.setsockopt(fd, level, option, view, 4) < 0) throw this.#error('setsockopt');
  }

  /** The option's bytes, a copy. */
  get(fd: number, level: number, option: number): Uint8Array {
    const length = this.#view(LENGTH);
    length.writeUInt32LE(OPTION.size, 0);
    const view = this.#view(OPTION);
    if (this.#calls.getsockopt(fd, level, option, view, length) < 0) throw this.#error('getsockopt');
    return Uint8Array.from(view.subarray(0, Math.min(length.readUInt32LE(0), OPTION.size)));
  }

  local(fd: number): Endpoint {
    const length = this.#view(LENGTH);
    length.writeUInt32LE(NAME.size, 0);
    const name = this.#view(NAME).fill(0);
    if (this.#calls.getsockname(fd, name, length) < 0) throw this.#error('getsockname');
    return readSocketAddress(name) ?? { address: '', port: 0 };
  }
}

/** libuv's word for a poll that ended because the socket has an error (UV_EBADF). */
const isEnded = (status: unknown): boolean => typeof status === 'number' && status < 0;

class SystemSocket implements KernelSocket {
  readonly family: Family;
  readonly #system: SystemCalls;
  #fd: number;
  #watching: PollHandle | undefined;

  constructor(system: SystemCalls, kind: KernelSocketKind, family: Family) {
    this.family = family;
    this.#system = system;
    this.#fd = system.socket(kind, family);
    // A datagram socket for IPv6 never stands for IPv4 as well.
    if (family === 6 && kind === 'udp') system.set(this.#fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  }

  get fd(): number {
    return this.#fd;
  }

  bind(local: Partial<Endpoint>, shared: boolean): void {
    if (shared) this.#system.set(this.#open(), SOL_SOCKET, SO_REUSEADDR, 1);
    this.#system.bind(this.#open(), this.family, local);
  }

  connect(to: Endpoint): void {
    this.#system.connect(this.#open(), this.family, to);
  }

  send(bytes: Uint8Array, to?: Endpoint): void {
    try {
      this.#system.send(this.#open(), this.family, bytes, to);
    } catch {
      // send(2) reports what an earlier packet met, once, and has then not sent this one. This one's own error comes again.
      this.#system.send(this.#open(), this.family, bytes, to);
    }
  }

  receive(): Received | undefined {
    return this.#system.receive(this.#open());
  }

  queueErrors(on: boolean): void {
    const [level, option] = this.family === 6 ? [IPPROTO_IPV6, IPV6_RECVERR] : [IPPROTO_IP, IP_RECVERR];
    this.#system.set(this.#open(), level, option, on ? 1 : 0);
  }

  errors(): readonly QueuedError[] {
    return this.#system.errors(this.#open());
  }

  showTtl(): void {
    const [level, option] = this.family === 6 ? [IPPROTO_IPV6, IPV6_RECVHOPLIMIT] : [IPPROTO_IP, IP_RECVTTL];
    this.#system.set(this.#open(), level, option, 1);
  }

  setTtl(ttl: number): void {
    const [level, option] = this.family === 6 ? [IPPROTO_IPV6, IPV6_UNICAST_HOPS] : [IPPROTO_IP, IP_TTL];
    this.#system.set(this.#open(), level, option, ttl);
  }

  allowBroadcast(): void {
    this.#system.set(this.#open(), SOL_SOCKET, SO_BROADCAST, 1);
  }

  failure(): string | undefined {
    const bytes = this.#system.get(this.#open(), SOL_SOCKET, SO_ERROR);
    const errno = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(0, true);
    return errno === 0 ? undefined : getSystemErrorName(-errno);
  }

  isConnecting(): boolean {
    const [state] = this.#system.get(this.#open(), IPPROTO_TCP, TCP_INFO);
    return state === SYN_SENT;
  }

  tcpInfo(): TcpInfo | undefined {
    try {
      return readTcpInfo(this.#system.get(this.#open(), IPPROTO_TCP, TCP_INFO));
    } catch {
      return undefined;
    }
  }

  lastTtl(): number | undefined {
    // Over IPv4 the same question is answered with the TTL for multicast (ip(7)).
    if (this.family === 4) return undefined;
    return readControlMessages(this.#system.get(this.#open(), IPPROTO_IPV6, IPV6_2292PKTOPTIONS)).ttl;
  }

  local(): Endpoint {
    return this.#system.local(this.#open());
  }

  watch(notice: () => void, writable = false): void {
    const events = { readable: true, writable };
    let due = false;
    let ended = false;
    const onPoll = (status: unknown): void => {
      ended ||= isEnded(status);
      if (due) return;
      due = true;
      // koffi calls from outside of Node's own callbacks: promises that are settled here would stay unnoticed until
      // something else happens.
      setImmediate(() => {
        due = false;
        if (this.#fd < 0) return;
        notice();
        // An error ended the polling; what it was has been read by now.
        if (ended && this.#fd >= 0) handle.start(events, onPoll);
        ended = false;
      });
    };
    const handle = this.#system.koffi.node.poll(this.#open(), events, onPoll);
    this.#watching = handle;
  }

  close(): void {
    const fd = this.#fd;
    this.forget();
    if (fd >= 0) this.#system.close(fd);
  }

  forget(): void {
    this.#fd = -1;
    this.#watching?.close();
    this.#watching = undefined;
  }

  /** Its number may belong to another file by now. */
  #open(): number {
    if (this.#fd < 0) throw Object.assign(new Error('the socket is closed'), { code: 'EBADF', syscall: 'socket' });
    return this.#fd;
  }
}

const SIGNATURES: Readonly<Record<keyof Calls, string>> = {
  socket: 'int socket(int, int, int)',
  close: 'int close(int)',
  bind: 'int bind(int, void *, uint32_t)',
  connect: 'int connect(int, void *, uint32_t)',
  sendto: 'int64_t sendto(int, void *, size_t, int, void *, uint32_t)',
  recvmsg: 'int64_t recvmsg(int, void *, int)',
  setsockopt: 'int setsockopt(int, int, int, void *, uint32_t)',
  getsockopt: 'int getsockopt(int, int, int, void *, void *)',
  getsockname: 'int getsockname(int, void *, void *)',
  if_nametoindex: 'uint32_t if_nametoindex(const char *)',
};

function callsOf(library: koffiPackage.LibraryHandle): Calls {
  return {
    socket: library.func(SIGNATURES.socket),
    close: library.func(SIGNATURES.close),
    bind: library.func(SIGNATURES.bind),
    connect: library.func(SIGNATURES.connect),
    sendto: library.func(SIGNATURES.sendto),
    recvmsg: library.func(SIGNATURES.recvmsg),
    setsockopt: library.func(SIGNATURES.setsockopt),
    getsockopt: library.func(SIGNATURES.getsockopt),
    getsockname: library.func(SIGNATURES.getsockname),
    if_nametoindex: library.func(SIGNATURES.if_nametoindex),
  };
}

/** This process's own libc, whichever that is; else by the names of glibc's and musl's. */
const LIBRARIES = [null, 'libc.so.6', 'libc.musl-x86_64.so.1', 'libc.musl-aarch64.so.1'];

function openLibrary(koffi: Koffi): Calls {
  let last: unknown;
  for (const name of LIBRARIES) {
    try {
      return callsOf(koffi.load(name));
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/** `missing`: why this machine's kernel cannot be asked, in at most 63 characters. */
export type KernelAccess = { readonly kernel: Kernel } | { readonly missing: string };

let loading: Promise<KernelAccess> | undefined;

/** Tries it once in the life of the process. Never rejects. */
export function kernelAccess(): Promise<KernelAccess> {
  return (loading ??= load());
}

async function load(): Promise<KernelAccess> {
  if (platform() !== 'linux') return { missing: 'not Linux' };
  // The layouts above are these machines'.
  if (!['x64', 'arm64'].includes(arch()) || endianness() !== 'LE')
    return { missing: `${arch()}, and x64 or arm64 wanted` };
  let koffi: Koffi;
  try {
    koffi = await import('koffi');
  } catch {
    return { missing: 'koffi is not installed for this system (npm install koffi)' };
  }
  try {
    const system = new SystemCalls(koffi, openLibrary(koffi));
    return { kernel: { open: (kind, family) => new SystemSocket(system, kind, family) } };
  } catch {
    return { missing: 'koffi cannot call this system’s libc' };
  }
}
