// The second look at a run, under one budget: asking again, pings, ports that must be shut, paths. It gathers evidence and
// judges nothing.
import pLimit from 'p-limit';
import type { Evidence, EvidenceBody } from '../contract/evidence.js';
import type { Clock } from '../contract/ledger.js';
import type { FindPath, FoundPath } from '../contract/look.js';
import type { Attempt, Outcome } from '../contract/outcome.js';
import type { BoundProbe, Target } from '../contract/probe.js';
import { shutPorts, wantsEcho, wantsPath, wantsShutPort, type Seen } from './looks.js';
import { reask, worthAskingAgain } from './reask.js';

export interface Asked<Q> {
  readonly question: Q;
  readonly target: Target;
  readonly carrier: string;
  readonly deadlineMs: number;
}

/** What a second look may do to the network, beside a question's own asking. */
export interface Looker {
  /** ICMP echo. */
  readonly echo: BoundProbe;
  /** A TCP connection, watched for what comes of it. */
  readonly connect: BoundProbe;
  readonly findPath: FindPath;
}

export interface SecondLookOptions<Q> {
  readonly budgetMs: number;
  readonly clock: Clock;
  /** Milliseconds since the run began. */
  readonly elapsedMs: () => number;
  /** Resolves after `ms`, or at once when the run is interrupted. */
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly stopped: () => boolean;
  readonly signal: AbortSignal;
  readonly attemptsOf: (question: Q) => readonly Attempt[];
  readonly askAgain: (question: Q) => Promise<void>;
  /** One attempt of no question; undefined once interrupted. */
  readonly attempt: (bound: BoundProbe, target: Target, deadlineMs: number) => Promise<Attempt | undefined>;
  /** Called where a look is wanted. Absent: nothing but asking again. */
  readonly looker?: () => Promise<Looker>;
  readonly onLook: (question: Q, look: string) => void;
}

export interface SecondLook<Q> {
  /** Those that the budget did not come to. */
  readonly missed: ReadonlySet<Q>;
  readonly evidence: ReadonlyMap<Q, readonly Evidence[]>;
}

/** In flight at once: pings and connections to ports that must be shut; path searches, of which each is many packets. */
const LOOKS_AT_ONCE = 16;
const PATHS_AT_ONCE = 4;
const ECHO_MS = 2000;
/** A dropped connection says nothing more after its second SYN (RFC 6298 §2.1: one second). */
const SHUT_MS = 2500;
const PATH_MS = 3000;
/** With less time left than this a look would be cut off before it saw anything. */
const LEAST_MS = 300;

export async function lookAgain<Q>(asked: readonly Asked<Q>[], options: SecondLookOptions<Q>): Promise<SecondLook<Q>> {
  const wanted = asked.some(({ question, target, carrier }) => {
    const seen = { target, carrier, attempts: options.attemptsOf(question), evidence: [] };
    return wantsEcho(seen) || wantsShutPort(seen) || wantsPath(seen);
  });
  return new Looking(asked, options, wanted ? await options.looker?.() : undefined).all();
}

class Looking<Q> {
  readonly #asked: readonly Asked<Q>[];
  readonly #options: SecondLookOptions<Q>;
  readonly #looker: Looker | undefined;
  readonly #endsMs: number;
  readonly #evidence = new Map<Q, Evidence[]>();
  readonly #looks = pLimit(LOOKS_AT_ONCE);
  readonly #paths = pLimit(PATHS_AT_ONCE);
  readonly #searched = new Map<string, Promise<void>>();

  constructor(asked: readonly Asked<Q>[], options: SecondLookOptions<Q>, looker: Looker | undefined) {
    this.#asked = asked;
    this.#options = options;
    this.#looker = looker;
    this.#endsMs = options.clock.monotonicMs() + options.budgetMs;
  }

