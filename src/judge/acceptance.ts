// Which unproven results the user has said are well.
import type { BoundCheck } from '../contract/flow.js';
import type { How, Result, RunRecord, Verdict } from '../contract/verdict.js';

/** Words that say nobody looked: `all` and a flow's glob speak of what cannot be proven, not of what was not tried. */
const NOT_LOOKED: readonly How[] = ['interrupted', 'no-resources', 'resolver', 'bug'];

/**
 * True for an unproven result that is accepted: its `how` is named, or its flow or everything is accepted and it was
 * looked at. A run that could not look, or was cut short, is green only where its very word was named.
 */
export function accepts(
  accept: RunRecord['accept'],
  judged: Pick<Verdict, 'how'> & { readonly result: Result },
  check: Pick<BoundCheck, 'acceptUnproven'>,
): boolean {
  if (judged.result !== 'unproven') return false;
  const { how } = judged;
  if (accept !== 'all' && how !== undefined && accept.includes(how)) return true;
  if (how !== undefined && NOT_LOOKED.includes(how)) return false;
  return accept === 'all' || check.acceptUnproven;
}
