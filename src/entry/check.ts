// linecheck check: the run that everything else serves.
import type { Command } from 'commander';
import type { ExitCode } from '../contract/report.js';
import type { CheckSettings } from '../check.js';
import type { Done } from './commands.js';
import type { Setting } from './cli.js';
import { together, UsageError } from './fail.js';
import type { OutputFlags } from './output.js';
import { addSelection, gather, loadPlan, warn } from './selection.js';
import type { SelectionFlags } from './selection.js';

/** Enough for a neighbour lookup to fail (3.06 s) and for three retransmissions of a SYN. */
const DEFAULT_TIMEOUT = '5s';
/** Below it Linux cannot tell an absent host from a dropped packet: neighbour discovery takes three seconds. */
const LEAST_TIMEOUT_MS = 3500;
const MOST_TIMEOUT_MS = 600_000;
const DAY_MS = 86_400_000;
/** One appliance is not asked everything at once. */
const MOST_PER_HOST = 64;

interface CheckFlags extends SelectionFlags, OutputFlags {
  readonly timeout: string;
  readonly retries: string;
  readonly concurrency: string;
  readonly diagnose: string;
  readonly maxTime?: string;
  readonly acceptUnproven?: boolean;
  readonly exit?: string;
}

export function check(program: Command, setting: Setting, done: Done): void {
  addSelection(program.command('check').description('check every flow of a site and say what stops those that fail'))
    .option('--format <name[:file]>', 'table, json or ndjson, to the screen or a file (repeatable)', gather)
    .option('--timeout <duration>', 'how long to wait for one answer, at least 3.5s', DEFAULT_TIMEOUT)
    .option('--retries <n>', 'how often to ask again what stays silent', '0')
    .option('--concurrency <n>', 'how many to ask at once', '512')
    .option('--diagnose <duration|off>', 'time for a second look at what fell silent', '10s')
    .option('--max-time <duration>', 'end the run after this long, with what was seen by then')
    .option('--login', 'use the credentials that the site names')
    .option('--accept-unproven', 'exit 0 when nothing fails, even if something is unproven')
    .option('--exit <convention>', 'nagios: exit 0, 1, 2 or 3 as a monitoring plug-in does')
    .option('--quiet', 'no progress, and no table unless asked for')
    .addHelpText(
      'after',
      `
Examples:
  linecheck check site.yaml
  linecheck check --profile kvmnet-access-management --as manager \\
    --host device=192.0.2.11 --host ldap-server=none
  linecheck check site.yaml --flow '*ldap*' --format json:report.json
  linecheck check site.yaml --accept-unproven --format ndjson

linecheck plan takes the same site and flags, and shows what would be sent.`,
    )
    .action(async (site: string | undefined, flags: CheckFlags) => done(await run(setting, site, flags)));
}

/** Milliseconds; throws UsageError. */
async function durationOf(flag: string, text: string, least: number, most: number): Promise<number> {
  const { parseDuration } = await import('../plan/duration.js');
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= least && ms <= most) return ms;
  const bounds = least > 1 ? `from ${least / 1000}s to ${most / 1000}s` : `up to ${most / 1000}s`;
  throw new UsageError({ what: `${flag} cannot be ${text}`, expected: `a duration such as 5s or 2m, ${bounds}` });
}

function countOf(flag: string, text: string, least: number, most: number): Promise<number> {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (count >= least && count <= most) return Promise.resolve(count);
  const expected = `a number from ${least} to ${most}`;
  return Promise.reject(new UsageError({ what: `${flag} cannot be ${text}`, expected }));
}

function nagiosOf(exit: string | undefined): Promise<boolean> {
  if (exit === undefined || exit === 'nagios') return Promise.resolve(exit === 'nagios');
  return Promise.reject(new UsageError({ what: `--exit cannot be ${exit}`, expected: 'nagios' }));
}

/** What the flags alone say. Throws UsageError. */
async function settingsOf(flags: CheckFlags): Promise<Omit<CheckSettings, 'accept'>> {
  const [timeoutMs, retries, concurrency, diagnoseMs, maxTimeMs, nagios] = await together(
    durationOf('--timeout', flags.timeout, LEAST_TIMEOUT_MS, MOST_TIMEOUT_MS),
    countOf('--retries', flags.retries, 0, 10),
    countOf('--concurrency', flags.concurrency, 1, 10_000),
    flags.diagnose === 'off'
      ? Promise.resolve(undefined)
      : durationOf('--diagnose', flags.diagnose, 1, MOST_TIMEOUT_MS),
    flags.maxTime === undefined ? Promise.resolve(undefined) : durationOf('--max-time', flags.maxTime, 1, DAY_MS),
    nagiosOf(flags.exit),
  );
  return {
    limits: { concurrency, perHost: Math.min(concurrency, MOST_PER_HOST), retries },
    timeoutMs,
    ...(diagnoseMs === undefined ? {} : { diagnoseMs }),
    ...(maxTimeMs === undefined ? {} : { maxTimeMs }),
    nagios,
    verbose: false,
  };
}

async function run(setting: Setting, site: string | undefined, flags: CheckFlags): Promise<ExitCode> {
  const { openOutput, wantedOf } = await import('./output.js');
  const [settings, wanted, { plan, probes, warnings }] = await together(
    settingsOf(flags),
    wantedOf(flags),
    loadPlan(setting, site, flags),
  );
  const { runHere } = await import('./run.js');
  if (flags.quiet !== true) await warn(warnings);
  const output = await openOutput(wanted, flags);
  try {
    const report = await runHere(setting, {
      plan,
      probes,
      settings: { ...settings, accept: flags.acceptUnproven === true ? 'all' : plan.acceptHow },
      onEvent: (event) => output.onEvent(event),
    });
    await output.finish(report);
    return report.summary.exitCode;
  } catch (error) {
    output.abandon();
    throw error;
  }
}