  async all(): Promise<SecondLook<Q>> {
    const looker = this.#looker;
    const looks =
      looker === undefined ? [] : [this.#echoes(looker).then(() => this.#refusers(looker)), this.#shutPorts(looker)];
    const [missed] = await Promise.all([this.#askAgain(), ...looks]);
    if (looker !== undefined) {
      // Those that the budget did not come to are silent too, and share what their neighbours' search finds.
      for (const one of this.#asked) if (missed.has(one.question)) void this.#path(one, looker);
    }
    await Promise.all(this.#searched.values());
    this.#sharePaths();
    return { missed, evidence: this.#evidence };
  }

  #leftMs(): number {
    return this.#options.stopped() ? 0 : this.#endsMs - this.#options.clock.monotonicMs();
  }

  #seen({ question, target, carrier }: Asked<Q>): Seen {
    return {
      target,
      carrier,
      attempts: this.#options.attemptsOf(question),
      evidence: this.#evidence.get(question) ?? [],
    };
  }

  #note({ question }: Asked<Q>, ...bodies: readonly EvidenceBody[]): void {
    if (bodies.length === 0) return;
    const began = this.#options.attemptsOf(question)[0]?.startedMs ?? 0;
    const t = Math.max(0, Math.round(this.#options.elapsedMs() - began));
    const list = this.#evidence.get(question) ?? [];
    list.push(...bodies.map((body): Evidence => ({ ...body, t, source: 'diagnose' })));
    this.#evidence.set(question, list);
  }

  #askAgain(): Promise<ReadonlySet<Q>> {
    const { budgetMs, clock, sleep, stopped, attemptsOf, askAgain, onLook } = this.#options;
    const looker = this.#looker;
    const silent = this.#asked.filter(({ question }) => worthAskingAgain(attemptsOf(question).at(-1)?.outcome));
    return reask(
      silent.map((one) => ({ question: one, address: one.target.address, deadlineMs: one.deadlineMs })),
      {
        budgetMs,
        clock,
        sleep,
        stopped,
        ask: async (one) => {
          onLook(one.question, 'asking again');
          await askAgain(one.question);
          // A search takes the same routers' ICMP errors as the question itself: only when that was not answered.
          if (looker !== undefined && wantsPath(this.#seen(one))) void this.#path(one, looker);
        },
      },
    ).then((missed) => new Set([...missed].map(({ question }) => question)));
  }

  /** By address, those who want a look. */
  #byAddress(wants: (seen: Seen) => boolean): readonly (readonly [Asked<Q>, ...Asked<Q>[]])[] {
    const found = new Map<string, [Asked<Q>, ...Asked<Q>[]]>();
    for (const one of this.#asked) {
      if (!wants(this.#seen(one))) continue;
      const known = found.get(one.target.address);
      if (known === undefined) found.set(one.target.address, [one]);
      else known.push(one);
    }
    return [...found.values()];
  }

  async #attempt(bound: BoundProbe, target: Target, mostMs: number): Promise<Attempt | undefined> {
    const leftMs = this.#leftMs();
    return leftMs < LEAST_MS ? undefined : this.#options.attempt(bound, target, Math.min(mostMs, leftMs));
  }

  async #echoes({ echo }: Looker): Promise<void> {
    await Promise.all(
      this.#byAddress(wantsEcho).map((wanting) =>
        this.#looks(async () => {
          const [{ question, target }] = wanting;
          this.#options.onLook(question, 'ping');
          const { address, family, host } = target;
          const attempt = await this.#attempt(echo, { address, family, host, port: 0 }, ECHO_MS);
          // Errors about a ping say nothing of the flow: many filters reject the one and pass the other.
          const alive = attempt?.evidence.filter((item) => item.kind === 'alive') ?? [];
          for (const one of wanting) this.#note(one, ...alive);
        }),
      ),
    );
  }

  async #shutPorts({ connect }: Looker): Promise<void> {
    const planned = new Map<string, Set<number>>();
    for (const { target } of this.#asked) {
      planned.set(target.address, (planned.get(target.address) ?? new Set()).add(target.port));
    }
    await Promise.all(
      this.#byAddress(wantsShutPort).map((wanting) =>
        this.#looks(async () => {
          const [{ question, target }] = wanting;
          const { address, family, host } = target;
          for (const port of shutPorts(planned.get(address) ?? new Set())) {
            this.#options.onLook(question, `TCP ${port}, which must be shut`);
            const attempt = await this.#attempt(connect, { address, family, host, port }, SHUT_MS);
            if (attempt === undefined) return;
            const outcome = withTtl(attempt);
            for (const one of wanting) this.#note(one, { kind: 'control', port, role: 'shut', outcome });
            if (outcome.kind !== 'answered' && outcome.kind !== 'stranger') return;
          }
        }),
      ),
    );
  }

  /** Of packets that bear the target's name and came from nearer than it. */
  #refusers(looker: Looker): void {
    for (const one of this.#asked) {
      const outcome = this.#options.attemptsOf(one.question).at(-1)?.outcome;
      if (outcome?.kind !== 'silent' && wantsPath(this.#seen(one))) void this.#path(one, looker);
    }
  }

  /** One search for each address and carrier; the first that wants it lends it its port. */
  #path(one: Asked<Q>, { findPath }: Looker): Promise<void> {
    const key = pathKey(one);
    const known = this.#searched.get(key);
    if (known !== undefined) return known;
    const search = this.#paths(async () => {
      const leftMs = this.#leftMs();
      if (leftMs < LEAST_MS) return;
      this.#options.onLook(one.question, 'path');
      const { address, family, port } = one.target;
      const carrier = one.carrier === 'tcp' ? 'tcp' : 'udp';
      const found = await findPath(
        { address, family, carrier, port },
        { budgetMs: Math.min(PATH_MS, leftMs), signal: this.#options.signal },
      );
      if (found !== undefined) this.#note(one, ...pathEvidence(found));
    });
    this.#searched.set(key, search);
    return search;
  }

  /** The way is the same for all that the search stands for; who ended it, only for the one that was searched. */
  #sharePaths(): void {
    const paths = new Map<string, EvidenceBody>();
    for (const one of this.#asked) {
      for (const item of this.#evidence.get(one.question) ?? []) {
        if (item.kind === 'path') paths.set(pathKey(one), item);
      }
    }
    for (const one of this.#asked) {
      const path = paths.get(pathKey(one));
      const own = this.#evidence.get(one.question) ?? [];
      if (path === undefined || own.some(({ kind }) => kind === 'path') || !wantsPath(this.#seen(one))) continue;
      this.#note(one, path);
    }
  }
}

function pathKey<Q>({ carrier, target }: Asked<Q>): string {
  return `${carrier} ${target.address}`;
}

/** A refusal with the TTL of its packet, where that was seen. */
function withTtl({ outcome, evidence }: Attempt): Outcome {
  if (outcome.kind !== 'refused' || outcome.ttl !== undefined) return outcome;
  const reset = evidence.find((item) => item.kind === 'reset');
  return reset?.ttl === undefined ? outcome : { ...outcome, ttl: reset.ttl };
}

function pathEvidence({ hops, reached, end }: FoundPath): readonly EvidenceBody[] {
  const path: EvidenceBody = { kind: 'path', hops, reached };
  if (end.kind !== 'rejected') return [path];
  const { from, type, code, ttl, hop } = end;
  return [
    path,
    {
      kind: 'icmp',
      from,
      type,
      code,
      ...(ttl === undefined ? {} : { ttl }),
      ...(hop === undefined ? {} : { hop }),
    },
  ];
}
