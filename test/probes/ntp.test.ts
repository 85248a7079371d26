// The `ntp` probe: its bytes against RFC 5905 and captures, what it says of servers of all kinds, real ones among them.
import { afterEach, describe, expect, it } from 'vitest';
import * as packet from '../../probes/ntp/packet.js';
import {
  clockOf,
  encodePacket,
  encodeRequest,
  kissCodeOf,
  parsePacket,
  referenceIdText,
  timestampOf,
} from '../../probes/ntp/packet.js';
import * as module from '../../probes/ntp/probe.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import { requireServer, skipFor } from '../lab/requirements.js';
import { chronyd } from '../lab/servers.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { askOnce, clock, loopbackAddress, noFamily, udpPeer } from './scenes.js';
import { vector, vectorsOf } from './vectors.js';

const captures = vectorsOf('ntp');
const unsynchronised = vector('ntp/chrony-4.3-unsynchronised.hex');
const local = vector('ntp/chrony-4.3-local.hex');
const localV3 = vector('ntp/chrony-4.3-local-v3.hex');
const starting = vector('ntp/ntpsec-1.2.2-starting.hex');
const rate = vector('ntp/ntpsec-1.2.2-rate.hex');

/** The transmit timestamp of the question to which all captures are the answer. */
const ASKED = 0xa1b2c3d4e5f60718n;

describe('an NTP timestamp', () => {
  // RFC 5905 figure 4.
  it.each([
    ['1970-01-01', 2_208_988_800n],
    ['1972-01-01', 2_272_060_800n],
    ['1999-12-31', 3_155_587_200n],
    ['2036-02-08', 63_104n],
  ])('of %s is %i seconds of its era', (date, seconds) => {
    expect(timestampOf(Date.parse(`${date}T00:00:00Z`))).toBe(seconds << 32n);
  });

  it('has the fraction of a second in its lower half', () => {
    expect(timestampOf(500) & 0xffff_ffffn).toBe(0x8000_0000n);
    expect(timestampOf(-250) & 0xffff_ffffn).toBe(0xc000_0000n);
  });
});

describe('offset and delay', () => {
  const at = (seconds: number): bigint => timestampOf(Date.UTC(2030, 0, 1) + seconds * 1000);

  it('are those of RFC 5905 §8', () => {
    expect(clockOf(at(0), at(10.25), at(10.5), at(1))).toEqual({ offsetMs: 9875, delayMs: 750 });
    expect(clockOf(at(0), at(-10), at(-10), at(0))).toEqual({ offsetMs: -10_000, delayMs: 0 });
  });

  it('are right across the end of an era', () => {
    const end = Date.UTC(2036, 1, 7, 6, 28, 16);
    expect(timestampOf(end)).toBe(0n);
    const ours = timestampOf(end - 1000);
    expect(clockOf(ours, timestampOf(end + 1000), timestampOf(end + 1000), ours)).toEqual({
      offsetMs: 2000,
      delayMs: 0,
    });
  });
});

describe('an NTP packet', () => {
  it.each(captures.map(({ path, bytes }) => [path, bytes] as const))('comes back from %s', (_, bytes) => {
    const read = parsePacket(bytes);
    expect(read).toMatchObject({ mode: 4, originate: ASKED });
    expect(encodePacket(read)).toEqual(bytes);
  });

  it('of a server that is a primary one says so', () => {
    expect(parsePacket(localV3)).toMatchObject({ leap: 0, version: 3, stratum: 1, poll: 0, precision: -25 });
  });

  it('has delays in milliseconds', () => {
    // RFC 5905 §6: 16 bits of seconds, 16 of fraction. Byte 4 is root delay, 8 root dispersion.
    const bytes = local.with(5, 1).with(6, 0x80).with(9, 2).with(10, 0x40);
    expect(parsePacket(bytes)).toMatchObject({ rootDelayMs: 1500, rootDispersionMs: 2250 });
    expect(parsePacket(local.with(4, 0xff).with(5, 0xff)).rootDelayMs).toBe(-1000);
  });

  it('may have extension fields and a MAC after it', () => {
    expect(parsePacket(Uint8Array.from([...local, ...new Uint8Array(20)]))).toEqual(parsePacket(local));
  });

  it.each([
    ['too short', local.subarray(0, 47)],
    ['empty', new Uint8Array(0)],
    ['of version 0', local.with(0, 0x04)],
    ['of version 7', local.with(0, 0x3c)],
    ['a control message', local.with(0, 0x26)],
    ['a private message', local.with(0, 0x27)],
  ])('is none when it is %s', (_, bytes) => {
    expect(() => parsePacket(bytes)).toThrow(ProtocolError);
  });

  it('asks with nothing but version, mode and the random timestamp', () => {
    const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const request = encodeRequest(4, nonce);
    expect(request).toEqual(Uint8Array.from([0x23, ...new Uint8Array(39), ...nonce]));
  });
});

