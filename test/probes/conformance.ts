// The suite that every probe passes: healthy peers, strangers, spoilt and hostile answers, nothing left open.
// What is particular to a protocol stands in its own test; its decoders' properties in decoders.ts.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Family } from '../../src/contract/flow.js';
import type { Attempt, Outcome, OutcomeKind } from '../../src/contract/outcome.js';
import type { BoundProbe, Depth, ProbeModule, StandIn } from '../../src/contract/probe.js';
import { skipFor } from '../lab/requirements.js';
import { fuzzRuns, fuzzSeed } from './decoders.js';
import {
  askOnce,
  bytesFromPeer,
  closedPort,
  leftOpen,
  noFamily,
  openHandles,
  spoiltStandIn,
  standInAt,
  startAsking,
  tcpPeer,
  udpPeer,
} from './scenes.js';
import type { Asking, Peer, Spoil } from './scenes.js';

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** What other services say, first or when spoken to. */
const strangers = {
  'an HTTP answer': latin1('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbad\n'),
  'an SSH identification': latin1('SSH-2.0-OpenSSH_9.6\r\n'),
  'an SMTP greeting': latin1('220 mail.example.net ESMTP ready\r\n'),
  'a POP3 greeting': latin1('+OK ready\r\n'),
  // RFC 8446 §6: fatal, handshake_failure.
  'a TLS alert': Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28),
  // RFC 854: DO TERMINAL-TYPE, DO TSPEED, WILL ECHO.
  'a telnet negotiation': Uint8Array.of(0xff, 0xfd, 0x18, 0xff, 0xfd, 0x20, 0xff, 0xfb, 0x01),
  'a line of control characters': latin1('\x1b]0;owned\x07\x1b[2J\x00\r\n'),
  'sixteen zeros': new Uint8Array(16),
} as const;

export type Stranger = keyof typeof strangers;

export interface Conformance {
  /** For the test's title; the probe's name where it has one way to be asked. */
  readonly name: string;
  readonly carrier: 'tcp' | 'udp';
  /** As a profile or site would write them. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The site's secrets, name to value. Their values must appear in no wire event. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly login?: boolean;
  /** What asking the stand-in gives, where that is not `answered` at the default depth. */
  readonly healthy?: { readonly kind: OutcomeKind; readonly depth?: Depth };
  /** The stand-in says more after what proves the protocol, as TLS does with its tickets. */
  readonly answersEarly?: boolean;
  /**
   * Every answer is a question again (RFC 862 over UDP): two such peers would talk for ever. What answers in the suite is
   * then the test's own, and no stand-in of the probe's may do it.
   */
  readonly echoes?: boolean;
  /** Default: both. A protocol of one family alone has reason to refuse the other. */
  readonly families?: readonly Family[];
  /** Strangers that this probe has reason to take for its own protocol. */
  readonly atHome?: readonly Stranger[];
}

/** The deadline of what must answer; nothing waits that long unless something is wrong. */
const AMPLE_MS = 10_000;
/** The deadline of what can only end by it. */
const SHORT_MS = 300;
const AT_ONCE = 16;
/** For a peer's flood: what may be held of it, everything included. */
const FLOOD_BYTES = 64 * 1024 * 1024;

const outcomeKinds: Readonly<Record<OutcomeKind, true>> = {
  answered: true,
  'turned-away': true,
  stranger: true,
  refused: true,
  silent: true,
  sent: true,
  unable: true,
};

/**
 * Runs the suite. Where the probe's default depth is the port, any answer and an accepted connection are answers; else
 * none of the hostile peers may be taken for a healthy one.
 */
