// Rules for iptables-restore and ip6tables-restore, both halves in one file: each takes its own lines by -4 and -6
// (iptables(8)). A chain of their own, to which a chain that is there already jumps.
import type { Rule, RuleProtocol, RuleSet } from '../../contract/rule.js';
import { addressed, byFlows, commentLines, flowSentences, heading, ruleLabel } from './comments.js';
import type { RuleSettings } from './formats.js';
import { endText } from './model.js';
import { plainWithin } from './safe.js';

/** XT_MAX_COMMENT_LEN is 256, its end included. */
const MOST_COMMENT = 250;

export function iptables(set: RuleSet, { name, iptablesChain }: RuleSettings): string {
  const rules = addressed(set.rules);
  const how = [
    `To be loaded with iptables-restore --noflush, and the same file with ip6tables-restore --noflush. Without --noflush all other rules of the table would be gone.`,
    `For a firewall whose chain ${iptablesChain} lets through what belongs to known connections (conntrack, ESTABLISHED and RELATED) and drops the rest; --iptables-chain names another one. Loaded again, the chain ${name} is made anew; the jump to it is then there twice, which does no harm.`,
  ];
  const lines = byFlows(rules).flatMap((same) => [
    ...commentLines('#', ['', ...flowSentences(same[0]?.flows ?? [])]),
    ...same.map((rule) => line(rule, name)),
  ]);
  return [
    ...commentLines('#', heading(set, rules, how)),
    '*filter',
    `:${name} - [0:0]`,
    ...lines,
    '#',
    // In front, as what drops may stand anywhere behind.
    `-I ${iptablesChain} 1 -j ${name}`,
    'COMMIT',
    '',
  ].join('\n');
}

function line({ family, source, destination, protocol, ...rule }: Rule, chain: string): string {
  const bits = family === 6 ? 128 : 32;
  const comment = plainWithin(ruleLabel(rule), MOST_COMMENT);
  return [
    `-${family} -A ${chain} -s ${endText(source)}/${bits} -d ${endText(destination)}/${bits}`,
    service(protocol, family),
    `-m conntrack --ctstate NEW -m comment --comment "${comment}" -j ACCEPT`,
  ].join(' ');
}

function service(protocol: RuleProtocol, family: Rule['family']): string {
  switch (protocol.kind) {
    case 'tcp':
    case 'udp': {
      const from = protocol.sourcePort === undefined ? '' : ` --sport ${protocol.sourcePort}`;
      return `-p ${protocol.kind} -m ${protocol.kind}${from} --dport ${protocol.port}`;
    }
    case 'icmp-echo':
      return family === 6 ? '-p ipv6-icmp -m icmp6 --icmpv6-type 128' : '-p icmp -m icmp --icmp-type 8';
    case 'ip':
      return `-p ${protocol.number}`;
  }
}
