// Tests of the second look as a whole: who gets which look, what becomes evidence of whom, and that the budget ends it.
import { describe, expect, it } from 'vitest';
import type { Evidence, EvidenceBody } from '../../src/contract/evidence.js';
import type { FoundPath } from '../../src/contract/look.js';
import type { Attempt, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Target } from '../../src/contract/probe.js';
import { lookAgain, type Asked, type Looker } from '../../src/diagnose/second-look.js';

const HOST = '198.51.100.11';
const FIREWALL = '192.0.2.1';

const traits = { silence: 'ambiguous', depths: ['port'], defaultDepth: 'port', sends: [] } as const;
const never = (): Promise<Outcome> => Promise.reject(new Error('only its name counts here'));
const echo: BoundProbe = { traits, ask: never };
const connect: BoundProbe = { traits, ask: never };

const silent: Outcome = { kind: 'silent', sent: 1, waitedMs: 5000 };
const refused: Outcome = { kind: 'refused', signal: 'refused', afterMs: 1 };
const open: Outcome = { kind: 'answered', depth: 'protocol', facts: {} };
const accepted: Outcome = { kind: 'answered', depth: 'port', facts: {} };
const mute: Outcome = { kind: 'stranger', came: 'silence', detail: 'nothing came', facts: {} };

const attempt = (outcome: Outcome, ...evidence: readonly EvidenceBody[]): Attempt => ({
  outcome,
  evidence: evidence.map((body): Evidence => ({ ...body, t: 1, source: 'attempt' })),
  timings: {},
  startedMs: 0,
  durationMs: 1,
});

interface Given {
  readonly carrier?: string;
  readonly port?: number;
  readonly target?: Partial<Target>;
  readonly first: Attempt;
  /** What it says when asked again; default: the same. */
  readonly again?: Outcome;
}

interface Said {
  readonly echo?: Attempt;
  readonly shut?: (port: number) => Outcome;
  readonly path?: FoundPath;
  readonly budgetMs?: number;
  readonly looker?: boolean;
}

/** Runs the second look over what was asked; gives back its evidence by question, and all that was done to the network. */
async function looking(given: Readonly<Record<string, Given>>, said: Said = {}) {
  const done: string[] = [];
  const attempts = new Map(Object.entries(given).map(([name, { first }]) => [name, [first]]));
  const asked = Object.entries(given).map(([question, { carrier = 'tcp', port = 22, target = {} }]): Asked<string> => {
    return { question, carrier, deadlineMs: 5000, target: { address: HOST, family: 4, host: HOST, port, ...target } };
  });
  const looker: Looker = {
    echo,
    connect,
    findPath: ({ address, carrier, port }) => {
      done.push(`path ${carrier} ${address} ${port}`);
      return Promise.resolve(said.path);
    },
  };
  const seen = await lookAgain(asked, {
    budgetMs: said.budgetMs ?? 10_000,
    clock: { monotonicMs: () => 0, wallMs: () => 0 },
    elapsedMs: () => 7,
    sleep: () => Promise.resolve(),
    stopped: () => false,
    signal: new AbortController().signal,
    attemptsOf: (question) => attempts.get(question) ?? [],
    askAgain: (question) => {
      done.push(`again ${question}`);
      const known = attempts.get(question) ?? [];
      attempts.set(question, [...known, attempt(given[question]?.again ?? known[0]?.outcome ?? silent)]);
      return Promise.resolve();
    },
    attempt: (bound, { address, port }) => {
      done.push(bound === echo ? `ping ${address}` : `connect ${address} ${port}`);
      if (bound === echo) return Promise.resolve(said.echo ?? attempt(silent));
      return Promise.resolve(attempt(said.shut?.(port) ?? refused, { kind: 'reset', ttl: 61, phase: 'connect' }));
    },
    ...(said.looker === false ? {} : { looker: () => Promise.resolve(looker) }),
    onLook: () => undefined,
  });
  const evidence = Object.fromEntries(
    [...seen.evidence].map(([question, list]) => [question, list.map(({ kind }) => kind).sort()]),
  );
  return { done: done.toSorted(), evidence, missed: [...seen.missed], all: seen.evidence };
}

const pong = attempt(open, { kind: 'alive', address: HOST, by: 'echo', ttl: 62 });
const way: FoundPath = {
  hops: [{ hop: 1, address: FIREWALL }, { hop: 2 }],
  reached: false,
  end: { kind: 'silent' },
  last: { hop: 1, address: FIREWALL },
  cut: false,
  sent: 4,
};

