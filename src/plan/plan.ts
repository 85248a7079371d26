// Profiles, a site and flags to planned checks: every flow becomes checks or is skipped with its reason. Pure; names are
// resolved later and elsewhere.
import type { Expect, Identity, PlannedCheck, Plan, Problem, Skipped, SkipReason } from '../contract/flow.js';
import type { Probe } from '../contract/probe.js';
import { Asker, carrierName, type Asking } from './asking.js';
import { suggestion } from './nearest.js';
import { Problems, quoted, type Parsed } from './problem.js';
import type { Flow, Profile } from './profile.js';
import { scopeOf, type Scope } from './scope.js';
import type { Selection } from './selection.js';
import { skip } from './skip.js';
import type { FlowOverride, ProfileReference, Site, SiteHost } from './site.js';
import type { PortRange } from './words.js';

export interface PlanInput {
  /** In the order in which their flows are to be checked. */
  readonly profiles: readonly Profile[];
  readonly site?: Site;
  readonly selection: Selection;
  /** The loaded probes, at least those of `probesOf` that exist. */
  readonly probes: ReadonlyMap<string, Probe>;
  /** The names of all probes that exist, for did-you-mean. Default: the loaded ones. */
  readonly probeNames?: readonly string[];
}

/**
 * The names of the probes that a plan of these profiles may need, sorted. One that does not exist is no mistake here:
 * it becomes a problem only where a planned flow asks for it.
 */
export function probesOf(profiles: readonly Profile[]): readonly string[] {
  return [...new Set(profiles.flatMap((profile) => profile.flows.map(({ probe }) => probe.value)))].sort();
}

/** The problem of a site's or a flag's profile that nobody has; `known` are the ids there are. */
export function unknownProfile(
  reference: Pick<ProfileReference, 'value' | 'place'>,
  known: readonly string[],
): Problem {
  const { hint, expected } = suggestion(reference.value, known);
  return {
    ...(reference.place === undefined ? {} : { place: reference.place }),
    what: `${reference.place === undefined ? '--profile: ' : ''}no profile ${quoted(reference.value)}${hint}`,
    ...(expected === undefined ? {} : { expected }),
  };
}

/** Makes the plan. Never throws: all that is wrong comes back as problems, all at once. */
export function makePlan(input: PlanInput): Parsed<Plan> {
  const { profiles, site, selection, probes } = input;
  const problems = new Problems();
  checkProfiles(profiles, problems);
  const scope = scopeOf(profiles, site, selection, problems);
  const secrets = [...(site?.secrets ?? [])];
  const asker = new Asker(
    { probes, names: input.probeNames ?? [...probes.keys()], secrets: secrets.map(([name]) => name) },
    problems,
  );

  const checks = new Map<string, PlannedCheck>();
  const skipped: Skipped[] = [];
  for (const profile of profiles) {
    for (const flow of profile.flows) {
      const planned = planFlow(profile, flow, scope, asker, problems);
      if ('kind' in planned) skipped.push(skip(profile.id, flow, planned));
      else for (const check of planned) addCheck(check, checks, problems);
    }
  }
  if (!problems.any() && checks.size === 0) problems.add(() => nothingToCheck(site, scope, skipped));

  return problems.finish(() => ({
    ...(site?.name === undefined ? {} : { site: site.name }),
    profiles: profiles.map(({ id, title }) => ({ id, title })),
    here: scope.here,
    standing: standingHere(profiles, scope),
    ...(scope.source === undefined ? {} : { source: scope.source }),
    login: scope.login,
    ...(site?.proxy === undefined ? {} : { proxy: site.proxy.value }),
    checks: [...checks.values()],
    skipped,
    acceptHow: scope.acceptHow,
    secrets: Object.fromEntries(secrets.map(([name, { value }]) => [name, value])),
  }));
}

function checkProfiles(profiles: readonly Profile[], problems: Problems): void {
  if (profiles.length === 0) {
    problems.add(() => ({ what: 'no profile is given', expected: '"profiles:" in the site, or --profile ID' }));
  }
  const seen = new Map<string, Profile>();
  for (const profile of profiles) {
    const before = seen.get(profile.id);
    seen.set(profile.id, profile);
    if (before !== undefined) {
      problems.add(() => ({
        what: `two profiles have the id ${quoted(profile.id)}: ${before.file} and ${profile.file}`,
      }));
    }
  }
}

