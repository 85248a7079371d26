// One run, from plan to report: resolve, ask, look again, judge. The only place that joins the rooms.
import type { Evidence } from './contract/evidence.js';
import type { BoundCheck, Plan, PlannedCheck, Skipped } from './contract/flow.js';
import type { Clock, KitSession } from './contract/ledger.js';
import type { Attempt } from './contract/outcome.js';
import type { BoundProbe, Probe, Proxied, Target } from './contract/probe.js';
import type { Report, Tool } from './contract/report.js';
import type { RunEvent } from './contract/run-event.js';
import type { CheckRecord, RunRecord, VerdictWord } from './contract/verdict.js';
import { lookAgain } from './diagnose/second-look.js';
import type { Looker } from './diagnose/second-look.js';
import { judge } from './judge/judge.js';
import { reportOf } from './judge/account.js';
import type { Resolution } from './net/names.js';
import { skip } from './plan/skip.js';
import { startAttempt } from './run/attempt.js';
import { Schedule } from './run/schedule.js';
import type { Limits, Question } from './run/schedule.js';

export interface CheckSettings {
  readonly limits: Limits;
  /** Of one attempt. */
  readonly timeoutMs: number;
  /** For the second look; absent: no second look. */
  readonly diagnoseMs?: number;
  /** For the whole run. */
  readonly maxTimeMs?: number;
  readonly accept: RunRecord['accept'];
  /** Compute the exit code as a monitoring plug-in does. */
  readonly nagios: boolean;
  /** The verdicts whose failures count for the exit code; absent: all. */
  readonly failOn?: readonly VerdictWord[];
  /** Carry wire events in the attempt events. */
  readonly verbose: boolean;
}

export interface Proxy {
  readonly host: string;
  readonly port: number;
}

/** The world, as a run may touch it. */
export interface World {
  readonly clock: Clock;
  readonly tool: Tool;
  readonly probes: ReadonlyMap<string, Probe>;
  readonly resolve: (host: string) => Promise<Resolution>;
  /** The local address a packet to there would leave from; undefined: no route. */
  readonly routeTo: (address: string, family: 4 | 6) => Promise<string | undefined>;
  /** `first`: nobody asked this question before in this run. Credentials are used then or never: a retry could lock an account. */
  readonly openKit: (target: Target, first: boolean) => KitSession;
  /** The site's proxy for that scheme, host and port; undefined: none. Absent: no site names one. */
  readonly proxyFor?: (scheme: 'http' | 'https', host: string, port: number) => Proxy | undefined;
  /** For the second look; absent: what fell silent is asked again, and that is all. */
  readonly looker?: () => Promise<Looker>;
  readonly onEvent: (event: RunEvent) => void;
}

export type Interruption = NonNullable<Report['interrupted']>;

export interface RunningCheck {
  readonly done: Promise<Report>;
  /** Ends the run; `done` resolves with what was seen so far. */
  interrupt(by: Interruption): void;
}

export function carrierName(carrier: PlannedCheck['carrier']): string {
  return typeof carrier === 'string' ? carrier : `ip-${carrier.ipProtocol}`;
}

/** A check on its way through a run. */
interface Item {
  readonly check: BoundCheck;
  readonly resolution?: NonNullable<CheckRecord['resolution']>;
  readonly question?: Question;
}

class Run {
  readonly #plan: Plan;
  readonly #settings: CheckSettings;
  readonly #world: World;
  readonly #beganMs: number;
  readonly #attempts = new Map<string, Attempt[]>();
  readonly #asked = new Map<string, { readonly question: Question; readonly checks: string[] }>();
  readonly #undiagnosed = new Set<string>();
  readonly #evidence = new Map<string, readonly Evidence[]>();
  readonly #ending = new AbortController();
  #looks = 0;
  readonly #begun = new Set<string>();
  readonly #bound = new Map<PlannedCheck['options'], Map<string, BoundProbe>>();
  readonly #schedule: Schedule;
  #interrupted: Interruption | undefined;
  #onInterrupt: () => void = () => undefined;
  readonly #interruption: Promise<undefined>;

