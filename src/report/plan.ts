// What a plan would send, to whom and how much, for a tech and for a change board. Sends nothing itself.
import type { PlannedCheck, Plan } from '../contract/flow.js';
import { pretty } from './json.js';
import { definitions, listing, paragraph, type Entry, type Line } from './layout.js';
import { skippedLines } from './skips.js';
import type { Style } from './style.js';
import { arrow, carrierWord, count, endpoint, grouped, listed, size } from './words.js';

export interface PlanTotals {
  /** Checks that this machine asks, those that only the far end can ask, and those whose role has no host. */
  readonly asked: number;
  readonly inbound: number;
  readonly withoutHost: number;
  readonly skipped: number;
  /** Hosts as the site writes them. */
  readonly targets: number;
  /** Of one asking of every check; bytes of payload. */
  readonly packets: number;
  readonly bytes: number;
}

interface Parted {
  readonly asked: readonly PlannedCheck[];
  readonly inbound: readonly PlannedCheck[];
  readonly withoutHost: readonly PlannedCheck[];
}

function parted(plan: Plan): Parted {
  const out = plan.checks.filter((check) => check.direction === 'out');
  return {
    asked: out.filter(hasHost),
    inbound: plan.checks.filter((check) => check.direction === 'in'),
    withoutHost: out.filter((check) => !hasHost(check)),
  };
}

function hasHost({ to }: PlannedCheck): boolean {
  return to.host !== undefined || to.address !== undefined;
}

function packetsOf({ traits }: PlannedCheck): number {
  return traits.sends.reduce((sum, each) => sum + each.packets, 0);
}

function bytesOf({ traits }: PlannedCheck): number {
  return traits.sends.reduce((sum, each) => sum + each.bytes, 0);
}

export function planTotals(plan: Plan): PlanTotals {
  const { asked, inbound, withoutHost } = parted(plan);
  return {
    asked: asked.length,
    inbound: inbound.length,
    withoutHost: withoutHost.length,
    skipped: plan.skipped.length,
    targets: new Set(asked.map((check) => check.to.host ?? check.to.address)).size,
    packets: asked.reduce((sum, check) => sum + packetsOf(check), 0),
    bytes: asked.reduce((sum, check) => sum + bytesOf(check), 0),
  };
}

