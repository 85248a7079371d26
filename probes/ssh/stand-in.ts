// The smallest SSH server: it identifies itself, says which algorithms a usual server would offer, and stops there.
// It exchanges no keys and lets nobody in.
import { EndOfStream } from '../../src/bytes/errors.js';
import type { Stage, StandIn, Stream } from '../../src/contract/probe.js';
import {
  BY_APPLICATION,
  MAX_IDENTIFICATION,
  MAX_PACKET,
  encodeDisconnect,
  encodeIdentification,
  encodeKexInit,
  encodePacket,
  parsePacket,
  parseIdentification,
  readPacketSize,
  MSG_DISCONNECT,
  type KexInit,
} from './packet.js';

const LF = Uint8Array.of(0x0a);

const OFFER: KexInit = {
  kexAlgorithms: ['curve25519-sha256', 'ecdh-sha2-nistp256'],
  hostKeyAlgorithms: ['ssh-ed25519', 'ecdsa-sha2-nistp256'],
  ciphersToServer: ['aes128-ctr', 'aes256-ctr'],
  ciphersToClient: ['aes128-ctr', 'aes256-ctr'],
  macsToServer: ['hmac-sha2-256', 'hmac-sha2-512'],
  macsToClient: ['hmac-sha2-256', 'hmac-sha2-512'],
  compressionToServer: ['none'],
  compressionToClient: ['none'],
  languagesToServer: [],
  languagesToClient: [],
  firstKexPacketFollows: false,
};

export const standIn: StandIn = {
  carrier: 'tcp',
  async session(stream: Stream, stage: Stage): Promise<void> {
    const random = (size: number): Uint8Array => stage.random(size);
    await stream.write(encodeIdentification({ software: 'linecheck-stand-in' }));
    parseIdentification(await stream.readUntil(LF, MAX_IDENTIFICATION));
    await stream.write(encodePacket(encodeKexInit(OFFER, random), random));
    try {
      const start = await stream.read({ atLeast: 4, max: 4 });
      const rest = Math.min(readPacketSize(start), MAX_PACKET) - start.length;
      const packet = Buffer.concat([start, await stream.read({ atLeast: rest, max: rest })]);
      if (parsePacket(packet)[0] === MSG_DISCONNECT) return;
    } catch (error) {
      // A client that leaves without a word has its answer too.
      if (error instanceof EndOfStream) return;
      throw error;
    }
    const farewell = encodeDisconnect(BY_APPLICATION, 'linecheck stand-in: nobody can log in here');
    await stream.write(encodePacket(farewell, random));
  },
};
