// Which second looks a question deserves beside being asked again. Chosen from outcome kinds and evidence alone; who takes
// them, and what they mean, is not known here.
import type { Evidence } from '../contract/evidence.js';
import type { Attempt, Outcome } from '../contract/outcome.js';
import type { Target } from '../contract/probe.js';

/** One question and what came of it so far, the first asking first. */
export interface Seen {
  readonly target: Target;
  readonly carrier: string;
  readonly attempts: readonly Attempt[];
  /** What earlier second looks saw. */
  readonly evidence: readonly Evidence[];
}

/** Refusals that bear the target's name, or may: whether the target sent them, its distance tells. */
const IN_TARGETS_NAME: ReadonlySet<string> = new Set(['refused', 'reset', 'port-unreachable', 'prohibited']);

function lastOutcome({ attempts }: Seen): Outcome | undefined {
  return attempts.at(-1)?.outcome;
}

function evidenceOf({ attempts, evidence }: Seen): readonly Evidence[] {
  return [...attempts.flatMap((attempt) => attempt.evidence), ...evidence];
}

/** A broadcast asks nobody in particular, a proxy is not the target, and between a machine and itself stands nobody. */
function hasTarget({ target }: Seen): boolean {
  return target.broadcast !== true && target.proxied === undefined && !LOOPBACK.test(target.address);
}

/** RFC 6890 §2.2.2, RFC 4291 §2.5.3. */
const LOOPBACK = /^127\.|^::1$/;

/** Somebody took the connection, and the flow's own protocol did not show itself. */
function onlyAccepted(outcome: Outcome | undefined): boolean {
  return (
    (outcome?.kind === 'answered' && outcome.depth === 'port') ||
    (outcome?.kind === 'stranger' && outcome.came !== 'other-protocol')
  );
}

/** A ping: does anybody live there, and how far away, against whom TTLs of other packets can be held? */
export function wantsEcho(seen: Seen): boolean {
  if (!hasTarget(seen) || seen.carrier === 'icmp') return false;
  const outcome = lastOutcome(seen);
  if (outcome === undefined) return false;
  if (outcome.kind === 'silent' || outcome.kind === 'sent' || onlyAccepted(outcome)) return true;
  if (outcome.kind === 'refused') return IN_TARGETS_NAME.has(outcome.signal);
  // Data that shows how far it came may be somebody else's.
  return evidenceOf(seen).some((item) => item.kind === 'alive' && item.by !== 'handshake' && item.ttl !== undefined);
}

/** A port that must be shut: whoever accepts there accepts everything, and proves nothing of the host. */
export function wantsShutPort(seen: Seen): boolean {
  return hasTarget(seen) && seen.carrier === 'tcp' && onlyAccepted(lastOutcome(seen));
}

/** The path of what is lost on the way, or refused by a packet whose sender may stand on it. */
export function wantsPath(seen: Seen): boolean {
  if (!hasTarget(seen) || (seen.carrier !== 'tcp' && seen.carrier !== 'udp')) return false;
  const outcome = lastOutcome(seen);
  if (outcome?.kind === 'silent') return true;
  const evidence = evidenceOf(seen);
  if (outcome?.kind === 'stranger') {
    if (outcome.came === 'silence') return evidence.some((item) => item.kind === 'acked' && item.acked < item.sent);
    return outcome.came === 'reset' && evidence.some((item) => item.kind === 'reset' && item.ttl !== undefined);
  }
  return (
    outcome?.kind === 'refused' &&
    IN_TARGETS_NAME.has(outcome.signal) &&
    differs(ttlOfRefusal(outcome, evidence), evidence)
  );
}

function ttlOfRefusal(
  outcome: Extract<Outcome, { kind: 'refused' }>,
  evidence: readonly Evidence[],
): number | undefined {
  if (outcome.ttl !== undefined) return outcome.ttl;
  for (const item of evidence)
    if ((item.kind === 'reset' || item.kind === 'icmp') && item.ttl !== undefined) return item.ttl;
  return undefined;
}

/** Another TTL than that of packets which are the host's: it is worth knowing who stands nearer. */
function differs(ttl: number | undefined, evidence: readonly Evidence[]): boolean {
  const known = evidence.flatMap((item) => (item.kind === 'alive' && item.ttl !== undefined ? [item.ttl] : []));
  return ttl !== undefined && known.length > 0 && !known.includes(ttl);
}

/**
 * Ports that no service has: IANA keeps 1023 reserved; tcpmux (RFC 1078) is as good as extinct. In the order in which they
 * are asked, the second only where the first accepts.
 */
const SHUT_PORTS = [1023, 1] as const;

/** Those that no flow of the plan goes to. */
export function shutPorts(planned: ReadonlySet<number>): readonly number[] {
  return SHUT_PORTS.filter((port) => !planned.has(port));
}
