// Rules for nftables: a chain of their own, to which a chain that is there already jumps. For `nft -f`, which takes all or
// nothing. Syntax: nft(8).
import type { Rule, RuleProtocol, RuleSet } from '../../contract/rule.js';
import { addressed, byFlows, commentLines, flowSentences, heading, ruleLabel } from './comments.js';
import type { RuleSettings } from './formats.js';
import { endText } from './model.js';
import { plainWithin } from './safe.js';

/** NFTNL_UDATA_COMMENT_MAXLEN is 128, its end included. */
const MOST_COMMENT = 120;

export function nftables(set: RuleSet, settings: RuleSettings): string {
  const rules = nftablesWrites(set.rules, settings);
  const { name } = settings;
  const { family, table, chain } = settings.nftChain;
  const how = [
    `To be loaded with nft -f into a firewall that has the chain ${family} ${table} ${chain}, that lets through what belongs to known connections (ct state established,related accept), and that drops the rest. Without that chain nft refuses the whole file; --nft-chain names another one. Rules in a table of their own would open nothing: a packet must pass every table.`,
    `Loaded again, the chain ${name} is made anew; the jump to it is then there twice, which does no harm.`,
  ];
  const lines = byFlows(rules).flatMap((same) => [
    '',
    ...commentLines('#', flowSentences(same[0]?.flows ?? [])),
    ...same.map((rule) => `add rule ${family} ${table} ${name} ${expression(rule)}`),
  ]);
  return [
    ...commentLines('#', heading(set, rules, how)),
    '',
    `add chain ${family} ${table} ${name}`,
    `flush chain ${family} ${table} ${name}`,
    ...lines,
    '',
    // In front, as what drops may stand anywhere behind.
    `insert rule ${family} ${table} ${chain} jump ${name}`,
    '',
  ].join('\n');
}

/** Those that a chain of this family can hold. */
export function nftablesWrites(rules: readonly Rule[], { nftChain }: RuleSettings): readonly Rule[] {
  const only = { ip: 4, ip6: 6, inet: undefined }[nftChain.family];
  return addressed(rules).filter(({ family }) => only === undefined || family === only);
}

function expression({ family, source, destination, protocol, ...rule }: Rule): string {
  const ip = family === 6 ? 'ip6' : 'ip';
  const comment = plainWithin(ruleLabel(rule), MOST_COMMENT);
  return `${ip} saddr ${endText(source)} ${ip} daddr ${endText(destination)} ${service(protocol, family)} ct state new accept comment "${comment}"`;
}

function service(protocol: RuleProtocol, family: Rule['family']): string {
  switch (protocol.kind) {
    case 'tcp':
    case 'udp': {
      const from = protocol.sourcePort === undefined ? '' : `${protocol.kind} sport ${protocol.sourcePort} `;
      return `${from}${protocol.kind} dport ${protocol.port}`;
    }
    case 'icmp-echo':
      return family === 6 ? 'icmpv6 type echo-request' : 'icmp type echo-request';
    case 'ip':
      return `meta l4proto ${protocol.number}`;
  }
}