/** Who stands in the roles of this machine: it may be one of several, and firewall rules are for all of them. */
function standingHere(profiles: readonly Profile[], scope: Scope): NonNullable<Plan['standing']> {
  const standing = profiles.flatMap((profile) =>
    [...profile.roles.keys()].flatMap((role): [string, readonly string[]][] => {
      const hosts = scope.isHere(profile, role) ? scope.hosts(profile, role) : undefined;
      return hosts === undefined || hosts === 'none' ? [] : [[`${profile.id}/${role}`, hosts.map(({ host }) => host)]];
    }),
  );
  return Object.fromEntries(standing);
}

/** One way that a flow goes, seen from here. */
interface Leg {
  readonly direction: 'out' | 'in';
  readonly back: boolean;
  readonly from: string;
  readonly to: string;
}

/** The checks of one flow, or why it has none. An empty list: problems are known. */
function planFlow(
  profile: Profile,
  flow: Flow,
  scope: Scope,
  asker: Asker,
  problems: Problems,
): readonly PlannedCheck[] | SkipReason {
  if (!scope.isSelected(profile, flow)) return { kind: 'deselected' };
  const off = flow.required.features.find((feature) => !scope.uses(profile, feature));
  if (off !== undefined) return { kind: 'feature-off', feature: off };
  const unless = flow.required.unless.find((feature) => scope.uses(profile, feature));
  if (unless !== undefined) return { kind: 'unless', feature: unless };

  const legs = legsOf(profile, flow, scope);
  if (legs.length === 0) return { kind: 'elsewhere', roles: [...new Set([...flow.from, ...flow.to])] };
  const farRole = (leg: Leg): string => (leg.direction === 'out' ? leg.to : leg.from);
  const open = legs.filter((leg) => scope.hosts(profile, farRole(leg)) !== 'none');
  const [first] = legs;
  if (open.length === 0 && first !== undefined) return { kind: 'role-none', role: farRole(first) };

  const binder = new Binder(profile, flow, scope, asker, problems);
  const checks = open.flatMap((leg) => {
    const hosts = farHosts(profile, flow, leg, scope);
    return hosts === undefined ? binder.checks(leg, undefined) : hosts.flatMap((host) => binder.checks(leg, host));
  });
  if (checks.length > 0 || binder.failed) return checks;
  // All of its hosts are of the other address family.
  return { kind: 'deselected' };
}

/**
 * Out where this machine stands in the asking role, else in where it stands in the answering one. Between two machines
 * of one role the flow itself is ours to ask, and its way back comes in: else both would be the same check twice.
 */
function legsOf(profile: Profile, flow: Flow, scope: Scope): readonly Leg[] {
  const ways = flow.bothWays
    ? [
        { back: false, froms: flow.from, tos: flow.to },
        { back: true, froms: flow.to, tos: flow.from },
      ]
    : [{ back: false, froms: flow.from, tos: flow.to }];
  return ways.flatMap(({ back, froms, tos }) =>
    froms.flatMap((from) =>
      tos.flatMap((to): readonly Leg[] => {
        if (from === to && back) return scope.isHere(profile, to) ? [{ direction: 'in', back, from, to }] : [];
        if (scope.isHere(profile, from)) return [{ direction: 'out', back, from, to }];
        return scope.isHere(profile, to) ? [{ direction: 'in', back, from, to }] : [];
      }),
    ),
  );
}

const LIMITED_BROADCAST = '255.255.255.255';

/** The hosts at the far end; undefined where nobody said who stands there. */
function farHosts(profile: Profile, flow: Flow, leg: Leg, scope: Scope): readonly SiteHost[] | undefined {
  // IPv6 has no broadcast (RFC 4291 section 2.6).
  const fits = ({ family }: SiteHost): boolean =>
    !(flow.broadcast && family === 6) && (family === undefined || scope.family === 'any' || scope.family === family);
  if (flow.broadcast && leg.direction === 'out') {
    // A broadcast asks nobody by name, so one question serves all hosts of the role.
    const override = scope.overrides(profile, flow).findLast((layer) => layer.broadcastTo !== undefined);
    const place = override?.flow.place;
    const everyone: SiteHost = {
      host: override?.broadcastTo ?? LIMITED_BROADCAST,
      family: 4,
      addresses: 'every',
      flows: [],
      ...(place === undefined ? {} : { place }),
    };
    return [everyone].filter(fits);
  }
  const hosts = scope.hosts(profile, leg.direction === 'out' ? leg.to : leg.from);
  return hosts === undefined || hosts === 'none' ? undefined : hosts.filter(fits);
}

