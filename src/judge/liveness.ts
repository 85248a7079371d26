// What the whole run knows of one address: whether somebody lives there, how far away, which of its ports that must be
// shut accept, and who rejects flows to it. No verdicts.
import type { Evidence } from '../contract/evidence.js';
import type { Outcome, RefusalSignal } from '../contract/outcome.js';
import type { CheckRecord, Culprit } from '../contract/verdict.js';
import { decidingAttempt } from './askings.js';
import { canonical, network, sameAddress } from './address.js';
import { fit, hopsAway } from './distance.js';
import { meaningOf, type IcmpEvidence } from './icmp.js';
import { contradictsIdentity } from './identity.js';
import { refusalPacket, rejectedBy, type RefusalPacket } from './refusal-packet.js';
import { carrierWords } from './wording.js';

/** Distance of a packet that came from the address, in hops, and where it was seen. */
interface Distance {
  readonly hops: number;
  readonly by: 'handshake' | 'data' | 'reply' | 'echo';
  readonly record: CheckRecord;
  readonly own: boolean;
}

export interface Host {
  /** `proven`: a packet that a bystander would hardly send; `likely`: a refusal that may be forged in its name. */
  readonly alive: 'proven' | 'likely' | undefined;
  /** What showed it: `TCP 22 answers`. */
  readonly witness: string | undefined;
  readonly distances: readonly Distance[];
  /** Ports that must be shut and accept all the same. */
  readonly acceptsShut: readonly number[];
  /** The target itself refused a UDP question of this run, so its ICMP errors may be rate-limited. */
  readonly refusesUdp: boolean;
  /** A flow of this run was told that nobody has the address. */
  readonly lookupFailed: boolean;
  /** A filter's word reached a datagram's socket, which hears of no error that may pass (3/0, 3/1; ICMPv6 1/0, 1/3). */
  readonly rejectsDatagrams: boolean;
  /** Datagrams to it stayed without any word. */
  readonly silentToDatagrams: boolean;
}

export interface Hosts {
  of(address: string | undefined): Host;
  /** Somebody on the path who rejects other flows to this address, or to its network. */
  rejecterNear(address: string | undefined, except: CheckRecord): { by: Culprit; flow: string } | undefined;
}

interface Rejection {
  readonly target: string;
  readonly by: Culprit;
  readonly record: CheckRecord;
}

export function allEvidence(record: CheckRecord): readonly Evidence[] {
  const [first, second] = record.attempts;
  if (first !== undefined && second === undefined && record.evidence.length === 0) return first.evidence;
  return [...record.attempts.flatMap((attempt) => attempt.evidence), ...record.evidence];
}

/** Something took the connection. */
function accepted(outcome: Outcome): boolean {
  return outcome.kind === 'answered' || outcome.kind === 'turned-away' || outcome.kind === 'stranger';
}

/** More than a handshake came: bytes that a host, or a proxy that speaks for it, sent. */
function spoke(outcome: Outcome): boolean {
  if (outcome.kind === 'answered') return outcome.depth !== 'port';
  return outcome.kind === 'turned-away' || (outcome.kind === 'stranger' && outcome.came === 'other-protocol');
}

/** An answer that shows itself to be another's is no sign of life of the target. */
function impersonated(record: CheckRecord): boolean {
  if (contradictsIdentity(record) !== undefined) return true;
  return allEvidence(record).some((item) => item.kind === 'receipt' && !item.arrived);
}

/** A host while its run is read. */
class Notes implements Host {
  alive: 'proven' | 'likely' | undefined;
  witness: string | undefined;
  readonly distances: Distance[] = [];
  readonly acceptsShut: number[] = [];
  refusesUdp = false;
  rejectsDatagrams = false;
  silentToDatagrams = false;
  /** Somebody waited out the lookup, or has the word of who did. */
  waitedForLookup = false;
  /** EHOSTUNREACH of a connecting socket: a lookup that failed, or a filter. */
  toldNoHost = false;