export function describeConformance(module: ProbeModule, conformance: Conformance): void {
  const { name, carrier, answersEarly = false, echoes = false, families = [4, 6], atHome = [] } = conformance;
  const { probe } = module;

  describe(`${name}, as every probe`, () => {
    const bound = (): BoundProbe => probe.bind(carrier, probe.options.parse(conformance.options ?? {}));
    const { traits } = bound();
    const takesAnything = traits.defaultDepth === 'port';
    const oneWay = traits.silence === 'by-design';
    /** A one-way probe sends and then waits for a refusal. */
    const toTheEndMs = oneWay ? 2000 : SHORT_MS;
    const expected = conformance.healthy ?? { kind: oneWay ? 'sent' : 'answered', depth: traits.defaultDepth };

    const asking = (deadlineMs: number, family: Family = 4): Asking => ({
      deadlineMs,
      family,
      secrets: conformance.secrets ?? {},
      login: conformance.login ?? false,
    });

    let before: Readonly<Record<string, number>>;
    const peers: Peer[] = [];
    beforeEach(() => {
      before = openHandles();
    });
    afterEach(async () => {
      // First while the peers still listen: their leaving would close what the probe forgot.
      const listening = { TCPServerWrap: Infinity, ...(carrier === 'udp' ? { UDPWrap: peers.length } : {}) };
      const forgotten = await leftOpen(before, listening);
      for (const peer of peers.splice(0)) await peer.close();
      expect(forgotten).toEqual([]);
      expect(await leftOpen(before)).toEqual([]);
    });
    const open = async <P extends Peer>(opening: Promise<P>): Promise<P> => {
      const peer = await opening;
      peers.push(peer);
      return peer;
    };

    const mustBeSound = (attempt: Attempt): Outcome => {
      expect(faultsOf(attempt, traits.depths)).toEqual([]);
      return attempt.outcome;
    };
    const ask = async (port: number, deadlineMs: number, family: Family = 4): Promise<Outcome> =>
      mustBeSound(await askOnce(bound(), port, asking(deadlineMs, family)));
    /**
     * Asks a peer of which only the deadline ends the asking. Where this machine was too busy to look at its sockets for
     * so long, it asks again with more patience: what came too late to be seen was no silence of the peer's.
     */
    const askToTheEnd = async (port: number): Promise<Outcome> => {
      const outcome = await ask(port, toTheEndMs);
      return outcome.kind === 'silent' ? ask(port, 10 * toTheEndMs) : outcome;
    };
    /** Whatever came, it must not prove more than that something accepts or answers. */
    const provesNothing = (outcome: Outcome): void => {
      expect(outcome).toSatisfy(
        (seen: Outcome) =>
          oneWay || seen.kind === 'stranger' || (takesAnything && seen.kind === 'answered' && seen.depth === 'port'),
      );
    };

    const foreign = Object.entries(strangers).filter(([each]) => !atHome.some((own) => own === each));
    const standIns = [...(module.standIn === undefined ? [] : [module.standIn]), ...(module.otherStandIns ?? [])];
    const standIn = standIns.find((each) => each.carrier === carrier);
    // Why a probe has none for a carrier stands in test/registry.test.ts.
    if (standIn !== undefined) describeHealthy(standIn);

    function describeHealthy(healthy: StandIn): void {
      it.for(families)('is answered by its stand-in over IPv%i', async (family, ctx) => {
        skipFor(ctx, noFamily(family));
        const peer = await open(standInAt(healthy, family));
        const outcome = await ask(peer.port, AMPLE_MS, family);
        expect(outcome.kind).toBe(expected.kind);
        if (outcome.kind === 'answered') expect(outcome.depth).toBe(expected.depth);
      });

      it('sends no more than it says it does', async () => {
        const peer = await open(spoiltStandIn(healthy, { how: 'not' }));
        await ask(peer.port, AMPLE_MS);
        const said = traits.sends.reduce((sum, { packets, bytes }) => sum + packets * bytes, 0);
        const packets = traits.sends.reduce((sum, each) => sum + each.packets, 0);
        expect(peer.traffic.fromProbe.bytes).toBeLessThanOrEqual(said);
        // A stream's segments are the kernel's business; datagrams are ours.
        if (carrier === 'udp') expect(peer.traffic.fromProbe.packets).toBeLessThanOrEqual(packets);
      });

      it('takes no truncated answer for a whole one', async () => {
        const peer = await open(spoiltStandIn(healthy, { how: 'not' }));
        await ask(peer.port, AMPLE_MS);
        const total = bytesFromPeer(peer.traffic);
        const cuts = sampled(total, 48).map((after): Spoil => ({ how: 'cut', after, then: 'close' }));
        const stalls = sampled(total, 8).map((after): Spoil => ({ how: 'cut', after, then: 'silence' }));
        await atOnce([...cuts, ...stalls], async (spoil) => {
          const spoilt = await open(spoiltStandIn(healthy, spoil));
          const outcome = await ask(spoilt.port, toTheEndMs);
          if (!answersEarly && !takesAnything && !oneWay)
            expect(outcome.kind, JSON.stringify(spoil)).not.toBe('answered');
        });
      });

      it(`gives an outcome for any flipped bits (seed ${fuzzSeed})`, { timeout: sceneTimeoutMs() }, async () => {
        const peer = await open(spoiltStandIn(healthy, { how: 'not' }));
        await ask(peer.port, AMPLE_MS);
        const total = bytesFromPeer(peer.traffic);
        const bit = fc.record({ at: fc.nat(Math.max(0, total - 1)), mask: fc.integer({ min: 1, max: 255 }) });
        const flips = fc.sample(fc.array(bit, { minLength: 1, maxLength: 3 }), {
          seed: fuzzSeed,
          numRuns: sceneRuns(),
        });
        await atOnce(flips, async (bits) => {
          const spoilt = await open(spoiltStandIn(healthy, { how: 'flip', bits }));
          await ask(spoilt.port, toTheEndMs);
        });
      });

      it('leaves nothing open when it is interrupted at any moment of the exchange', async () => {
        const peer = await open(standInAt(healthy));
        const turns = Array.from({ length: 24 }, (_, index) => index);
        await atOnce(turns, async (count) => {
          const running = startAsking(bound(), peer.port, asking(AMPLE_MS));
          for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
          running.interrupt();
          const { outcome } = await running.done;
          if (outcome.kind === 'unable') expect(outcome.reason).toBe('interrupted');
          else expect(outcome.kind).toBe(expected.kind);
        });
      });

      const values = Object.values(conformance.secrets ?? {});
      if (values.length > 0) {
        it('shows no secret in its wire events, facts or words', async () => {
          const peer = await open(standInAt(healthy));
          const told = JSON.stringify(await askOnce(bound(), peer.port, asking(AMPLE_MS)));
          for (const value of values) {
            const bytes = Buffer.from(value);
            for (const form of [value, bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, '')]) {
              expect(told).not.toContain(form);
            }
          }
        });
      }

      if (carrier === 'tcp') {
        it('is answered though the bytes trickle in one at a time', async () => {
          const peer = await open(spoiltStandIn(healthy, { how: 'trickle' }));
          expect((await ask(peer.port, AMPLE_MS)).kind).toBe(expected.kind);
        });
      } else {
        const title = `has a stand-in that never sends more than it got${echoes ? '' : ', and no answer to an answer'}`;
        it(title, () => {
          const requests = [...fc.sample(fc.uint8Array({ maxLength: 600 }), { seed: fuzzSeed, numRuns: 500 })];
          const from = { address: '192.0.2.1', port: 40_000 };
          for (const request of requests) {
            const answers = healthy.reply?.(request, from) ?? [];
            expect(answers.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(request.length);
            if (echoes) continue;
            for (const answer of answers) expect(healthy.reply?.(answer, from) ?? []).toEqual([]);
          }
        });
      }
    }

    it.for(families)('is refused where nothing listens, over IPv%i', async (family, ctx) => {
      skipFor(ctx, noFamily(family));
      const outcome = await ask(await closedPort(carrier, family), AMPLE_MS, family);
      expect(outcome).toMatchObject({ kind: 'refused', signal: 'refused' });
    });

    it('calls silence what it is', async () => {
      const mute = await open(carrier === 'tcp' ? tcpPeer(() => undefined) : udpPeer(() => undefined));
      const outcome = await (carrier === 'tcp' ? askToTheEnd(mute.port) : ask(mute.port, toTheEndMs));
      if (oneWay) expect(outcome).toMatchObject({ kind: 'sent' });
      else if (carrier === 'udp') expect(outcome).toMatchObject({ kind: 'silent' });
      else if (takesAnything) expect(outcome).toMatchObject({ kind: 'answered', depth: 'port' });
      else expect(outcome).toMatchObject({ kind: 'stranger', came: 'silence' });
    });

    it.each(foreign)('is not taken in by %s', async (_, greeting) => {
      if (carrier === 'udp') {
        const peer = await open(udpPeer((_request, answer) => answer(greeting)));
        provesNothing(await askToTheEnd(peer.port));
        return;
      }
      // Some speak first, some only when spoken to; some stay, some leave.
      const ways: readonly ((socket: Socket) => void)[] = [
        (socket) => void socket.write(greeting),
        (socket) => void socket.end(greeting),
        (socket) => void socket.once('data', () => socket.end(greeting)),
      ];
      await atOnce(ways, async (way) => {
        const peer = await open(tcpPeer(way));
        provesNothing(await askToTheEnd(peer.port));
      });
    });

    it(`is not taken in by random bytes (seed ${fuzzSeed})`, { timeout: sceneTimeoutMs() }, async () => {
      const texts = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 600 }), {
        seed: fuzzSeed,
        numRuns: sceneRuns(),
      });
      await atOnce(texts, async (bytes) => {
        const stays = bytes.length % 4 === 0;
        const peer = await open(
          carrier === 'udp'
            ? udpPeer((_request, answer) => answer(bytes))
            : tcpPeer((socket) => (stays ? socket.write(bytes) : socket.end(bytes))),
        );
        provesNothing(await askToTheEnd(peer.port));
      });
    });

    const floods: Readonly<Record<string, Uint8Array>> = {
      zeros: new Uint8Array(65_536),
      'one line without end': new Uint8Array(65_536).fill(0x41),
      'lines without end': latin1('a line\r\n'.repeat(8192)),
      'random bytes': new Uint8Array(randomBytes(65_536)),
      'the beginning of everything else': Buffer.concat(foreign.map(([, bytes]) => bytes)),
    };
    it.each(Object.entries(floods))('ends a flood of %s, its memory bounded', async (_, chunk) => {
      const held = process.memoryUsage().arrayBuffers;
      let most = 0;
      const look = (): void => {
        most = Math.max(most, process.memoryUsage().arrayBuffers - held);
      };
      const peer = await open(
        carrier === 'tcp'
          ? tcpPeer((socket) => flood(socket, chunk, look))
          : udpPeer((_request, answer) => {
              const pour = (count: number): void => {
                for (let each = 0; each < 50; each += 1) answer(chunk.subarray(each % 7, 1200));
                look();
                if (count > 50) setImmediate(pour, count - 50);
              };
              pour(3000);
            }),
      );
      provesNothing(await askToTheEnd(peer.port));
      look();
      expect(most).toBeLessThan(FLOOD_BYTES);
    });

    if (carrier === 'tcp') {
      it('ends a trickle of bytes that never become an answer', async () => {
        const peer = await open(
          tcpPeer((socket) => {
            const timer = setInterval(() => socket.write('x'), 5);
            socket.once('close', () => clearInterval(timer));
          }),
        );
        provesNothing(await askToTheEnd(peer.port));
      });

      it('sees a close at once for what it is', async () => {
        const peer = await open(tcpPeer((socket) => void socket.end()));
        expect(await ask(peer.port, AMPLE_MS)).toMatchObject({ kind: 'stranger', came: 'close' });
      });

      it('sees a reset at once for what it is', async () => {
        const peer = await open(tcpPeer((socket) => socket.resetAndDestroy()));
        expect(await ask(peer.port, AMPLE_MS)).toMatchObject({ kind: 'stranger', came: 'reset' });
      });
    }

    it('leaves nothing open when it is interrupted while it waits', async () => {
      let met: () => void = () => undefined;
      const meeting = new Promise<void>((resolve) => {
        met = resolve;
      });
      const peer = await open(carrier === 'tcp' ? tcpPeer(() => met()) : udpPeer(() => met()));
      const running = startAsking(bound(), peer.port, asking(AMPLE_MS));
      await meeting;
      running.interrupt();
      expect((await running.done).outcome).toMatchObject({ kind: 'unable', reason: 'interrupted' });
    });
  });
}