/** Binds one flow to hosts. What does not depend on the host is worked out once. */
class Binder {
  readonly #profile: Profile;
  readonly #flow: Flow;
  readonly #scope: Scope;
  readonly #asker: Asker;
  readonly #problems: Problems;
  readonly #site: readonly FlowOverride[];
  #plain: Asking | undefined | 'not yet' = 'not yet';
  readonly #owns = new Map<string, { readonly host: SiteHost | undefined }>();
  /** Something was wrong with how the flow is asked. */
  failed = false;

  constructor(profile: Profile, flow: Flow, scope: Scope, asker: Asker, problems: Problems) {
    this.#profile = profile;
    this.#flow = flow;
    this.#scope = scope;
    this.#asker = asker;
    this.#problems = problems;
    this.#site = scope.overrides(profile, flow);
    if (!flow.broadcast) {
      for (const layer of this.#site.filter(({ broadcastTo }) => broadcastTo !== undefined)) {
        problems.add(() => ({
          ...(layer.flow.place === undefined ? {} : { place: layer.flow.place }),
          what: `"broadcast-to" for ${quoted(flow.id)}, which is not asked by broadcast`,
        }));
      }
    }
  }

  /** One check for each port; none where something is wrong. */
  checks(leg: Leg, far: SiteHost | undefined): readonly PlannedCheck[] {
    const own = this.#own(leg.direction === 'out' ? leg.from : leg.to);
    const target = leg.direction === 'out' ? far : own;
    const ofTarget = target === undefined ? [] : this.#scope.hostOverrides(target, this.#profile, this.#flow);
    const layers = [...this.#site, ...ofTarget];
    const asking = this.#asking(ofTarget);
    const ports = this.#ports(layers);
    if (asking === undefined || ports === undefined) {
      this.failed = true;
      return [];
    }
    return ports.map((port) => this.#check(leg, far, own, layers, asking, port));
  }

  #asking(ofTarget: readonly FlowOverride[]): Asking | undefined {
    if (ofTarget.length > 0) return this.#asker.asking(this.#flow, [...this.#site, ...ofTarget]);
    if (this.#plain === 'not yet') this.#plain = this.#asker.asking(this.#flow, this.#site);
    return this.#plain;
  }

  /** `[undefined]` for a carrier without ports. */
  #ports(layers: readonly FlowOverride[]): readonly (number | undefined)[] | undefined {
    const override = layers.findLast((layer) => layer.ports !== undefined)?.ports;
    const { ports } = this.#flow;
    if (ports !== undefined) return everyPort(override?.value ?? ports);
    if (override === undefined) return [undefined];
    this.#problems.add(() => ({
      ...(override.place === undefined ? {} : { place: override.place }),
      what: `a port for ${quoted(this.#flow.id)}, which goes over ${carrierName(this.#flow.carrier)} and has none`,
    }));
    return undefined;
  }

  /** This machine among the hosts of its role: the one it probes from, or the only one. */
  #own(role: string): SiteHost | undefined {
    const known = this.#owns.get(role);
    if (known !== undefined) return known.host;
    const hosts = this.#scope.hosts(this.#profile, role);
    const list = hosts === undefined || hosts === 'none' ? [] : hosts;
    const { source } = this.#scope;
    const host = list.find((one) => one.host === source) ?? (list.length === 1 ? list[0] : undefined);
    this.#owns.set(role, { host });
    return host;
  }

  /** The site requires another member of this flow's one-of group by name: then nothing is left to choose. */
  #decided(target: SiteHost | undefined): boolean {
    const { oneOf } = this.#flow.required;
    return this.#profile.flows.some((other) => {
      if (other === this.#flow || other.required.oneOf !== oneOf) return false;
      const ofTarget = target === undefined ? [] : this.#scope.hostOverrides(target, this.#profile, other);
      const layers = [...this.#scope.overrides(this.#profile, other), ...ofTarget];
      return requiredBy(layers) === true;
    });
  }

  #check(
    leg: Leg,
    far: SiteHost | undefined,
    own: SiteHost | undefined,
    layers: readonly FlowOverride[],
    asking: Asking,
    port: number | undefined,
  ): PlannedCheck {
    const flow = this.#flow;
    const profile = this.#profile.id;
    const way = leg.back ? '~back' : '';
    const farHost = far?.host ?? '-';
    const carrier = carrierName(flow.carrier);
    const expect: Expect = layers.findLast((layer) => layer.expect !== undefined)?.expect ?? 'open';
    // What the site says of one member is no choice any more.
    const chosen = requiredBy(layers);
    const group =
      flow.required.oneOf === undefined || chosen !== undefined
        ? undefined
        : `${profile}/${flow.required.oneOf}${way}/${leg.from}/${leg.to}/${farHost}`;
    const decided = group !== undefined && this.#decided(leg.direction === 'out' ? far : own);
    const required = chosen ?? (!flow.required.optional && !decided);
    const place = far?.place ?? layers.at(-1)?.flow.place ?? flow.place;
    const [fromHost, toHost] = leg.direction === 'out' ? [own, far] : [far, own];
    const identity: { identity?: Identity } = asking.identity === undefined ? {} : { identity: asking.identity };
    // Keys that are always there stand first: in front of them a spread costs ten times the time and four times the memory.
    return {
      id: `${profile}/${flow.id}${way}/${leg.from}/${farHost}/${carrier}${port === undefined ? '' : `-${port}`}`,
      profile,
      flow: flow.id,
      title: flow.title,
      required,
      expect,
      reach: asking.reach,
      direction: leg.direction,
      from: { role: leg.from, ...(fromHost === undefined ? {} : { host: fromHost.host }) },
      to: {
        role: leg.to,
        ...(toHost === undefined ? {} : { host: toHost.host }),
        ...(port === undefined ? {} : { port }),
      },
      carrier: flow.carrier,
      probe: flow.probe.value,
      options: asking.options,
      traits: asking.traits,
      addresses: far?.addresses ?? 'every',
      family: this.#scope.family,
      why: flow.why,
      source: flow.source,
      acceptUnproven: this.#scope.acceptsUnproven(this.#profile, flow),
      place,
      ...(group === undefined || decided ? {} : { group }),
      ...identity,
      ...(flow.sourcePort === undefined ? {} : { sourcePort: flow.sourcePort }),
      ...(flow.answersFrom === undefined ? {} : { answersFrom: flow.answersFrom }),
      ...(flow.broadcast ? { broadcast: true } : {}),
      ...(flow.path === undefined ? {} : { path: flow.path }),
      ...(flow.everyMs === undefined ? {} : { everyMs: flow.everyMs }),
      ...(flow.erratum === undefined ? {} : { erratum: flow.erratum }),
    };
  }
}