  get lookupFailed(): boolean {
    if (this.rejectsDatagrams) return false;
    return this.waitedForLookup || (this.toldNoHost && this.silentToDatagrams);
  }

  see(alive: 'proven' | 'likely', witness: string): void {
    if (this.alive === 'proven' || this.alive === alive) return;
    this.alive = alive;
    this.witness = witness;
  }
}

const NOTHING_KNOWN: Host = new Notes();

/** Reads a whole run once. */
export function hostsOf(records: readonly CheckRecord[]): Hosts {
  const hosts = new Map<string, Notes>();
  const at = (address: string): Notes => {
    const key = canonical(address);
    let host = hosts.get(key);
    if (host === undefined) {
      host = new Notes();
      hosts.set(key, host);
    }
    return host;
  };

  // First what later readings are measured against: distances, and ports that give an impostor away.
  for (const record of records) {
    const target = targetOf(record);
    for (const item of allEvidence(record)) {
      if (item.kind === 'alive' && item.ttl !== undefined && item.by !== 'refusal' && item.by !== 'neighbour') {
        // A refusal is what these distances are to judge, so it is never among them.
        const own = sameAddress(item.address, target);
        at(item.address).distances.push({ hops: hopsAway(item.ttl), by: item.by, record, own });
      }
      if (item.kind === 'control' && item.role === 'shut' && target !== undefined && accepted(item.outcome)) {
        const { acceptsShut } = at(target);
        if (!acceptsShut.includes(item.port)) acceptsShut.push(item.port);
      }
    }
  }

  const rejecters = new Map<string, Rejection[]>();
  for (const record of records) {
    const target = targetOf(record);
    if (target !== undefined) {
      const by = rejectedBy(record, target);
      if (by !== undefined) {
        for (const key of [canonical(target), network(target)]) {
          // Two are enough to find one that is not the asker's own.
          rejecters.set(key, [...(rejecters.get(key) ?? []), { target, by, record }].slice(0, 2));
        }
      }
    }
    readLife(record, target, at);
  }

  return {
    of: (address) => (address === undefined ? undefined : hosts.get(canonical(address))) ?? NOTHING_KNOWN,
    rejecterNear: (address, except) => {
      if (address === undefined) return undefined;
      const other = (key: string): Rejection | undefined => rejecters.get(key)?.find(({ record }) => record !== except);
      const near = other(canonical(address)) ?? other(network(address));
      if (near === undefined) return undefined;
      const { check } = near.record;
      return { by: near.by, flow: `${carrierWords(check.carrier, check.to.port)} to ${near.target}` };
    },
  };
}

/** The address that was asked; none for a broadcast, which nobody in particular answers, and for what others ask. */
export function targetOf(record: CheckRecord): string | undefined {
  const { check } = record;
  return check.broadcast === true || check.direction === 'in' ? undefined : check.to.address;
}

