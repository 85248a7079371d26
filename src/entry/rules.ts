// linecheck rules: the change request. Firewall rules for the flows of a plan, or for those that failed in a report. Asks
// the resolver at most; sends nothing to any host of the site.
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import process from 'node:process';
import type { Command } from 'commander';
import type { Problem } from '../contract/flow.js';
import type { ExitCode, Report } from '../contract/report.js';
import type { ByFamily, RuleAddresses, RuleSet, WantedFlow } from '../contract/rule.js';
import type { FlowFacts } from '../report/rules/from-report.js';
import type { NftChain, RuleSettings, RuleWriter } from '../report/rules/formats.js';
import type { Done } from './commands.js';
import type { Setting } from './cli.js';
import { systemWords, together, UsageError } from './fail.js';
import { openPending, readText } from './files.js';
import type { PendingFile } from './files.js';
import { addSelection, gather, loadPlan, loadProbes, loadProfile, orFail, warn } from './selection.js';
import type { ProfileName, SelectionFlags } from './selection.js';
import { print } from './terminal.js';

interface RulesFlags extends SelectionFlags {
  readonly from?: string;
  readonly unproven?: boolean;
  readonly resolve: boolean;
  readonly format?: readonly string[];
  readonly name: string;
  readonly nftChain: string;
  readonly iptablesChain: string;
}

export function rules(program: Command, setting: Setting, done: Done): void {
  addSelection(program.command('rules').description('firewall rules for the flows of a site, or for those that failed'))
    .option('--from <report.json>', 'only what failed in this report; no site is needed then')
    .option('--unproven', 'with --from: also what it could not prove')
    .option('--no-resolve', 'look no name up; asa and panos then get the names')
    .option('--format <name[:file]>', 'text, csv, nftables, iptables, asa, ios or panos (repeatable)', gather)
    .option('--name <name>', 'of chains, access lists and tags', 'linecheck')
    .option('--nft-chain <chain>', 'chain that jumps to the rules: family, table, name', 'inet filter forward')
    .option('--iptables-chain <chain>', 'chain that jumps to the rules', 'FORWARD')
    .addHelpText(
      'after',
      `
Examples:
  linecheck rules site.yaml                     a ticket, to paste
  linecheck check site.yaml --format json:report.json
  linecheck rules --from report.json --format asa
  linecheck rules site.yaml --format nftables:rules.nft --format csv:rules.csv
  linecheck rules --profile uplogix-local-manager --as local-manager \\
    --host control-center=192.0.2.20 --source 192.0.2.5 --format ios

Rules are for both directions, those from this machine and those to it, and no
broader than their flows. Flows between two other roles are not among them: run
it with --as OTHER-ROLE. Exit codes: 0 every flow has its rules, 3 some have
none, since an address is missing; they are named.`,
    )
    .action(async (site: string | undefined, flags: RulesFlags) => done(await run(setting, site, flags)));
}

/** Flows that want rules, and what is known of them all. */
interface Wanted {
  readonly flows: readonly WantedFlow[];
  readonly about: Pick<RuleSet, 'site' | 'of' | 'skipped' | 'notices'>;
  readonly standing: RuleAddresses['standing'];
  readonly source?: string;
  readonly warnings: readonly Problem[];
}

async function run(setting: Setting, site: string | undefined, flags: RulesFlags): Promise<ExitCode> {
  const [settings, outputs, wanted] = await together(
    settingsOf(flags),
    outputsOf(flags.format ?? ['text']),
    flags.from === undefined ? fromPlan(setting, site, flags) : fromReport(setting, site, flags, flags.from),
  );
  await warn(wanted.warnings);
  const { ruleSet } = await import('../report/rules/model.js');
  const set = ruleSet(wanted.flows, await addressesOf(wanted, flags.resolve), wanted.about);
  const missing = new Set<string>();
  for (const output of outputs) for (const one of await missingIn(set, output, settings)) missing.add(one);
  await write(outputs, set, settings);
  await warn([...missing].map((what) => ({ what })));
  return missing.size > 0 ? 3 : 0;
}

