// linecheck probe: one probe by hand, against one target.
import { Option } from 'commander';
import type { Command } from 'commander';
import process from 'node:process';
import { carrierName } from '../check.js';
import type { Plan, PlannedCheck, Problem, SecretSource } from '../contract/flow.js';
import type { WireEvent } from '../contract/outcome.js';
import type { BoundProbe, Carrier, Probe } from '../contract/probe.js';
import type { ExitCode } from '../contract/report.js';
import { parseDuration } from '../plan/duration.js';
import type { Done } from './commands.js';
import type { Setting } from './cli.js';
import { UsageError } from './fail.js';
import { addFormat } from './format.js';
import { gather, loadProbes, orFail } from './selection.js';
import { print, styleOf } from './terminal.js';

interface ProbeFlags {
  readonly with: readonly string[];
  readonly secret: readonly string[];
  readonly carrier?: 'tcp' | 'udp' | 'icmp';
  readonly source?: string;
  readonly timeout: string;
  readonly login?: boolean;
  readonly verbose?: boolean;
  readonly format: 'text' | 'json';
}

export function probe(program: Command, setting: Setting, done: Done): void {
  const command = program
    .command('probe')
    .description('ask one target by hand, with one probe')
    .argument('<name>', 'the probe (linecheck probes lists them)')
    .argument('<target>', 'address or name, with a port where it is not the usual one: 192.0.2.1, [2001:db8::1]:8443')
    .option(
      '--with <option=value>',
      'an option of the probe (repeatable; linecheck probes NAME lists them)',
      gather,
      [],
    )
    .option('--secret <name=env:VAR|file:PATH>', 'a secret that an option names (repeatable)', gather, [])
    .addOption(new Option('--carrier <name>', 'where the probe has several').choices(['tcp', 'udp', 'icmp']))
    .option('--source <address|interface>', 'where to ask from')
    .option('--timeout <duration>', 'how long to wait for the answer', '5s')
    .option('--login', 'use the credentials that the options name')
    .option('--verbose', 'show what went over the wire');
  addFormat(command)
    .addHelpText(
      'after',
      `
Examples:
  linecheck probe ssh 192.0.2.1
  linecheck probe https 192.0.2.1:8443 --with path=/health --verbose
  linecheck probe tls '[2001:db8::1]:8305' --with ca=site --secret site=file:ca.pem`,
    )
    .action(async (name: string, target: string, flags: ProbeFlags) => done(await run(setting, name, target, flags)));
}

interface Spot {
  readonly host: string;
  readonly port?: number;
}

/** `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address. Throws UsageError. */
async function spotOf(text: string): Promise<Spot> {
  const { parseHost } = await import('../plan/address.js');
  const bracketed = /^\[([^\]]+)\](?::(\d{1,6}))?$/.exec(text);
  const plain = /^([^:]+):(\d{1,6})$/.exec(text);
  const [, written = text, digits] = bracketed ?? plain ?? [];
  const host = parseHost(written);
  if (!host.ok) throw new UsageError({ what: `target ${JSON.stringify(written)} ${host.why}` });
  if (digits === undefined) return { host: host.host };
  const port = Number(digits);
  if (port < 1 || port > 65535) {
    throw new UsageError({ what: `target ${text}: port ${digits}`, expected: 'a port from 1 to 65535' });
  }
  return { host: host.host, port };
}

function splitAt(flag: string, text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError({ what: `${flag} ${text}`, expected: 'name=value' });
  return [text.slice(0, at), text.slice(at + 1)];
}

function typesOf(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own = 'type' in schema && typeof schema.type === 'string' ? [schema.type] : [];
  const inner = 'anyOf' in schema && Array.isArray(schema.anyOf) ? schema.anyOf.flatMap(typesOf) : [];
  return [...own, ...inner];
}

