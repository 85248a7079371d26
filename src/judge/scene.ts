// One check as the rules see it: its record, what the run knows of its target, and the attempt that decides.
import type { Evidence, EvidenceKind } from '../contract/evidence.js';
import type { BoundCheck } from '../contract/flow.js';
import type { Attempt } from '../contract/outcome.js';
import type { CheckRecord } from '../contract/verdict.js';
import { decidingAttempt } from './askings.js';
import type { Hop } from './finding.js';
import { allEvidence, targetOf, type Host, type Hosts } from './liveness.js';

export interface Scene {
  readonly record: CheckRecord;
  readonly check: BoundCheck;
  readonly evidence: readonly Evidence[];
  readonly deciding?: Attempt;
  /** The one address that was asked, where there is one. */
  readonly target?: string;
  readonly host: Host;
  readonly hosts: Hosts;
}

export function sceneOf(record: CheckRecord, hosts: Hosts): Scene {
  const deciding = decidingAttempt(record.attempts);
  const target = targetOf(record);
  return {
    record,
    check: record.check,
    evidence: allEvidence(record),
    host: hosts.of(target),
    hosts,
    ...(deciding === undefined ? {} : { deciding }),
    ...(target === undefined ? {} : { target }),
  };
}

export function evidenceOf<K extends EvidenceKind>(scene: Scene, kind: K): readonly Extract<Evidence, { kind: K }>[] {
  return scene.evidence.filter((item): item is Extract<Evidence, { kind: K }> => item.kind === kind);
}

/**
 * The last router that answered on the way, of the path search that came farthest. A search that reached the host says
 * nothing of where other packets of the flow are lost.
 */
export function lastHop(scene: Scene): Hop | undefined {
  let last: Hop | undefined;
  for (const { hops, reached } of evidenceOf(scene, 'path')) {
    if (reached) continue;
    for (const { hop, address } of hops) {
      if (address !== undefined && (last === undefined || hop >= last.hop)) last = { hop, address };
    }
  }
  return last;
}

/** Who stands at that hop, as far as a path search found out. */
export function addressAtHop(scene: Scene, hop: number): string | undefined {
  return evidenceOf(scene, 'path')
    .flatMap(({ hops }) => hops)
    .find((item) => item.hop === hop && item.address !== undefined)?.address;
}

/** Bytes of ours that the far end's TCP never acknowledged: the data was lost though the handshake passed (TCP_INFO). */
export function unacknowledged(scene: Scene): { sent: number; acked: number } | undefined {
  return evidenceOf(scene, 'acked').find(({ sent, acked }) => acked < sent);
}

/** A small packet answered and a large one not: a path-MTU black hole. */
export function oversizeLost(scene: Scene): { small: number; large: number } | undefined {
  const found = evidenceOf(scene, 'size').find(({ small, large }) => small.answered && !large.answered);
  return found === undefined ? undefined : { small: found.small.bytes, large: found.large.bytes };
}
