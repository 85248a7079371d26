// Profiles, site and flags joined: who is here, who stands where, what is in use. Every name is looked up here; what
// that means for a flow is not decided here.
import type { Family, Problem } from '../contract/flow.js';
import type { HowWords } from '../contract/verdict.js';
import { matchesFlow } from './glob.js';
import { suggestion } from './nearest.js';
import { quoted, type Placed, type Problems } from './problem.js';
import type { Flow, Profile } from './profile.js';
import { checkSource, flagged, selectedHosts, type Reference, type Selection } from './selection.js';
import type { FlowOverride, Site, SiteHost } from './site.js';

export type Hosts = 'none' | readonly SiteHost[];

export interface Scope {
  readonly source?: string;
  readonly family: Family | 'any';
  readonly login: boolean;
  readonly acceptHow: readonly string[];
  /** `profile/role`, in the order given. */
  readonly here: readonly string[];
  isHere(profile: Profile, role: string): boolean;
  /** Undefined where nobody said who stands in the role. */
  hosts(profile: Profile, role: string): Hosts | undefined;
  uses(profile: Profile, feature: string): boolean;
  /** What the site says of this flow, the more particular last. */
  overrides(profile: Profile, flow: Flow): readonly FlowOverride[];
  /** What the site says of this flow to this host. */
  hostOverrides(host: SiteHost, profile: Profile, flow: Flow): readonly FlowOverride[];
  isSelected(profile: Profile, flow: Flow): boolean;
  acceptsUnproven(profile: Profile, flow: Flow): boolean;
}

/** The reasons that `unproven` gives; a union member that is missing here does not compile. */
const UNPROVEN_HOW: Readonly<Record<HowWords['unproven'], true>> = {
  silence: true,
  'one-way': true,
  'no-peer': true,
  'no-host': true,
  'no-permission': true,
  'port-in-use': true,
  shallow: true,
  interrupted: true,
};

interface Member {
  readonly profile: Profile;
  readonly id: string;
}

/** Joins what was given; all names that lead nowhere become problems. */
export function scopeOf(
  profiles: readonly Profile[],
  site: Site | undefined,
  selection: Selection,
  problems: Problems,
): Scope {
  const rolesOf = (profile: Profile): Iterable<string> => profile.roles.keys();
  const featuresOf = (profile: Profile): Iterable<string> => profile.features.keys();
  const flowsOf = (profile: Profile): Iterable<string> => profile.flows.map(({ id }) => id);
  const look = (kind: string, name: Reference, of: (profile: Profile) => Iterable<string>): readonly Member[] =>
    lookUp(kind, name, profiles, of, problems);

  const hosts = hostsByRole(site, selection, (role) => look('role', role, rolesOf), problems);
  const here = hereOf(profiles, site, selection, (role) => look('role', role, rolesOf), hosts, problems);

  const features = new Set<string>();
  for (const feature of [...(site?.features ?? []), ...flagged('--feature', selection.features)]) {
    for (const { profile, id } of look('feature', feature, featuresOf)) features.add(keyOf(profile, id));
  }

  const overrides = new Layers(site?.flows ?? [], (flow) => look('flow', flow, flowsOf));
  const ofHosts = new Map<SiteHost, Layers>();
  for (const { role, hosts: list } of site?.hosts ?? []) {
    for (const host of list === 'none' ? [] : list) {
      if (host.flows.length === 0) continue;
      ofHosts.set(host, new Layers(host.flows, (flow) => look('flow', flow, flowsOf)));
      for (const { flow } of host.flows) warnOfStrangerFlow(profiles, role.value, flow, problems);
    }
  }

  const globs = flagged('--flow', selection.flows);
  for (const glob of globs) requireMatch(glob, profiles, [], problems);
  const accepted = (site?.acceptUnproven ?? []).filter(({ value }) => !Object.hasOwn(UNPROVEN_HOW, value));
  for (const glob of accepted) requireMatch(glob, profiles, Object.keys(UNPROVEN_HOW), problems);

  if (selection.source !== undefined) checkSource(selection.source, problems);
  const source = selection.source ?? site?.source?.value;
  return {
    ...(source === undefined ? {} : { source }),
    family: selection.family ?? site?.family ?? 'any',
    login: selection.login ?? site?.login ?? false,
    acceptHow: (site?.acceptUnproven ?? [])
      .map(({ value }) => value)
      .filter((word) => Object.hasOwn(UNPROVEN_HOW, word)),
    here: [...here],
    isHere: (profile, role) => here.has(keyOf(profile, role)),
    hosts: (profile, role) => hosts.get(keyOf(profile, role)),
    uses: (profile, feature) => features.has(keyOf(profile, feature)),
    overrides: (profile, flow) => overrides.of(profile, flow),
    hostOverrides: (host, profile, flow) => ofHosts.get(host)?.of(profile, flow) ?? [],
    isSelected: (profile, flow) =>
      globs.length === 0 || globs.some(({ value }) => matchesFlow(value, profile.id, flow.id)),
    acceptsUnproven: (profile, flow) => accepted.some(({ value }) => matchesFlow(value, profile.id, flow.id)),
  };
}

