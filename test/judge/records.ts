// Builders of written-out runs for the judge's tests: a check, its attempts, evidence, a run. Only the telling parts are given.
import type { Evidence, EvidenceBody } from '../../src/contract/evidence.js';
import type { BoundCheck } from '../../src/contract/flow.js';
import type { Attempt, Facts, Outcome } from '../../src/contract/outcome.js';
import type { Traits } from '../../src/contract/probe.js';
import type { CheckRecord, How, Judged, RunRecord, VerdictWord } from '../../src/contract/verdict.js';

export const HERE = '192.0.2.5';
export const TARGET = '198.51.100.11';
export const ROUTER = '192.0.2.1';
export const FIREWALL = '203.0.113.1';

const traits = (silence: Traits['silence']): Traits => ({
  silence,
  depths: ['port', 'secure', 'protocol', 'service'],
  defaultDepth: 'protocol',
  sends: [{ what: 'question', packets: 1, bytes: 48 }],
});
export const conclusive = { traits: traits('conclusive') };
export const ambiguous = { traits: traits('ambiguous') };
export const oneWay = { traits: traits('by-design') };

/** A required TCP flow that must reach the protocol. The id follows the flow, host, carrier and port. */
export function check(over: Partial<BoundCheck> = {}): BoundCheck {
  const flow = over.flow ?? 'appliance';
  const to = over.to ?? { role: 'device', host: TARGET, address: TARGET, port: 8305 };
  const carrier = over.carrier ?? 'tcp';
  const key = typeof carrier === 'string' ? carrier : `ip-${carrier.ipProtocol}`;
  return {
    id: `suite/${flow}/manager/${to.host ?? '-'}/${key}-${to.port ?? 0}`,
    profile: 'suite',
    flow,
    title: 'Appliance communications',
    required: true,
    expect: 'open',
    reach: 'protocol',
    direction: 'out',
    from: { role: 'manager', address: HERE },
    to,
    carrier,
    probe: 'ssh',
    options: {},
    ...conclusive,
    addresses: 'every',
    family: 'any',
    why: 'devices cannot be managed without it',
    source: ['8305/tcp'],
    acceptUnproven: false,
    ...over,
  };
}

export const udp = {
  carrier: 'udp',
  probe: 'ntp',
  to: { role: 'device', host: TARGET, address: TARGET, port: 123 },
} as const;

export function at(port: number, address = TARGET, role = 'device'): Pick<BoundCheck, 'to'> {
  return { to: { role, host: address, address, port } };
}

export function evidence(...bodies: readonly EvidenceBody[]): readonly Evidence[] {
  return bodies.map((body, index) => ({ ...body, t: index, source: 'attempt' }));
}

export function attempt(outcome: Outcome, seen: readonly EvidenceBody[] = [], over: Partial<Attempt> = {}): Attempt {
  return {
    outcome,
    evidence: evidence(...seen),
    timings: {},
    startedMs: 0,
    durationMs: 10,
    ...over,
  };
}

export const answered = (
  depth: 'port' | 'secure' | 'protocol' | 'service' = 'protocol',
  facts: Facts = { version: '2.0' },
): Outcome => ({ kind: 'answered', depth, facts });
export const silent = (waitedMs = 5000, sent = 1): Outcome => ({ kind: 'silent', sent, waitedMs });
export const sent = (facts?: Facts): Outcome => ({
  kind: 'sent',
  sent: 1,
  waitedMs: 500,
  ...(facts === undefined ? {} : { facts }),
});
export const stranger = (
  came: 'other-protocol' | 'silence' | 'close' | 'reset',
  detail = 'an HTTP answer',
): Outcome => ({
  kind: 'stranger',
  came,
  detail,
  facts: {},
});
export const turnedAway = (presented: 'secret' | 'credentials' | 'client' = 'credentials'): Outcome => ({
  kind: 'turned-away',
  presented,
  by: 'Access-Reject',
  facts: {},
});
export const refused = (
  signal: Extract<Outcome, { kind: 'refused' }>['signal'] = 'refused',
  over: { afterMs?: number; by?: string; ttl?: number } = {},
): Outcome => ({ kind: 'refused', signal, afterMs: 12, ...over });
export const unable = (
  reason: Extract<Outcome, { kind: 'unable' }>['reason'],
  detail = 'no more descriptors',
): Outcome => ({
  kind: 'unable',
  reason,
  detail,
});

export const alive = (
  by: Extract<EvidenceBody, { kind: 'alive' }>['by'],
  ttl?: number,
  address = TARGET,
): EvidenceBody => ({ kind: 'alive', by, address, ...(ttl === undefined ? {} : { ttl }) });
export const icmp = (from: string, type: number, code: number, ttl?: number): EvidenceBody => ({
  kind: 'icmp',
  from,
  type,
  code,
  ...(ttl === undefined ? {} : { ttl }),
});
export const path = (reached = false): EvidenceBody => ({
  kind: 'path',
  reached,
  hops: [{ hop: 1, address: ROUTER, rttMs: 1 }, { hop: 2, address: FIREWALL }, { hop: 3 }],
});
export const shut = (port: number, outcome: Outcome): EvidenceBody => ({
  kind: 'control',
  port,
  role: 'shut',
  outcome,
});
export const passing = (port: number, outcome: Outcome): EvidenceBody => ({
  kind: 'control',
  port,
  role: 'open',
  outcome,
});
export const receipt = (arrived: boolean, sentBack = false, from?: string): EvidenceBody => ({
  kind: 'receipt',
  arrived,
  sentBack,
  ...(from === undefined ? {} : { from }),
});

type Given = Attempt | Outcome;

/** A check with its attempts; outcomes alone become attempts without evidence. */
export function record(
  over: Partial<BoundCheck>,
  attempts: Given | readonly Given[],
  seen: readonly EvidenceBody[] = [],
  rest: Partial<Omit<CheckRecord, 'check' | 'attempts' | 'evidence'>> = {},
): CheckRecord {
  const list: readonly Given[] = 'outcome' in attempts || 'kind' in attempts ? [attempts] : attempts;
  return {
    check: check(over),
    attempts: list.map((given, index) =>
      'outcome' in given
        ? given
        : attempt(given, [], { startedMs: index * 6000, durationMs: 'waitedMs' in given ? given.waitedMs : 10 }),
    ),
    evidence: evidence(...seen),
    ...rest,
  };
}

/** Another flow of the same host that answers: the plainest sign that it lives. */
export const lives = record({ flow: 'ssh', ...at(22) }, answered());

export function run(...checks: readonly CheckRecord[]): RunRecord {
  return { checks, accept: [] };
}

type Expected = {
  readonly [
    K in 'result' | 'certain' | 'proof' | 'by' | 'after' | 'direction' | 'warning' | 'facts' | 'required' | 'accepted'
  ]?: Judged[K] | undefined;
} & { readonly verdict: VerdictWord; readonly how?: How };

/** What a cell of the table says about the check it names, the first unless told otherwise. */
export interface Cell {
  readonly name: string;
  readonly run: RunRecord;
  readonly index?: number;
  /** `undefined`: the key must be absent. */
  readonly is: Expected;
  /** What the sentence must mention. */
  readonly says?: readonly RegExp[];
}
