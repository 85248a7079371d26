// Cells whose final words linecheck does not say yet, and what it lacks for them. Until then such a cell must say what a
// lower tier says, or the words given here. The test checks both ways: a cell that has come right must leave this list.
import type { Tier, Words } from './behaviours.js';
import type { Cell } from './cells.js';
import type { FlowGroup, FlowName } from './flows.js';

export interface Awaiting {
  readonly missing: string;
  readonly tiers: readonly Tier[];
  readonly behaviours: readonly string[];
  /** Default: all but IP protocols, as far as the words differ from those of the first tier. */
  readonly flows?: readonly (FlowName | FlowGroup)[];
  readonly families?: readonly (4 | 6)[];
  /** What it says today. Default: the words of a lower tier. */
  readonly says?: readonly Words[];
  /** It is right in some runs and not in others: it may be either, and two runs need not agree. */
  readonly sometimes?: true;
}

const ABOVE_ERRNO = [2, 3] as const;
const PATH =
  'a path search for every host that wants one: of a dozen at once some send nothing before their time is up';
const DISTANCE =
  'how far away the host is, always: the TTL of its echo replies over IPv6 and without root, or a path that reached it';

export const awaiting: readonly Awaiting[] = [
  {
    missing: DISTANCE,
    tiers: ABOVE_ERRNO,
    behaviours: ['service-down', 'nat-service-down', 'syn-proxy-closed'],
    flows: ['asked', 'ambiguous', 'one-way'],
    says: ['closed port-unreachable likely'],
    sometimes: true,
  },
  {
    missing: DISTANCE,
    tiers: [3],
    behaviours: ['service-down', 'nat-service-down', 'syn-proxy-closed'],
    flows: ['ip'],
    says: ['closed refused likely'],
    sometimes: true,
  },
  {
    missing: DISTANCE,
    tiers: [3],
    behaviours: ['service-down', 'nat-service-down'],
    flows: ['tcp'],
    says: ['closed reset likely'],
    sometimes: true,
  },
  {
    missing: `${DISTANCE}; and ${PATH}`,
    tiers: ABOVE_ERRNO,
    behaviours: ['forged-port'],
    flows: ['tcp', 'asked', 'ambiguous', 'one-way'],
    says: ['closed port-unreachable likely', 'blocked rejected likely', 'blocked rejected proven'],
    sometimes: true,
  },
  {
    missing: 'the path of an IP protocol, to name who stands at the hop that the forged error came from',
    tiers: [3],
    behaviours: ['forged-port'],
    flows: ['ip'],
    says: ['blocked rejected likely', 'blocked rejected proven', 'closed port-unreachable likely'],
    sometimes: true,
  },
  {
    missing: `${DISTANCE}; and ${PATH}`,
    tiers: [3],
    behaviours: ['reject-reset', 'reject-reset-core', 'filter-data-reset'],
    flows: ['tcp'],
    says: ['blocked reset likely', 'blocked reset proven'],
    sometimes: true,
  },
  {
    missing: 'the TTL of a reset that comes with the handshake',
    tiers: [3],
    behaviours: ['accept-reset'],
    flows: ['tcp'],
    sometimes: true,
  },
  {
    missing: 'the path of segments that carry data',
    tiers: ABOVE_ERRNO,
    behaviours: ['payload-drop'],
    says: ['blocked payload-dropped proven'],
  },
  {
    missing: 'a small segment beside the large one, each way',
    tiers: ABOVE_ERRNO,
    behaviours: ['mtu', 'mtu-forward'],
    says: ['wrong-service silent proven', 'blocked payload-dropped proven'],
  },
  {
    missing: PATH,
    tiers: ABOVE_ERRNO,
    behaviours: ['drop', 'drop-replies', 'drop-all', 'route-blackhole'],
    sometimes: true,
  },
  {
    missing: PATH,
    tiers: ABOVE_ERRNO,
    behaviours: ['syn-proxy-dead'],
    flows: ['asked'],
    says: ['blocked dropped likely'],
    sometimes: true,
  },
  {
    missing:
      'patience with a server that is slow and not mute: two late answers, on a busy machine, take the whole wait',
    tiers: [1, 2, 3],
    behaviours: ['delay'],
    flows: ['tcp'],
    says: ['wrong-service silent likely', 'wrong-service silent proven'],
    sometimes: true,
  },
];

export function awaited(cell: Cell): Awaiting | undefined {
  return awaiting.find(
    ({ tiers, behaviours, flows, families }) =>
      tiers.includes(cell.tier) &&
      behaviours.includes(cell.behaviour.name) &&
      (families?.includes(cell.family) ?? true) &&
      (flows === undefined
        ? cell.expected !== cell.lower[0] && cell.flow.group !== 'ip'
        : flows.includes(cell.flow.name) || flows.includes(cell.flow.group)),
  );
}

/** Whether the cell's words are those that it may say until what it awaits is there. */
export function maySay(cell: Cell, { says, sometimes }: Awaiting, words: Words): boolean {
  if (words === cell.expected) return sometimes === true;
  return (says ?? cell.lower).includes(words);
}
