// What tcpdump, a program of another make, reads in a packet of ours. It gets the packet as a capture file and no network.
import { spawnSync } from 'node:child_process';
import { encodeIpPacket } from '../../src/bytes/ip.js';
import { withSystemPath } from '../lab/place.js';

export interface Captured {
  readonly protocol: number;
  readonly local: string;
  readonly remote: string;
  readonly payload: Uint8Array;
}

/** All of its words. Throws where it cannot be asked. */
export function capturedBy({ protocol, local, remote, payload }: Captured): string {
  const packet = encodeIpPacket({ protocol, ttl: 64, source: local, destination: remote, payload });
  // The pcap format, big-endian, version 2.4; link type 101 is bare IP. One packet, at time 0.
  const capture = Buffer.alloc(24 + 16 + packet.length);
  capture.writeUInt32BE(0xa1b2c3d4, 0);
  capture.writeUInt16BE(2, 4);
  capture.writeUInt16BE(4, 6);
  capture.writeUInt32BE(65_535, 16);
  capture.writeUInt32BE(101, 20);
  capture.writeUInt32BE(packet.length, 32);
  capture.writeUInt32BE(packet.length, 36);
  capture.set(packet, 40);
  const read = spawnSync('tcpdump', ['-nvvt', '-r', '-'], { input: capture, encoding: 'utf8', env: withSystemPath() });
  if (read.status !== 0) throw new Error(`tcpdump: ${read.error?.message ?? read.stderr}`);
  return read.stdout;
}