async function settingsOf({ name, nftChain, iptablesChain }: RulesFlags): Promise<RuleSettings> {
  const problems: Problem[] = [];
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,19}$/.test(name)) {
    problems.push({ what: '--name cannot be that', expected: 'a letter, then at most 19 letters, digits, - and _' });
  }
  const [family = '', table = '', chain = '', ...more] = nftChain.split(/\s+/);
  const words = [table, chain].every((word) => /^[A-Za-z][A-Za-z0-9_/.-]{0,63}$/.test(word)) && more.length === 0;
  if (!isNftFamily(family) || !words) {
    problems.push({
      what: '--nft-chain cannot be that',
      expected: 'inet, ip or ip6, a table and a chain: "inet filter forward"',
    });
  }
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,27}$/.test(iptablesChain)) {
    problems.push({
      what: '--iptables-chain cannot be that',
      expected: 'the name of a chain of the filter table, such as FORWARD',
    });
  }
  if (problems.length > 0 || !isNftFamily(family)) throw new UsageError(...problems);
  return Promise.resolve({ name, nftChain: { family, table, chain }, iptablesChain });
}

function isNftFamily(word: string): word is NftChain['family'] {
  return word === 'inet' || word === 'ip' || word === 'ip6';
}

interface RulesOutput {
  readonly format: string;
  readonly file?: string;
  readonly writer: RuleWriter;
}

async function outputsOf(formats: readonly string[]): Promise<readonly RulesOutput[]> {
  const { ruleFormats } = await import('../report/rules/formats.js');
  const problems: Problem[] = [];
  const outputs: RulesOutput[] = [];
  const places = new Map<string, string>();
  for (const text of formats) {
    const [, format = '', colon, file = ''] = /^([^:]*)(:?)(.*)$/s.exec(text) ?? [];
    const known = ruleFormats.get(format);
    if (known === undefined) {
      problems.push({
        what: `--format ${text}: no such format`,
        expected: `one of ${[...ruleFormats.keys()].join(', ')}`,
      });
      continue;
    }
    if (colon !== '' && file === '') problems.push({ what: `--format ${format}: has no file after the colon` });
    const place = colon === '' ? 'the screen' : resolve(file);
    const before = places.get(place);
    if (before !== undefined) {
      problems.push({
        what: `--format ${before} and --format ${format} would both go to ${colon === '' ? 'the screen' : file}`,
        expected: `a file for each, such as --format ${format}:rules.${format}`,
      });
    }
    places.set(place, format);
    outputs.push({ format, ...(colon === '' ? {} : { file }), writer: await known.load() });
  }
  if (problems.length > 0) throw new UsageError(...problems);
  return outputs;
}

async function fromPlan(setting: Setting, site: string | undefined, flags: RulesFlags): Promise<Wanted> {
  if (flags.unproven === true)
    throw new UsageError({ what: '--unproven is about a report', expected: '--from REPORT.json' });
  const { plan, warnings } = await loadPlan(setting, site, flags);
  const { proxiesOf } = await import('../plan/proxy.js');
  const proxyFor = orFail(proxiesOf(plan.proxy, process.env));
  const flows = plan.checks.map((check): WantedFlow => {
    const { traits, to, direction } = check;
    if (direction === 'in' || traits.proxied === undefined || to.host === undefined) return check;
    const via = proxyFor(traits.proxied === 'forward' ? 'http' : 'https', to.host, to.port ?? 0);
    return via === undefined ? check : { ...check, via };
  });
  return {
    flows,
    about: {
      ...(plan.site === undefined ? {} : { site: plan.site }),
      of: 'the whole plan',
      skipped: plan.skipped.map(({ title, why }) => ({ title, reason: why })),
      notices: [],
    },
    standing: plan.standing ?? {},
    ...(plan.source === undefined ? {} : { source: plan.source }),
    warnings,
  };
}

