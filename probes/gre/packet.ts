// GRE headers as bytes (RFC 2784, RFC 2890, RFC 7676), and the keepalive: a packet within a packet that is addressed back
// to us. Pure.
import { ProtocolError } from '../../src/bytes/errors.js';
import { encodeIpPacket, familyOf, internetChecksum } from '../../src/bytes/ip.js';
import { Reader } from '../../src/bytes/reader.js';
import { Writer } from '../../src/bytes/writer.js';

export const GRE = 47;

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
/** What routers write into the inner header of a keepalive: nothing is carried. */
const KEEPALIVE = 0;
/** The inner packet is forwarded, and may come from far. */
const INNER_TTL = 255;

const CHECKSUM = 0x8000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;
/** RFC 1701's routing bit, which RFC 2784 §2.3 wants us to take for no packet of its own. */
const ROUTING = 0x4000;

export interface GrePacket {
  /** An EtherType. */
  readonly protocolType: number;
  readonly key?: number;
  readonly sequence?: number;
  readonly payload: Uint8Array;
}

export function encodeGre({ protocolType, key, sequence, payload }: GrePacket): Uint8Array {
  const writer = new Writer(12 + payload.length)
    .u16((key === undefined ? 0 : KEY) | (sequence === undefined ? 0 : SEQUENCE))
    .u16(protocolType);
  if (key !== undefined) writer.u32(key);
  if (sequence !== undefined) writer.u32(sequence);
  return writer.bytes(payload).done();
}

/** A packet of version 0. Throws ProtocolError for PPTP's version 1, source routes, a wrong checksum and for what is cut short. */
export function parseGre(bytes: Uint8Array): GrePacket {
  const reader = new Reader(bytes, 'GRE packet');
  const flags = reader.u16();
  if ((flags & 7) !== 0) throw new ProtocolError(`GRE of version ${String(flags & 7)}`);
  if ((flags & ROUTING) !== 0) throw new ProtocolError('GRE with a source route (RFC 1701)');
  const protocolType = reader.u16();
  if ((flags & CHECKSUM) !== 0) {
    // Checksum, and a field of zeros. RFC 2784 §2.5: over header and payload.
    reader.skip(4);
    if (internetChecksum(bytes) !== 0) throw new ProtocolError('GRE with a wrong checksum');
  }
  const key = (flags & KEY) === 0 ? undefined : reader.u32();
  const sequence = (flags & SEQUENCE) === 0 ? undefined : reader.u32();
  return {
    protocolType,
    ...(key === undefined ? {} : { key }),
    ...(sequence === undefined ? {} : { sequence }),
    payload: reader.rest(),
  };
}

/** Says to whoever captures it where it comes from. */
const LABEL = new TextEncoder().encode(' linecheck keepalive');

export interface Keepalive {
  /** Ours, and the tunnel's other end; of one family, without zones. */
  readonly local: string;
  readonly remote: string;
  readonly nonce: Uint8Array;
  /** Of the tunnel, RFC 2890 §2.1. */
  readonly key?: number;
}

/**
 * What a tunnel's end takes for traffic of its tunnel: once the outer header is off, a packet from itself to us is left,
 * and it sends that on its way as it would any other. It comes to us as GRE with nothing in it but our nonce.
 */
export function encodeKeepalive({ local, remote, nonce, key }: Keepalive): Uint8Array {
  const back = encodeGre({ protocolType: KEEPALIVE, payload: Uint8Array.from([...nonce, ...LABEL]) });
  const inner = encodeIpPacket({ protocol: GRE, ttl: INNER_TTL, source: remote, destination: local, payload: back });
  return encodeGre({
    protocolType: familyOf(local) === 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4,
    ...(key === undefined ? {} : { key }),
    payload: inner,
  });
}

/** The inner packet of the keepalive with this nonce, come back. */
export function isKeepalive({ protocolType, payload }: GrePacket, nonce: Uint8Array): boolean {
  const wanted = [...nonce, ...LABEL];
  return (
    protocolType === KEEPALIVE && payload.length === wanted.length && wanted.every((byte, at) => byte === payload[at])
  );
}

/** Over IPv6, the longer; a key takes four more. */
export const KEEPALIVE_BYTES = 4 + 40 + 4 + 8 + LABEL.length;
