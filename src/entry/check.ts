// linecheck check: the run that everything else serves.
import type { Command } from 'commander';
import type { ExitCode } from '../contract/report.js';
import type { CheckSettings } from '../check.js';
import type { Done } from './commands.js';
import type { Setting } from './cli.js';
import { UsageError } from './fail.js';
import type { OutputFlags } from './output.js';
import { addSelection, gather, loadPlan, warn } from './selection.js';
import type { SelectionFlags } from './selection.js';

/** Enough for a neighbour lookup to fail (3.06 s) and for three retransmissions of a SYN. */
const DEFAULT_TIMEOUT = '5s';
/** Below it Linux cannot tell an absent host from a dropped packet: neighbour discovery takes three seconds. */
const LEAST_TIMEOUT_MS = 3500;
const MOST_TIMEOUT_MS = 600_000;

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
    .option('--format <name[:file]>', 'table, json or ndjson, to the screen or a file (repeatable)', gather, [])
    .option('--timeout <duration>', 'for one asking, at least 3.5s', DEFAULT_TIMEOUT)
    .option('--retries <n>', 'more askings of what stays silent', '0')
    .option('--concurrency <n>', 'askings at once', '256')
    .option('--diagnose <duration|off>', 'time for a second look at what fell silent', '10s')
    .option('--max-time <duration>', 'end the whole run after this long, with what was seen')
    .option('--login', 'use the credentials that the site names')
    .option('--accept-unproven', 'exit 0 when nothing fails, even if something is unproven')
    .option('--exit <convention>', 'nagios: exit 0, 1, 2 or 3 as a monitoring plug-in does')
    .option('--quiet', 'no progress, and no table unless asked for')
    .addHelpText(
      'after',
      `
Examples:
  linecheck check site.yaml
  linecheck check --profile kvmnet-access-management --as manager --host device=192.0.2.11
  linecheck check site.yaml --flow '*ldap*' --format json:report.json
  linecheck check site.yaml --accept-unproven --quiet --format ndjson`,
    )
    .action(async (site: string | undefined, flags: CheckFlags) => done(await run(setting, site, flags)));
}

/** Milliseconds; throws UsageError. */
async function durationOf(flag: string, text: string, least: number, most: number): Promise<number> {
  const { parseDuration } = await import('../plan/duration.js');
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= least && ms <= most) return ms;
  const bounds = least > 1 ? `from ${least / 1000}s to ${most / 1000}s` : `up to ${most / 1000}s`;
  throw new UsageError({ what: `${flag} ${text}`, expected: `a duration such as 5s or 500ms, ${bounds}` });
}

function countOf(flag: string, text: string, least: number, most: number): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (count >= least && count <= most) return count;
  throw new UsageError({ what: `${flag} ${text}`, expected: `a number from ${least} to ${most}` });
}

async function settingsOf(flags: CheckFlags, acceptHow: readonly string[]): Promise<CheckSettings> {
  const day = 86_400_000;
  const diagnoseMs =
    flags.diagnose === 'off' ? undefined : await durationOf('--diagnose', flags.diagnose, 0, MOST_TIMEOUT_MS);
  const maxTimeMs = flags.maxTime === undefined ? undefined : await durationOf('--max-time', flags.maxTime, 1, day);
  const concurrency = countOf('--concurrency', flags.concurrency, 1, 10_000);
  return {
    limits: {
      concurrency,
      perHost: Math.min(concurrency, 64),
      retries: countOf('--retries', flags.retries, 0, 10),
    },
    timeoutMs: await durationOf('--timeout', flags.timeout, LEAST_TIMEOUT_MS, MOST_TIMEOUT_MS),
    ...(diagnoseMs === undefined ? {} : { diagnoseMs }),
    ...(maxTimeMs === undefined ? {} : { maxTimeMs }),
    accept: flags.acceptUnproven === true ? 'all' : acceptHow,
    nagios: flags.exit === 'nagios',
    verbose: false,
  };
}

async function run(setting: Setting, site: string | undefined, flags: CheckFlags): Promise<ExitCode> {
  if (flags.exit !== undefined && flags.exit !== 'nagios') {
    throw new UsageError({ what: `--exit ${flags.exit}`, expected: 'nagios' });
  }
  const { plan, probes, warnings } = await loadPlan(setting, site, flags);
  const settings = await settingsOf(flags, plan.acceptHow);
  const { openOutput } = await import('./output.js');
  const { runHere } = await import('./run.js');
  if (flags.quiet !== true) await warn(warnings);
  const output = await openOutput(flags);
  try {
    const report = await runHere(setting, {
      plan,
      probes,
      settings,
      onEvent: (event) => output.onEvent(event),
    });
    await output.finish(report);
    return report.summary.exitCode;
  } catch (error) {
    output.abandon();
    throw error;
  }
}