  constructor(plan: Plan, settings: CheckSettings, world: World) {
    this.#plan = plan;
    this.#settings = settings;
    this.#world = world;
    this.#beganMs = world.clock.monotonicMs();
    this.#interruption = new Promise((resolve) => {
      this.#onInterrupt = () => resolve(undefined);
    });
    this.#schedule = new Schedule({
      limits: settings.limits,
      start: (question) =>
        startAttempt(question.bound, question.target, {
          deadlineMs: question.deadlineMs,
          clock: world.clock,
          runBeganMs: this.#beganMs,
          openKit: (target) => world.openKit(target, this.#first(question)),
          verbose: settings.verbose,
        }),
      onAttempt: (question, attempt, retrying) => this.#keep(question, attempt, retrying),
    });
  }

  #elapsedMs(): number {
    return Math.round(this.#world.clock.monotonicMs() - this.#beganMs);
  }

  /** True once for each question. */
  #first({ key }: Question): boolean {
    if (this.#begun.has(key)) return false;
    this.#begun.add(key);
    return true;
  }

  interrupt(by: Interruption): void {
    if (this.#interrupted !== undefined) return;
    this.#interrupted = by;
    this.#ending.abort();
    this.#onInterrupt();
    this.#schedule.interrupt();
  }

  #keep(question: Question, attempt: Attempt, retrying: boolean): void {
    const { wire } = attempt;
    const before = this.#attempts.get(question.key);
    // Nearly every question is asked once: a list that was made with its one attempt has no room for more.
    const attempts = before === undefined ? [attempt] : [...before, attempt];
    this.#attempts.set(question.key, attempts);
    this.#world.onEvent({
      event: 'attempt',
      t: this.#elapsedMs(),
      checks: this.#asked.get(question.key)?.checks ?? [],
      attempt: attempts.length,
      outcome: attempt.outcome,
      timings: attempt.timings,
      durationMs: attempt.durationMs,
      retrying,
      ...(wire === undefined ? {} : { wire }),
    });
  }

  async report(): Promise<Report> {
    const { maxTimeMs } = this.#settings;
    const timer = maxTimeMs === undefined ? undefined : setTimeout(() => this.interrupt('max-time'), maxTimeMs);
    const startedAt = new Date(this.#world.clock.wallMs()).toISOString();
    const { items, skipped } = await this.#bind();
    const { site } = this.#plan;
    this.#world.onEvent({
      event: 'started',
      t: this.#elapsedMs(),
      schema: 'linecheck/run-event/v1',
      tool: this.#world.tool,
      ...(site === undefined ? {} : { site }),
      startedAt,
      checks: items.length,
      asked: items.filter(({ question }) => question !== undefined).length,
      skipped: skipped.length,
    });
    await this.#ask(items);
    await this.#lookAgain();
    clearTimeout(timer);
    const sources = await this.#sources(items);
    return this.#conclude(items, sources, skipped, startedAt);
  }

  /** Names to addresses, once per name; a check for each address. */
  async #bind(): Promise<{ readonly items: readonly Item[]; readonly skipped: readonly Skipped[] }> {
    const { checks, skipped } = this.#plan;
    const hosts = new Set<string>();
    for (const check of checks) {
      // Behind a proxy names are the proxy's to look up: here they may not even be known.
      const host = this.#proxyOf(check)?.host ?? check.to.host;
      if (check.direction === 'out' && host !== undefined) hosts.add(host);
    }
    const resolutions = new Map<string, Resolution>();
    const resolving = [...hosts].map(async (host) => {
      resolutions.set(host, await this.#world.resolve(host));
    });
    await Promise.race([Promise.all(resolving), this.#interruption]);
    const items: Item[] = [];
    const unrouted: Skipped[] = [];
    for (const check of checks) {
      const proxy = this.#proxyOf(check);
      const host = proxy?.host ?? check.to.host;
      const resolution = host === undefined || check.direction === 'in' ? undefined : resolutions.get(host);
      if (proxy !== undefined) items.push(await this.#bindProxied(check, proxy, resolution));
      else if (resolution === undefined) items.push({ check });
      else if (!resolution.ok) items.push({ check, resolution });
      else await this.#bindAddresses(check, resolution, items, unrouted);
    }
    return { items, skipped: [...skipped, ...unrouted] };
  }

  #proxyOf({ direction, traits, to }: PlannedCheck): Proxy | undefined {
    if (direction === 'in' || traits.proxied === undefined || to.host === undefined) return undefined;
    return this.#world.proxyFor?.(traits.proxied === 'forward' ? 'http' : 'https', to.host, to.port ?? 0);
  }

  /** One check, whatever addresses the proxy has or finds. */
  async #bindProxied(planned: PlannedCheck, proxy: Proxy, resolution: Resolution | undefined): Promise<Item> {
    const check: BoundCheck = {
      ...planned,
      via: `${proxy.host.includes(':') ? `[${proxy.host}]` : proxy.host}:${proxy.port}`,
    };
    if (resolution === undefined) return { check };
    if (!resolution.ok) return { check, resolution: { ...resolution, detail: `the proxy: ${resolution.detail}` } };
    const wanted = resolution.found.filter(({ family }) => check.family === 'any' || family === check.family);
    const routes = await Promise.all(wanted.map(({ address, family }) => this.#world.routeTo(address, family)));
    const found = wanted.find((_, index) => routes[index] !== undefined) ?? wanted[0];
    if (found === undefined) {
      const detail = `the proxy ${proxy.host} has no IPv${check.family} address`;
      return { check, resolution: { ok: false, reason: 'no-address', detail } };
    }
    return {
      check,
      resolution: { ok: true, ms: resolution.ms },
      question: this.#questionOf(check, found.address, found.family, proxy),
    };
  }

  async #bindAddresses(
    check: PlannedCheck,
    resolution: Resolution & { readonly ok: true },
    items: Item[],
    unrouted: Skipped[],
  ): Promise<void> {
    const { host } = check.to;
    const wanted = resolution.found.filter(({ family }) => check.family === 'any' || family === check.family);
    if (wanted.length === 0) {
      const detail = `${host ?? ''} has no IPv${check.family} address`;
      items.push({ check, resolution: { ok: false, reason: 'no-address', detail } });
      return;
    }
    const literal = wanted.length === 1 && wanted[0]?.address === host;
    const routed = literal
      ? wanted
      : (
          await Promise.all(
            wanted.map(async (found) => ((await this.#world.routeTo(found.address, found.family)) ? [found] : [])),
          )
        ).flat();
    // Without any route at all, each is asked, and says so.
    const asked = routed.length === 0 ? wanted : routed;
    for (const { address, family } of wanted) {
      if (!asked.some((one) => one.address === address)) {
        const { profile, flow, title } = check;
        unrouted.push(skip(profile, { id: flow, title }, { kind: 'no-route-for-family', family, address }));
        continue;
      }
      const id = literal ? check.id : `${check.id}/${address}`;
      const bound: BoundCheck = { ...check, id, to: { address, ...check.to } };
      items.push({
        check: bound,
        resolution: { ok: true, ms: resolution.ms },
        question: this.#questionOf(bound, address, family),
      });
    }
  }

  #questionOf(check: BoundCheck, address: string, family: 4 | 6, proxy?: Proxy): Question {
    const { probe, options, carrier, sourcePort, answersFrom, broadcast, to, traits } = check;
    const port = proxy?.port ?? to.port ?? 0;
    const proxied: Proxied | undefined =
      proxy === undefined || traits.proxied === undefined ? undefined : { port: to.port ?? 0, how: traits.proxied };
    const host = to.host ?? address;
    const name = carrierName(carrier);
    const key = JSON.stringify([
      address,
      port,
      name,
      probe,
      options,
      host,
      sourcePort,
      answersFrom,
      broadcast,
      proxied,
    ]);
    const known = this.#asked.get(key);
    if (known !== undefined) {
      known.checks.push(check.id);
      return known.question;
    }
    const question: Question = {
      key,
      bound: this.#boundProbe(check, name),
      target: {
        address,
        family,
        port,
        host,
        ...(sourcePort === undefined ? {} : { sourcePort }),
        ...(answersFrom === undefined ? {} : { answersFrom }),
        ...(broadcast === undefined ? {} : { broadcast }),
        ...(proxied === undefined ? {} : { proxied }),
      },
      carrier: name,
      deadlineMs: this.#settings.timeoutMs,
      ...(sourcePort === undefined ? {} : { oneAtATime: `${name} ${sourcePort} ${address}` }),
    };
    this.#asked.set(key, { question, checks: [check.id] });
    return question;
  }

  /** One for all checks of a flow: a probe keeps nothing from one asking to the next. */
  #boundProbe({ probe: name, carrier, options }: BoundCheck, carrierWord: string): BoundProbe {
    const key = `${name} ${carrierWord}`;
    const known = this.#bound.get(options);
    const before = known?.get(key);
    if (before !== undefined) return before;
    const probe = this.#world.probes.get(name);
    if (probe === undefined) throw new Error(`the plan names a probe that was not loaded: ${name}`);
    const bound = probe.bind(carrier, options);
    if (known === undefined) this.#bound.set(options, new Map([[key, bound]]));
    else known.set(key, bound);
    return bound;
  }

  async #ask(items: readonly Item[]): Promise<void> {
    const questions = new Map<string, Question>();
    for (const { question } of items) if (question !== undefined) questions.set(question.key, question);
    await this.#schedule.ask([...questions.values()]);
  }

  async #lookAgain(): Promise<void> {
    const { diagnoseMs } = this.#settings;
    if (this.#interrupted !== undefined || diagnoseMs === undefined) return;
    const asked = [...this.#asked.values()].map(({ question }) => {
      const { target, carrier, deadlineMs } = question;
      return { question, target, carrier, deadlineMs };
    });
    const { looker } = this.#world;
    const seen = await lookAgain(asked, {
      budgetMs: diagnoseMs,
      clock: this.#world.clock,
      elapsedMs: () => this.#elapsedMs(),
      sleep: (ms) => this.#schedule.sleep(ms),
      stopped: () => this.#interrupted !== undefined,
      signal: this.#ending.signal,
      attemptsOf: ({ key }) => this.#attempts.get(key) ?? [],
      askAgain: (question) => this.#schedule.askOnce(question),
      attempt: (bound, target, deadlineMs) => {
        this.#looks += 1;
        return this.#schedule.attempt({ key: `look ${this.#looks}`, bound, target, carrier: 'tcp', deadlineMs });
      },
      ...(looker === undefined ? {} : { looker }),
      onLook: ({ key }, look) => {
        const [check = ''] = this.#asked.get(key)?.checks ?? [];
        this.#world.onEvent({ event: 'diagnosing', t: this.#elapsedMs(), check, look });
      },
    });
    for (const { key } of seen.missed) this.#undiagnosed.add(key);
    for (const [{ key }, evidence] of seen.evidence) this.#evidence.set(key, evidence);
  }

  /** The address that each question left from, by target: of a socket that failed only the routes know it. */
  async #sources(items: readonly Item[]): Promise<ReadonlyMap<string, string>> {
    const sources = new Map<string, string>();
    for (const { question } of items) {
      if (question === undefined || sources.has(question.target.address)) continue;
      const { address, family } = question.target;
      const attempts = this.#attempts.get(question.key) ?? [];
      const local =
        attempts.find(({ localAddress }) => localAddress !== undefined)?.localAddress ??
        (await this.#world.routeTo(address, family));
      if (local !== undefined) sources.set(address, local);
    }
    return sources;
  }

  #conclude(
    items: readonly Item[],
    sources: ReadonlyMap<string, string>,
    skipped: readonly Skipped[],
    startedAt: string,
  ): Report {
    const records = items.map((item) => this.#recordOf(item, sources));
    const record: RunRecord = { checks: records, accept: this.#settings.accept };
    const { nagios, failOn } = this.#settings;
    const report = reportOf(record, judge(record), {
      tool: this.#world.tool,
      ...(this.#plan.site === undefined ? {} : { site: this.#plan.site }),
      startedAt,
      durationMs: this.#elapsedMs(),
      ...(this.#interrupted === undefined ? {} : { interrupted: this.#interrupted }),
      notices: noticesOf(records),
      skipped,
      exit: { nagios, ...(failOn === undefined ? {} : { failOn }) },
    });
    for (const check of report.checks) this.#world.onEvent({ event: 'check', t: this.#elapsedMs(), check });
    this.#world.onEvent({
      event: 'finished',
      t: this.#elapsedMs(),
      durationMs: report.durationMs,
      ...(report.interrupted === undefined ? {} : { interrupted: report.interrupted }),
      summary: report.summary,
    });
    return report;
  }

  #recordOf({ check, resolution, question }: Item, sources: ReadonlyMap<string, string>): CheckRecord {
    const attempts = question === undefined ? [] : (this.#attempts.get(question.key) ?? []);
    const local = question === undefined ? undefined : sources.get(question.target.address);
    const unresolved =
      question === undefined && check.direction === 'out' && check.to.host !== undefined && resolution === undefined;
    const { role, host } = check.from;
    return {
      check:
        local === undefined
          ? check
          : { ...check, from: { role, address: local, ...(host === undefined ? {} : { host }) } },
      attempts,
      evidence: question === undefined ? [] : (this.#evidence.get(question.key) ?? []),
      ...(resolution === undefined ? {} : { resolution }),
      ...(unresolved || (question !== undefined && attempts.length === 0) ? { interrupted: true } : {}),
      ...(question !== undefined && this.#undiagnosed.has(question.key) ? { undiagnosed: true } : {}),
    };
  }
}

/** Firewall rules match the source: a run from another address than the role's proves another rule. */
function noticesOf(records: readonly CheckRecord[]): readonly string[] {
  const notices = new Set<string>();
  for (const { check } of records) {
    const { role, host, address } = check.from;
    if (check.direction === 'in' || host === undefined || address === undefined || host === address) continue;
    notices.add(
      `This run asked from ${address}, which is not the address of role ${role} in the site (${host}): firewall rules match the source.`,
    );
  }
  return [...notices];
}

/** Starts a run. `done` rejects only for a fault of our own. */
export function startCheck(plan: Plan, settings: CheckSettings, world: World): RunningCheck {
  const run = new Run(plan, settings, world);
  return { done: run.report(), interrupt: (by) => run.interrupt(by) };
}
