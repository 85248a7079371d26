// UDP: one datagram, and whether anything comes back, or the right thing, or, one-way, no refusal. Knows no protocol.
import { z } from 'zod';
import { lookOf } from '../../src/bytes/text.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Target, Traits } from '../../src/contract/probe.js';
import { contains, hexOption, spelled, textOption } from '../tcp/packet.js';
import { answerKind, question } from './packet.js';

export { standIn } from './stand-in.js';

const options = z
  .strictObject({
    'payload-text': textOption.describe('Text to send; default: a label and a nonce, 19 bytes.').optional(),
    'payload-hex': hexOption.describe('Bytes to send, hexadecimal; default: a label and a nonce, 19 bytes.').optional(),
    'expect-text': textOption.min(1).describe('Text that must stand in the reply.').optional(),
    'expect-hex': hexOption.min(2).describe('Bytes that must stand in the reply, hexadecimal.').optional(),
    'one-way': z.boolean().describe('The service never answers: send once and listen for a refusal.').optional(),
  })
  .refine((o) => o['payload-text'] === undefined || o['payload-hex'] === undefined, {
    error: 'payload-text and payload-hex exclude each other',
    path: ['payload-hex'],
  })
  .refine((o) => o['expect-text'] === undefined || o['expect-hex'] === undefined, {
    error: 'expect-text and expect-hex exclude each other',
    path: ['expect-hex'],
  })
  .refine((o) => o['one-way'] !== true || (o['expect-text'] === undefined && o['expect-hex'] === undefined), {
    error: 'a one-way flow has no reply to expect',
    path: ['one-way'],
  });

function described(reply: Uint8Array): string {
  return reply.length === 0 ? 'an empty datagram' : lookOf(reply);
}

/** An ICMP error takes one round trip; who has not refused in a second will not. */
const REFUSAL_MS = 1000;

function bind(_carrier: Carrier, given: unknown): BoundProbe {
  const parsed = options.parse(given);
  const payload = spelled(parsed['payload-text'], parsed['payload-hex']);
  const wanted = spelled(parsed['expect-text'], parsed['expect-hex']);
  const oneWay = parsed['one-way'] === true;
  const bytes = payload?.length ?? question(new Uint8Array(8)).length;
  const what = payload === undefined ? 'a label and a nonce' : 'the bytes that the flow spells out';
  const traits: Traits = {
    silence: oneWay ? 'by-design' : 'ambiguous',
    depths: wanted === undefined ? ['port'] : ['port', 'protocol'],
    defaultDepth: wanted === undefined ? 'port' : 'protocol',
    sends: [{ what, packets: 1, bytes }],
  };
  return {
    traits,
    async ask(_target: Target, kit: Kit): Promise<Outcome> {
      const request = payload ?? question(kit.nonce);
      const datagrams = await kit.udp();
      if (oneWay) {
        await datagrams.send(request, REFUSAL_MS);
        return { kind: 'sent', sent: 1, waitedMs: REFUSAL_MS };
      }
      return datagrams.exchange<Outcome>(request, (reply) => {
        if (wanted !== undefined) {
          if (!contains(reply, wanted)) return undefined;
          return { kind: 'answered', depth: 'protocol', facts: { reply: described(reply) } };
        }
        const kind = payload === undefined ? answerKind(reply, kit.nonce) : 'other';
        if (kind === 'foreign') return undefined;
        return {
          kind: 'answered',
          depth: 'port',
          facts: { reply: described(reply), ...(kind === 'own' ? { standIn: true } : {}) },
        };
      });
    },
  };
}

export const probe: Probe = {
  name: 'udp',
  summary: 'One UDP datagram: any reply proves the port, the expected reply the protocol; silence proves nothing',
  carriers: ['udp'],
  options,
  bind,
};
