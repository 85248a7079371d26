// What a file of rules lets through, read strictly and without a line of what wrote it: a small grammar for each
// language, which takes only what its vendor documents and knows nothing else. A line that it does not know is an error.
import { z } from 'zod';

/** `udp 192.0.2.10 3080 > 192.0.2.21 3081`; `*` is any port; `established` where only that is let through. */
export type Permit = string;

interface Side {
  readonly host: string;
  readonly port?: number | string | undefined;
}

interface Service {
  readonly protocol: string;
  readonly sport?: string | undefined;
  readonly dport?: string | undefined;
}

export function permit(protocol: string, from: Side, to: Side, more = ''): Permit {
  return `${protocol} ${from.host} ${from.port ?? '*'} > ${to.host} ${to.port ?? '*'}${more === '' ? '' : ` ${more}`}`;
}

/** The named groups of a match. */
function groupsOf(expression: RegExp, line: string): Readonly<Record<string, string | undefined>> | undefined {
  return expression.exec(line)?.groups;
}

const ADDRESS = '[0-9a-f.:]+';
const CHAIN = '[A-Za-z][A-Za-z0-9_-]*';

function unknown(line: string): never {
  throw new Error(`not of this language: ${JSON.stringify(line)}`);
}

/** nft(8). */
export function readNftables(text: string): readonly Permit[] {
  const chain = `(?:inet|ip|ip6) [A-Za-z][A-Za-z0-9_/.-]* ${CHAIN}`;
  const service =
    '(?:(?:(?<sproto>tcp|udp) sport (?<sport>\\d+) )?(?<proto>tcp|udp) dport (?<dport>\\d+)|(?<icmp>icmp|icmpv6) type echo-request|meta l4proto (?<number>\\d+))';
  const rule = new RegExp(
    `^add rule ${chain} (?<ip>ip6?) saddr (?<from>${ADDRESS}) (?<ip2>ip6?) daddr (?<to>${ADDRESS}) ${service} ct state new accept comment "[ !#-~]{1,127}"$`,
  );
  const other = new RegExp(`^(#|# [ -~]*|)$|^(add|flush) chain ${chain}$|^insert rule ${chain} jump ${CHAIN}$`);
  return lines(text).flatMap((line) => {
    const found = groupsOf(rule, line);
    if (found === undefined) return other.test(line) && !line.endsWith('\\') ? [] : unknown(line);
    const { ip, ip2, from = '', to = '', sproto, sport, proto, dport, icmp, number } = found;
    const family = from.includes(':') ? 'ip6' : 'ip';
    if (ip !== family || ip2 !== family || to.includes(':') !== from.includes(':')) return unknown(line);
    if (sproto !== undefined && sproto !== proto) return unknown(line);
    if (icmp !== undefined && icmp !== (family === 'ip6' ? 'icmpv6' : 'icmp')) return unknown(line);
    return [permit(proto ?? icmp ?? `ip-${number ?? ''}`, { host: from, port: sport }, { host: to, port: dport })];
  });
}

/** iptables(8), iptables-extensions(8), iptables-restore(8). */
export function readIptables(text: string): readonly Permit[] {
  const service =
    '-p (?:(?<proto>tcp|udp) -m (?<match>tcp|udp)(?: --sport (?<sport>\\d+))? --dport (?<dport>\\d+)|(?<icmp>icmp -m icmp --icmp-type 8|ipv6-icmp -m icmp6 --icmpv6-type 128)|(?<number>\\d+))';
  const rule = new RegExp(
    `^-(?<family>[46]) -A ${CHAIN} -s (?<from>${ADDRESS})/(?<bits>32|128) -d (?<to>${ADDRESS})/(?<bits2>32|128) ${service} -m conntrack --ctstate NEW -m comment --comment "[ !#-\\[\\]-~]{1,255}" -j ACCEPT$`,
  );
  const other = new RegExp(`^(#|# [ -~]*)$|^\\*filter$|^:${CHAIN} - \\[0:0\\]$|^-I ${CHAIN} 1 -j ${CHAIN}$|^COMMIT$`);
  return lines(text).flatMap((line) => {
    const found = groupsOf(rule, line);
    if (found === undefined) return other.test(line) ? [] : unknown(line);
    const { family, from = '', to = '', bits, bits2, proto, match, sport, dport, icmp, number } = found;
    const v6 = from.includes(':');
    if (family !== (v6 ? '6' : '4') || to.includes(':') !== v6) return unknown(line);
    if (bits !== (v6 ? '128' : '32') || bits2 !== bits || match !== proto) return unknown(line);
    if (icmp !== undefined && icmp.startsWith('ipv6') !== v6) return unknown(line);
    const kind = icmp === undefined ? `ip-${number ?? ''}` : v6 ? 'icmpv6' : 'icmp';
    return [permit(proto ?? kind, { host: from, port: sport }, { host: to, port: dport })];
  });
}