describe('a reference id', () => {
  it.each([
    [0, 'RATE', 'RATE', 'RATE'],
    [0, 'INIT', 'INIT', 'INIT'],
    [1, 'GPS\0', undefined, 'GPS'],
    [1, '\x7f\x7f\x01\x01', undefined, '127.127.1.1'],
    [2, '\xc0\x00\x02\x07', undefined, '192.0.2.7'],
    [2, 'RATE', undefined, '82.65.84.69'],
    [16, '\0\0\0\0', undefined, undefined],
    [0, '\0\0\0\0', undefined, undefined],
    [0, 'a\x1b[2', undefined, '97.27.91.50'],
  ])('of stratum %i, %j', (stratum, text, kissCode, shown) => {
    const referenceId = Uint8Array.from(Buffer.from(text, 'latin1'));
    expect(kissCodeOf({ stratum, referenceId })).toBe(kissCode);
    expect(referenceIdText({ stratum, referenceId })).toBe(shown);
  });
});

describeDecoders(packet, { parsePacket: { decode: parsePacket, samples: captures.map(({ bytes }) => bytes) } });

describe('the ntp probe', () => {
  const bind = (options: object = {}) => module.probe.bind('udp', module.probe.options.parse(options));
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  /** Asks a peer that sends these datagrams, in which it put the question's timestamp where a server would. */
  async function askPeer(answers: readonly Uint8Array[], deadlineMs = 10_000, options: object = {}): Promise<Outcome> {
    const peer = await udpPeer((request, answer) => {
      for (const bytes of answers) answer(answering(request, bytes));
    });
    closing.push(() => peer.close());
    return (await askOnce(bind(options), peer.port, { deadlineMs })).outcome;
  }
  const factsOf = (outcome: Outcome): Facts => ('facts' in outcome ? outcome.facts : {});

  it('tells what a synchronised server says of itself', async () => {
    const outcome = await askPeer([local]);
    expect(outcome).toMatchObject({
      kind: 'answered',
      depth: 'protocol',
      facts: {
        version: 4,
        stratum: 8,
        leap: 'none',
        synchronised: true,
        referenceId: '127.127.1.1',
        rootDelayMs: 0,
        rootDispersionMs: 0,
      },
    });
    expect(factsOf(outcome)['offsetMs']).toBeTypeOf('number');
  });

  it.each([
    ['chrony without a source', unsynchronised, { leap: 'unsynchronised', stratum: 0, synchronised: false }],
    ['stratum 16', local.with(1, 16), { leap: 'none', stratum: 16, synchronised: false }],
    ['a leap second to come', local.with(0, 0x64), { leap: 'add-second', stratum: 8, synchronised: true }],
  ])('tells how well the clock is synchronised: %s', async (_, bytes, facts) => {
    expect(await askPeer([bytes])).toMatchObject({ kind: 'answered', facts });
  });

  it.each([
    ['INIT', starting],
    ['RATE', rate],
  ])('tells a kiss code, and no time that nobody gave: %s', async (kissCode, bytes) => {
    const outcome = await askPeer([bytes]);
    expect(outcome).toMatchObject({ kind: 'answered', facts: { kissCode, synchronised: false } });
    expect(factsOf(outcome)).not.toHaveProperty('offsetMs');
    expect(factsOf(outcome)).not.toHaveProperty('referenceId');
  });

  it.each(['DENY', 'RSTR'])('says that it was turned away with %s', async (kissCode) => {
    const bytes = Uint8Array.from([...rate.subarray(0, 12), ...Buffer.from(kissCode), ...rate.subarray(16)]);
    expect(await askPeer([bytes])).toMatchObject({
      kind: 'turned-away',
      presented: 'client',
      by: `kiss-o'-death ${kissCode}`,
      facts: { kissCode },
    });
  });

  it('measures the clock of the server to within half the delay', async () => {
    const peer = await udpPeer((request, answer) => {
      const now = timestampOf(clock.wallMs() + 5000);
      answer(encodePacket({ ...parsePacket(answering(request, local)), receive: now, transmit: now }));
    });
    closing.push(() => peer.close());
    const { offsetMs, delayMs } = factsOf((await askOnce(bind(), peer.port, { deadlineMs: 10_000 })).outcome);
    expect(delayMs).toBeGreaterThanOrEqual(0);
    expect(Math.abs(Number(offsetMs) - 5000)).toBeLessThanOrEqual(Number(delayMs) / 2 + 0.2);
  });

  it('measures nothing where it cannot know which of its questions was answered', async () => {
    const peer = await udpPeer((request, answer) => {
      setTimeout(() => answer(answering(request, local)), 1100);
    });
    closing.push(() => peer.close());
    const { outcome } = await askOnce(bind(), peer.port, { deadlineMs: 10_000 });
    expect(outcome).toMatchObject({ kind: 'answered', facts: { stratum: 8 } });
    expect(factsOf(outcome)).not.toHaveProperty('offsetMs');
  });

  it('waits for the true answer behind forged, late and foreign ones', async () => {
    const peer = await udpPeer((request, answer) => {
      const forged = answering(request, local.with(1, 1));
      answer(forged.with(31, (forged[31] ?? 0) ^ 1));
      answer(request);
      answer(forged.subarray(0, 47));
      for (const mode of [0, 1, 2, 5, 6, 7]) answer(forged.with(0, 0x20 | mode));
      answer(answering(request, local));
    });
    closing.push(() => peer.close());
    const { outcome } = await askOnce(bind(), peer.port, { deadlineMs: 10_000 });
    expect(outcome).toMatchObject({ kind: 'answered', facts: { stratum: 8 } });
  });

  it('calls a peer that only forges a stranger', async () => {
    const peer = await udpPeer((_request, answer) => answer(local));
    closing.push(() => peer.close());
    const { outcome } = await askOnce(bind(), peer.port, { deadlineMs: 300 });
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
  });

  it('asks in version 4, or in 3 where it is told to, and says in which it was answered', async () => {
    const versions: number[] = [];
    const peer = await udpPeer((request, answer) => {
      versions.push(parsePacket(request).version);
      answer(answering(request, localV3));
    });
    closing.push(() => peer.close());
    for (const options of [{}, { version: 3 }]) {
      const { outcome } = await askOnce(bind(options), peer.port, { deadlineMs: 10_000 });
      expect(outcome).toMatchObject({ kind: 'answered', facts: { version: 3, stratum: 1 } });
    }
    expect(versions).toEqual([4, 3]);
    expect(module.probe.options.safeParse({ version: 5 }).success).toBe(false);
  });

  it('asks each time with another random timestamp', async () => {
    const asked = new Set<bigint>();
    const peer = await udpPeer((request, answer) => {
      asked.add(parsePacket(request).transmit);
      answer(answering(request, local));
    });
    closing.push(() => peer.close());
    for (let count = 0; count < 5; count += 1) await askOnce(bind(), peer.port, { deadlineMs: 10_000 });
    expect(asked.size).toBe(5);
  });
});

