// Rules for Cisco IOS and IOS XE: named extended access lists, which remember nothing, so that each flow has a line for
// its packets and one for those that come back. Cisco IOS Security Command Reference: "ip access-list extended", "permit
// (IP)" (established: ACK or RST is set), "remark" (100 characters), "ipv6 access-list", "permit (IPv6)".
import type { Family } from '../../contract/flow.js';
import type { Rule, RuleEnd, RuleProtocol, RuleSet } from '../../contract/rule.js';
import { addressed, byFlows, commentLines, heading, ruleLabel } from './comments.js';
import type { RuleSettings } from './formats.js';
import { endText } from './model.js';
import { plainWithin } from './safe.js';

const MOST_REMARK = 100;
const DIRECTIONS = ['from-here', 'to-here'] as const;

export function ios(set: RuleSet, { name }: RuleSettings): string {
  const rules = addressed(set.rules);
  const how = [
    `In configuration mode. ${name}-from-here is for packets from this machine (in, on the interface that it is behind), ${name}-to-here for packets to it (out, on the same interface). These lists remember nothing: answers have lines of their own, over TCP only for connections that are under way (established), over UDP from the port that was asked. An answer to a port that nothing fixes may go to every port of the asker: that is as narrow as a list without state can be.`,
    'A list ends with an implicit deny. Add the lines to the lists that your interfaces have, in front of what denies; an interface has one list in each direction, so no access-group stands here.',
    'Lists without state also need ICMP errors for what is too big for a link (packet-too-big), which belong to no flow.',
  ];
  return [
    ...commentLines('!', heading(set, rules, how)),
    '!',
    ...([4, 6] as const).flatMap((family) =>
      DIRECTIONS.flatMap((direction) => list(rules, `${name}-${direction}`, direction, family)),
    ),
    '',
  ].join('\n');
}

type Direction = Rule['direction'];

function list(rules: readonly Rule[], name: string, direction: Direction, family: Family): readonly string[] {
  const ofFamily = rules.filter((rule) => rule.family === family);
  const seen = new Set<string>();
  const lines = byFlows(ofFamily).flatMap((same) => {
    const own = same.filter((rule) => rule.direction === direction).map(permit);
    const back = same.filter((rule) => rule.direction !== direction && rule.answered).map(permitAnswer);
    const label = (what: string): string =>
      plainWithin(what + ruleLabel({ flows: same[0]?.flows ?? [], kind: 'flow' }), MOST_REMARK);
    return [...fresh(own, seen, label('')), ...fresh(back, seen, label('answers to '))];
  });
  if (lines.length === 0) return [];
  return [
    family === 6 ? `ipv6 access-list ${name}-v6` : `ip access-list extended ${name}`,
    ...lines.map((line) => ` ${line}`),
    '!',
  ];
}

/** Those that the list does not have yet, under a remark. */
function fresh(lines: readonly string[], seen: Set<string>, remark: string): readonly string[] {
  const added = lines.filter((line) => !seen.has(line) && seen.add(line).size > 0);
  return added.length === 0 ? [] : [`remark ${remark}`, ...added];
}

function permit({ source, destination, protocol, family }: Rule): string {
  switch (protocol.kind) {
    case 'tcp':
    case 'udp':
      return `permit ${protocol.kind} ${end(source, protocol.sourcePort)} ${end(destination, protocol.port)}`;
    case 'icmp-echo':
      return `permit icmp ${end(source)} ${end(destination)} ${family === 6 ? 'echo-request' : 'echo'}`;
    case 'ip':
      return `permit ${ipProtocol(protocol, family)} ${end(source)} ${end(destination)}`;
  }
}

function permitAnswer({ source, destination, protocol, family }: Rule): string {
  switch (protocol.kind) {
    case 'tcp':
      return `permit tcp ${end(destination, protocol.port)} ${end(source, protocol.sourcePort)} established`;
    case 'udp':
      return `permit udp ${end(destination, protocol.port)} ${end(source, protocol.sourcePort)}`;
    case 'icmp-echo':
      return `permit icmp ${end(destination)} ${end(source)} echo-reply`;
    case 'ip':
      return `permit ${ipProtocol(protocol, family)} ${end(destination)} ${end(source)}`;
  }
}

function end(of: RuleEnd, port?: number): string {
  return `host ${endText(of)}${port === undefined ? '' : ` eq ${port}`}`;
}

/** IPv6 lists know esp by name and the others by number. */
function ipProtocol({ number }: Extract<RuleProtocol, { kind: 'ip' }>, family: Family): string {
  if (number === 50) return 'esp';
  return number === 47 && family === 4 ? 'gre' : String(number);
}
