// Rules for PAN-OS 9.1 and later, as set commands of its configuration mode. PAN-OS Administrator's Guide, "Components of a
// Security Policy Rule" (names: 63 characters), PAN-OS Web Interface Help, "Objects" (names of letters, digits, spaces,
// hyphens, periods and underscores; services are TCP and UDP; custom applications by IP protocol or ICMP type).
// There are no comments in set commands: what would be one stands in descriptions and in those of the tag.
import type { Rule, RuleEnd, RuleProtocol, RuleSet } from '../../contract/rule.js';
import { flowLabel, heading } from './comments.js';
import { entriesOf, type Entry } from './entries.js';
import type { RuleSettings } from './formats.js';
import { objectName, plainWithin } from './safe.js';

const MOST_NAME = 63;
const MOST_APPLICATION_NAME = 31;
const MOST_DESCRIPTION = 255;
const MOST_TAG_COMMENTS = 1023;

export function panos(set: RuleSet, { name }: RuleSettings): string {
  const entries = entriesOf(set.rules);
  const how = [
    'Rules go to the end of the rulebase: move them in front of what denies (move rulebase security rules NAME before OTHER), and put your zones in the place of any.',
    'Application any lets through whatever uses the port: narrow it to the App-ID once traffic was seen.',
  ];
  const lines = [
    `set tag ${name} comments ${quoted(heading(set, set.rules, how).join(' '), MOST_TAG_COMMENTS)}`,
    ...set.rules.flatMap(({ source, destination }) => [address(source, name), address(destination, name)]).flat(),
    ...set.rules.flatMap(({ protocol, family }) => service(protocol, family, name)),
    ...entries.flatMap((entry) => securityRule(entry, name)),
  ];
  return `${[...new Set(lines)].join('\n')}\n`;
}

/** In double quotes, within which these characters mean themselves. */
function quoted(text: string, most: number): string {
  return `"${plainWithin(text, most)}"`;
}

function addressName(end: RuleEnd): string {
  return objectName(end.kind === 'name' ? `fqdn-${end.name}` : `host-${end.address.replaceAll(':', '-')}`, MOST_NAME);
}

function address(end: RuleEnd, tag: string): readonly string[] {
  const object = `set address ${addressName(end)}`;
  if (end.kind === 'name') return [`${object} fqdn ${end.name}`, `${object} tag ${tag}`];
  return [
    `${object} ip-netmask ${end.address}/${end.address.includes(':') ? 128 : 32}`,
    ...(end.name === undefined ? [] : [`${object} description ${quoted(end.name, MOST_DESCRIPTION)}`]),
    `${object} tag ${tag}`,
  ];
}

function serviceName({ kind, port, sourcePort }: Extract<RuleProtocol, { port: number }>): string {
  return `${kind}-${sourcePort === undefined ? '' : `${sourcePort}-to-`}${port}`;
}

/** The objects that a protocol needs: a service, or an application of its own where no service and no App-ID says it. */
function service(protocol: RuleProtocol, family: Rule['family'], tag: string): readonly string[] {
  if (protocol.kind === 'tcp' || protocol.kind === 'udp') {
    const object = `set service ${serviceName(protocol)}`;
    const from = protocol.sourcePort === undefined ? '' : `source-port ${protocol.sourcePort} `;
    return [`${object} protocol ${protocol.kind} ${from}port ${protocol.port}`, `${object} tag ${tag}`];
  }
  const { name, own } = application(protocol, family);
  if (own === undefined) return [];
  const object = `set application ${name}`;
  const kind = 'category networking subcategory ip-protocol technology network-protocol risk 1';
  return [`${object} ${kind}`, `${object} default ${own}`];
}

type Portless = Exclude<RuleProtocol, { port: number }>;

/** `own`: how a custom application is told; absent for those that PAN-OS has: ping is ICMP type 8 alone. */
function application(protocol: Portless, family: Rule['family']): { readonly name: string; readonly own?: string } {
  if (protocol.kind === 'icmp-echo') {
    return family === 4 ? { name: 'ping' } : { name: 'icmp6-echo-request', own: 'ident-by-icmp6-type type 128' };
  }
  if (protocol.number === 47) return { name: 'gre' };
  if (protocol.number === 50) return { name: 'ipsec-esp' };
  const name = objectName(`ip-protocol-${protocol.number}`, MOST_APPLICATION_NAME);
  return { name, own: `ident-by-ip-protocol ${protocol.number}` };
}

function securityRule(entry: Entry, tag: string): readonly string[] {
  const rule = `set rulebase security rules ${objectName(entry.name, MOST_NAME)}`;
  const ports = entry.services.flatMap((each) =>
    each.kind === 'tcp' || each.kind === 'udp' ? [serviceName(each)] : [],
  );
  const applications = entry.services.flatMap((each) =>
    each.kind === 'tcp' || each.kind === 'udp' ? [] : [application(each, entry.family).name],
  );
  const what = applications.length === 0 ? ['any', members(ports)] : [members(applications), 'application-default'];
  const why = entry.flows.map((flow) => `${flowLabel(flow)}: ${flow.why}`).join(' ');
  return [
    `${rule} from any to any source ${members(entry.sources.map(addressName))} destination ${members(entry.destinations.map(addressName))} application ${what[0] ?? ''} service ${what[1] ?? ''} action allow`,
    `${rule} description ${quoted(`${entry.kind === 'answer' ? 'Answer to ' : ''}${why}`, MOST_DESCRIPTION)}`,
    `${rule} tag ${tag}`,
  ];
}

/** One member by itself, several in brackets. */
function members(names: readonly string[]): string {
  return names.length === 1 ? (names[0] ?? '') : `[ ${names.join(' ')} ]`;
}
