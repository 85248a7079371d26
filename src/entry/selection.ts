// What a command is about: the flags that select it, the files they name, and the plan that comes of them.
import { dirname, isAbsolute, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { Plan, Problem, SecretSource } from '../contract/flow.js';
import type { Probe } from '../contract/probe.js';
import type { Parsed } from '../plan/problem.js';
import type { Profile } from '../plan/profile.js';
import type { Site } from '../plan/site.js';
import type { Setting } from './cli.js';
import { UsageError } from './fail.js';
import { ownProfiles, readText } from './files.js';
import { print, styleOf } from './terminal.js';

export interface SelectionFlags {
  readonly profile?: readonly string[];
  readonly as?: readonly string[];
  readonly host?: readonly string[];
  readonly feature?: readonly string[];
  readonly flow?: readonly string[];
  readonly source?: string;
  readonly login?: boolean;
}

/** For a flag that may be given several times. */
export const gather = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** The flags that `check`, `plan` and their like share. */
export function addSelection(command: Command): Command {
  return command
    .argument('[site]', 'site file; without it --profile, --as and --host are enough')
    .option('--profile <id|file>', 'product to check: its id, or a profile file of your own (repeatable)', gather)
    .option('--as <role>', 'role that this machine stands in (repeatable)', gather)
    .option('--host <role=address>', 'who stands in a role: address, name, or none (repeatable)', gather)
    .option('--feature <id>', 'feature of the product in use (repeatable)', gather)
    .option('--flow <glob>', 'only these flows, by id or profile/id (repeatable)', gather)
    .option('--source <address|interface>', 'where to ask from; default: what the routes say');
}

export interface Loaded {
  readonly plan: Plan;
  readonly probes: ReadonlyMap<string, Probe>;
  readonly warnings: readonly Problem[];
}

/** The value, or UsageError with all that is wrong. */
export function orFail<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new UsageError(...parsed.problems);
  return parsed.value;
}

const isPath = (reference: string): boolean => /[/\\]|\.ya?ml$/i.test(reference);

/** A profile as somebody named it. */
export interface ProfileName {
  readonly value: string;
  /** The folder that a path is relative to, as the user would write it. */
  readonly base?: string;
  readonly place?: Problem['place'];
}

/** A profile by its id or by the path of a file. `flag` stands before a name that no file has. Throws UsageError. */
export async function loadProfile(setting: Setting, named: ProfileName, flag = ''): Promise<Parsed<Profile>> {
  const { parseProfile } = await import('../plan/profile.js');
  const { value, base, place } = named;
  if (isPath(value)) {
    const file = base === undefined || isAbsolute(value) ? value : join(base, value);
    const text = readText(file, { kind: 'profile', ...(place === undefined ? {} : { place }) });
    return parseProfile({ file, text });
  }
  const ids = ownProfiles(setting.root);
  if (!ids.includes(value)) {
    const { unknownName } = await import('../plan/words.js');
    const problem = unknownName('profile', { value, ...(place === undefined ? {} : { place }) }, ids);
    return { ok: false, problems: [{ ...problem, what: `${flag}${problem.what}` }] };
  }
  const file = `profiles/${value}.yaml`;
  return parseProfile({ file, text: readText(fileURLToPath(new URL(file, setting.root)), { kind: 'profile' }) });
}

/** Those of the probes that exist, by name. */
export async function loadProbes(names: readonly string[]): Promise<ReadonlyMap<string, Probe>> {
  const { probes } = await import('../../probes/index.js');
  const loaded = await Promise.all(
    names.flatMap((name) => {
      const load = Object.hasOwn(probes, name) ? probes[name] : undefined;
      return load === undefined ? [] : [load().then(({ probe }): [string, Probe] => [name, probe])];
    }),
  );
  return new Map(loaded);
}

/** Reads every file that the selection names and plans. Throws UsageError with all problems at once. */
export async function loadPlan(setting: Setting, sitePath: string | undefined, flags: SelectionFlags): Promise<Loaded> {
  const { parseSite } = await import('../plan/site.js');
  const { makePlan, probesOf } = await import('../plan/plan.js');
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const keep = <T>(parsed: Parsed<T>): T | undefined => {
    if (!parsed.ok) {
      problems.push(...parsed.problems);
      return undefined;
    }
    warnings.push(...parsed.warnings);
    return parsed.value;
  };
  let site: Site | undefined;
  if (sitePath !== undefined) {
    site = keep(parseSite({ file: sitePath, text: readText(sitePath, { kind: 'site file' }) }));
    if (site === undefined) throw new UsageError(...problems);
  }
  const base = dirname(sitePath ?? '.');
  const references: readonly ProfileName[] = [
    ...(site?.profiles ?? []).map(({ value, place }) => ({ value, place, base })),
    ...(flags.profile ?? []).map((value) => ({ value })),
  ];
  const profiles = new Map<string, Profile>();
  const files = new Map<string, string>();
  for (const named of references) {
    const { value, place } = named;
    try {
      const profile = keep(await loadProfile(setting, named, place === undefined ? '--profile: ' : ''));
      if (profile === undefined) continue;
      const file = isPath(value) ? resolve(named.base ?? '', value) : value;
      const other = files.get(profile.id);
      if (other !== undefined && other !== file) {
        problems.push({
          ...(place === undefined ? {} : { place }),
          what: `two different profiles have the id "${profile.id}": ${other} and ${file}`,
        });
      }
      profiles.set(profile.id, profile);
      files.set(profile.id, file);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new UsageError(...problems);
  if (profiles.size === 0) {
    throw new UsageError({
      what: 'nothing to check',
      expected: `a site file, or --profile, --as and --host (linecheck profiles lists the products)`,
    });
  }
  const probes = await loadProbes(probesOf([...profiles.values()]));
  const registry = await import('../../probes/index.js');
  const plan = keep(
    makePlan({
      profiles: [...profiles.values()],
      ...(site === undefined ? {} : { site }),
      selection: {
        as: flags.as ?? [],
        hosts: flags.host ?? [],
        features: flags.feature ?? [],
        flows: flags.flow ?? [],
        ...(flags.source === undefined ? {} : { source: flags.source }),
        ...(flags.login === undefined ? {} : { login: flags.login }),
      },
      probes,
      probeNames: Object.keys(registry.probes),
    }),
  );
  if (plan === undefined) throw new UsageError(...problems);
  return { plan: { ...plan, secrets: secretsFrom(plan, base) }, probes, warnings };
}

/** A secret's file stands beside the site file that names it. */
function secretsFrom({ secrets }: Plan, base: string): Plan['secrets'] {
  return Object.fromEntries(
    Object.entries(secrets).map(([name, source]): [string, SecretSource] => [
      name,
      'file' in source && !isAbsolute(source.file) ? { file: join(base, source.file) } : source,
    ]),
  );
}

/** Tells of what is odd and yet no mistake. */
export async function warn(warnings: readonly Problem[]): Promise<void> {
  if (warnings.length === 0) return;
  const { problemLines } = await import('../report/problems.js');
  const marked = warnings.map((warning) => ({ ...warning, what: `warning: ${warning.what}` }));
  await print(problemLines(marked, styleOf(process.stderr)), process.stderr);
}
