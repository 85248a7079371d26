// linecheck trace: where one flow ends, beside a control.
import { Option } from 'commander';
import type { Command } from 'commander';
import process from 'node:process';
import type { FindPath } from '../contract/look.js';
import type { ExitCode } from '../contract/report.js';
import type { Trace } from '../report/trace.js';
import { parseDuration } from '../plan/duration.js';
import type { Done } from './commands.js';
import type { Setting } from './cli.js';
import { together, UsageError } from './fail.js';
import { addFormat } from './format.js';
import { print, styleOf } from './terminal.js';

/** IANA keeps TCP 1023 reserved, so that no service has it. */
const CONTROL_PORT = 1023;
const MOST_BUDGET_MS = 60_000;

interface TraceFlags {
  readonly family?: '4' | '6';
  readonly control: string;
  readonly timeout: string;
  readonly format: 'text' | 'json';
}

type CarrierName = 'tcp' | 'udp';

export function trace(program: Command, setting: Setting, done: Done): void {
  const command = program
    .command('trace')
    .description('where a flow ends: its own path, hop by hop')
    .argument('<carrier>', 'tcp or udp')
    .argument('<host>', 'address or name; each of its addresses is traced')
    .argument('<port>', 'the port of the flow')
    .addOption(new Option('--family <4|6>', 'one address family alone').choices(['4', '6']))
    .option('--control <port|off>', 'a TCP port of the host that must be shut, to compare with', String(CONTROL_PORT))
    .option('--timeout <duration>', 'for each path', '3s');
  addFormat(command)
    .addHelpText(
      'after',
      `
Sends the flow's own packets with a growing TTL, and no more of them than
needed; a connection that is made is closed at once, without a byte.

Exit codes: 0 the host answers, 1 it does not, 2 usage, 3 this machine cannot
            look (linecheck doctor tells why).

Examples:
  linecheck trace tcp 192.0.2.1 8305
  linecheck trace udp ntp.example.net 123 --family 6 --format json`,
    )
    .action(async (carrier: string, host: string, port: string, flags: TraceFlags) =>
      done(await run(setting, carrier, host, port, flags)),
    );
}

function carrierOf(text: string): CarrierName {
  if (text === 'tcp' || text === 'udp') return text;
  throw new UsageError({ what: `cannot trace ${JSON.stringify(text)}`, expected: 'tcp or udp' });
}

function portOf(what: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535) return Number(text);
  throw new UsageError({ what: `${what} cannot be ${JSON.stringify(text)}`, expected: '1 to 65535' });
}

async function hostOf(text: string): Promise<string> {
  const { parseHost } = await import('../plan/address.js');
  const host = parseHost(text);
  if (host.ok) return host.host;
  throw new UsageError({ what: `host ${JSON.stringify(text)} ${host.why}` });
}

function budgetOf(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= 100 && ms <= MOST_BUDGET_MS) return ms;
  throw new UsageError({ what: `--timeout cannot be ${text}`, expected: 'a duration such as 3s, 100ms to 60s' });
}

async function run(
  setting: Setting,
  carrierText: string,
  hostText: string,
  portText: string,
  flags: TraceFlags,
): Promise<ExitCode> {
  const [carrier, host, port, control, budgetMs] = await together(
    Promise.resolve(carrierText).then(carrierOf),
    hostOf(hostText),
    Promise.resolve(portText).then((text) => portOf('the port', text)),
    Promise.resolve(flags.control).then((text) => (text === 'off' ? undefined : portOf('--control', text))),
    Promise.resolve(flags.timeout).then(budgetOf),
  );
  const { clock, pathFinder, toolOf } = await import('./run.js');
  const { resolveName } = await import('../net/names.js');
  const resolved = await resolveName(host, () => clock.monotonicMs());
  if (!resolved.ok)
    throw new UsageError({ what: `${host}: ${resolved.detail}`, expected: 'an address, or a name that has one' });
  const found = resolved.found.filter(({ family }) => flags.family === undefined || String(family) === flags.family);
  if (found.length === 0) throw new UsageError({ what: `${host} has no IPv${flags.family ?? ''} address` });

  const findPath = await pathFinder();
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const traces: Trace[] = [];
  for (const { address, family } of found) {
    const search = (of: CarrierName, at: number): ReturnType<FindPath> =>
      findPath({ address, family, carrier: of, port: at }, { budgetMs, signal: stop.signal });
    // One after the other: they would take each other's share of what routers answer.
    const flow = await search(carrier, port);
    if (flow === undefined) return cannotLook();
    const shut =
      control === undefined || (carrier === 'tcp' && control === port) ? undefined : await search('tcp', control);
    traces.push({
      host,
      address,
      family,
      carrier,
      flow: { port, path: flow },
      ...(shut === undefined || control === undefined ? {} : { control: { port: control, path: shut } }),
    });
  }
  const { traceJson, traceReached, traceView } = await import('../report/trace.js');
  await print(
    flags.format === 'json' ? traceJson(await toolOf(setting), traces) : traceView(traces, styleOf(process.stdout)),
  );
  if (stop.signal.aborted) return 130;
  return traces.every(traceReached) ? 0 : 1;
}

async function cannotLook(): Promise<ExitCode> {
  await print(
    'This machine cannot search paths: that takes Linux and the optional package koffi (linecheck doctor tells more).\n',
    process.stderr,
  );
  return 3;
}
