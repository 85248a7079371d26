// The suite for probes without ports, as conformance.ts is for those with: the same peers, of packets. They live in a
// network in memory, so it runs without privilege; real hosts are met in each probe's own test.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Family } from '../../src/contract/flow.js';
import type { Attempt, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, ProbeModule } from '../../src/contract/probe.js';
import { fuzzRuns, fuzzSeed } from './decoders.js';
import { ICMP, icmpError, network } from './packets.js';
import type { Answering, Network, Sent } from './packets.js';
import { askOnce, leftOpen, loopbackAddress, noFamily, openHandles, startAsking } from './scenes.js';
import { skipFor } from '../lab/requirements.js';

export interface PacketConformance {
  /** For the test's title; the probe's name where it has one way to be asked. */
  readonly name: string;
  readonly carrier: Carrier;
  readonly options?: Readonly<Record<string, unknown>>;
  /** What a healthy target answers. Absent for a protocol without an answer. */
  readonly healthy?: (request: Sent) => Uint8Array;
}

const AMPLE_MS = 10_000;
const SHORT_MS = 300;
const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const strangers: Readonly<Record<string, Uint8Array>> = {
  nothing: new Uint8Array(0),
  'an HTTP answer': latin1('HTTP/1.1 400 Bad Request\r\n\r\n'),
  zeros: new Uint8Array(64),
  ones: new Uint8Array(64).fill(0xff),
  'an IP header': Uint8Array.from([0x45, ...new Uint8Array(19)]),
};

