// Rules as a ticket for the firewall team: for each flow who, to whom and what, why, the vendor's words, what was seen.
import type { Rule, RuleEnd, RuleProtocol, RuleSet } from '../../contract/rule.js';
import { definitions, paragraph, type Line } from '../layout.js';
import { count, grouped, listed } from '../words.js';
import { leftOut, skippedSentences } from './comments.js';
import { entriesOf, type Entry } from './entries.js';
import { endText } from './model.js';

/** A ticket is pasted: it must not depend on a terminal. */
const STYLE = { width: 80, colour: false };

export function text(set: RuleSet): string {
  const flows = grouped(entriesOf(set.rules), ({ flows: [flow] }) => JSON.stringify([flow?.profile, flow?.flow]));
  const parts = [
    paragraph(`Firewall change request${set.site === undefined ? '' : ` for ${set.site}`}`, STYLE),
    paragraph(opening(set, flows.length), STYLE),
    ...set.notices.map((notice) => paragraph(notice, STYLE)),
    ...flows.map(([, entries], index) => section(index + 1, entries)),
    ...notAsked(set),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function opening({ rules, of }: RuleSet, flows: number): string {
  if (rules.length === 0) return `No rule is asked for, from ${of}.`;
  return `Please let through what is listed here, ${count(flows, 'flow')} from ${of}, and nothing more: single addresses, single ports. Answers to each are meant as well; on a firewall without state they need rules of their own, with ends and ports exchanged.`;
}

function section(number: number, entries: readonly Entry[]): readonly string[] {
  const [first] = entries;
  if (first === undefined) return [];
  const title = first.flows.map((flow) => flow.title);
  const rows = entries.flatMap((entry): (readonly [string, Line])[] => [
    [entry.kind === 'answer' ? 'Answer from' : 'From', endsText(entry.sources)],
    ['To', endsText(entry.destinations)],
    ['Service', listed(entry.services.map((each) => serviceText(each, entry.family)))],
  ]);
  const told = first.flows.flatMap((flow): (readonly [string, Line])[] => [
    ['Flow', `${flow.profile}/${flow.flow}, ${flow.need}${flow.path === undefined ? '' : `, ${flow.path}`}`],
    ['Why', flow.why],
    ...flow.notes.map((note) => ['Note', note] as const),
    ...flow.source.map((source) => ['Document', `“${source}”`] as const),
    ...(flow.erratum === undefined ? [] : [['Erratum', flow.erratum] as const]),
    ['Evidence', flow.seen ?? 'not checked yet; linecheck check does'],
  ]);
  return [
    ...paragraph([...new Set(title)].join('; '), STYLE, { hang: 4, label: `${number}.` }),
    ...definitions([...rows, ...told], STYLE, 4),
  ];
}

function endsText(ends: readonly RuleEnd[]): string {
  return grouped(ends, ({ role }) => role)
    .map(([role, same]) => `${role} ${listed(same.map(endWithName))}`)
    .join('; ');
}

function endWithName(end: RuleEnd): string {
  return end.kind === 'address' && end.name !== undefined ? `${end.address} (${end.name})` : endText(end);
}

function serviceText(protocol: RuleProtocol, family: Rule['family']): string {
  switch (protocol.kind) {
    case 'tcp':
    case 'udp': {
      const from = protocol.sourcePort === undefined ? '' : ` from port ${protocol.sourcePort}`;
      return `${protocol.kind.toUpperCase()} ${protocol.port}${from}`;
    }
    case 'icmp-echo':
      return family === 6 ? 'ICMPv6 echo request (type 128)' : 'ICMP echo request (type 8)';
    case 'ip':
      return `IP protocol ${protocol.number}${{ 47: ' (GRE)', 50: ' (ESP)' }[protocol.number] ?? ''}`;
  }
}

function notAsked(set: RuleSet): readonly (readonly string[])[] {
  const out = leftOut(set, set.rules);
  const part = (title: string, incomplete: boolean): readonly string[] => {
    const own = out.filter((one) => one.incomplete === incomplete);
    if (own.length === 0) return [];
    return [
      ...paragraph(title, STYLE),
      ...own.flatMap(({ title: flow, what, why }) => paragraph(`${flow}, ${what}: ${why}`, STYLE, { indent: 4 })),
    ];
  };
  return [
    part('Missing, and to be asked for as soon as it is known', true),
    part('Not asked for, as no rule is wanted', false),
    skippedSentences(set).flatMap((sentence) => paragraph(sentence, STYLE)),
  ];
}
