// Rules gathered for firewalls that have groups of addresses and services: only whole products, so that a group never
// lets through what no single rule does.
import type { Rule, RuleEnd, RuleProtocol } from '../../contract/rule.js';
import { endText } from './model.js';

/** Every source to every destination by every service, and all of that is wanted. */
export interface Entry extends Pick<Rule, 'direction' | 'family' | 'kind' | 'answered' | 'flows'> {
  /** Unique among the entries of a set, made of the first flow's name. */
  readonly name: string;
  readonly sources: readonly RuleEnd[];
  readonly destinations: readonly RuleEnd[];
  /** Of one kind. */
  readonly services: readonly RuleProtocol[];
}

type Group = readonly [Rule, ...Rule[]];

export function entriesOf(rules: readonly Rule[]): readonly Entry[] {
  const names = new Map<string, number>();
  return grouped(rules, groupKey).flatMap((group) =>
    products(group).map(({ sources, destinations, services }) => {
      const [{ direction, family, kind, answered, flows }] = group;
      const base = nameOf(group[0]);
      const times = (names.get(base) ?? 0) + 1;
      names.set(base, times);
      const name = times === 1 ? base : `${base}-${times}`;
      return { name, direction, family, kind, answered, flows, sources, destinations, services };
    }),
  );
}

function nameOf({ flows, direction, kind, family }: Rule): string {
  const [first] = flows;
  const of = first === undefined ? 'flow' : `${first.profile}-${first.flow}`;
  return `${of}${kind === 'answer' ? '-answer' : ''}${direction === 'to-here' ? '-in' : ''}${family === 6 ? '-v6' : ''}`;
}

function groupKey({ direction, family, kind, answered, flows, protocol }: Rule): string {
  return JSON.stringify([
    direction,
    family,
    kind,
    answered,
    protocol.kind,
    flows.map((each) => [each.profile, each.flow]),
  ]);
}

/** In the order in which each key first comes. */
function grouped(rules: readonly Rule[], key: (rule: Rule) => string): readonly Group[] {
  const groups = new Map<string, [Rule, ...Rule[]]>();
  for (const rule of rules) {
    const name = key(rule);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [rule]);
    else group.push(rule);
  }
  return [...groups.values()];
}

interface Product {
  readonly sources: readonly RuleEnd[];
  readonly destinations: readonly RuleEnd[];
  readonly services: readonly RuleProtocol[];
}

/** Services that go between the same pairs stand together; then sources that go to the same destinations. */
function products(group: Group): readonly Product[] {
  const byService = grouped(group, ({ protocol }) => JSON.stringify(protocol));
  const pairsOf = (rules: Group): string =>
    JSON.stringify(rules.map(({ source, destination }) => [endText(source), endText(destination)]).sort());
  return gather(byService, pairsOf).flatMap((same) => {
    const services = same.map(([{ protocol }]) => protocol);
    const [pairs = group] = same;
    const bySource = grouped(pairs, ({ source }) => endText(source));
    const destinationsOf = (rules: Group): string =>
      JSON.stringify(rules.map(({ destination }) => endText(destination)).sort());
    return gather(bySource, destinationsOf).map((alike) => ({
      sources: alike.map(([{ source }]) => source),
      destinations: (alike[0] ?? pairs).map(({ destination }) => destination),
      services,
    }));
  });
}

function gather(groups: readonly Group[], key: (group: Group) => string): readonly (readonly Group[])[] {
  const alike = new Map<string, Group[]>();
  for (const group of groups) {
    const name = key(group);
    alike.set(name, [...(alike.get(name) ?? []), group]);
  }
  return [...alike.values()];
}
