// The cells of the truth table: which there are, what must stand in each, and what a report says in the same words. Pure.
import { FAMILIES, type Family } from '../lab/behaviours.js';
import {
  addressOf,
  asked,
  behaviours,
  expectedOf,
  targetOf,
  TIERS,
  wordsAt,
  type Behaviour,
  type Target,
  type Tier,
  type Words,
} from './behaviours.js';
import type { Flow } from './flows.js';

export interface Cell {
  readonly behaviour: Behaviour;
  readonly flow: Flow;
  readonly family: Family;
  readonly tier: Tier;
  readonly target: Target;
  readonly expected: Words;
  /** The words of the tiers below. */
  readonly lower: readonly Words[];
}

export const cells: readonly Cell[] = TIERS.flatMap((tier) =>
  FAMILIES.flatMap((family) =>
    behaviours.flatMap((behaviour) =>
      asked(behaviour).map((flow): Cell => {
        const seen = expectedOf(behaviour, flow, family);
        const target = targetOf(behaviour, family);
        const lower = TIERS.filter((other) => other < tier).map((other) => wordsAt(seen, other));
        return { behaviour, flow, family, tier, target, expected: wordsAt(seen, tier), lower };
      }),
    ),
  ),
);

/** What the table reads of a check in a report. */
export interface ReportedCheck {
  readonly flow: string;
  readonly to: { readonly address?: string };
  readonly verdict: string;
  readonly how?: string;
  readonly certain: string;
  readonly by?: { readonly address: string; readonly icmp?: { readonly type: number; readonly code: number } };
  readonly after?: { readonly hop: number; readonly address: string };
  readonly summary: string;
  readonly attempts: number;
}

const PLACES = ['tech', 'router', 'core', 'firewall'];

function placeOf(address: string, target: Target): string {
  return PLACES.find((place) => addressOf(place, target) === address) ?? address;
}

/** The check in the table's words. That the target or our own machine said something itself is not repeated. */
export function wordsOf(check: ReportedCheck, target: Target): Words {
  const { verdict, how, certain, by, after } = check;
  const accused = by === undefined || by.address === target.address ? undefined : placeOf(by.address, target);
  const said = [verdict, ...(how === undefined ? [] : [how]), certain];
  if (accused !== undefined && accused !== 'tech') {
    said.push('by', accused, ...(by?.icmp === undefined ? [] : [`${by.icmp.type}/${by.icmp.code}`]));
  }
  if (after !== undefined) said.push('after', placeOf(after.address, target));
  return said.join(' ');
}

/** `reject-port ssh 4`: the same at every tier. */
export const placeIn = ({ behaviour, flow, family }: Pick<Cell, 'behaviour' | 'flow' | 'family'>): string =>
  `${behaviour.name} ${flow.name} ${family}`;
