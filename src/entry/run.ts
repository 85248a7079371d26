// A run in this process: the real world for check.ts, the signals that end it, and the clock.
import process from 'node:process';
import { startCheck } from '../check.js';
import type { CheckSettings, World } from '../check.js';
import type { Plan } from '../contract/flow.js';
import type { FindPath } from '../contract/look.js';
import type { Clock } from '../contract/ledger.js';
import type { BoundProbe, Probe } from '../contract/probe.js';
import type { Report, Tool } from '../contract/report.js';
import type { RunEvent } from '../contract/run-event.js';
import type { Looker } from '../diagnose/second-look.js';
import { kernelAccess } from '../net/kernel.js';
import type { Kernel } from '../net/kernel.js';
import { openKit } from '../net/kit.js';
import { resolveName } from '../net/names.js';
import { openSegments } from '../net/segments.js';
import type { Segments } from '../net/segments.js';
import { descriptorLimit, routeTo, sight, sourceOf } from '../net/sight.js';
import type { Source } from '../net/sight.js';
import { networkInterfaces } from 'node:os';
import { proxiesOf } from '../plan/proxy.js';
import type { Setting } from './cli.js';
import { UsageError } from './fail.js';
import { loadSecrets } from './secrets.js';
import { loadProbes } from './selection.js';

export const clock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => performance.timeOrigin + performance.now(),
};

export async function toolOf({ version }: Setting): Promise<Tool> {
  const { versions, platform } = process;
  return { name: 'linecheck', version, node: versions.node, platform, ...(await sight()) };
}

/** Besides sockets: the standard streams, the event loop's own, files being written. */
const RESERVED_DESCRIPTORS = 64;

const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export interface RunOptions {
  readonly plan: Plan;
  readonly probes: ReadonlyMap<string, Probe>;
  readonly settings: CheckSettings;
  /** Gets each event with every secret struck out. */
  readonly onEvent: (event: RunEvent) => void;
}

/** Loaded for a second look alone. */
async function looker(source?: Source): Promise<Looker> {
  const found = await loadProbes(['icmp', 'tcp']);
  const bound = (name: 'icmp' | 'tcp'): BoundProbe => {
    const probe = found.get(name);
    if (probe === undefined) throw new Error(`the registry has no probe ${name}, which the second look needs`);
    return probe.bind(name, {});
  };
  return {
    echo: bound('icmp'),
    connect: bound('tcp'),
    findPath: await pathFinder(source),
  };
}

/** What this machine's kernel lets us see beside errno: nothing, more, and with CAP_NET_RAW most. */
async function kernelEyes(): Promise<{ readonly kernel?: Kernel; readonly segments?: Segments }> {
  const access = await kernelAccess();
  if ('missing' in access) return {};
  const { kernel } = access;
  const segments = openSegments(kernel);
  return { kernel, ...(segments === undefined ? {} : { segments }) };
}

/** Loaded where a path is searched. */
export async function pathFinder(source?: Source): Promise<FindPath> {
  const [eyes, { pathFinder: finder }] = await Promise.all([kernelEyes(), import('../net/path.js')]);
  return finder({
    clock,
    ...eyes,
    ...(source === undefined ? {} : { source }),
  });
}

/** Runs and reports; Ctrl-C and SIGTERM end it early, with the partial report. A second signal ends the process. Throws UsageError. */
export async function runHere(setting: Setting, { plan, probes, settings, onEvent }: RunOptions): Promise<Report> {
  const source = plan.source === undefined ? undefined : sourceOf(plan.source);
  if (plan.source !== undefined && source === undefined) {
    throw new UsageError({
      what: `source ${plan.source} is neither an address nor an interface of this machine`,
      expected: `${Object.keys(networkInterfaces()).join(', ')}, or an address of one of these`,
    });
  }
  const proxies = proxiesOf(plan.proxy, process.env);
  if (!proxies.ok) throw new UsageError(...proxies.problems);
  const secrets = loadSecrets(plan);
  const tool = await toolOf(setting);
  const concurrency = Math.max(1, Math.min(settings.limits.concurrency, descriptorLimit() - RESERVED_DESCRIPTORS));
  const eyes = await kernelEyes();
  const kit = {
    clock,
    verbose: settings.verbose,
    login: plan.login,
    secret: (name: string) => secrets.get(name),
    ...(source === undefined ? {} : { source }),
    ...(eyes.kernel === undefined ? {} : { kernel: eyes.kernel }),
  };
  const { segments } = eyes;
  // From this machine to itself is no distance, and to overhear each of its addresses would take a socket for each.
  const overheard = (address: string): { readonly segments?: Segments } =>
    segments === undefined || /^127\.|^::1$/.test(address) ? {} : { segments };
  const world: World = {
    clock,
    tool,
    probes,
    resolve: (host) => resolveName(host, () => clock.monotonicMs()),
    routeTo: (address, family) => (source === undefined ? routeTo(address, family) : Promise.resolve(source[family])),
    openKit: (target, first) => openKit(target, { ...kit, ...overheard(target.address), login: kit.login && first }),
    proxyFor: proxies.value,
    looker: () => looker(source),
    onEvent: (event) => onEvent(secrets.redact(event)),
  };
  const running = startCheck(plan, { ...settings, limits: { ...settings.limits, concurrency } }, world);
  let ending = false;
  const onSignal = (signal: keyof typeof SIGNAL_CODES): void => {
    if (ending) process.exit(SIGNAL_CODES[signal]);
    ending = true;
    running.interrupt(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  const report = await running.done;
  // The report is still to be written, and files to be put in their places: whoever interrupts that ends the process.
  ending = true;
  return secrets.redact(report);
}