export function planTable(plan: Plan, style: Style): string {
  const { asked, inbound, withoutHost } = parted(plan);
  const choices = choicesOf(plan);
  const sections = [
    head(plan, style),
    section('Asked from here', askedEntries(asked, choices), style),
    sends(asked, style),
    section('Asked by the far end: only a peer there can prove them', arrowEntries(inbound, choices), style),
    section('Not asked: the site names no host for the role', arrowEntries(withoutHost, choices), style),
    skippedLines(
      plan.skipped.map(({ title, why }) => ({ title, reason: why })),
      style,
    ),
    total(plan, style),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function head(plan: Plan, style: Style): string[] {
  const totals = planTotals(plan);
  const parts = [
    `${count(totals.asked, 'check')} from here`,
    `${totals.inbound} by the far end`,
    ...(totals.withoutHost === 0 ? [] : [`${totals.withoutHost} without a host`]),
    `${count(totals.skipped, 'flow')} skipped`,
  ];
  const title = plan.site === undefined ? 'Plan' : `Plan for ${plan.site}`;
  return [
    ...paragraph({ text: `${title}: ${listed(parts)}. Nothing was sent.`, tone: 'strong' }, style),
    ...definitions(
      [
        ['Profiles', plan.profiles.map(({ id, title: name }) => `${id} (${name})`).join('; ') || 'none'],
        ['Here', plan.here.join(', ') || 'none'],
        ['Source', plan.source ?? 'as the route to each target says'],
        ...(plan.proxy === undefined ? [] : [['Proxy', proxyWords(plan.proxy)] as const]),
        ['Logins', plan.login ? 'credentials of the site are used' : 'no credentials are used'],
      ],
      style,
    ),
  ];
}

function proxyWords(proxy: string): string {
  const whose = proxy === 'environment' ? 'what the environment names when it runs' : proxy;
  return `${whose}; HTTP and HTTPS go through it, HTTPS by one request more (CONNECT, about 100 B)`;
}

function section(title: string, entries: readonly Entry[], style: Style): string[] {
  if (entries.length === 0) return [];
  return [
    ...paragraph({ text: title, tone: 'strong' }, style),
    ...listing(entries, style, { indent: 2, right: [1, 2] }),
  ];
}

/** With what the plan says of the check: an alternative to another one, optional, a negative. */
function titleOf(check: PlannedCheck, choices: ReadonlySet<string>): string {
  const more = [
    ...(check.group !== undefined && choices.has(check.group) ? ['alternative'] : []),
    ...(check.group === undefined && !check.required ? ['optional'] : []),
    ...(check.expect === 'blocked' ? ['must be blocked'] : []),
  ];
  return more.length === 0 ? check.title : `${check.title} (${more.join(', ')})`;
}

/** The groups in which there is something to choose. */
function choicesOf({ checks }: Plan): ReadonlySet<string> {
  const flows = new Map<string, Set<string>>();
  for (const { group, flow } of checks) {
    if (group !== undefined) flows.set(group, (flows.get(group) ?? new Set()).add(flow));
  }
  return new Set([...flows].filter(([, members]) => members.size > 1).map(([group]) => group));
}

function far(check: PlannedCheck): string {
  const broadcast = check.broadcast === true ? ' broadcast' : '';
  return endpoint(check.to, carrierWord(check.carrier)) + broadcast;
}

function entries(
  checks: readonly PlannedCheck[],
  choices: ReadonlySet<string>,
  what: (check: PlannedCheck) => string,
  tail: (check: PlannedCheck) => readonly Line[],
): Entry[] {
  return grouped(checks, (check) => titleOf(check, choices)).map(([title, same]) => ({
    title,
    items: same.map((check) => ({ what: what(check), tail: tail(check) })),
  }));
}

function askedEntries(checks: readonly PlannedCheck[], choices: ReadonlySet<string>): Entry[] {
  return entries(checks, choices, far, (check) => [
    check.probe,
    count(packetsOf(check), 'packet'),
    size(bytesOf(check)),
  ]);
}

function arrowEntries(checks: readonly PlannedCheck[], choices: ReadonlySet<string>): Entry[] {
  return entries(
    checks,
    choices,
    (check) => arrow({ ...check, carrier: carrierWord(check.carrier) }),
    () => [],
  );
}

/** One line for all checks of a probe that send the same. */
function sends(checks: readonly PlannedCheck[], style: Style): string[] {
  if (checks.length === 0) return [];
  const rows = grouped(checks, (check) => JSON.stringify([check.probe, check.traits.sends])).map(
    ([, [first]]): readonly [string, string] => {
      if (first === undefined) return ['', ''];
      const each = first.traits.sends.map(
        ({ what, packets, bytes }) => `${what} (${count(packets, 'packet')}, ${size(bytes)})`,
      );
      return [first.probe, each.length === 0 ? 'nothing of its own' : each.join('; ')];
    },
  );
  return [...paragraph({ text: 'What one asking sends', tone: 'strong' }, style), ...definitions(rows, style, 2)];
}

function total(plan: Plan, style: Style): string[] {
  const { packets, bytes, targets } = planTotals(plan);
  const needs = grouped(
    parted(plan).asked.filter((check) => check.traits.needs !== undefined),
    (check) => check.traits.needs ?? '',
  ).map(([need, checks]) => `${need} (${count(checks.length, 'check')})`);
  return definitions(
    [
      [
        { text: 'Total', tone: 'strong' },
        `${count(packets, 'packet')} and ${size(bytes)} of payload to ${count(targets, 'target')} if each is asked once; ` +
          'the same question is asked once for all checks that share it. What is silent is asked again, and what fails is ' +
          'looked into: a ping, a connection to a TCP port that must be shut, a path search (--diagnose off: none of it).',
      ],
      [{ text: 'Needs', tone: 'strong' }, needs.length === 0 ? 'no privileges' : needs.join('; ')],
    ],
    style,
  );
}

/** The plan for programs, with its totals; secrets stand in it by name and place only. */
export function planJson(plan: Plan): string {
  return pretty({
    schema: 'linecheck/plan/v1',
    site: plan.site,
    profiles: plan.profiles,
    here: plan.here,
    source: plan.source,
    login: plan.login,
    proxy: plan.proxy,
    totals: planTotals(plan),
    checks: plan.checks.map((check) => ({
      id: check.id,
      profile: check.profile,
      flow: check.flow,
      title: check.title,
      required: check.required,
      group: check.group,
      expect: check.expect,
      reach: check.reach,
      direction: check.direction,
      from: check.from,
      to: check.to,
      carrier: carrierWord(check.carrier),
      probe: check.probe,
      options: check.options,
      identity: check.identity,
      sends: check.traits.sends,
      silence: check.traits.silence,
      needs: check.traits.needs,
      sourcePort: check.sourcePort,
      answersFrom: check.answersFrom,
      broadcast: check.broadcast,
      addresses: check.addresses,
      family: check.family,
      path: check.path,
      everyMs: check.everyMs,
      why: check.why,
      source: check.source,
      erratum: check.erratum,
      acceptUnproven: check.acceptUnproven,
      place: check.place,
    })),
    skipped: plan.skipped,
    acceptUnproven: plan.acceptHow,
    secrets: plan.secrets,
  });
}