function keyOf(profile: Profile, id: string): string {
  return `${profile.id}/${id}`;
}

/** A bare name means that of every profile that has it; PROFILE/NAME that of one. A name that nobody has is a problem. */
function lookUp(
  kind: string,
  name: Reference,
  profiles: readonly Profile[],
  idsOf: (profile: Profile) => Iterable<string>,
  problems: Problems,
): readonly Member[] {
  const slash = name.value.indexOf('/');
  const [ofProfile, id] =
    slash < 0 ? [undefined, name.value] : [name.value.slice(0, slash), name.value.slice(slash + 1)];
  const searched = profiles.filter((profile) => ofProfile === undefined || profile.id === ofProfile);
  const found = searched.filter((profile) => [...idsOf(profile)].includes(id)).map((profile) => ({ profile, id }));
  if (found.length === 0) {
    problems.add(() => {
      if (ofProfile !== undefined && searched.length === 0) {
        return unknown(
          'profile',
          { ...name, value: ofProfile },
          profiles.map((profile) => profile.id),
        );
      }
      const known = searched.flatMap((profile) =>
        [...idsOf(profile)].map((one) => (ofProfile === undefined ? one : keyOf(profile, one))),
      );
      return unknown(kind, name, [...new Set(known)]);
    });
  }
  return found;
}

/** `no role "manger"; did you mean "manager"?`; a flag is named in front, a file by its place. */
function unknown(kind: string, name: Reference, known: readonly string[]): Problem {
  const { hint, expected } = suggestion(name.value, known);
  return {
    ...(name.place === undefined ? {} : { place: name.place }),
    what:
      (name.flag === undefined ? `no ${kind} ${quoted(name.value)}` : `${name.flag}: no ${kind} of that name`) + hint,
    ...(expected === undefined ? {} : { expected }),
  };
}

/** A role's hosts by `profile/role`: flags go before the site, a qualified name before a bare one. */
function hostsByRole(
  site: Site | undefined,
  selection: Selection,
  look: (role: Reference) => readonly Member[],
  problems: Problems,
): ReadonlyMap<string, Hosts> {
  const given: readonly { readonly role: Reference; readonly hosts: Hosts }[][] = [
    [...(site?.hosts ?? [])],
    [...selectedHosts(selection.hosts, problems)],
  ];
  const hosts = new Map<string, Hosts>();
  for (const layer of given) {
    const bareFirst = layer.toSorted((a, b) => Number(a.role.value.includes('/')) - Number(b.role.value.includes('/')));
    for (const one of bareFirst) {
      for (const { profile, id } of look(one.role)) hosts.set(keyOf(profile, id), one.hosts);
    }
  }
  return hosts;
}

