// The path of one flow: its own packets with small TTLs, and who says that one of them expired. Through kernel.ts, without
// root. Every TTL has a socket, and so a source port, of its own: routers that spread flows over several ways may show more than one.
import { canonicalAddress } from '../bytes/ip.js';
import type { Hop } from '../contract/evidence.js';
import type { Clock } from '../contract/ledger.js';
import type { FindPath, FoundPath, PathEnd, PathOptions, PathQuestion } from '../contract/look.js';
import type { QueuedError } from './control-message.js';
import { meaningOf } from './errno.js';
import { refusalOf } from './icmp.js';
import type { Kernel, KernelSocket } from './kernel.js';
import { signalFrom } from './rejection.js';
import type { Following, Segments } from './segments.js';

export interface PathFinderOptions {
  readonly clock: Clock;
  /** Absent: no path is found. */
  readonly kernel?: Kernel;
  /** Where they can be had, the TTL of a handshake or reset is told over IPv4 too. */
  readonly segments?: Segments;
  /** Local addresses to ask from, where the user chose. */
  readonly source?: { readonly 4?: string; readonly 6?: string };
}

const MAX_HOPS = 30;
/** What systems start at; a flow's own packets have it. */
const WHOLE_WAY = 64;
/** The next TTL is tried when the one before was answered, and at the latest after this: far targets see few packets more than needed. */
const STAGGER_MS = 50;
/** Routers that say nothing, one after the other, before the way is taken to end. */
const SILENT_HOPS = 5;
/** Linux and most routers send about six ICMP errors at once to one address and then one a second: what is asked again then gets its own. */
const AGAIN_MS = 1000;
const ANSWER_MS = 600;
/** Packets of one TTL, of all searches together, that leave at once; then one a second: the same router answers for all of them. */
const BURST = 5;
const REFILL_MS = 1000;

/** One packet, or one connection attempt, with one TTL. */
interface Feeler {
  readonly ttl: number;
  readonly socket: KernelSocket;
  readonly sentMs: number;
  again: boolean;
  answered: boolean;
}

type Ended = Extract<PathEnd, { kind: 'reached' | 'rejected' | 'local' }>;

/** Searches share their pace: give one to a whole run. */
export function pathFinder(options: PathFinderOptions): FindPath {
  const { kernel } = options;
  if (kernel === undefined) return () => Promise.resolve(undefined);
  const pace = new Pace(options.clock);
  return (question, given) => new Search(kernel, options, pace, question, given).run();
}

/** A bucket of permits for each TTL. */
class Pace {
  readonly #clock: Clock;
  readonly #buckets = new Map<number, { permits: number; atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until a packet with that TTL may leave; 0: it may now, and is counted. */
  take(ttl: number): number {
    const now = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(ttl) ?? { permits: BURST, atMs: now };
    this.#buckets.set(ttl, bucket);
    const grown = Math.floor((now - bucket.atMs) / REFILL_MS);
    if (bucket.permits + grown >= BURST) Object.assign(bucket, { permits: BURST, atMs: now });
    else if (grown > 0)
      Object.assign(bucket, { permits: bucket.permits + grown, atMs: bucket.atMs + grown * REFILL_MS });
    if (bucket.permits === 0) return bucket.atMs + REFILL_MS - now;
    bucket.permits -= 1;
    return 0;
  }
}

class Search {
  readonly #kernel: Kernel;
  readonly #clock: Clock;
  readonly #source: string | undefined;
  readonly #pace: Pace;
  readonly #following: Following | undefined;
  readonly #question: PathQuestion;
  readonly #target: string;
  readonly #maxHops: number;
  readonly #budgetMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #feelers: Feeler[] = [];
  readonly #hops = new Map<number, Hop>();
  readonly #ends = new Map<number, Ended>();
  #beganMs = 0;
  #nextTtl = 1;
  #sent = 0;
  #timer: NodeJS.Timeout | undefined;
  #finish: ((cut: boolean) => void) | undefined;

  constructor(
    kernel: Kernel,
    { clock, source, segments }: PathFinderOptions,
    pace: Pace,
    question: PathQuestion,
    { budgetMs, maxHops, signal }: PathOptions,
  ) {
    this.#kernel = kernel;
    this.#clock = clock;
    this.#source = source?.[question.family];
    this.#pace = pace;
    this.#following = question.carrier === 'tcp' ? segments?.follow(question.address, question.family) : undefined;
    this.#question = question;
    this.#target = canonicalAddress(question.address);
    this.#maxHops = Math.min(maxHops ?? MAX_HOPS, WHOLE_WAY - 1);
    this.#budgetMs = budgetMs;
    this.#signal = signal;
  }

