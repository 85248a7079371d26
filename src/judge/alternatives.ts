// Checks of which one is enough: members of a one-of group on one target, and the addresses of a name with `addresses: any`.
import type { BoundCheck, End } from '../contract/flow.js';
import type { Certainty, Result, VerdictWord } from '../contract/verdict.js';

export interface Weighed {
  readonly check: BoundCheck;
  readonly verdict: VerdictWord;
  readonly result: Result;
  readonly certain: Certainty;
  readonly accepted: boolean;
}

/**
 * For each check, in order, whether it is required after alternatives. One passing member satisfies the requirement and
 * carries it; the others count as optional. Where none passes exactly one member carries it: one that is unproven before
 * one that fails, since the requirement has failed only when every alternative has.
 */
export function required(weighed: readonly Weighed[]): readonly boolean[] {
  const sets = new Map<string, Weighed[]>();
  for (const item of weighed) {
    const key = requirementOf(item.check);
    if (key === undefined) continue;
    const set = sets.get(key);
    if (set === undefined) sets.set(key, [item]);
    else set.push(item);
  }
  const carriers = new Map<string, Weighed>();
  for (const [key, set] of sets) {
    // The plan may have named a first member only: the requirement is the set's.
    if (!set.some(({ check }) => check.required)) continue;
    const carrier = set.reduce((best, item) => (telling(item) > telling(best) ? item : best));
    carriers.set(key, carrier);
  }
  return weighed.map((item) => {
    const key = requirementOf(item.check);
    return key === undefined ? item.check.required : carriers.get(key) === item;
  });
}

/** Undefined where the check stands for itself. What must be blocked must be blocked on every port and address. */
function requirementOf(check: BoundCheck): string | undefined {
  if (check.expect === 'blocked' || (check.group === undefined && check.addresses === 'every')) return undefined;
  const far = check.direction === 'out' ? check.to : check.from;
  const target = check.addresses === 'any' ? (far.host ?? far.address) : `${far.host ?? ''}/${far.address ?? ''}`;
  const what =
    check.group === undefined
      ? ['id', plannedId(check.id, far)]
      : ['group', check.profile, check.group, check.direction, check.from.role, check.to.role];
  return JSON.stringify([...what, target]);
}

/** The id before `/address`, which only checks of a name have. */
function plannedId(id: string, { host, address }: End): string {
  if (address === undefined || host === address || !id.endsWith(`/${address}`)) return id;
  return id.slice(0, -address.length - 1);
}

/** Among verdicts that fail, the one nearest to working tells most: a refused password more than the port not used. */
const NEARNESS: Readonly<Record<VerdictWord, number>> = {
  open: 9,
  denied: 8,
  'wrong-service': 7,
  intercepted: 6,
  blocked: 5,
  closed: 4,
  unreachable: 3,
  unproven: 2,
  error: 1,
};

function telling({ result, verdict, certain, accepted }: Weighed): number {
  const outcome = result === 'pass' ? 300 : result === 'unproven' ? (accepted ? 200 : 100) : 0;
  return outcome + NEARNESS[verdict] * 2 + (certain === 'proven' ? 1 : 0);
}