function readLife(record: CheckRecord, target: string | undefined, at: (address: string) => Notes): void {
  const { check } = record;
  const flow = carrierWords(check.carrier, check.to.port);
  const trusted = !impersonated(record);
  for (const item of allEvidence(record)) {
    switch (item.kind) {
      case 'alive': {
        const host = at(item.address);
        if (item.by === 'refusal') host.see('likely', `${flow} is refused`);
        else if (item.by === 'echo') host.see('proven', 'it answers ping');
        else if (item.by === 'neighbour') host.see('proven', 'it answers on the local network');
        else if (trusted && (item.by !== 'handshake' || host.acceptsShut.length === 0)) {
          host.see('proven', `${flow} ${item.by === 'handshake' ? 'accepts' : 'answers'}`);
        }
        break;
      }
      case 'icmp':
        // That it cannot deliver says who stands for the address, and not that the host behind it lives.
        if (sameAddress(item.from, target) && item.type !== 11 && !undelivered(item))
          readRefusal(at(item.from), item.ttl, flow, check.carrier);
        break;
      case 'reset':
        if (target !== undefined) readRefusal(at(target), item.ttl, flow, check.carrier);
        break;
      case 'control':
        // A port that must be shut is a sign of life only where it is: who accepts there is the impostor.
        if (target !== undefined && (item.role === 'open' || item.outcome.kind === 'refused')) {
          readControl(at(target), item.outcome, carrierWords('tcp', item.port), target);
        }
        break;
      case 'path':
        if (target !== undefined && item.reached) at(target).see('proven', 'the path search reached it');
        break;
      case 'receipt':
        if (target !== undefined) at(target).see('proven', 'a linecheck there reports');
        break;
      case 'acked':
      case 'tls':
      case 'size':
        break;
    }
  }
  if (target === undefined || !trusted) return;
  const decided = decidingAttempt(record.attempts)?.outcome;
  if (decided?.kind === 'refused')
    readUnreachable(at(target), refusalPacket(record, target, decided), record, decided.signal);
  else if (check.carrier === 'udp' && (decided?.kind === 'silent' || decided?.kind === 'sent')) {
    at(target).silentToDatagrams = true;
  }
  for (const { outcome } of record.attempts) {
    if (outcome.kind !== 'refused') readOutcome(at(target), outcome, flow);
    else {
      // Evidence beside the errno may name somebody else, or a TTL that does.
      const packet = refusalPacket(record, target, outcome);
      const own = packet?.sender === 'target' || packet?.sender === 'unknown';
      if (own && packet.meaning === 'port') readRefusal(at(target), packet.ttl, flow, check.carrier);
    }
  }
}

function undelivered(error: IcmpEvidence): boolean {
  const meaning = meaningOf(error);
  return meaning === 'no-host' || meaning === 'no-route';
}

function readUnreachable(
  host: Notes,
  packet: RefusalPacket | undefined,
  { check }: CheckRecord,
  signal: RefusalSignal,
): void {
  if (packet === undefined) return;
  const { meaning, sender } = packet;
  const byErrno = sender === 'unknown';
  if (check.carrier === 'udp' && byErrno) {
    if (meaning !== 'port' && meaning !== 'protocol') host.rejectsDatagrams = true;
  } else if (meaning === 'no-host') {
    if (!byErrno || signal === 'no-neighbour') host.waitedForLookup = true;
    host.toldNoHost = true;
  }
}

function readOutcome(host: Notes, outcome: Outcome, flow: string): void {
  if (spoke(outcome)) host.see('proven', `${flow} answers`);
  else if (accepted(outcome) && host.acceptsShut.length === 0) host.see('proven', `${flow} accepts`);
}

function readControl(host: Notes, outcome: Outcome, flow: string, target: string): void {
  if (outcome.kind !== 'refused') readOutcome(host, outcome, flow);
  else if (outcome.by === undefined || sameAddress(outcome.by, target)) {
    const { signal } = outcome;
    if (signal === 'refused' || signal === 'reset') readRefusal(host, outcome.ttl, flow, 'tcp');
  }
}

/** A refusal in the target's name: a sign of life as far as its TTL does not say that somebody nearer sent it. */
function readRefusal(
  host: Notes,
  ttl: number | undefined,
  flow: string,
  carrier: CheckRecord['check']['carrier'],
): void {
  const fitting = fit(
    ttl,
    host.distances.map(({ hops }) => hops),
  );
  if (fitting === 'nearer') return;
  if (carrier === 'udp') host.refusesUdp = true;
  host.see(fitting === 'fits' ? 'proven' : 'likely', `${flow} is refused`);
}

/** Hops of packets that are the host's own beyond doubt, else of its handshakes, which a SYN proxy may answer. */
export function hostHops(host: Host): { readonly hops: readonly number[]; readonly firm: boolean } {
  const firm = host.distances.filter(({ by }) => by !== 'handshake').map(({ hops }) => hops);
  if (firm.length > 0) return { hops: firm, firm: true };
  return { hops: host.distances.map(({ hops }) => hops), firm: false };
}
