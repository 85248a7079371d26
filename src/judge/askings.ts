// Several attempts of one check told as one: which of them decides, and what the others add. What it means is judged elsewhere.
import type { Attempt, Outcome } from '../contract/outcome.js';
import type { CheckRecord } from '../contract/verdict.js';
import { seconds } from './wording.js';

/** How much an outcome tells. An answer beats a refusal, a refusal beats silence, anything seen beats having been unable. */
function weight(outcome: Outcome): number {
  switch (outcome.kind) {
    case 'answered':
      return { service: 90, protocol: 73, secure: 72, port: 71 }[outcome.depth];
    // Credentials are used once and never after `denied`, so later attempts answer without them: those do not undo it.
    case 'turned-away':
      return 80;
    case 'stranger':
      return outcome.came === 'other-protocol' ? 61 : 60;
    case 'refused':
      if (outcome.by !== undefined) return 52;
      return outcome.signal === 'no-neighbour' || outcome.signal === 'no-route' ? 50 : 51;
    case 'sent':
      return 40;
    case 'silent':
      return 30;
    case 'unable':
      return outcome.reason === 'interrupted' ? 10 : 11;
  }
}

/** The attempt that the verdict rests on; of equals the first, of silences the longest. */
export function decidingAttempt(attempts: readonly Attempt[]): Attempt | undefined {
  let best: Attempt | undefined;
  for (const attempt of attempts) {
    if (best === undefined) best = attempt;
    else {
      const gain = weight(attempt.outcome) - weight(best.outcome);
      if (gain > 0 || (gain === 0 && waitedMs(attempt) > waitedMs(best))) best = attempt;
    }
  }
  return best;
}

function waitedMs(attempt: Attempt): number {
  return attempt.outcome.kind === 'silent' || attempt.outcome.kind === 'sent' ? attempt.outcome.waitedMs : 0;
}

/** How often this check was met with silence. */
export function silences(record: CheckRecord): number {
  return record.attempts.filter((attempt) => attempt.outcome.kind === 'silent').length;
}

/** Requests of ours that nothing came back to. */
export function requestsSent(record: CheckRecord): number {
  let sent = 0;
  for (const { outcome } of record.attempts) {
    if (outcome.kind === 'silent' || outcome.kind === 'sent') sent += outcome.sent;
  }
  return sent;
}

const TOLD: Readonly<Record<Outcome['kind'], string>> = {
  answered: 'answered',
  'turned-away': 'turned us away',
  stranger: 'accepted without the protocol',
  refused: 'refused',
  silent: 'silent',
  sent: 'sent without an answer',
  unable: 'not possible',
};

/** `of 3 askings: 1 refused, 2 silent`; undefined where all saw the same. */
export function mixture(record: CheckRecord): string | undefined {
  const counts = new Map<string, number>();
  for (const { outcome } of record.attempts) {
    const told = TOLD[outcome.kind];
    counts.set(told, (counts.get(told) ?? 0) + 1);
  }
  if (counts.size < 2) return undefined;
  const parts = [...counts].map(([told, count]) => `${count} ${told}`);
  return `of ${record.attempts.length} askings: ${parts.join(', ')}`;
}

/**
 * A flow that answers only after retries is open, and says how many and how slow. Counts what the kit resent within an
 * attempt too, as far as it went beyond what one asking of this probe sends.
 */
export function retryWarning(record: CheckRecord, deciding: Attempt): string | undefined {
  const position = record.attempts.indexOf(deciding);
  const before = record.attempts.slice(0, position);
  const perAsking = record.check.traits.sends.reduce((sum, { packets }) => sum + packets, 0);
  const resent = deciding.sent !== undefined && perAsking > 0 ? Math.max(0, deciding.sent - perAsking) : 0;
  const askings = before.length + resent + 1;
  const first = record.attempts[0] ?? deciding;
  const tookMs = deciding.startedMs + deciding.durationMs - first.startedMs;
  const late = askings > 1 ? `answered only at asking ${askings}, after ${seconds(tookMs)}` : undefined;
  const differing = before.some(({ outcome }) => outcome.kind !== 'silent') || position < record.attempts.length - 1;
  const mixed = differing ? mixture(record) : undefined;
  if (late === undefined) return mixed === undefined ? undefined : `not every asking was answered; ${mixed}`;
  return mixed === undefined ? late : `${late}; ${mixed}`;
}
