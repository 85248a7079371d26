// Rules for Cisco ASA 9.0 and later: object groups, and extended access lists that refer to them.
// Cisco ASA Series Firewall CLI Configuration Guide, chapters "Objects for Access Control" (object names: 64 characters
// of letters, digits and .!@#$%^&()-_{}, one name space for all kinds; fqdn objects), "Access Control Lists" (extended ACEs;
// remarks: 100 characters; IPv4 and IPv6 in one list) and "Access Rules" (returning traffic).
import type { Rule, RuleEnd, RuleProtocol, RuleSet } from '../../contract/rule.js';
import { commentLines, flowSentences, heading, ruleLabel } from './comments.js';
import { entriesOf, type Entry } from './entries.js';
import type { RuleSettings } from './formats.js';
import { objectName, plainWithin } from './safe.js';

const MOST_NAME = 64;
const MOST_REMARK = 100;

export function asa(set: RuleSet, { name }: RuleSettings): string {
  const entries = entriesOf(set.rules);
  const told = new Set<string>();
  const [fromHere, toHere] = [`${name}-from-here`, `${name}-to-here`];
  const how = [
    `For ASA 9.0 or later, in configuration mode. The list ${fromHere} is for the interface by which the packets of this machine come in, ${toHere} for that of the other side. An interface has one list in each direction, and access-group would put this one in the place of yours: add the lines to the list that show running-config access-group names, in front of its deny. So no access-group stands here.`,
    'ASA lets answers to TCP and UDP pass by itself. For ICMP, GRE and ESP it does not, unless it inspects them: the answers have lines of their own (guide, "Access Rules for Returning Traffic").',
    ...(set.rules.some(named)
      ? ['Names are looked up by the ASA: it needs dns domain-lookup on an interface and a dns server-group.']
      : []),
    'Groups keep what was in them before: remove those of an older version first.',
  ];
  return [
    ...commentLines('!', heading(set, set.rules, how)),
    '!',
    ...fqdnObjects(set.rules),
    ...entries.flatMap((entry) => [
      // Once for each flow, though it may have several entries.
      ...commentLines('!', flowSentences(entry.flows.filter(({ profile, flow }) => isNew(told, `${profile}/${flow}`)))),
      ...groups(entry),
      ...accessEntries(entry, fromHere, toHere),
      '!',
    ]),
    '',
  ].join('\n');
}

function isNew(known: Set<string>, one: string): boolean {
  return known.size < known.add(one).size;
}

function named({ source, destination }: Rule): boolean {
  return source.kind === 'name' || destination.kind === 'name';
}

function fqdnName(name: string, family: Rule['family']): string {
  return objectName(`fqdn-v${family}-${name}`, MOST_NAME);
}

function fqdnObjects(rules: readonly Rule[]): readonly string[] {
  const objects = new Map<string, readonly string[]>();
  for (const { source, destination, family } of rules) {
    for (const end of [source, destination]) {
      if (end.kind !== 'name') continue;
      const name = fqdnName(end.name, family);
      objects.set(name, [`object network ${name}`, ` fqdn v${family} ${end.name}`]);
    }
  }
  return [...objects.values()].flat();
}

function groups({ name, family, sources, destinations, services }: Entry): readonly string[] {
  const network = (suffix: string, ends: readonly RuleEnd[]): readonly string[] => [
    `object-group network ${groupName(name, suffix)}`,
    ...ends.map((end) =>
      end.kind === 'name'
        ? ` network-object object ${fqdnName(end.name, family)}`
        : ` network-object host ${end.address}`,
    ),
  ];
  return [
    ...network('src', sources),
    ...network('dst', destinations),
    `object-group service ${groupName(name, 'svc')}`,
    ...services.map((each) => ` service-object ${service(each, family)}`),
  ];
}

function groupName(name: string, suffix: string): string {
  return `${objectName(name, MOST_NAME - suffix.length - 1)}-${suffix}`;
}

function service(protocol: RuleProtocol, family: Rule['family']): string {
  switch (protocol.kind) {
    case 'tcp':
    case 'udp': {
      const from = protocol.sourcePort === undefined ? '' : ` source eq ${protocol.sourcePort}`;
      return `${protocol.kind}${from} destination eq ${protocol.port}`;
    }
    case 'icmp-echo':
      return family === 6 ? 'icmp6 128' : 'icmp echo';
    case 'ip':
      return ipProtocol(protocol.number);
  }
}

function ipProtocol(number: number): string {
  return { 47: 'gre', 50: 'esp' }[number] ?? String(number);
}

function accessEntries(entry: Entry, fromHere: string, toHere: string): readonly string[] {
  const { name, direction, services, answered } = entry;
  const [there, back] = direction === 'from-here' ? [fromHere, toHere] : [toHere, fromHere];
  const [from, to] = [`object-group ${groupName(name, 'src')}`, `object-group ${groupName(name, 'dst')}`];
  const remark = plainWithin(ruleLabel(entry), MOST_REMARK);
  const answers = answered ? services.flatMap((each) => answerOf(each, entry.family)) : [];
  return [
    `access-list ${there} remark ${remark}`,
    `access-list ${there} extended permit object-group ${groupName(name, 'svc')} ${from} ${to}`,
    ...(answers.length === 0 ? [] : [`access-list ${back} remark ${plainWithin(`answer to ${remark}`, MOST_REMARK)}`]),
    ...answers.map(([protocol, type]) => `access-list ${back} extended permit ${protocol} ${to} ${from}${type}`),
  ];
}

/** What ASA would not let back by itself, as protocol and message type. */
function answerOf(protocol: RuleProtocol, family: Rule['family']): readonly (readonly [string, string])[] {
  if (protocol.kind === 'icmp-echo') return [family === 6 ? ['icmp6', ' 129'] : ['icmp', ' echo-reply']];
  return protocol.kind === 'ip' ? [[ipProtocol(protocol.number), '']] : [];
}
