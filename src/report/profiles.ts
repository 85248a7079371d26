// Pages about profiles: what a product requires of the network, as a tech reads it and a firewall team acts on it.
import type { Reach } from '../contract/flow.js';
import type { Carrier } from '../contract/probe.js';
import { definitions, paragraph, type Part } from './layout.js';
import type { Style } from './style.js';
import { carrierWord, count, duration, grouped, listed } from './words.js';

interface Named {
  readonly title: string;
  readonly description?: string;
}

/** As much of a parsed profile as its page needs; ids and words are those of the file. */
export interface ProfileText {
  readonly id: string;
  readonly title: string;
  readonly source: Readonly<Record<string, string>>;
  readonly roles: ReadonlyMap<string, Named>;
  readonly features: ReadonlyMap<string, Named>;
  readonly flows: readonly FlowText[];
}

export interface FlowText {
  readonly id: string;
  readonly title: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly bothWays: boolean;
  readonly carrier: Carrier;
  readonly ports?: { readonly first: number; readonly last: number };
  readonly configurable: boolean;
  readonly probe: { readonly value: string };
  readonly reach?: { readonly value: Reach };
  readonly required: {
    readonly features: readonly string[];
    readonly unless: readonly string[];
    readonly optional: boolean;
    readonly oneOf?: string;
  };
  readonly sourcePort?: number;
  readonly answersFrom?: number;
  readonly broadcast: boolean;
  readonly path?: 'in-band' | 'out-of-band';
  readonly everyMs?: number;
  readonly why: string;
  readonly source: readonly string[];
  readonly erratum?: string;
}

export function profileList(
  profiles: readonly Pick<ProfileText, 'id' | 'title' | 'flows' | 'roles'>[],
  style: Style,
): string {
  const rows = profiles.map(({ id, title, flows, roles }): readonly [Part, string] => [
    strong(id),
    `${title} (${count(flows.length, 'flow')}, ${count(roles.size, 'role')})`,
  ]);
  return `${definitions(rows, style, 0, 40).join('\n')}\n`;
}

export function profilePage(profile: ProfileText, style: Style): string {
  const hang = 4 + Math.max(0, ...profile.flows.map((flow) => portWords(flow).length));
  const sections = [
    [
      ...paragraph([strong(profile.title)], style),
      ...definitions(
        [
          ['Profile', profile.id],
          ...Object.entries(profile.source).map(([key, text]) => [sentence(key), text] as const),
        ],
        style,
      ),
    ],
    named('Roles', profile.roles, style),
    named('Features', profile.features, style),
    ...grouped(profile.flows, pairOf).map(([pair, flows]) => [
      ...paragraph(strong(pair), style),
      ...flows.flatMap((flow, at) => [...(at > 0 ? [''] : []), ...flowLines(flow, hang, style)]),
    ]),
    paragraph(
      `${count(profile.flows.length, 'flow')}. An arrow points from the side that opens the communication; <-> means that either side may.`,
      style,
    ),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function strong(text: string): Part {
  return { text, tone: 'strong' };
}

/** `retrieved-at` as the head of a line. */
function sentence(key: string): string {
  const words = key.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function named(title: string, all: ReadonlyMap<string, Named>, style: Style): string[] {
  if (all.size === 0) return [];
  const rows = [...all].map(([id, { title: name, description }]): readonly [string, string] => [
    id,
    description === undefined ? name : `${name}. ${description}`,
  ]);
  return [...paragraph(strong(title), style), ...definitions(rows, style, 2, 30)];
}

function pairOf({ from, to, bothWays }: FlowText): string {
  return `${listed(from, 'or')} ${bothWays ? '<->' : '->'} ${listed(to, 'or')}`;
}

/** `tcp 900-902`, `udp 3080`, `ip-47`, `icmp`. */
function portWords({ carrier, ports }: FlowText): string {
  const word = carrierWord(carrier);
  if (ports === undefined) return word;
  return ports.first === ports.last ? `${word} ${ports.first}` : `${word} ${ports.first}-${ports.last}`;
}

function requiredWords({ required: { features, unless, optional, oneOf } }: FlowText): string {
  const conditions = [
    ...(features.length === 0 ? [] : [`where ${listed(features)} ${features.length === 1 ? 'is' : 'are'} in use`]),
    ...(unless.length === 0 ? [] : [`unless ${listed(unless, 'or')} is in use`]),
  ];
  const when = conditions.length === 0 ? (optional ? '' : 'always') : conditions.join(', ');
  const group = oneOf === undefined ? '' : `one of the group ${oneOf} on each target`;
  return [optional ? 'optional' : '', when, group].filter((words) => words !== '').join(', ');
}

function flowLines(flow: FlowText, hang: number, style: Style): string[] {
  const proof = flow.reach === undefined ? '' : `, to the depth "${flow.reach.value}"`;
  const details: readonly (readonly [string, string | undefined])[] = [
    ['Required', requiredWords(flow)],
    ['Port', portDetails(flow)],
    ['Path', flow.path],
    ['Every', flow.everyMs === undefined ? undefined : duration(flow.everyMs)],
    ['Why', flow.why],
    ['Document', flow.source.map((row) => `"${row}"`).join('; ')],
    ['Erratum', flow.erratum],
    ['Proven by', `${flow.probe.value}${proof}`],
  ];
  return [
    ...paragraph([strong(flow.title), ` [${flow.id}]`], style, { hang, label: `  ${portWords(flow)}` }),
    ...details.flatMap(([word, text]) =>
      text === undefined || text === '' ? [] : paragraph([{ text: `${word}: `, tone: 'faint' }, text], style, { hang }),
    ),
  ];
}

function portDetails(flow: FlowText): string {
  const word = carrierWord(flow.carrier);
  return [
    ...(flow.configurable ? ['may be changed in the product'] : []),
    ...(flow.sourcePort === undefined ? [] : [`asked from ${word} ${flow.sourcePort}`]),
    ...(flow.answersFrom === undefined ? [] : [`answered from ${word} ${flow.answersFrom}`]),
    ...(flow.broadcast ? ['asked by broadcast'] : []),
  ].join('; ');
}
