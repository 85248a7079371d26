// linecheck probe: one probe by hand, against one target.
import { Option } from 'commander';
import type { Command } from 'commander';
import process from 'node:process';
import { carrierName } from '../check.js';
import type { Plan, PlannedCheck, SecretSource } from '../contract/flow.js';
import type { WireEvent } from '../contract/outcome.js';
import type { BoundProbe, Carrier, Probe } from '../contract/probe.js';
import type { ExitCode } from '../contract/report.js';
import { parseDuration } from '../plan/duration.js';
import type { Done } from './commands.js';
import type { Setting } from './cli.js';
import { together, UsageError } from './fail.js';
import { addFormat } from './format.js';
import { gather, loadProbes, orFail } from './selection.js';
import { print, styleOf } from './terminal.js';

const MOST_TIMEOUT_MS = 600_000;

interface ProbeFlags {
  readonly with?: readonly string[];
  readonly secret?: readonly string[];
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
    .option('--with <option=value>', 'an option of the probe (repeatable; linecheck probes NAME lists them)', gather)
    .option('--secret <name=env:VAR|file:PATH>', 'a secret that an option names (repeatable)', gather)
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
  linecheck probe tls '[2001:db8::1]:8305' --with ca=site \\
    --secret site=file:ca.pem`,
    )
    .action(async (name: string, target: string, flags: ProbeFlags) => done(await run(setting, name, target, flags)));
}

interface Spot {
  readonly host: string;
  readonly port?: number;
}

const TARGET_EXPECTED = 'ADDRESS:PORT, NAME:PORT or [IPV6]:PORT';

/** `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address. Throws UsageError. */
async function spotOf(text: string): Promise<Spot> {
  const { parseHost } = await import('../plan/address.js');
  const { quoted } = await import('../plan/problem.js');
  const bracketed = /^\[([^\]]*:[^\]]*)\](?::([^:]*))?$/.exec(text);
  const plain = /^([^:[\]/]+):([^:/]*)$/.exec(text);
  const [, written = text, port] = bracketed ?? plain ?? [];
  if (/[[\]]/.test(written))
    throw new UsageError({ what: `target ${quoted(text)} makes no sense`, expected: TARGET_EXPECTED });
  const host = parseHost(written);
  if (!host.ok) throw new UsageError({ what: `target ${quoted(written)} ${host.why}` });
  if (port === undefined) return { host: host.host };
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535) {
    throw new UsageError({ what: `target ${quoted(text)}: ${quoted(port)} is not a port`, expected: '1 to 65535' });
  }
  return { host: host.host, port: Number(port) };
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

/** Validated by the probe's own schema, and each secret that they name is one of `secretNames`. Throws UsageError with all that is wrong. */
async function optionsOf(
  named: Probe,
  given: readonly string[],
  secretNames: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const { checked, jsonSchemaOf, secretPaths, stringsAt } = await import('../plan/issues.js');
  const { isRecord } = await import('../plan/document.js');
  const { Problems } = await import('../plan/problem.js');
  const schema = jsonSchemaOf(named.options);
  const { properties } = schema;
  const value = Object.fromEntries(
    given.map((text) => {
      const [key, written] = splitAt('--with', text);
      return [key, valueOf(written, typesOf(isRecord(properties) ? properties[key] : undefined))];
    }),
  );
  const problems = new Problems();
  const top = `the options of probe ${named.name}`;
  const secrets = secretPaths(schema);
  const hidden = ([key]: readonly PropertyKey[]): boolean => secrets.some(([secret]) => secret === key);
  const options = checked(named.options, { value, place: () => undefined, top, hidden }, problems);
  for (const { path, text } of secrets.flatMap((secret) => stringsAt(options, secret))) {
    if (secretNames.includes(text)) continue;
    // The name is not repeated: somebody may have written the secret itself.
    problems.add(() => ({
      what: `--with ${String(path[0])}=… names a secret that no --secret gives`,
      expected: '--secret NAME=env:VARIABLE or --secret NAME=file:PATH',
    }));
  }
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
  spot: Spot,
  carrier: Carrier,
  options: PlannedCheck['options'],
): PlannedCheck {
  const text = (key: string): string | undefined => (typeof options[key] === 'string' ? options[key] : undefined);
  const [pin, issuer, ca] = [text('pin'), text('issuer'), text('ca')];
  return {
    id: `probe/${named.name}/here/${spot.host}/${carrierName(carrier)}${spot.port === undefined ? '' : `-${spot.port}`}`,
    profile: 'probe',
    flow: named.name,
    title: named.summary,
    required: true,
    expect: 'open',
    reach: bound.traits.defaultDepth,
    direction: 'out',
    from: { role: 'here' },
    to: { role: 'target', ...spot },
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

/** What the command line asks for, as far as it makes sense. Throws UsageError with all that does not. */
async function plannedBy(name: string, target: string, flags: ProbeFlags): Promise<Asked> {
  const named = (await loadProbes([name])).get(name);
  if (named === undefined) {
    const { unknownName } = await import('../plan/words.js');
    const { probes } = await import('../../probes/index.js');
    throw new UsageError(unknownName('probe', { value: name }, Object.keys(probes)));
  }
  const secretNames = Promise.resolve(flags.secret ?? []).then(secretsOf);
  const [spot, carrier, options, secrets, timeoutMs] = await together(
    spotOf(target).then((found) => withPort(found, named, flags.carrier)),
    Promise.resolve(flags.carrier).then((wanted) => carrierOf(named, wanted)),
    secretNames.then(
      (known) => optionsOf(named, flags.with ?? [], Object.keys(known)),
      () => ({}),
    ),
    secretNames,
    Promise.resolve(flags.timeout).then(timeoutOf),
  );
  const plan: Plan = {
    profiles: [],
    here: ['here'],
    ...(flags.source === undefined ? {} : { source: flags.source }),
    login: flags.login ?? false,
    checks: [plannedOf(named, named.bind(carrier, options), spot, carrier, options)],
    skipped: [],
    acceptHow: [],
    secrets,
  };
  return { plan, named, timeoutMs };
}

interface Asked {
  readonly plan: Plan;
  readonly named: Probe;
  readonly timeoutMs: number;
}

function withPort({ host, port }: Spot, { name, defaultPort, carriers }: Probe, wanted: ProbeFlags['carrier']): Spot {
  const carrier = carriers.find((one) => one === wanted) ?? carriers[0];
  if (carrier !== 'tcp' && carrier !== 'udp') {
    if (port === undefined) return { host };
    throw new UsageError({ what: `target ${host} with port ${port}: probe ${name} knows no ports`, expected: host });
  }
  const found = port ?? defaultPort;
  if (found !== undefined) return { host, port: found };
  throw new UsageError({
    what: `target ${host} has no port, and probe ${name} has no usual one`,
    expected: host.includes(':') ? `[${host}]:PORT` : `${host}:PORT`,
  });
}

function timeoutOf(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= 1 && ms <= MOST_TIMEOUT_MS) return ms;
  throw new UsageError({
    what: `--timeout cannot be ${text}`,
    expected: 'a duration such as 5s or 500ms, up to 600s',
  });
}

async function run(setting: Setting, name: string, target: string, flags: ProbeFlags): Promise<ExitCode> {
  const { plan, named, timeoutMs } = await plannedBy(name, target, flags);
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
