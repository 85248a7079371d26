// Which attempt runs when: bounded in all and per host, paced, slower when the machine runs short, ended together.
import pLimit from 'p-limit';
import type { LimitFunction } from 'p-limit';
import type { Attempt } from '../contract/outcome.js';
import type { BoundProbe, Target } from '../contract/probe.js';
import type { RunningAttempt } from './attempt.js';
import { Pace } from './pace.js';

/** One question for the wire. Several checks may share it. */
export interface Question {
  readonly key: string;
  readonly bound: BoundProbe;
  readonly target: Target;
  readonly carrier: string;
  readonly deadlineMs: number;
  /** Questions with the same word here are asked one after the other: they would take each other's answers. */
  readonly oneAtATime?: string;
}

export interface Limits {
  /** Attempts in flight, in all and per target address. */
  readonly concurrency: number;
  readonly perHost: number;
  /** Askings after a silent first. */
  readonly retries: number;
}

export interface ScheduleOptions {
  readonly limits: Limits;
  readonly start: (question: Question) => RunningAttempt;
  /** After each attempt; `retrying` says that the same question will be asked again. */
  readonly onAttempt: (question: Question, attempt: Attempt, retrying: boolean) => void;
}

/** Datagrams answer all at once: a thousand replies overflow a receive buffer, these many every tick do not. */
const DATAGRAMS_PER_TICK = 32;
const TICK_MS = 5;
/** Handshakes begun in one turn of the event loop: with more, answers wait unread and every time measured is wrong. */
const HANDSHAKES_PER_TURN = 16;
/** How long to leave a machine alone that has run out of descriptors or ports. */
const REST_MS = 200;
const RESTS = 20;

export class Schedule {
  readonly #options: ScheduleOptions;
  readonly #all: LimitFunction;
  readonly #hosts = new Map<string, LimitFunction>();
  readonly #lanes = new Map<string, LimitFunction>();
  readonly #running = new Set<RunningAttempt>();
  readonly #sleeping = new Set<() => void>();
  readonly #handshakes = new Pace(HANDSHAKES_PER_TURN, (next) => setImmediate(next));
  readonly #datagrams = new Pace(DATAGRAMS_PER_TICK, (next) => setTimeout(next, TICK_MS));
  #interrupted = false;

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#all = pLimit(options.limits.concurrency);
  }

  /** Ends what runs, starts nothing more. */
  interrupt(): void {
    this.#interrupted = true;
    this.#handshakes.release();
    this.#datagrams.release();
    for (const wake of [...this.#sleeping]) wake();
    for (const running of [...this.#running]) running.interrupt();
  }

  /** Asks every question, with retries. `onAttempt` gets each answer; an interrupted question has those it came to. */
  async ask(questions: readonly Question[]): Promise<void> {
    const perHost = new Map<string, number>();
    for (const { target } of questions) perHost.set(target.address, (perHost.get(target.address) ?? 0) + 1);
    await Promise.all(
      questions.map((question) => {
        const { address } = question.target;
        const ask = (): Promise<void> => this.#all(() => this.#askOne(question, this.#options.limits.retries));
        // A host that is asked no more than it may be at once needs no gate, and of thousands nearly all are such.
        const crowded = (perHost.get(address) ?? 0) > this.#options.limits.perHost;
        return this.#alone(question, () => (crowded ? this.#host(address)(ask) : ask()));
      }),
    );
  }

  /** Asks one question once more, now. */
  async askOnce(question: Question): Promise<void> {
    await this.#alone(question, () => this.#askOne(question, 0));
  }

  /** One attempt that answers no question of the plan's; undefined once interrupted. */
  async attempt(question: Question): Promise<Attempt | undefined> {
    if (this.#interrupted) return undefined;
    const running = this.#options.start(question);
    this.#running.add(running);
    const attempt = await running.done;
    this.#running.delete(running);
    return attempt;
  }

  #alone(question: Question, ask: () => Promise<void>): Promise<void> {
    const { oneAtATime } = question;
    if (oneAtATime === undefined) return ask();
    let limit = this.#lanes.get(oneAtATime);
    if (limit === undefined) {
      limit = pLimit(1);
      this.#lanes.set(oneAtATime, limit);
    }
    return limit(ask);
  }

  #host(address: string): LimitFunction {
    let limit = this.#hosts.get(address);
    if (limit === undefined) {
      limit = pLimit(this.#options.limits.perHost);
      this.#hosts.set(address, limit);
    }
    return limit;
  }

  async #askOne(question: Question, retries: number): Promise<void> {
    let asked = 0;
    let rests = 0;
    while (!this.#interrupted) {
      await (question.carrier === 'tcp' ? this.#handshakes : this.#datagrams).turn();
      if (this.#stopped()) break;
      const running = this.#options.start(question);
      this.#running.add(running);
      const attempt = await running.done;
      this.#running.delete(running);
      const { outcome } = attempt;
      if (outcome.kind === 'unable' && outcome.reason === 'no-resources' && rests < RESTS) {
        // Slower, not wrong: fewer at once from now on, and this one again. An attempt that never left is none.
        rests += 1;
        this.#all.concurrency = Math.max(8, Math.floor(this.#all.concurrency / 2));
        await this.sleep(REST_MS);
        continue;
      }
      asked += 1;
      const retrying = outcome.kind === 'silent' && asked <= retries && !this.#stopped();
      this.#options.onAttempt(question, attempt, retrying);
      if (!retrying) break;
    }
  }

  /** A method, since the flag changes while a caller waits. */
  #stopped(): boolean {
    return this.#interrupted;
  }

  /** Until `ms` have passed or the run is interrupted. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#sleeping.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#sleeping.add(wake);
    });
  }
}