  run(): Promise<FoundPath> {
    return new Promise((resolve) => {
      this.#beganMs = this.#clock.monotonicMs();
      const onAbort = (): void => this.#finish?.(true);
      this.#finish = (cut) => {
        this.#finish = undefined;
        clearTimeout(this.#timer);
        this.#signal?.removeEventListener('abort', onAbort);
        for (const { socket } of this.#feelers) socket.close();
        this.#following?.close();
        resolve(this.#found(cut));
      };
      this.#signal?.addEventListener('abort', onAbort);
      if (this.#signal?.aborted === true || this.#budgetMs <= 0) {
        this.#finish(true);
        return;
      }
      // Whether anything answers at all decides how long silent routers are worth passing by.
      this.#feel(WHOLE_WAY);
      this.#step();
    });
  }

  /** Sends what is due, and comes back when something else will be. */
  #step(): void {
    clearTimeout(this.#timer);
    const now = this.#clock.monotonicMs();
    const leftMs = this.#beganMs + this.#budgetMs - now;
    if (leftMs <= 0) {
      this.#finish?.(true);
      return;
    }
    let waitMs = this.#advance(now);
    const endTtl = this.#endTtl() ?? Infinity;
    for (const feeler of this.#feelers) {
      if (feeler.answered || feeler.ttl > endTtl) continue;
      const age = now - feeler.sentMs;
      if (age >= AGAIN_MS && !feeler.again) this.#feelAgain(feeler);
      if (age < AGAIN_MS + ANSWER_MS) waitMs = Math.min(waitMs, (feeler.again ? AGAIN_MS + ANSWER_MS : AGAIN_MS) - age);
    }
    if (this.#finish === undefined) return;
    if (waitMs === Infinity) this.#finish(false);
    else this.#timer = setTimeout(() => this.#step(), Math.ceil(Math.min(Math.max(waitMs, 1), leftMs)));
  }

  /** Tries the next TTL where it is its turn. Milliseconds until it is; Infinity where it never is unless something answers. */
  #advance(now: number): number {
    while (this.#isWorthwhile(this.#nextTtl)) {
      const last = this.#feelers.findLast(({ ttl }) => ttl === this.#nextTtl - 1);
      const dueMs = last === undefined || last.answered ? 0 : last.sentMs + STAGGER_MS - now;
      if (dueMs > 0) return dueMs;
      const pausedMs = this.#pace.take(this.#nextTtl);
      if (pausedMs > 0) return pausedMs;
      this.#feel(this.#nextTtl);
      this.#nextTtl += 1;
    }
    return Infinity;
  }

  #isWorthwhile(ttl: number): boolean {
    if (this.#finish === undefined || ttl > this.#maxHops || this.#endTtl() !== undefined) return false;
    const whole = this.#ends.get(WHOLE_WAY);
    if (whole?.kind === 'local') return false;
    return whole !== undefined || ttl - Math.max(0, ...this.#hops.keys()) <= SILENT_HOPS;
  }

  /** The smallest TTL that came as far as the flow's end. */
  #endTtl(): number | undefined {
    const ttls = [...this.#ends.keys()].filter((ttl) => ttl !== WHOLE_WAY);
    return ttls.length === 0 ? undefined : Math.min(...ttls);
  }

  #feel(ttl: number): void {
    const { family, carrier, address, port, payload } = this.#question;
    let socket: KernelSocket | undefined;
    try {
      socket = this.#kernel.open(carrier, family);
      const feeler: Feeler = { ttl, socket, sentMs: this.#clock.monotonicMs(), again: false, answered: false };
      this.#feelers.push(feeler);
      socket.queueErrors(true);
      socket.showTtl();
      socket.setTtl(ttl);
      if (this.#source !== undefined) socket.bind({ address: this.#source }, false);
      socket.connect({ address, port });
      this.#sent += 1;
      socket.watch(() => this.#notice(feeler), carrier === 'tcp');
      if (carrier === 'udp') socket.send(payload ?? new Uint8Array(0));
    } catch (error) {
      socket?.close();
      this.#refuseLocally(ttl, error);
    }
  }

  /** TCP repeats its SYN by itself, after a second. */
  #feelAgain(feeler: Feeler): void {
    feeler.again = true;
    this.#sent += 1;
    if (this.#question.carrier === 'tcp') return;
    try {
      feeler.socket.send(this.#question.payload ?? new Uint8Array(0));
    } catch (error) {
      this.#refuseLocally(feeler.ttl, error);
    }
  }

  #refuseLocally(ttl: number, error: unknown): void {
    const { code, syscall } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
    const meaning = meaningOf(code, { syscall, atOnce: true, afterMs: 0 });
    if (meaning?.kind === 'refused') this.#end(ttl, { kind: 'local', signal: meaning.signal });
    // Descriptors or ports have run out: what is known so far is all.
    else this.#finish?.(true);
  }

  #notice(feeler: Feeler): void {
    const { socket } = feeler;
    try {
      for (const error of socket.errors()) this.#hear(feeler, error);
      if (!feeler.answered) this.#look(feeler);
    } catch {
      // An error that came without an ICMP packet: the next one is waited for.
    }
    if (feeler.answered) socket.close();
    this.#step();
  }

  #hear(feeler: Feeler, { origin, from, type, code, ttl }: QueuedError): void {
    if (origin !== 'icmp' || from === undefined || feeler.answered) return;
    const { family } = this.#question;
    const said = refusalOf(type, code, family);
    const shown = ttl === undefined ? {} : { ttl };
    if (said === undefined) {
      // RFC 792, RFC 4443 §3.3: time exceeded in transit. Other news end nothing.
      if (type !== (family === 6 ? 3 : 11) || code !== 0) return;
      if (feeler.ttl === WHOLE_WAY) return;
      this.#answer(feeler, from);
      return;
    }
    const isTarget = canonicalAddress(from) === this.#target;
    const signal = signalFrom(from, this.#target, said);
    if (isTarget && said === 'port-unreachable') {
      this.#answer(feeler, this.#target);
      this.#end(feeler.ttl, { kind: 'reached', by: 'port-unreachable', ...shown });
    } else if (signal === said) {
      feeler.answered = true;
      this.#end(feeler.ttl, { kind: 'rejected', from, type, code, signal, ...shown });
    } else {
      feeler.answered = true;
      this.#end(feeler.ttl, { kind: 'local', signal });
    }
  }

  /** For an answer of the target's. */
  #look(feeler: Feeler): void {
    const { socket } = feeler;
    if (this.#question.carrier === 'udp') {
      const received = socket.receive();
      if (received === undefined) return;
      this.#answer(feeler, this.#target);
      this.#end(feeler.ttl, {
        kind: 'reached',
        by: 'reply',
        ...(received.ttl === undefined ? {} : { ttl: received.ttl }),
      });
      return;
    }
    const failure = socket.failure();
    const overheard = this.#following?.ttls(socket.local().port, this.#question.port);
    if (failure === undefined) {
      if (socket.isConnecting()) return;
      const ttl = overheard?.handshake ?? socket.lastTtl();
      this.#answer(feeler, this.#target);
      this.#end(feeler.ttl, { kind: 'reached', by: 'handshake', ...(ttl === undefined ? {} : { ttl }) });
    } else if (failure === 'ECONNREFUSED') {
      this.#answer(feeler, this.#target);
      const ttl = overheard?.reset;
      this.#end(feeler.ttl, { kind: 'reached', by: 'reset', ...(ttl === undefined ? {} : { ttl }) });
    } else feeler.answered = true;
  }

  #answer(feeler: Feeler, address: string): void {
    feeler.answered = true;
    if (feeler.ttl === WHOLE_WAY) return;
    const rttMs = Math.round((this.#clock.monotonicMs() - feeler.sentMs) * 100) / 100;
    // An answer to what was asked again has no time that could be trusted.
    this.#hops.set(feeler.ttl, { hop: feeler.ttl, address, ...(feeler.again ? {} : { rttMs }) });
  }

  #end(ttl: number, end: Ended): void {
    if (!this.#ends.has(ttl)) this.#ends.set(ttl, end);
    if (end.kind === 'local') this.#finish?.(false);
  }

  #found(cut: boolean): FoundPath {
    const endTtl = this.#endTtl();
    const ended = this.#ends.get(endTtl ?? WHOLE_WAY);
    const end = ended?.kind === 'rejected' ? this.#placed(ended, endTtl) : (ended ?? { kind: 'silent' as const });
    const last = end.kind === 'rejected' ? (end.hop ?? this.#nextTtl - 1) : (endTtl ?? this.#nextTtl - 1);
    const hops = Array.from({ length: Math.min(last, this.#nextTtl - 1) }, (_, index): Hop => {
      const hop = index + 1;
      const known = this.#hops.get(hop);
      return known ?? (end.kind === 'rejected' && end.hop === hop ? { hop, address: end.from } : { hop });
    });
    const router = hops.findLast(({ address }) => address !== undefined && address !== this.#target);
    return {
      hops,
      reached: end.kind === 'reached',
      end,
      ...(router?.address === undefined ? {} : { last: { ...router, address: router.address } }),
      cut,
      sent: this.#sent,
    };
  }

  /** Where the one who rejects stands: where it also let a packet expire, else where it first rejected one. */
  #placed(end: Extract<PathEnd, { kind: 'rejected' }>, endTtl: number | undefined): PathEnd {
    const expired = [...this.#hops.values()].find(({ address }) => address === end.from);
    const hop = expired?.hop ?? endTtl;
    return hop === undefined ? end : { ...end, hop };
  }
}