export function describePacketConformance({ probe }: ProbeModule, conformance: PacketConformance): void {
  const { name, carrier, healthy } = conformance;

  describe(`${name}, as every probe of packets`, () => {
    const bound = (): BoundProbe => probe.bind(carrier, probe.options.parse(conformance.options ?? {}));
    const { traits } = bound();
    const oneWay = traits.silence === 'by-design';
    const toTheEndMs = oneWay ? 3000 : SHORT_MS;
    const networks: Network[] = [];
    let before: Readonly<Record<string, number>>;
    beforeEach(() => {
      before = openHandles();
    });
    afterEach(async () => {
      expect(networks.splice(0).map((each) => each.openSockets)).toSatisfy((counts: readonly number[]) =>
        counts.every((count) => count === 0),
      );
      expect(await leftOpen(before)).toEqual([]);
    });
    const where = (...given: Parameters<typeof network>): Network => {
      const made = network(...given);
      networks.push(made);
      return made;
    };
    const ask = (raw: Network, deadlineMs: number, family: Family = 4): Promise<Attempt> =>
      askOnce(bound(), 0, { deadlineMs, family, raw });
    const meets = async (
      serve: (sent: Sent, answering: Answering) => void,
      deadlineMs = toTheEndMs,
      family: Family = 4,
    ): Promise<Outcome> => (await ask(where(serve), deadlineMs, family)).outcome;
    const unanswered = oneWay ? 'sent' : 'silent';

    it.for([4, 6] as const)('meets its healthy target over IPv%i', async (family, ctx) => {
      skipFor(ctx, noFamily(family));
      const attempt = await ask(
        where((sent, { answer }) => {
          if (healthy !== undefined) answer(healthy(sent));
        }),
        AMPLE_MS,
        family,
      );
      if (oneWay) expect(attempt.outcome).toMatchObject({ kind: 'sent', sent: 1 });
      else {
        expect(attempt.outcome).toMatchObject({ kind: 'answered', depth: traits.defaultDepth });
        expect(attempt.evidence).toContainEqual(
          expect.objectContaining({ kind: 'alive', address: loopbackAddress[family] }),
        );
      }
      expect(attempt).toMatchObject({ sent: 1, localAddress: loopbackAddress[family] });
    });

    it.for([4, 6] as const)('sends no more than it says it does, over IPv%i', async (family, ctx) => {
      skipFor(ctx, noFamily(family));
      const raw = where((sent, { answer }) => {
        if (healthy !== undefined) answer(healthy(sent));
      });
      await ask(raw, AMPLE_MS, family);
      const said = traits.sends.reduce((sum, { packets, bytes }) => sum + packets * bytes, 0);
      expect(raw.sent.length).toBe(traits.sends.reduce((sum, { packets }) => sum + packets, 0));
      expect(raw.sent.reduce((sum, { payload }) => sum + payload.length, 0)).toBeLessThanOrEqual(said);
      expect(raw.sent.every(({ to }) => to === loopbackAddress[family])).toBe(true);
    });

    it('calls silence what it is', async () => {
      expect(await meets(() => undefined)).toMatchObject({ kind: unanswered, sent: 1 });
    });

    it.for([
      [4, 3, 2, 'protocol-unreachable'],
      [4, 3, 3, 'port-unreachable'],
      [4, 3, 13, 'prohibited'],
      [4, 3, 1, 'no-neighbour'],
      [6, 4, 1, 'protocol-unreachable'],
      [6, 1, 1, 'prohibited'],
    ] as const)('is refused by an ICMP error: IPv%i, %i/%i is %s', async ([family, type, code, signal], ctx) => {
      skipFor(ctx, noFamily(family));
      const from = loopbackAddress[family];
      const { outcome, evidence } = await ask(
        where((sent, { say }) => say(ICMP[family], icmpError(type, code, sent), from)),
        AMPLE_MS,
        family,
      );
      expect(outcome).toMatchObject({ kind: 'refused', signal, by: from, ...(family === 4 ? { ttl: 61 } : {}) });
      expect(evidence).toMatchObject([{ kind: 'icmp', from, type, code }]);
    });

    it('is refused by somebody on the way, who is named', async () => {
      const outcome = await meets((sent, { say }) => say(1, icmpError(3, 1, sent), '192.0.2.1'), AMPLE_MS);
      expect(outcome).toMatchObject({ kind: 'refused', signal: 'host-unreachable', by: '192.0.2.1' });
    });

    it('remembers an error that refuses nothing, once, and waits on', async () => {
      const { outcome, evidence } = await ask(
        where((sent, { say }) => {
          for (let each = 0; each < 3; each += 1) say(1, icmpError(11, 0, sent), '192.0.2.1');
        }),
        toTheEndMs,
      );
      expect(outcome.kind).toBe(unanswered);
      expect(evidence).toMatchObject([{ kind: 'icmp', from: '192.0.2.1', type: 11, code: 0 }]);
    });

    it('takes no error about somebody else’s packet for one about its own', async () => {
      const { outcome, evidence } = await ask(
        where((sent, { say }) => {
          const other = sent.payload.map((byte, at) => (at === 5 || at === 6 ? byte ^ 0x55 : byte));
          say(1, icmpError(3, 2, { ...sent, to: '192.0.2.9' }), '192.0.2.9');
          say(1, icmpError(3, 2, { ...sent, protocol: 99 }), loopbackAddress[4]);
          say(1, icmpError(3, 2, { ...sent, payload: other }), loopbackAddress[4]);
          say(1, icmpError(3, 2, sent).subarray(0, 8 + 20 + 7), loopbackAddress[4]);
        }),
        toTheEndMs,
      );
      expect({ kind: outcome.kind, evidence }).toEqual({ kind: unanswered, evidence: [] });
    });

    it('says so where this machine has no right to ask', async () => {
      const needed = await ask(
        where(() => undefined, { missing: 'no right' }),
        AMPLE_MS,
      );
      // Unless something else here has that right: then it was that which asked.
      if (needed.outcome.kind === 'answered') expect(needed.outcome.facts['askedBy']).not.toBe('a raw socket');
      else expect(needed.outcome).toMatchObject({ kind: 'unable', reason: 'no-permission' });
      expect(traits.needs).toMatch(/^open a raw socket \(CAP_NET_RAW\)/);
    });

    it.each([
      ['EPERM', { kind: 'refused', signal: 'local-firewall' }],
      ['ENETUNREACH', { kind: 'refused', signal: 'no-route' }],
      ['ENOBUFS', { kind: 'unable', reason: 'no-resources' }],
    ])('understands %s of its own kernel', async (refuses, expected) => {
      expect(
        (
          await ask(
            where(() => undefined, { refuses }),
            AMPLE_MS,
          )
        ).outcome,
      ).toMatchObject(expected);
    });

    it('is not taken in by strangers', async () => {
      const came = Object.entries(strangers).map(async ([what, bytes]) => {
        const { kind } = await meets((_sent, { answer }) => answer(bytes));
        return { what, kind };
      });
      expect(await Promise.all(came)).toEqual(Object.keys(strangers).map((what) => ({ what, kind: unanswered })));
    });

    it('is not taken in by its own packet come back', async () => {
      expect(await meets(({ payload }, { answer }) => answer(payload))).toMatchObject({ kind: unanswered });
    });

    it(`is not taken in by random bytes (seed ${fuzzSeed})`, { timeout: 60_000 }, async () => {
      const texts = fc.sample(fc.uint8Array({ maxLength: 200 }), { seed: fuzzSeed, numRuns: Math.max(500, fuzzRuns) });
      const outcome = await meets(
        (_sent, { answer }) => {
          for (const text of texts) answer(text);
        },
        toTheEndMs + texts.length / 10,
      );
      expect(outcome).toMatchObject({ kind: unanswered });
    });

    it('ends a flood, its memory bounded', async () => {
      const chunk = new Uint8Array(1400).fill(0x41);
      const held = process.memoryUsage().arrayBuffers;
      let most = 0;
      const outcome = await meets((_sent, { answer }) => {
        const pour = (count: number): void => {
          for (let each = 0; each < 50; each += 1) answer(chunk.subarray(each % 7));
          most = Math.max(most, process.memoryUsage().arrayBuffers - held);
          if (count > 0) setImmediate(pour, count - 50);
        };
        pour(5000);
      });
      expect(outcome).toMatchObject({ kind: unanswered });
      expect(most).toBeLessThan(16 * 1024 * 1024);
    });

    it('leaves nothing open when it is interrupted at any moment', async () => {
      for (let count = 0; count < 24; count += 1) {
        const raw = where((sent, { answer }) => {
          if (healthy !== undefined) answer(healthy(sent));
        });
        const running = startAsking(bound(), 0, { deadlineMs: AMPLE_MS, raw });
        for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        running.interrupt();
        const { outcome } = await running.done;
        if (outcome.kind === 'unable') expect(outcome.reason).toBe('interrupted');
        else expect(outcome.kind).toBe('answered');
        // What was being opened when it ended.
        await new Promise((resolve) => setImmediate(resolve));
      }
    });

    if (healthy === undefined) return;

    it('is not taken in by an answer of somebody else’s', async () => {
      const outcome = await meets((sent, { answer }) => answer(healthy(sent), '192.0.2.1'));
      expect(outcome).toMatchObject({ kind: 'silent' });
    });

    it('is not taken in by the answer to another attempt', async () => {
      const first = where((sent, { answer }) => answer(healthy(sent)));
      await ask(first, AMPLE_MS);
      const old = first.sent.map((sent) => healthy(sent));
      const outcome = await meets((_sent, { answer }) => {
        for (const reply of old) answer(reply);
      });
      expect({ old: old.length, kind: outcome.kind }).toEqual({ old: 1, kind: 'silent' });
    });

    it('takes no truncated answer for a whole one, nor one that goes on', async () => {
      const outcome = await meets((sent, { answer }) => {
        const whole = healthy(sent);
        for (let size = 0; size < whole.length; size += 1) answer(whole.subarray(0, size));
        answer(Uint8Array.from([...whole, 0]));
      });
      expect(outcome).toMatchObject({ kind: 'silent' });
    });

    it('gives an outcome for any flipped bit', async () => {
      const raw = where((sent, { answer }) => answer(healthy(sent)));
      await ask(raw, AMPLE_MS);
      const bytes = raw.sent.map((sent) => healthy(sent).length)[0] ?? 0;
      const bits = Array.from({ length: bytes * 8 }, (_, bit) => bit);
      for (let at = 0; at < bits.length; at += 64) {
        const outcomes = await Promise.all(
          bits.slice(at, at + 64).map((bit) =>
            meets((sent, { answer }) => {
              answer(healthy(sent).map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)));
            }, 50),
          ),
        );
        expect(outcomes.filter(({ kind }) => kind !== 'silent' && kind !== 'answered')).toEqual([]);
      }
    });

    it('asks again until it is answered, with the same packet', async () => {
      let asked = 0;
      const raw = where((sent, { answer }) => {
        asked += 1;
        if (asked === 2) answer(healthy(sent));
      });
      const attempt = await ask(raw, AMPLE_MS);
      expect(attempt).toMatchObject({ sent: 2, outcome: { kind: 'answered' } });
      expect(raw.sent[1]?.payload).toEqual(raw.sent[0]?.payload);
    });
  });
}
