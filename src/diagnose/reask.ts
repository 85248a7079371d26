// The second look at what fell silent in the parallel pass: asked again, paced, before anything is called dropped.
import type { Clock } from '../contract/ledger.js';
import type { Outcome } from '../contract/outcome.js';

/** Linux and most routers send about six ICMP errors at once and then one a second: a paced packet gets its own. */
export const PACE_MS = 1000;

/**
 * Chosen from the outcome alone: silence can have been somebody's rate limit, and so can what looks like a lookup that failed
 * after three seconds, since TCP sends its third SYN then and a firewall's word may come for that one first.
 */
export function worthAskingAgain(outcome: Outcome | undefined): boolean {
  return outcome?.kind === 'silent' || (outcome?.kind === 'refused' && outcome.signal === 'no-neighbour');
}

export interface Silent<Q> {
  readonly question: Q;
  /** Those behind one address share a lane: their refusals come from the same sender. */
  readonly address: string;
  readonly deadlineMs: number;
}

export interface ReaskOptions<Q> {
  readonly budgetMs: number;
  readonly clock: Clock;
  /** Resolves after `ms`, or at once when the run is interrupted. */
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly stopped: () => boolean;
  readonly ask: (question: Q) => Promise<void>;
}

/** Asks each again within the budget; gives back those that it did not come to. */
export async function reask<Q>(silent: readonly Silent<Q>[], options: ReaskOptions<Q>): Promise<ReadonlySet<Q>> {
  const { budgetMs, clock, sleep, stopped, ask } = options;
  const began = clock.monotonicMs();
  const missed = new Set<Q>();
  const lanes = new Map<string, Silent<Q>[]>();
  for (const one of silent) {
    const lane = lanes.get(one.address);
    if (lane === undefined) lanes.set(one.address, [one]);
    else lane.push(one);
  }
  const walk = async (lane: readonly Silent<Q>[]): Promise<void> => {
    const asking: Promise<unknown>[] = [];
    for (const [index, { question, deadlineMs }] of lane.entries()) {
      const dueMs = index * PACE_MS;
      if (stopped() || dueMs + deadlineMs > budgetMs) {
        missed.add(question);
        continue;
      }
      const waitMs = began + dueMs - clock.monotonicMs();
      if (waitMs > 0) await sleep(waitMs);
      asking.push(ask(question));
    }
    await Promise.all(asking);
  };
  await Promise.all([...lanes.values()].map(walk));
  return missed;
}
