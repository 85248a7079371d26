// What the Linux kernel hands over beside a packet: control messages, addresses, TCP_INFO, as bytes. Pure; the calls that
// fetch them are in kernel.ts. Layouts are those of 64-bit little-endian systems, glibc and musl alike.
import { ProtocolError } from '../bytes/errors.js';
import { addressText } from '../bytes/ip.js';
import type { Endpoint } from '../contract/probe.js';

/** bits/socket.h. */
export const AF_INET = 2;
export const AF_INET6 = 10;

/** linux/in.h and linux/in6.h: levels, and what a control message of that level may be. */
const SOL_IP = 0;
const SOL_IPV6 = 41;
const IP_TTL = 2;
const IP_RECVERR = 11;
const IPV6_RECVERR = 25;
const IPV6_HOPLIMIT = 52;

/** linux/errqueue.h. */
const SO_EE_ORIGIN_LOCAL = 1;
const SO_EE_ORIGIN_ICMP = 2;
const SO_EE_ORIGIN_ICMP6 = 3;

/** An error about a packet of ours, from the socket's error queue. */
export interface QueuedError {
  /** Its number here, as errno has it. */
  readonly errno: number;
  /** `icmp`: a packet came, or this machine made one to itself. `local`: the kernel refused without one. */
  readonly origin: 'icmp' | 'local';
  /** Of the ICMP or ICMPv6 error; 0 for a local one. */
  readonly type: number;
  readonly code: number;
  /** Who sent the error; absent where the kernel does not say. */
  readonly from?: string;
  /** TTL or hop limit of the error packet itself, as it arrived. */
  readonly ttl?: number;
}

/** What control messages say. */
export interface ControlMessages {
  /** Of the packet that arrived. */
  readonly ttl?: number;
  readonly error?: QueuedError;
}

/** struct cmsghdr: size_t cmsg_len, int cmsg_level, int cmsg_type; musl's socklen_t and padding are the same bytes. */
const HEADER_BYTES = 16;
const ALIGNMENT = 8;
/** struct sock_extended_err; the offender's address follows it. */
const ERROR_BYTES = 16;

/** Never throws: what is cut short or unknown is left out. */
export function readControlMessages(control: Uint8Array): ControlMessages {
  const view = viewOf(control);
  let ttl: number | undefined;
  let error: Omit<QueuedError, 'ttl'> | undefined;
  for (let at = 0; at + HEADER_BYTES <= control.length;) {
    const length = Number(view.getBigUint64(at, true));
    if (length < HEADER_BYTES || at + length > control.length) break;
    const level = view.getInt32(at + 8, true);
    const type = view.getInt32(at + 12, true);
    const body = control.subarray(at + HEADER_BYTES, at + length);
    const isTtl = (level === SOL_IP && type === IP_TTL) || (level === SOL_IPV6 && type === IPV6_HOPLIMIT);
    const isError = (level === SOL_IP && type === IP_RECVERR) || (level === SOL_IPV6 && type === IPV6_RECVERR);
    if (isTtl && body.length >= 4) ttl = viewOf(body).getInt32(0, true);
    if (isError) error = readError(body);
    at += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  }
  const known = ttl === undefined ? {} : { ttl };
  return error === undefined ? known : { ...known, error: { ...error, ...known } };
}

/** Undefined for what is no error but news: a timestamp, a finished send. */
function readError(body: Uint8Array): Omit<QueuedError, 'ttl'> | undefined {
  if (body.length < ERROR_BYTES) return undefined;
  const view = viewOf(body);
  const origin = view.getUint8(4);
  const icmp = origin === SO_EE_ORIGIN_ICMP || origin === SO_EE_ORIGIN_ICMP6;
  if (!icmp && origin !== SO_EE_ORIGIN_LOCAL) return undefined;
  const offender = readSocketAddress(body.subarray(ERROR_BYTES));
  return {
    errno: view.getUint32(0, true),
    origin: icmp ? 'icmp' : 'local',
    type: icmp ? view.getUint8(5) : 0,
    code: icmp ? view.getUint8(6) : 0,
    ...(offender === undefined ? {} : { from: offender.address }),
  };
}

/** struct sockaddr_in or sockaddr_in6, without the zone; undefined for anything else (AF_UNSPEC: nobody in particular). */
export function readSocketAddress(bytes: Uint8Array): Endpoint | undefined {
  if (bytes.length < 2) return undefined;
  const view = viewOf(bytes);
  const family = view.getUint16(0, true);
  if (family === AF_INET && bytes.length >= 8) {
    return { address: addressText(bytes.subarray(4, 8)), port: view.getUint16(2) };
  }
  if (family === AF_INET6 && bytes.length >= 24) {
    return { address: addressText(bytes.subarray(8, 24)), port: view.getUint16(2) };
  }
  return undefined;
}

/** What TCP knows of one connection. */
export interface TcpInfo {
  /** linux/tcp_states.h: 1 established, 8 close-wait. */
  readonly state: number;
  /** Bytes of ours that left at least once, and how many of them the far end acknowledged. */
  readonly sent: number;
  readonly acked: number;
  /** Bytes that wait here, since the window does not let them go. */
  readonly unsent: number;
  /** Segments that were sent again. */
  readonly resent: number;
}

/** Up to tcpi_bytes_retrans (Linux 4.19). */
const TCP_INFO_BYTES = 216;

/** struct tcp_info (linux/tcp.h). Throws ProtocolError where the kernel is too old to count bytes. */
export function readTcpInfo(bytes: Uint8Array): TcpInfo {
  if (bytes.length < TCP_INFO_BYTES) throw new ProtocolError(`a TCP_INFO of ${String(bytes.length)} bytes`);
  const view = viewOf(bytes);
  const sent = Number(view.getBigUint64(200, true) - view.getBigUint64(208, true));
  // tcpi_bytes_acked counts our SYN as one, and our FIN too.
  const acked = Number(view.getBigUint64(120, true)) - 1;
  return {
    state: view.getUint8(0),
    sent,
    acked: Math.max(0, Math.min(sent, acked)),
    unsent: view.getUint32(144, true),
    resent: view.getUint32(100, true),
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
