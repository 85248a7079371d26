// linecheck check: the run that everything else serves.
import type { Command } from 'commander';
import process from 'node:process';
import type { CheckSettings } from '../check.js';
import type { Problem } from '../contract/flow.js';
import type { ExitCode } from '../contract/report.js';
import type { VerdictWord } from '../contract/verdict.js';
import type { Done } from './commands.js';
import type { Setting } from './cli.js';
import { together, UsageError } from './fail.js';
import type { OutputFlags, Wanted } from './output.js';
import { makeRoomFor } from './memory.js';
import { addSelection, gather, loadPlan, warn } from './selection.js';
import type { SelectionFlags } from './selection.js';
import { print, styleOf } from './terminal.js';

/** Enough for a neighbour lookup to fail (3.06 s) and for three retransmissions of a SYN. */
const DEFAULT_TIMEOUT = '5s';
/** Below it Linux cannot tell an absent host from a dropped packet: neighbour discovery takes three seconds. */
const LEAST_TIMEOUT_MS = 3500;
const MOST_TIMEOUT_MS = 600_000;
const DAY_MS = 86_400_000;
/** One appliance is not asked everything at once. */
const MOST_PER_HOST = 64;
/** The verdicts that a failing flow can have. `open` is that of a flow that must be blocked. */
const FAILING: readonly VerdictWord[] = [
  'open',
  'denied',
  'closed',
  'blocked',
  'unreachable',
  'intercepted',
  'wrong-service',
];

interface CheckFlags extends SelectionFlags, OutputFlags {
  readonly timeout: string;
  readonly retries: string;
  readonly concurrency: string;
  readonly diagnose: string;
  readonly maxTime?: string;
  readonly acceptUnproven?: boolean;
  readonly failOn?: readonly string[];
  readonly exit?: string;
}

export function check(program: Command, setting: Setting, done: Done): void {
  addSelection(program.command('check').description('check every flow of a site and say what stops those that fail'))
    .option(
      '--format <name[:file]>',
      'table, text, json, ndjson, markdown, github, junit, nagios or prometheus, to the screen or a file (repeatable)',
      gather,
    )
    .option('--timeout <duration>', 'how long to wait for one answer, at least 3.5s', DEFAULT_TIMEOUT)
    .option('--retries <n>', 'how often to ask again what stays silent', '0')
    .option('--concurrency <n>', 'how many to ask at once', '512')
    .option('--diagnose <duration|off>', 'time for a second look at what fell silent', '10s')
    .option('--max-time <duration>', 'end the run after this long, with what was seen by then')
    .option('--login', 'use the credentials that the site names')
    .option('--accept-unproven', 'exit 0 when nothing fails, even if something is unproven')
    .option('--fail-on <verdicts>', 'only failures of these exit 1, such as blocked,closed', gather)
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
  linecheck check site.yaml --format junit:junit.xml --format github
  linecheck check site.yaml --quiet --format nagios --exit nagios

linecheck plan takes the same site and flags, and shows what would be sent.`,
    )
    .action(async (site: string | undefined, flags: CheckFlags) =>
      done(await asAsked(flags, run(setting, site, flags))),
    );
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

function notAFailure(word: string): Problem | undefined {
  if (word !== 'unproven' && word !== 'error') return undefined;
  const what = `--fail-on ${word}: such a flow never fails; the run exits 3 for it, whatever --fail-on says`;
  return { what, expected: `some of ${FAILING.join(', ')}` };
}

async function failOnOf(texts: readonly string[] | undefined): Promise<readonly VerdictWord[] | undefined> {
  if (texts === undefined) return undefined;
  const { suggestion } = await import('../plan/nearest.js');
  const words = texts.flatMap((text) => text.split(',')).map((word) => word.trim());
  const known = new Set<string>(FAILING);
  const problems = words.flatMap((word): Problem[] => {
    if (known.has(word)) return [];
    const { hint, ...expected } = suggestion(word, FAILING);
    return [notAFailure(word) ?? { what: `--fail-on ${word}: no such verdict${hint}`, ...expected }];
  });
  if (problems.length > 0) throw new UsageError(...problems);
  return FAILING.filter((word) => words.includes(word));
}

/** What the flags alone say. Throws UsageError. */
async function settingsOf(flags: CheckFlags): Promise<Omit<CheckSettings, 'accept'>> {
  const [timeoutMs, retries, concurrency, diagnoseMs, maxTimeMs, nagios, failOn] = await together(
    durationOf('--timeout', flags.timeout, LEAST_TIMEOUT_MS, MOST_TIMEOUT_MS),
    countOf('--retries', flags.retries, 0, 10),
    countOf('--concurrency', flags.concurrency, 1, 10_000),
    flags.diagnose === 'off'
      ? Promise.resolve(undefined)
      : durationOf('--diagnose', flags.diagnose, 1, MOST_TIMEOUT_MS),
    flags.maxTime === undefined ? Promise.resolve(undefined) : durationOf('--max-time', flags.maxTime, 1, DAY_MS),
    nagiosOf(flags.exit),
    failOnOf(flags.failOn),
  );
  return {
    limits: { concurrency, perHost: Math.min(concurrency, MOST_PER_HOST), retries },
    timeoutMs,
    ...(diagnoseMs === undefined ? {} : { diagnoseMs }),
    ...(maxTimeMs === undefined ? {} : { maxTimeMs }),
    nagios,
    ...(failOn === undefined ? {} : { failOn }),
    verbose: false,
  };
}

/**
 * A monitoring system takes 2, our code for a mistake, for CRITICAL: with `--exit nagios` it is 3, UNKNOWN (Monitoring
 * Plugins guidelines, "Plugin Return Codes"), and stands on the line that such a system reads.
 */
async function asAsked(flags: CheckFlags, running: Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await running;
  } catch (error) {
    if (flags.exit !== 'nagios' || !(error instanceof UsageError)) throw error;
    const { problemLines } = await import('../report/problems.js');
    const told = problemLines(error.problems, styleOf(process.stderr));
    await print(told, process.stderr);
    if (flags.format?.includes('nagios') === true) {
      const { nagiosUnknown } = await import('../report/nagios.js');
      await print(nagiosUnknown(told.split('\n')[0] ?? ''));
    }
    return 3;
  }
}

/** A state on the screen that the exit code does not tell is one that a monitoring system gets wrong. */
function oddities(wanted: readonly Wanted[], { exit }: CheckFlags): readonly Problem[] {
  const shown = wanted.some(({ name, file }) => name === 'nagios' && file === undefined);
  if (!shown || exit === 'nagios') return [];
  return [{ what: '--format nagios without --exit nagios: a monitoring system takes exit code 1 for a warning' }];
}

async function run(setting: Setting, site: string | undefined, flags: CheckFlags): Promise<ExitCode> {
  const { openOutput, wantedOf } = await import('./output.js');
  const [settings, wanted, { plan, probes, warnings }] = await together(
    settingsOf(flags),
    wantedOf(flags),
    loadPlan(setting, site, flags),
  );
  makeRoomFor(plan.checks.length);
  const { runHere } = await import('./run.js');
  if (flags.quiet !== true) await warn([...warnings, ...oddities(wanted, flags)]);
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