/** Writes as fast as it is taken. */
function flood(socket: Socket, chunk: Uint8Array, look: () => void): void {
  const pour = (): void => {
    look();
    while (!socket.destroyed && socket.writable && socket.write(chunk));
  };
  socket.on('drain', pour);
  pour();
}

/** Scenes with sockets cost a thousand times what a decoder's input does. */
function sceneRuns(): number {
  return Math.max(40, Math.min(2000, Math.round(fuzzRuns / 20)));
}

function sceneTimeoutMs(): number {
  return 30_000 + 100 * sceneRuns();
}

/** 0 to `total - 1`: all where they are few, else the ends and an even choice between. */
function sampled(total: number, most: number): readonly number[] {
  if (total <= most) return Array.from({ length: total }, (_, index) => index);
  const step = (total - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => Math.round(index * step));
}

async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

/** What is wrong with an attempt, whatever it saw. */
function faultsOf({ outcome, durationMs }: Attempt, depths: readonly Depth[]): readonly string[] {
  const faults: string[] = [];
  if (!Object.hasOwn(outcomeKinds, outcome.kind)) faults.push(`no kind of outcome: ${outcome.kind}`);
  if (outcome.kind === 'unable') faults.push(`unable: ${outcome.reason}: ${outcome.detail}`);
  if (outcome.kind === 'answered' && !depths.includes(outcome.depth)) faults.push(`a depth outside: ${outcome.depth}`);
  if (!Number.isFinite(durationMs)) faults.push(`no duration: ${durationMs}`);
  const words: [string, string][] = [];
  if (outcome.kind === 'stranger') words.push(['detail', outcome.detail]);
  if (outcome.kind === 'turned-away') words.push(['by', outcome.by]);
  if ('facts' in outcome) {
    if (JSON.stringify(outcome.facts).length > 32_768) faults.push('facts without measure');
    for (const [key, fact] of Object.entries(outcome.facts)) {
      if (!/^[a-z][A-Za-z0-9]*$/.test(key)) faults.push(`a fact's name: ${key}`);
      if (typeof fact === 'number' && !Number.isFinite(fact)) faults.push(`fact ${key} is ${fact}`);
      if (typeof fact === 'string') words.push([key, fact]);
      if (Array.isArray(fact)) words.push(...fact.map((each: string): [string, string] => [key, each]));
    }
  }
  for (const [key, text] of words) {
    // A stranger's control characters must never reach a terminal.
    if (/\p{Cc}/u.test(text)) faults.push(`${key} is not printable: ${JSON.stringify(text)}`);
    if (text.length > 500) faults.push(`${key} has ${text.length} characters`);
  }
  return faults;
}