const ASA_NAME = '[A-Za-z0-9.!@#$%^&()_{}-]{1,64}';
const REMARK = '[ -~]{1,100}';

/** Cisco ASA Series Firewall CLI Configuration Guide, "Objects for Access Control", "Access Control Lists". */
export function readAsa(text: string): readonly Permit[] {
  const objects = new Map<string, string[]>();
  const services = new Map<string, Service[]>();
  let members: string[] | undefined;
  let group: Service[] | undefined;
  const define = (name: string): void => {
    // Objects and groups of all kinds share one name space.
    if (objects.has(name) || services.has(name)) throw new Error(`defined twice: ${name}`);
  };
  return lines(text).flatMap((line): readonly Permit[] => {
    if (/^(!|! [ -~]*|)$/.test(line)) return [];
    if (/[?]/.test(line)) return unknown(line);
    const object = groupsOf(new RegExp(`^object(?:-group)? network (?<name>${ASA_NAME})$`), line)?.['name'];
    if (object !== undefined) {
      define(object);
      members = [];
      group = undefined;
      objects.set(object, members);
      return [];
    }
    const service = groupsOf(new RegExp(`^object-group service (?<name>${ASA_NAME})$`), line)?.['name'];
    if (service !== undefined) {
      define(service);
      members = undefined;
      group = [];
      services.set(service, group);
      return [];
    }
    const member = groupsOf(
      new RegExp(
        `^ (?:fqdn v(?<family>[46]) (?<name>[a-z0-9._-]+)|network-object host (?<host>${ADDRESS})|network-object object (?<object>${ASA_NAME}))$`,
      ),
      line,
    );
    if (member !== undefined && members !== undefined) {
      const { name, host, object: of } = member;
      members.push(...(of === undefined ? [name ?? host ?? ''] : known(objects, of)));
      return [];
    }
    const served = groupsOf(
      /^ service-object (?:(?<proto>tcp|udp)(?: source eq (?<sport>\d+))? destination eq (?<dport>\d+)|(?<icmp>icmp echo|icmp6 128)|(?<ip>gre|esp|\d+))$/,
      line,
    );
    if (served !== undefined && group !== undefined) {
      const { proto, sport, dport, icmp, ip } = served;
      const kind = icmp === undefined ? `ip-${ipNumber(ip ?? '')}` : icmp === 'icmp echo' ? 'icmp' : 'icmpv6';
      group.push({ protocol: proto ?? kind, sport, dport });
      return [];
    }
    members = undefined;
    group = undefined;
    if (new RegExp(`^access-list ${CHAIN} remark ${REMARK}$`).test(line)) return [];
    const entry = groupsOf(
      new RegExp(
        `^access-list ${CHAIN} extended permit (?:object-group (?<service>${ASA_NAME})|(?<protocol>icmp6?|gre|esp|\\d+)) object-group (?<from>${ASA_NAME}) object-group (?<to>${ASA_NAME})(?: (?<type>echo-reply|129))?$`,
      ),
      line,
    );
    if (entry === undefined) return unknown(line);
    const wanted: readonly Service[] =
      entry['service'] === undefined
        ? [{ protocol: answerProtocol(entry['protocol'] ?? '', entry['type'], line) }]
        : known(services, entry['service']);
    const [from, to] = [known(objects, entry['from'] ?? ''), known(objects, entry['to'] ?? '')];
    return wanted.flatMap(({ protocol, sport, dport }) =>
      from.flatMap((source) =>
        to.map((destination) => permit(protocol, { host: source, port: sport }, { host: destination, port: dport })),
      ),
    );
  });
}