async function fromReport(
  setting: Setting,
  site: string | undefined,
  flags: RulesFlags,
  file: string,
): Promise<Wanted> {
  const decided = (['as', 'host', 'feature'] as const).filter((flag) => flags[flag] !== undefined);
  if (decided.length > 0) {
    const words = decided.map((flag) => `--${flag}`).join(', ');
    throw new UsageError({ what: `${words} with --from`, expected: 'the report alone, which says it already' });
  }
  const report = await readReport(file);
  const { wantedFrom } = await import('../report/rules/from-report.js');
  const { matchesFlow } = await import('../plan/glob.js');
  const globs = flags.flow ?? [];
  const flows = wantedFrom(report, {
    factsOf: await factsOf(setting, site, flags, report, file),
    unproven: flags.unproven === true,
    isSelected: (profile, flow) => globs.length === 0 || globs.some((glob) => matchesFlow(glob, profile, flow)),
  });
  const unproven = flags.unproven === true ? ' or could not be proven' : '';
  return {
    flows,
    about: {
      ...(report.site === undefined ? {} : { site: report.site }),
      of: `what failed${unproven} in the report of ${report.startedAt}`,
      skipped: [],
      notices: [
        ...(report.interrupted === undefined ? [] : ['That run was cut short: what it did not get to is not here.']),
        ...report.notices,
      ],
    },
    standing: {},
    ...(flags.source === undefined ? {} : { source: flags.source }),
    warnings: [],
  };
}

const MOST_REPORT_BYTES = 256 * 1024 * 1024;

/** Throws UsageError where it is missing, unreadable or no report. */
async function readReport(file: string): Promise<Report> {
  const { reportSchema } = await import('../report/schema.js');
  const parsed = reportSchema.safeParse(jsonOf(file));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` (${issue.path.join('.')}: ${issue.message})`;
  throw new UsageError({
    what: `${file}: is no report of linecheck${where}`,
    expected: 'what check --format json wrote',
  });
}