describe('the second look', () => {
  it('leaves alone what answered in its own protocol', async () => {
    const { done, evidence } = await looking({ shell: { first: attempt(open) } });
    expect(done).toEqual([]);
    expect(evidence).toEqual({});
  });

  it('asks silence again, pings its host once, and searches one path for each carrier', async () => {
    const { done, evidence } = await looking(
      {
        shell: { port: 22, first: attempt(silent) },
        web: { port: 443, first: attempt(silent) },
        clock: { carrier: 'udp', port: 123, first: attempt(silent) },
      },
      { echo: pong, path: way },
    );
    expect(done).toEqual([
      'again clock',
      'again shell',
      'again web',
      `path tcp ${HOST} 22`,
      `path udp ${HOST} 123`,
      `ping ${HOST}`,
    ]);
    expect(evidence).toEqual({ shell: ['alive', 'path'], web: ['alive', 'path'], clock: ['alive', 'path'] });
  });

  it('searches no path for what answers when asked again', async () => {
    const { done, evidence } = await looking({ shell: { first: attempt(silent), again: open } }, { path: way });
    expect(done).toEqual(['again shell', `ping ${HOST}`]);
    expect(evidence).toEqual({});
  });

  it('gives the word of whoever ended a search to the flow that was searched, and to no other', async () => {
    const end = { kind: 'rejected', from: FIREWALL, type: 3, code: 13, signal: 'prohibited', ttl: 64, hop: 1 } as const;
    const { all, evidence } = await looking(
      { shell: { port: 22, first: attempt(silent) }, web: { port: 443, first: attempt(silent) } },
      { path: { ...way, end } },
    );
    expect(evidence).toEqual({ shell: ['icmp', 'path'], web: ['path'] });
    expect(all.get('shell')?.find(({ kind }) => kind === 'icmp')).toEqual({
      ...{ kind: 'icmp', from: FIREWALL, type: 3, code: 13, ttl: 64, hop: 1 },
      ...{ t: 7, source: 'diagnose' },
    });
  });

  it('takes an error about a ping for no word on the flow', async () => {
    const refusedPing = attempt(refused, { kind: 'icmp', from: FIREWALL, type: 3, code: 13 });
    const { evidence } = await looking({ shell: { first: attempt(silent) } }, { echo: refusedPing });
    expect(evidence).toEqual({});
  });

  it('asks a port that must be shut where something only accepts, and a second one where that accepts too', async () => {
    const one = await looking({ video: { port: 900, first: attempt(accepted) } });
    expect(one.done).toEqual([`connect ${HOST} 1023`, `ping ${HOST}`]);
    expect(one.all.get('video')?.find(({ kind }) => kind === 'control')).toMatchObject({
      port: 1023,
      role: 'shut',
      outcome: { kind: 'refused', ttl: 61 },
    });
    const all = await looking({ shell: { first: attempt(mute) } }, { shut: () => accepted });
    expect(all.done).toEqual([`connect ${HOST} 1`, `connect ${HOST} 1023`, `ping ${HOST}`]);
    expect(all.evidence).toEqual({ shell: ['control', 'control'] });
  });

  it('takes no port of the plan for one that must be shut', async () => {
    const { done } = await looking({
      odd: { port: 1023, first: attempt(open) },
      video: { port: 900, first: attempt(accepted) },
    });
    expect(done).toContain(`connect ${HOST} 1`);
    expect(done).not.toContain(`connect ${HOST} 1023`);
  });

  it('searches the path of a refusal that comes from nearer than the host', async () => {
    const forged = { shell: { first: attempt(refused, { kind: 'reset', ttl: 63, phase: 'connect' } as const) } };
    expect((await looking(forged, { echo: pong, path: way })).done).toContain(`path tcp ${HOST} 22`);
    const own = { shell: { first: attempt(refused, { kind: 'reset', ttl: 62, phase: 'connect' } as const) } };
    expect((await looking(own, { echo: pong, path: way })).done).toEqual([`ping ${HOST}`]);
  });

  it('looks at nothing between this machine and itself', async () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '::1']) {
      const { done } = await looking({ shell: { first: attempt(accepted), target: { address } } });
      expect(done).toEqual([]);
    }
  });

  it('looks at no broadcast and at nothing behind a proxy', async () => {
    const { done } = await looking({
      all: { carrier: 'udp', first: attempt(silent), target: { broadcast: true } },
      web: { first: attempt(refused), target: { proxied: { port: 443, how: 'tunnel' } } },
    });
    expect(done).toEqual(['again all']);
  });

  it('shares a path with those that its budget did not come to ask again', async () => {
    const names = Array.from({ length: 9 }, (_, index) => `flow${index}`);
    const given = Object.fromEntries(names.map((name, index) => [name, { port: 20 + index, first: attempt(silent) }]));
    const { missed, evidence, done } = await looking(given, { path: way });
    expect(missed).toEqual(['flow6', 'flow7', 'flow8']);
    expect(evidence['flow8']).toEqual(['path']);
    expect(done.filter((word) => word.startsWith('path'))).toHaveLength(1);
  });

  it('asks again and no more where nothing else can look', async () => {
    const { done } = await looking({ shell: { first: attempt(silent) } }, { looker: false });
    expect(done).toEqual(['again shell']);
  });

  it('begins nothing that its budget would cut off', async () => {
    const { done, missed } = await looking({ shell: { first: attempt(silent) } }, { budgetMs: 100 });
    expect(done).toEqual([]);
    expect(missed).toEqual(['shell']);
  });
});