function hereOf(
  profiles: readonly Profile[],
  site: Site | undefined,
  selection: Selection,
  look: (role: Reference) => readonly Member[],
  hosts: ReadonlyMap<string, Hosts>,
  problems: Problems,
): ReadonlySet<string> {
  const given: readonly Reference[] = selection.as.length > 0 ? flagged('--as', selection.as) : (site?.here ?? []);
  if (given.length === 0 && profiles.length > 0) {
    const roles = [...new Set(profiles.flatMap((profile) => [...profile.roles.keys()]))];
    problems.add(() => ({
      ...(site === undefined ? {} : { place: { file: site.file, line: 1, column: 1 } }),
      what: 'nothing says which role this machine stands in',
      expected: `${site === undefined ? '' : '"here:" or '}--as ROLE, one of ${roles.join(', ')}`,
    }));
  }
  const here = new Set<string>();
  for (const role of given) {
    for (const { profile, id } of look(role)) {
      const key = keyOf(profile, id);
      here.add(key);
      if (hosts.get(key) === 'none') {
        problems.add(() => ({
          ...(role.place === undefined ? {} : { place: role.place }),
          what: `${role.flag === undefined ? '' : `${role.flag}: `}this machine stands in the role ${quoted(id)}, whose hosts are "none"`,
        }));
      }
    }
  }
  for (const profile of profiles) {
    if (here.size > 0 && ![...profile.roles.keys()].some((role) => here.has(keyOf(profile, role)))) {
      problems.warn({ what: `this machine stands in no role of ${profile.id}: none of its flows is checked` });
    }
  }
  return here;
}

/** Overrides by flow: those of the bare id before those of `profile/flow`. */
class Layers {
  readonly #byFlow = new Map<string, FlowOverride[]>();

  constructor(overrides: readonly FlowOverride[], look: (flow: Placed<string>) => readonly Member[]) {
    const qualified = (one: FlowOverride): number => Number(one.flow.value.includes('/'));
    for (const override of overrides.toSorted((a, b) => qualified(a) - qualified(b))) {
      for (const { profile, id } of look(override.flow)) {
        const key = keyOf(profile, id);
        this.#byFlow.set(key, [...(this.#byFlow.get(key) ?? []), override]);
      }
    }
  }

  of(profile: Profile, flow: Flow): readonly FlowOverride[] {
    return this.#byFlow.get(keyOf(profile, flow.id)) ?? [];
  }
}

function warnOfStrangerFlow(
  profiles: readonly Profile[],
  role: string,
  name: Placed<string>,
  problems: Problems,
): void {
  const bareRole = role.slice(role.indexOf('/') + 1);
  const flows = profiles.flatMap((profile) =>
    profile.flows.filter(({ id }) => id === name.value || keyOf(profile, id) === name.value),
  );
  if (flows.length > 0 && !flows.some(({ from, to }) => from.includes(bareRole) || to.includes(bareRole))) {
    problems.warn({
      ...(name.place === undefined ? {} : { place: name.place }),
      what: `the flow ${quoted(name.value)} has nothing to do with the role ${quoted(role)}`,
    });
  }
}

function requireMatch(
  glob: Reference,
  profiles: readonly Profile[],
  words: readonly string[],
  problems: Problems,
): void {
  if (profiles.some((profile) => profile.flows.some((flow) => matchesFlow(glob.value, profile.id, flow.id)))) return;
  problems.add(() => {
    const known = profiles.flatMap((profile) => profile.flows.flatMap(({ id }) => [id, keyOf(profile, id)]));
    const kind = words.length === 0 ? 'flow' : 'flow or reason';
    if (!/[*?]/.test(glob.value)) return unknown(kind, glob, [...words, ...known]);
    return {
      ...(glob.place === undefined ? {} : { place: glob.place }),
      what: `${glob.flag ?? quoted(glob.value)}: no flow matches`,
    };
  });
}
