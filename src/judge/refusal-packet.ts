// Which packet said no, who sent it and what it says, put together from the outcome and the evidence beside it.
import type { Outcome, RefusalSignal } from '../contract/outcome.js';
import type { CheckRecord, Culprit } from '../contract/verdict.js';
import { sameAddress } from './address.js';
import { decidingAttempt } from './askings.js';
import { meaningOf, type IcmpEvidence, type IcmpMeaning } from './icmp.js';

export interface RefusalPacket {
  readonly medium: 'reset' | 'icmp' | 'errno';
  readonly meaning: IcmpMeaning;
  /** `self`: this machine; `unknown`: errno alone. */
  readonly sender: 'target' | 'self' | 'other' | 'unknown';
  readonly by?: Culprit;
  readonly ttl?: number;
  readonly icmp?: IcmpEvidence;
}

type Refused = Extract<Outcome, { kind: 'refused' }>;

const SAID: Readonly<Record<Exclude<RefusalSignal, 'no-route' | 'local-firewall'>, IcmpMeaning>> = {
  refused: 'port',
  reset: 'port',
  'port-unreachable': 'port',
  'protocol-unreachable': 'protocol',
  prohibited: 'prohibited',
  'host-unreachable': 'no-host',
  'net-unreachable': 'no-route',
  'no-neighbour': 'no-host',
};

function senderOf(record: CheckRecord, target: string | undefined, from: string): RefusalPacket['sender'] {
  if (sameAddress(from, target)) return 'target';
  const locals = [record.check.from.address, ...record.attempts.map(({ localAddress }) => localAddress)];
  return locals.some((local) => sameAddress(local, from)) ? 'self' : 'other';
}

/** The ICMP error that refuses, those of the deciding attempt first. Time exceeded and its like refuse nothing. */
export function icmpRefusal(record: CheckRecord, by?: string): IcmpEvidence | undefined {
  const own = decidingAttempt(record.attempts)?.evidence ?? [];
  const all = [...own, ...record.attempts.flatMap((attempt) => attempt.evidence), ...record.evidence];
  const refusing = all.filter((item): item is IcmpEvidence => item.kind === 'icmp' && meaningOf(item) !== undefined);
  return refusing.find(({ from }) => sameAddress(from, by)) ?? (by === undefined ? refusing[0] : undefined);
}

export function packetOf(record: CheckRecord, target: string | undefined, icmp: IcmpEvidence): RefusalPacket {
  return {
    medium: 'icmp',
    meaning: meaningOf(icmp) ?? 'prohibited',
    sender: senderOf(record, target, icmp.from),
    by: { address: icmp.from, icmp: { type: icmp.type, code: icmp.code } },
    ...(icmp.ttl === undefined ? {} : { ttl: icmp.ttl }),
    icmp,
  };
}

/** Undefined for what this machine's own routing table or filter said: no packet came. */
export function refusalPacket(
  record: CheckRecord,
  target: string | undefined,
  outcome: Refused,
): RefusalPacket | undefined {
  const { signal } = outcome;
  if (signal === 'no-route' || signal === 'local-firewall') return undefined;
  const meaning = SAID[signal];
  const own = decidingAttempt(record.attempts)?.evidence ?? [];
  const reset = [...own, ...record.evidence].find((item) => item.kind === 'reset' && item.phase === 'connect');
  const resetTtl = outcome.ttl ?? (reset?.kind === 'reset' ? reset.ttl : undefined);
  const wasReset = signal === 'reset' || (signal === 'refused' && reset !== undefined && outcome.by === undefined);
  if (wasReset && target !== undefined) {
    // A TCP reset bears the target's address, or our kernel would not take it for an answer.
    return {
      medium: 'reset',
      meaning,
      sender: 'target',
      by: { address: target },
      ...(resetTtl === undefined ? {} : { ttl: resetTtl }),
    };
  }
  const icmp = icmpRefusal(record, outcome.by);
  if (icmp !== undefined) {
    const packet = packetOf(record, target, icmp);
    return packet.ttl === undefined && outcome.ttl !== undefined ? { ...packet, ttl: outcome.ttl } : packet;
  }
  if (outcome.by !== undefined) {
    return {
      medium: 'icmp',
      meaning,
      sender: senderOf(record, target, outcome.by),
      by: { address: outcome.by },
      ...(outcome.ttl === undefined ? {} : { ttl: outcome.ttl }),
    };
  }
  return { medium: 'errno', meaning, sender: 'unknown', ...(outcome.ttl === undefined ? {} : { ttl: outcome.ttl }) };
}

/** Somebody on the path, neither target nor this machine, who rejects this check with a packet of his own. */
export function rejectedBy(record: CheckRecord, target: string): Culprit | undefined {
  const outcome = decidingAttempt(record.attempts)?.outcome;
  let packet: RefusalPacket | undefined;
  if (outcome?.kind === 'refused') packet = refusalPacket(record, target, outcome);
  else if (outcome?.kind === 'silent' || outcome?.kind === 'sent') {
    const icmp = icmpRefusal(record);
    packet = icmp === undefined ? undefined : packetOf(record, target, icmp);
  }
  if (packet?.sender !== 'other' || packet.meaning === 'no-host' || packet.meaning === 'no-route') return undefined;
  return packet.by;
}
