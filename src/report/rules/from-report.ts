// What a report says of flows that do not get through, as flows that want rules. What a report does not carry, such as
// fixed source ports, comes from the profile.
import type { PlannedCheck } from '../../contract/flow.js';
import type { Carrier } from '../../contract/probe.js';
import type { Report, ReportedCheck } from '../../contract/report.js';
import type { WantedFlow } from '../../contract/rule.js';
import { verdictWords } from '../words.js';

/** What the profile knows of a flow and a report does not. */
export type FlowFacts = Pick<PlannedCheck, 'why'> &
  Partial<Pick<PlannedCheck, 'sourcePort' | 'answersFrom' | 'broadcast' | 'path' | 'traits' | 'erratum'>>;

export interface FromReport {
  /** Throws where the profile does not have the flow: a rule without its fixed ports would be too broad. */
  readonly factsOf: (profile: string, flow: string) => FlowFacts;
  /** Also what could not be proven. */
  readonly unproven: boolean;
  readonly isSelected: (profile: string, flow: string) => boolean;
}

/** The failed checks of a report, in its order. */
export function wantedFrom(report: Report, { factsOf, unproven, isSelected }: FromReport): readonly WantedFlow[] {
  const open = new Set(
    report.checks.flatMap(({ group, result }) => (result === 'pass' && group !== undefined ? [group] : [])),
  );
  return report.checks
    .filter(({ result }) => result === 'fail' || (unproven && result === 'unproven'))
    .filter(({ profile, flow }) => isSelected(profile, flow))
    .map((check) => wanted(check, report.startedAt, open, factsOf(check.profile, check.flow)));
}

function wanted(check: ReportedCheck, when: string, open: ReadonlySet<string>, facts: FlowFacts): WantedFlow {
  const { id, profile, flow, title, required, expect, group, source, to, via } = check;
  const seen = `${when}, ${verdictWords(check)}: ${check.summary}`;
  const needless = needlessOf(check, open);
  const inbound = isInbound(check);
  return {
    id,
    profile,
    flow,
    title,
    required,
    expect,
    direction: inbound ? 'in' : 'out',
    from: inbound ? { ...check.from, ...hostIn(id) } : check.from,
    to,
    carrier: carrierOf(check.carrier),
    source,
    ...facts,
    seen,
    ...(group === undefined ? {} : { group }),
    ...(needless === undefined ? {} : { needless }),
    ...(via === undefined ? {} : { via: proxyOf(via) }),
  };
}

function needlessOf(
  { verdict, certain, group, summary }: ReportedCheck,
  open: ReadonlySet<string>,
): string | undefined {
  if (group !== undefined && open.has(group)) return 'Another of the alternatives is open, and one is enough.';
  const answered = verdict === 'closed' || verdict === 'denied' || verdict === 'wrong-service';
  return answered && certain === 'proven' ? `The path is open, no rule is missing: ${summary}` : undefined;
}

/** `profile/flow[~back]/fromRole/host/carrier-port[/address]`: the host is that of the far end. */
function hostOf(id: string): string | undefined {
  const host = id.split('/')[3];
  return host === '-' ? undefined : host;
}

function isInbound({ id, to, how }: ReportedCheck): boolean {
  return how === 'no-peer' || hostOf(id) !== to.host;
}

function hostIn(id: string): { readonly host?: string } {
  const host = hostOf(id);
  return host === undefined ? {} : { host };
}

/** `tcp`, `udp`, `icmp`, `ip-47`. */
function carrierOf(word: string): Carrier {
  if (word === 'tcp' || word === 'udp' || word === 'icmp') return word;
  return { ipProtocol: Number(word.replace('ip-', '')) };
}

/** `HOST:PORT`, an IPv6 address in brackets. */
function proxyOf(via: string): NonNullable<WantedFlow['via']> {
  const at = via.lastIndexOf(':');
  return { host: via.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(via.slice(at + 1)) };
}