function answerProtocol(protocol: string, type: string | undefined, line: string): string {
  if (protocol === 'icmp') return type === 'echo-reply' ? 'icmp-reply' : unknown(line);
  if (protocol === 'icmp6') return type === '129' ? 'icmpv6-reply' : unknown(line);
  return type === undefined ? `ip-${ipNumber(protocol)}` : unknown(line);
}

function known<T>(all: ReadonlyMap<string, T>, name: string): T {
  const found = all.get(name);
  if (found === undefined) throw new Error(`not defined: ${name}`);
  return found;
}

function ipNumber(word: string): number {
  return { gre: 47, esp: 50 }[word] ?? Number(word);
}

/** Cisco IOS Security Command Reference, "permit (IP)", "permit (IPv6)", "remark". */
export function readIos(text: string): readonly Permit[] {
  let family: 4 | 6 | undefined;
  return lines(text).flatMap((line): readonly Permit[] => {
    if (/^(!|! [ -~]*|)$/.test(line)) return [];
    if (/[?]/.test(line)) return unknown(line);
    if (new RegExp(`^ip access-list extended ${CHAIN}$`).test(line)) {
      family = 4;
      return [];
    }
    if (new RegExp(`^ipv6 access-list ${CHAIN}$`).test(line)) {
      family = 6;
      return [];
    }
    if (new RegExp(`^ remark ${REMARK}$`).test(line) && family !== undefined) return [];
    const entry = groupsOf(
      new RegExp(
        `^ permit (?<protocol>tcp|udp|icmp|gre|esp|\\d+) host (?<from>${ADDRESS})(?: eq (?<sport>\\d+))? host (?<to>${ADDRESS})(?: eq (?<dport>\\d+))?(?: (?<type>echo|echo-request|echo-reply|established))?$`,
      ),
      line,
    );
    if (entry === undefined || family === undefined) return unknown(line);
    const { protocol = '', from = '', to = '', sport, dport, type } = entry;
    if ([from, to].some((host) => host.includes(':') !== (family === 6))) return unknown(line);
    const ports = { from: { host: from, port: sport }, to: { host: to, port: dport } };
    if (protocol === 'tcp')
      return type === undefined || type === 'established' ? [permit('tcp', ports.from, ports.to, type)] : unknown(line);
    if (protocol === 'udp') return type === undefined ? [permit('udp', ports.from, ports.to)] : unknown(line);
    if (sport !== undefined || dport !== undefined) return unknown(line);
    if (protocol === 'icmp') {
      const version = family === 6 ? 'icmpv6' : 'icmp';
      if (type === 'echo-reply') return [permit(`${version}-reply`, ports.from, ports.to)];
      return type === (family === 6 ? 'echo-request' : 'echo')
        ? [permit(version, ports.from, ports.to)]
        : unknown(line);
    }
    // "permit (IPv6)" has esp by name, and no gre.
    if (type !== undefined || (family === 6 && protocol === 'gre')) return unknown(line);
    return [permit(`ip-${ipNumber(protocol)}`, ports.from, ports.to)];
  });
}

const PAN_NAME = '[A-Za-z0-9][A-Za-z0-9._-]{0,62}';
const PAN_TEXT = '"[ !#-\\[\\]-~]{0,1023}"';