function jsonOf(file: string): unknown {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    if (fstatSync(descriptor).size > MOST_REPORT_BYTES) {
      throw new UsageError({ what: `${file}: the report is over 256 MB` });
    }
    return JSON.parse(readFileSync(descriptor, 'utf8'));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (error instanceof SyntaxError)
      throw new UsageError({ what: `${file}: is no JSON`, expected: 'what check --format json wrote' });
    throw new UsageError({ what: `${file}: cannot read the report: ${systemWords(error)}` });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** What the profiles say of the report's flows: those that the site or --profile names, else linecheck's own. */
async function factsOf(
  setting: Setting,
  site: string | undefined,
  flags: RulesFlags,
  report: Report,
  file: string,
): Promise<(profile: string, flow: string) => FlowFacts> {
  const named = [
    ...(site === undefined ? [] : await profilesOfSite(site)),
    ...(flags.profile ?? []).map((value) => ({ value })),
  ];
  const profiles = new Map(
    (await Promise.all(named.map(async (each) => orFail(await loadProfile(setting, each))))).map((each) => [
      each.id,
      each,
    ]),
  );
  for (const id of new Set(report.checks.map(({ profile }) => profile))) {
    if (profiles.has(id)) continue;
    const own = await loadProfile(setting, { value: id });
    if (!own.ok) {
      throw new UsageError({
        what: `${file}: the report is about the profile ${id}, which is not linecheck's own`,
        expected: '--profile FILE',
      });
    }
    profiles.set(id, own.value);
  }
  const probes = await loadProbes([
    ...new Set([...profiles.values()].flatMap(({ flows }) => flows.map(({ probe }) => probe.value))),
  ]);
  return (profile, id) => {
    const flow = profiles.get(profile)?.flows.find((each) => each.id === id);
    if (flow === undefined) {
      throw new UsageError({
        what: `${file}: the profile ${profile} has no flow ${id}`,
        expected: 'the profile that the report was made with',
      });
    }
    const probe = probes.get(flow.probe.value);
    const options = probe?.options.safeParse(
      Object.fromEntries([...flow.options].map(([name, { value }]) => [name, value])),
    );
    const traits = options?.success === true ? probe?.bind(flow.carrier, options.data).traits : undefined;
    return {
      why: flow.why,
      ...(flow.sourcePort === undefined ? {} : { sourcePort: flow.sourcePort }),
      ...(flow.answersFrom === undefined ? {} : { answersFrom: flow.answersFrom }),
      ...(flow.broadcast ? { broadcast: true } : {}),
      ...(flow.path === undefined ? {} : { path: flow.path }),
      ...(flow.erratum === undefined ? {} : { erratum: flow.erratum }),
      ...(traits === undefined ? {} : { traits }),
    };
  };
}

async function profilesOfSite(site: string): Promise<readonly ProfileName[]> {
  const { parseSite } = await import('../plan/site.js');
  const { profiles } = orFail(parseSite({ file: site, text: readText(site, { kind: 'site file' }) }));
  return profiles.map(({ value, place }) => ({ value, place, base: dirname(site) }));
}

async function addressesOf({ flows, standing, source }: Wanted, lookUp: boolean): Promise<RuleAddresses> {
  const { resolveName } = await import('../net/names.js');
  const { routeTo } = await import('../net/sight.js');
  const { familyOf } = await import('../bytes/ip.js');
  const { parseHost } = await import('../plan/address.js');
  const isName = (host: string): boolean => {
    const parsed = parseHost(host);
    return parsed.ok && parsed.kind === 'name';
  };
  const far = flows.flatMap(
    ({ direction, from, to, via }) => via?.host ?? (direction === 'out' ? to : from).host ?? [],
  );
  const hosts = [...new Set([...far, ...Object.values(standing).flat()])];
  const found = await Promise.all(
    hosts.map(async (host): Promise<[string, readonly string[]]> => {
      if (isName(host) && !lookUp) return [host, []];
      const resolution = await resolveName(host, () => performance.now());
      return [host, resolution.ok ? resolution.found.map(({ address }) => address) : []];
    }),
  );
  const reported = flows.flatMap(({ direction, from, to }) => (direction === 'out' ? to : from).address ?? []);
  const targets = [...new Set([...found.flatMap(([, addresses]) => addresses), ...reported])];
  const routes = await Promise.all(
    targets.map(async (address): Promise<[string, string | undefined]> => [
      address,
      await routeTo(address, familyOf(address)),
    ]),
  );
  // Addresses that are nobody's (RFC 5737, RFC 3849): what the default routes would take.
  const [route4, route6] = await Promise.all([routeTo('192.0.2.1', 4), routeTo('2001:db8::1', 6)]);
  const given = source === undefined ? undefined : await sourceAddresses(source);
  return {
    names: new Map(found.filter(([host]) => isName(host))),
    ...(given === undefined ? {} : { source: given }),
    standing,
    routes: new Map(routes.flatMap(([target, local]) => (local === undefined ? [] : [[target, local] as const]))),
    route: { ...(route4 === undefined ? {} : { 4: route4 }), ...(route6 === undefined ? {} : { 6: route6 }) },
  };
}

/** An address may be another machine's: rules are often made ahead of it. An interface is this one's. */
async function sourceAddresses(source: string): Promise<ByFamily> {
  const { parseHost } = await import('../plan/address.js');
  const host = parseHost(source);
  if (host.ok && host.kind === 'address') return { [host.family]: source };
  const { sourceOf } = await import('../net/sight.js');
  const found = sourceOf(source);
  if (found !== undefined) return found;
  throw new UsageError({
    what: `source ${source} is no interface of this machine`,
    expected: 'an address, or an interface',
  });
}

/** What a format leaves out for want of an address, as sentences. */
async function missingIn(
  set: RuleSet,
  { format, writer }: RulesOutput,
  settings: RuleSettings,
): Promise<readonly string[]> {
  const { leftOut } = await import('../report/rules/comments.js');
  const always = new Set(set.unwritten);
  return leftOut(set, writer.writes(set.rules, settings))
    .filter(({ incomplete }) => incomplete)
    .map(
      (one) => `${always.has(one) ? '' : `${format}: `}no rule for ${one.profile}/${one.flow}, ${one.what}: ${one.why}`,
    );
}

/** Files first, and all or none of them: a screen cannot be taken back. */
async function write(outputs: readonly RulesOutput[], set: RuleSet, settings: RuleSettings): Promise<void> {
  const { randomBytes } = await import('node:crypto');
  const files: PendingFile[] = [];
  try {
    for (const { file, writer } of outputs) {
      if (file === undefined) continue;
      const pending = openPending(file, `${process.pid}-${randomBytes(3).toString('hex')}`);
      files.push(pending);
      pending.append(writer.write(set, settings));
    }
    for (const pending of files) pending.keep();
  } finally {
    for (const pending of files) pending.discard();
  }
  for (const { file, writer } of outputs) if (file === undefined) await print(writer.write(set, settings));
}
