// IPv4 and IPv6 headers and addresses as bytes (RFC 791, RFC 8200), and the Internet checksum (RFC 1071). Pure.
import ipaddr from 'ipaddr.js';
import { ProtocolError } from './errors.js';
import { Reader } from './reader.js';
import { Writer } from './writer.js';

export interface IpPacket {
  readonly protocol: number;
  /** TTL, or hop limit, as it arrived. */
  readonly ttl: number;
  readonly source: string;
  readonly destination: string;
  /** What follows the header; a view, cut short where the packet is a quotation. */
  readonly payload: Uint8Array;
}

const IPV4_HEADER_BYTES = 20;

/**
 * A packet, or as much of one as an ICMP error quotes. Options are skipped; IPv6 extension headers are not: `protocol` is
 * then that of the first. Lengths are not read, since some systems hand them over in their own byte order.
 */
export function readIpPacket(bytes: Uint8Array): IpPacket {
  const reader = new Reader(bytes, 'IP packet');
  const first = reader.u8();
  const version = first >> 4;
  if (version === 4) {
    const headerBytes = (first & 0x0f) * 4;
    if (headerBytes < IPV4_HEADER_BYTES) throw new ProtocolError(`an IPv4 header of ${String(headerBytes)} bytes`);
    reader.skip(7);
    const ttl = reader.u8();
    const protocol = reader.u8();
    reader.skip(2);
    const source = addressText(reader.bytes(4));
    const destination = addressText(reader.bytes(4));
    reader.skip(headerBytes - IPV4_HEADER_BYTES);
    return { protocol, ttl, source, destination, payload: reader.rest() };
  }
  if (version !== 6) throw new ProtocolError(`an IP packet of version ${String(version)}`);
  reader.skip(5);
  const protocol = reader.u8();
  const ttl = reader.u8();
  return {
    protocol,
    ttl,
    source: addressText(reader.bytes(16)),
    destination: addressText(reader.bytes(16)),
    payload: reader.rest(),
  };
}

/** A whole packet with its header, checksum included. Addresses of one family, without zones. */
export function encodeIpPacket({ protocol, ttl, source, destination, payload }: IpPacket): Uint8Array {
  const from = addressBytes(source);
  const to = addressBytes(destination);
  if (from.length === 16) {
    return new Writer(40 + payload.length)
      .u32(0x6000_0000)
      .u16(payload.length)
      .u8(protocol)
      .u8(ttl)
      .bytes(from)
      .bytes(to)
      .bytes(payload)
      .done();
  }
  const header = new Writer(IPV4_HEADER_BYTES)
    .u8(0x45)
    .u8(0)
    .u16(IPV4_HEADER_BYTES + payload.length)
    // RFC 6864 §4: a packet that is not to be fragmented needs no identification of its own.
    .u16(0)
    .u16(0x4000)
    .u8(ttl)
    .u8(protocol)
    .u16(0)
    .bytes(from)
    .bytes(to);
  header.setU16(10, internetChecksum(header.done()));
  return header.bytes(payload).done();
}

/** What an upper layer's checksum covers besides itself over IPv6 (RFC 8200 §8.1). */
export function pseudoHeader(source: string, destination: string, protocol: number, length: number): Uint8Array {
  return new Writer(40).bytes(addressBytes(source)).bytes(addressBytes(destination)).u32(length).u32(protocol).done();
}

/** RFC 1071: over the parts one after the other, of which only the last may have an odd length. */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) sum += ((part[at] ?? 0) << 8) | (part[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** 4 or 16 bytes, from a valid address; a zone is left out. */
export function addressBytes(address: string): Uint8Array {
  return Uint8Array.from(ipaddr.parse(withoutZone(address)).toByteArray());
}

/** Canonical (RFC 5952), from 4 or 16 bytes. */
export function addressText(bytes: Uint8Array): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}

/** As `addressText` has it, so that two texts of one address are equal. */
export function canonicalAddress(address: string): string {
  return ipaddr.parse(withoutZone(address)).toString();
}

export function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}

export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}