/** `answer` as the answer to `request`: with its timestamp as originate. */
function answering(request: Uint8Array, answer: Uint8Array): Uint8Array {
  return Uint8Array.from([...answer.subarray(0, 24), ...request.subarray(40, 48), ...answer.subarray(32)]);
}

describe('the ntp stand-in', () => {
  const reply = (request: Uint8Array): readonly Uint8Array[] =>
    module.standIn.reply?.(request, { address: '192.0.2.1', port: 123 }) ?? [];

  it('answers a client as a server without a clock, in its version', () => {
    const [answer, ...more] = reply(encodeRequest(3, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)));
    expect(more).toEqual([]);
    expect(parsePacket(answer ?? new Uint8Array(0))).toMatchObject({
      leap: 3,
      version: 3,
      mode: 4,
      stratum: 16,
      originate: 0x0102030405060708n,
    });
  });

  it('answers no other mode, and nothing short', () => {
    const request = encodeRequest(4, new Uint8Array(8));
    for (const mode of [0, 1, 2, 4, 5, 6, 7]) expect(reply(request.with(0, 0x20 | mode))).toEqual([]);
    expect(reply(request.subarray(0, 47))).toEqual([]);
  });
});

describe('chronyd', () => {
  const bound = module.probe.bind('udp', module.probe.options.parse({}));

  it.for([4, 6] as const)('answers, and is refused when stopped: IPv%i', async (family, ctx) => {
    requireServer(ctx, 'chronyd', 'chrony');
    skipFor(ctx, noFamily(family));
    const server = await chronyd({ addresses: [loopbackAddress[family]], stratum: 5 });
    try {
      const { outcome } = await askOnce(bound, server.port, { deadlineMs: 10_000, family });
      expect(outcome).toMatchObject({
        kind: 'answered',
        depth: 'protocol',
        facts: { version: 4, stratum: 5, leap: 'none', synchronised: true },
      });
      // Both ends read the same clock.
      const { offsetMs, delayMs } = outcome.kind === 'answered' ? outcome.facts : {};
      expect(Math.abs(Number(offsetMs))).toBeLessThanOrEqual(Number(delayMs) / 2 + 0.2);
    } finally {
      await server.stop();
    }
    const stopped = await askOnce(bound, server.port, { deadlineMs: 10_000, family });
    expect(stopped.outcome).toMatchObject({ kind: 'refused', signal: 'refused' });
  });

  it('is answered in version 3 as well', async (ctx) => {
    requireServer(ctx, 'chronyd', 'chrony');
    const server = await chronyd();
    try {
      const asked = module.probe.bind('udp', module.probe.options.parse({ version: 3 }));
      const { outcome } = await askOnce(asked, server.port, { deadlineMs: 10_000 });
      expect(outcome).toMatchObject({ kind: 'answered', facts: { version: 3, synchronised: true } });
    } finally {
      await server.stop();
    }
  });

  it('without a source says that it is not synchronised', async (ctx) => {
    requireServer(ctx, 'chronyd', 'chrony');
    const server = await chronyd({ stratum: 'unsynchronised' });
    try {
      const { outcome } = await askOnce(bound, server.port, { deadlineMs: 10_000 });
      expect(outcome).toMatchObject({
        kind: 'answered',
        facts: { stratum: 0, leap: 'unsynchronised', synchronised: false },
      });
    } finally {
      await server.stop();
    }
  });
});

describeConformance(module, { name: 'ntp', carrier: 'udp' });
