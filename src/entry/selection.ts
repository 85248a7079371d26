// What a command is about: the flags that select it, the files they name, and the plan that comes of them.
import { dirname, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { Plan, Problem } from '../contract/flow.js';
import type { Probe } from '../contract/probe.js';
import type { Parsed } from '../plan/problem.js';
import type { Profile } from '../plan/profile.js';
import type { Site } from '../plan/site.js';
import type { Setting } from './cli.js';
import { UsageError } from './fail.js';
import { ownProfiles, readText } from './files.js';
import { print, styleOf } from './terminal.js';

export interface SelectionFlags {
  readonly profile: readonly string[];
  readonly as: readonly string[];
  readonly host: readonly string[];
  readonly feature: readonly string[];
  readonly flow: readonly string[];
  readonly source?: string;
  readonly login?: boolean;
}

/** For a flag that may be given several times. */
export const gather = (value: string, before: readonly string[]): readonly string[] => [...before, value];

const none: readonly string[] = [];

/** The flags that `check`, `plan` and their like share. */
export function addSelection(command: Command): Command {
  return command
    .argument('[site]', 'site file; without it --profile, --as and --host are enough')
    .option('--profile <id|file>', 'product to check, its id or a profile file of your own (repeatable)', gather, none)
    .option('--as <role>', 'role that this machine stands in (repeatable)', gather, none)
    .option('--host <role=address>', 'who stands in a role: address, name, or none (repeatable)', gather, none)
    .option('--feature <id>', 'feature of the product in use (repeatable)', gather, none)
    .option('--flow <glob>', 'only these flows, by id or profile/id (repeatable)', gather, none)
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

const isPath = (reference: string): boolean => /[/\\]|\.ya?ml$/.test(reference);

/** A profile by its id or by the path of a file. Throws UsageError. */
export async function loadProfile(
  setting: Setting,
  reference: string,
  base: string,
  place?: Problem['place'],
): Promise<Parsed<Profile>> {
  const { parseProfile } = await import('../plan/profile.js');
  if (isPath(reference)) {
    const file = resolve(base, reference);
    return parseProfile({ file: reference, text: readText(file, 'profile') });
  }
  const ids = ownProfiles(setting.root);
  if (!ids.includes(reference)) {
    const { unknownProfile } = await import('../plan/plan.js');
    const named = { value: reference, ...(place === undefined ? {} : { place }) };
    return { ok: false, problems: [unknownProfile(named, ids)] };
  }
  const file = `profiles/${reference}.yaml`;
  return parseProfile({ file, text: readText(fileURLToPath(new URL(file, setting.root)), 'profile') });
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
    site = keep(parseSite({ file: sitePath, text: readText(sitePath, 'site file') }));
    if (site === undefined) throw new UsageError(...problems);
  }
  const references = [
    ...(site?.profiles ?? []).map(({ value, place }) => ({ value, place, base: dirname(resolve(sitePath ?? '.')) })),
    ...flags.profile.map((value) => ({ value, place: undefined, base: '.' })),
  ];
  const profiles = new Map<string, Profile>();
  for (const { value, place, base } of references) {
    const profile = keep(await loadProfile(setting, value, base, place));
    if (profile !== undefined) profiles.set(profile.id, profile);
  }
  if (problems.length > 0) throw new UsageError(...problems);
  if (profiles.size === 0) {
    throw new UsageError({
      what: 'nothing to check',
      expected: `a site file, or --profile with --as and --host (profiles here: ${ownProfiles(setting.root).join(', ')})`,
    });
  }
  const probes = await loadProbes(probesOf([...profiles.values()]));
  const registry = await import('../../probes/index.js');
  const plan = keep(
    makePlan({
      profiles: [...profiles.values()],
      ...(site === undefined ? {} : { site }),
      selection: {
        as: flags.as,
        hosts: flags.host,
        features: flags.feature,
        flows: flags.flow,
        ...(flags.source === undefined ? {} : { source: flags.source }),
        ...(flags.login === undefined ? {} : { login: flags.login }),
      },
      probes,
      probeNames: Object.keys(registry.probes),
    }),
  );
  if (plan === undefined) throw new UsageError(...problems);
  return { plan, probes, warnings };
}

/** Tells of what is odd and yet no mistake. */
export async function warn(warnings: readonly Problem[]): Promise<void> {
  if (warnings.length === 0) return;
  const { problemLines } = await import('../report/problems.js');
  const marked = warnings.map((warning) => ({ ...warning, what: `warning: ${warning.what}` }));
  await print(problemLines(marked, styleOf(process.stderr)), process.stderr);
}