/** PAN-OS Administrator's Guide, "Components of a Security Policy Rule"; Web Interface Help, "Objects". */
export function readPanos(text: string): readonly Permit[] {
  const addresses = new Map<string, string>();
  const services = new Map<string, Service>();
  // The App-IDs that PAN-OS has itself.
  const applications = new Map([
    ['ping', 'icmp'],
    ['gre', 'ip-47'],
    ['ipsec-esp', 'ip-50'],
  ]);
  return lines(text).flatMap((line): readonly Permit[] => {
    if (line === '') return [];
    if (/[?]/.test(line)) return unknown(line);
    const address = groupsOf(
      new RegExp(
        `^set address (?<name>${PAN_NAME}) (?:ip-netmask (?<host>${ADDRESS})/(?<bits>32|128)|fqdn (?<fqdn>[a-z0-9._-]+))$`,
      ),
      line,
    );
    if (address !== undefined) {
      const { name = '', host, bits, fqdn } = address;
      if (host !== undefined && bits !== (host.includes(':') ? '128' : '32')) return unknown(line);
      addresses.set(name, fqdn ?? host ?? '');
      return [];
    }
    const service = groupsOf(
      new RegExp(
        `^set service (?<name>${PAN_NAME}) protocol (?<proto>tcp|udp) (?:source-port (?<sport>\\d+) )?port (?<dport>\\d+)$`,
      ),
      line,
    );
    if (service !== undefined) {
      services.set(service['name'] ?? '', {
        protocol: service['proto'] ?? '',
        sport: service['sport'],
        dport: service['dport'],
      });
      return [];
    }
    const application = groupsOf(
      /^set application (?<name>[A-Za-z0-9._-]{1,31}) default (?:ident-by-icmp6-type type (?<type>128)|ident-by-ip-protocol (?<number>\d+))$/,
      line,
    );
    if (application !== undefined) {
      const { name = '', type, number } = application;
      applications.set(name, type === undefined ? `ip-${number ?? ''}` : 'icmpv6');
      return [];
    }
    const rule = groupsOf(
      new RegExp(
        `^set rulebase security rules ${PAN_NAME} from any to any source (?<from>${MEMBERS}) destination (?<to>${MEMBERS}) application (?<application>${MEMBERS}) service (?<service>${MEMBERS}) action allow$`,
      ),
      line,
    );
    if (rule === undefined) {
      const described = new RegExp(
        `^set (?:tag ${PAN_NAME} comments|address ${PAN_NAME} description|rulebase security rules ${PAN_NAME} description) ${PAN_TEXT}$|^set (?:address|service|rulebase security rules) ${PAN_NAME} tag ${PAN_NAME}$|^set application [A-Za-z0-9._-]{1,31} category networking subcategory ip-protocol technology network-protocol risk 1$`,
      );
      return described.test(line) ? [] : unknown(line);
    }
    const what: readonly Service[] =
      rule['application'] === 'any'
        ? members(rule['service']).map((name) => known(services, name))
        : members(rule['application']).map((name) => ({ protocol: known(applications, name) }));
    if (rule['application'] !== 'any' && rule['service'] !== 'application-default') return unknown(line);
    return what.flatMap(({ protocol, sport, dport }) =>
      members(rule['from']).flatMap((from) =>
        members(rule['to']).map((to) =>
          permit(protocol, { host: known(addresses, from), port: sport }, { host: known(addresses, to), port: dport }),
        ),
      ),
    );
  });
}

const MEMBERS = `(?:${PAN_NAME}|\\[ ${PAN_NAME}(?: ${PAN_NAME})+ \\])`;

function members(text = ''): readonly string[] {
  return text.replace(/^\[ | \]$/g, '').split(' ');
}

/** RFC 4180 §2, every field quoted; the header gives the names. */
export function readCsv(text: string): readonly Readonly<Record<string, string>>[] {
  const rows = z
    .string()
    .regex(/^(?:(?:"(?:[^"\r\n]|"")*")(?:,"(?:[^"\r\n]|"")*")*\r\n)*$/)
    .parse(text)
    .split('\r\n')
    .slice(0, -1);
  const fieldsOf = (row: string): readonly string[] =>
    [...row.matchAll(/"((?:[^"]|"")*)"(?:,|$)/g)].map(([, field = '']) => field.replaceAll('""', '"'));
  const [header = [], ...rest] = rows.map(fieldsOf);
  return rest.map((fields) => {
    if (fields.length !== header.length) throw new Error(`${fields.length} fields under ${header.length} names`);
    return Object.fromEntries(header.map((name, at) => [name, fields[at] ?? '']));
  });
}

function lines(text: string): readonly string[] {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  return text.slice(0, -1).split('\n');
}
