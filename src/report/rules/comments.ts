// What stands above the rules of every firewall: what they are for, how they are loaded, and which flows they leave out.
import type { Rule, RuleFlow, RuleProtocol, RuleSet, Unwritten } from '../../contract/rule.js';
import { paragraph } from '../layout.js';
import { arrow, count, grouped, listed } from '../words.js';
import { endText } from './model.js';
import { plain } from './safe.js';

/** Columns of a comment, its mark included. */
const WIDTH = 100;

/** Sentences as comment lines behind `mark`. Each is one paragraph; a blank one is a line with the mark alone. */
export function commentLines(mark: string, sentences: readonly string[]): readonly string[] {
  const style = { width: WIDTH - mark.length - 1, colour: false };
  return sentences.flatMap((sentence) =>
    sentence === '' ? [mark] : paragraph(plain(sentence), style).map((line) => `${mark} ${line}`),
  );
}

/** What is to be said of the whole, `how` being the firewall's own part. */
export function heading(set: RuleSet, rules: readonly Rule[], how: readonly string[]): readonly string[] {
  const out = leftOut(set, rules);
  const flows = new Set(rules.flatMap((rule) => rule.flows.map(({ profile, flow }) => `${profile}/${flow}`)));
  return [
    `${set.site === undefined ? 'Firewall rules' : `Firewall rules for ${set.site}`}: ${count(rules.length, 'rule')} for ${count(flows.size, 'flow')}, from ${set.of}. Made by linecheck rules.`,
    ...how,
    ...set.notices,
    ...unwrittenSentences(
      'Missing:',
      out.filter(({ incomplete }) => incomplete),
    ),
    ...unwrittenSentences(
      'Without a rule, as none is wanted:',
      out.filter(({ incomplete }) => !incomplete),
    ),
    ...skippedSentences(set),
  ];
}

function unwrittenSentences(title: string, out: readonly Unwritten[]): readonly string[] {
  if (out.length === 0) return [];
  return ['', title, ...out.map((one) => `${one.title} (${one.profile}/${one.flow}), ${one.what}: ${one.why}`)];
}

/** Flows without a check on this machine, by reason; those between other roles are another machine's rules. */
export function skippedSentences({ skipped }: RuleSet): readonly string[] {
  return grouped(skipped, ({ reason }) => reason).map(
    ([reason, same]) => `Skipped, ${reason}: ${[...new Set(same.map(({ title }) => title))].join('; ')}.`,
  );
}

/** The flows that have no rule here, those included whose names this firewall cannot look up. */
export function leftOut(set: RuleSet, written: readonly Rule[]): readonly Unwritten[] {
  const kept = new Set(written);
  const unnamed = set.rules.filter((rule) => !kept.has(rule)).flatMap(nameless);
  return [...set.unwritten, ...new Map(unnamed.map((one) => [JSON.stringify(one), one])).values()];
}

function nameless({ source, destination, protocol, flows }: Rule): readonly Unwritten[] {
  const names = [source, destination].filter(({ kind }) => kind === 'name').map(endText);
  const to = protocol.kind === 'tcp' || protocol.kind === 'udp' ? { port: protocol.port } : {};
  const what = arrow({
    from: { role: source.role, address: endText(source) },
    to: { role: destination.role, host: endText(destination), ...to },
    carrier: serviceCarrier(protocol),
  });
  const why =
    names.length === 0
      ? 'The chain that the rules are for sees the other IP family alone.'
      : `${listed(names)} has no address here, and this format takes addresses alone: name the address in the site, or make the rules where the name is known.`;
  return flows.map(({ profile, flow, title }) => ({ profile, flow, title, what, why, incomplete: true }));
}

function serviceCarrier(protocol: RuleProtocol): string {
  if (protocol.kind === 'ip') return `ip-${protocol.number}`;
  return protocol.kind === 'icmp-echo' ? 'icmp' : protocol.kind;
}

/** The rules of which both ends have addresses. */
export function addressed(rules: readonly Rule[]): readonly Rule[] {
  return rules.filter(({ source, destination }) => source.kind === 'address' && destination.kind === 'address');
}

/** `Archiving (uplogix-local-manager/archiving, optional)`. */
export function flowLabel({ profile, flow, title, need, path }: RuleFlow): string {
  return `${title} (${[`${profile}/${flow}`, ...(need === 'required' ? [] : [need]), ...(path === undefined ? [] : [path])].join(', ')})`;
}

/** What one or several flows want to say beside their rules. */
export function flowSentences(flows: readonly RuleFlow[]): readonly string[] {
  return flows.flatMap((flow) => [
    `${flowLabel(flow)}: ${flow.why}`,
    ...flow.notes,
    ...(flow.seen === undefined ? [] : [`Seen: ${flow.seen}`]),
  ]);
}

/** Short enough for a rule's own comment: `uplogix-local-manager/archiving: Archiving`. */
export function ruleLabel({ flows, kind }: Pick<Rule, 'flows' | 'kind'>): string {
  const names = flows.map(({ profile, flow, title }) => `${profile}/${flow}: ${title}`);
  return `${kind === 'answer' ? 'answer to ' : ''}${names.join('; ')}`;
}

/** Runs of rules for the same flows, in order. */
export function byFlows(rules: readonly Rule[]): readonly (readonly Rule[])[] {
  const key = ({ flows }: Rule): string => JSON.stringify(flows.map(({ profile, flow }) => [profile, flow]));
  return grouped(rules, key).map(([, same]) => same);
}