function requiredBy(layers: readonly FlowOverride[]): boolean | undefined {
  return layers.findLast((layer) => layer.required !== undefined)?.required;
}

function everyPort({ first, last }: PortRange): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** A host may stand in a role twice, with other ports each time. The same question twice is asked once. */
function addCheck(check: PlannedCheck, checks: Map<string, PlannedCheck>, problems: Problems): void {
  const before = checks.get(check.id);
  if (before === undefined) {
    checks.set(check.id, check);
    return;
  }
  if (asked(before) === asked(check)) return;
  problems.add(() => ({
    ...(check.place === undefined ? {} : { place: check.place }),
    what: `the flow ${quoted(check.flow)} is asked of one host and port in two ways`,
    expected: 'another port, or the same options',
  }));
}

function asked({ options, reach, expect, required, addresses }: PlannedCheck): string {
  return JSON.stringify([options, reach, expect, required, addresses]);
}

function nothingToCheck(site: Site | undefined, scope: Scope, skipped: readonly Skipped[]): Problem {
  const reasons = new Map<string, number>();
  for (const { reason } of skipped) {
    const text = reasonText(reason, scope);
    reasons.set(text, (reasons.get(text) ?? 0) + 1);
  }
  const why = [...reasons].map(([text, count]) => `${count} ${count === 1 ? 'flow' : 'flows'} ${text}`);
  return {
    ...(site === undefined ? {} : { place: { file: site.file, line: 1, column: 1 } }),
    what: `nothing to check: ${why.join('; ')}`,
  };
}

function reasonText(reason: SkipReason, scope: Scope): string {
  switch (reason.kind) {
    case 'deselected':
      return 'not selected';
    case 'feature-off':
      return `only with the feature ${quoted(reason.feature)}`;
    case 'unless':
      return `not with the feature ${quoted(reason.feature)}`;
    case 'role-none':
      return `to or from ${quoted(reason.role)}, which is "none"`;
    case 'elsewhere':
      return `neither from nor to ${scope.here.join(', ')}`;
    case 'no-route-for-family':
      return `without a route for IPv${reason.family}`;
  }
}