/** A shell knows only text; the option's schema says what else it may be. */
function valueOf(text: string, types: readonly string[]): unknown {
  if ((types.includes('integer') || types.includes('number')) && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (types.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if (types.includes('array') && (!types.includes('string') || text.includes(','))) {
    return text.split(',').map((part) =>
      valueOf(
        part,
        types.filter((type) => type !== 'array'),
      ),
    );
  }
  return text;
}

/** Validated by the probe's own schema. Throws UsageError with all that is wrong. */
async function optionsOf(named: Probe, given: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { checked, jsonSchemaOf } = await import('../plan/issues.js');
  const { isRecord } = await import('../plan/document.js');
  const { Problems } = await import('../plan/problem.js');
  const { properties } = jsonSchemaOf(named.options);
  const value = Object.fromEntries(
    given.map((text) => {
      const [key, written] = splitAt('--with', text);
      const schema = isRecord(properties) ? properties[key] : undefined;
      return [key, valueOf(written, typesOf(schema))];
    }),
  );
  const problems = new Problems();
  const top = `the options of probe ${named.name}`;
  const options = checked(named.options, { value, place: () => undefined, top }, problems);
  return orFail(problems.finish(() => (isRecord(options) ? options : {})));
}

function secretsOf(given: readonly string[]): Readonly<Record<string, SecretSource>> {
  return Object.fromEntries(
    given.map((text): [string, SecretSource] => {
      const [name, source] = splitAt('--secret', text);
      if (source.startsWith('env:')) return [name, { env: source.slice(4) }];
      if (source.startsWith('file:')) return [name, { file: source.slice(5) }];
      throw new UsageError({
        what: `--secret ${name}=…`,
        expected: 'env:VARIABLE or file:PATH; a secret never stands in a command',
      });
    }),
  );
}

function carrierOf(named: Probe, wanted: ProbeFlags['carrier']): Carrier {
  const [first] = named.carriers;
  const carrier = wanted === undefined ? first : named.carriers.find((one) => one === wanted);
  if (carrier !== undefined) return carrier;
  const known = named.carriers.map((one) => (typeof one === 'string' ? one : `IP protocol ${one.ipProtocol}`));
  throw new UsageError({
    what: `--carrier ${wanted ?? ''}: probe ${named.name} has no such carrier`,
    expected: known.join(' or '),
  });
}

function plannedOf(
  named: Probe,
  bound: BoundProbe,
  spot: Spot & { readonly port: number },
  carrier: Carrier,
  options: PlannedCheck['options'],
): PlannedCheck {
  const text = (key: string): string | undefined => (typeof options[key] === 'string' ? options[key] : undefined);
  const [pin, issuer, ca] = [text('pin'), text('issuer'), text('ca')];
  return {
    id: `probe/${named.name}/here/${spot.host}/${carrierName(carrier)}-${spot.port}`,
    profile: 'probe',
    flow: named.name,
    title: named.summary,
    required: true,
    expect: 'open',
    reach: bound.traits.defaultDepth,
    direction: 'out',
    from: { role: 'here' },
    to: { role: 'target', host: spot.host, port: spot.port },
    carrier,
    probe: named.name,
    options,
    ...(pin === undefined && issuer === undefined && ca === undefined
      ? {}
      : {
          identity: {
            ...(pin === undefined ? {} : { pin }),
            ...(issuer === undefined ? {} : { issuer }),
            ...(ca === undefined ? {} : { ca }),
          },
        }),
    traits: bound.traits,
    addresses: 'every',
    family: 'any',
    why: '',
    source: [],
    acceptUnproven: false,
  };
}

async function run(setting: Setting, name: string, target: string, flags: ProbeFlags): Promise<ExitCode> {
  const problems: Problem[] = [];
  const named = (await loadProbes([name])).get(name);
  if (named === undefined) {
    const { unknownName } = await import('../plan/words.js');
    const { probes } = await import('../../probes/index.js');
    throw new UsageError(unknownName('probe', { value: name }, Object.keys(probes)));
  }
  const spot = await spotOf(target);
  const carrier = carrierOf(named, flags.carrier);
  const options = await optionsOf(named, flags.with);
  const port = spot.port ?? named.defaultPort;
  if (port === undefined)
    problems.push({
      what: `target ${target} has no port, and probe ${name} has no usual one`,
      expected: `${target}:PORT`,
    });
  const timeoutMs = parseDuration(flags.timeout);
  if (timeoutMs === undefined || timeoutMs < 1)
    problems.push({ what: `--timeout ${flags.timeout}`, expected: 'a duration such as 5s or 500ms' });
  if (port === undefined || timeoutMs === undefined || problems.length > 0) throw new UsageError(...problems);

  const plan: Plan = {
    profiles: [],
    here: ['here'],
    ...(flags.source === undefined ? {} : { source: flags.source }),
    login: flags.login ?? false,
    checks: [plannedOf(named, named.bind(carrier, options), { ...spot, port }, carrier, options)],
    skipped: [],
    acceptHow: [],
    secrets: secretsOf(flags.secret),
  };
  const wire: WireEvent[] = [];
  const { runHere } = await import('./run.js');
  const report = await runHere(setting, {
    plan,
    probes: new Map([[name, named]]),
    settings: {
      limits: { concurrency: 16, perHost: 16, retries: 0 },
      timeoutMs,
      accept: [],
      nagios: false,
      verbose: flags.verbose ?? false,
    },
    onEvent: (event) => {
      if (event.event === 'attempt') wire.push(...(event.wire ?? []));
    },
  });
  if (flags.format === 'json') {
    const { json } = await import('../report/json.js');
    await print(json(report));
  } else {
    const { outcomeView } = await import('../report/outcome.js');
    for (const check of report.checks) await print(outcomeView(check, styleOf(process.stdout), wire));
  }
  return report.summary.exitCode;
}
