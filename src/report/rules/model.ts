// Flows and addresses to rules, exact and for no firewall in particular: each as narrow as its flow. How a firewall
// writes them stands in the files beside this one.
import { canonicalAddress, familyOf } from '../../bytes/ip.js';
import type { Family } from '../../contract/flow.js';
import type {
  Rule,
  RuleAddresses,
  RuleEnd,
  RuleFlow,
  RuleProtocol,
  RuleSet,
  Unwritten,
  WantedFlow,
} from '../../contract/rule.js';
import { arrow, carrierWord, listed } from '../words.js';

const LIMITED_BROADCAST = '255.255.255.255';
const FAMILIES: readonly Family[] = [4, 6];

type About = Pick<RuleSet, 'site' | 'of' | 'skipped' | 'notices'>;

/** Every flow has rules in it or stands among the unwritten, with the reason. */
export function ruleSet(wanted: readonly WantedFlow[], addresses: RuleAddresses, about: About): RuleSet {
  const writing = new Writing(wanted, addresses);
  for (const flow of wanted) writing.add(flow);
  return { ...about, ...writing.done(about.notices) };
}

class Writing {
  readonly #addresses: RuleAddresses;
  readonly #rules = new Map<string, Rule>();
  readonly #unwritten = new Map<string, Unwritten>();
  readonly #lookedUp = new Set<string>();
  /** Groups in which there is something to choose. */
  readonly #choices: ReadonlySet<string>;
  /** Who else stands in a role, by `profile/role`: a broadcast does not name those who answer it. */
  readonly #farHosts: ReadonlyMap<string, ReadonlySet<string>>;
  /** Addresses of this end that nobody named. */
  readonly #routed = new Set<string>();

  constructor(wanted: readonly WantedFlow[], addresses: RuleAddresses) {
    this.#addresses = addresses;
    this.#choices = choicesOf(wanted);
    this.#farHosts = farHostsOf(wanted);
  }

  add(flow: WantedFlow): void {
    const reason = needless(flow);
    if (reason !== undefined) {
      this.#leave(flow, reason, false);
      return;
    }
    const protocol = protocolOf(flow);
    const far = this.#ends(farOf(flow));
    if (protocol === undefined || far === undefined) {
      const { role } = farOf(flow);
      this.#leave(flow, `Nobody is named for the role ${role}: name its host in the site, or --host ${role}=ADDRESS.`);
      return;
    }
    const fitting = far.filter((end) => end.kind === 'name' || fits(flow, familyOf(end.address)));
    if (fitting.length === 0)
      this.#leave(flow, `${farOf(flow).host ?? 'It'} has no IPv${String(flow.family)} address.`);
    for (const end of fitting) this.#addFar(flow, protocol, end);
  }

  done(notices: readonly string[]): Pick<RuleSet, 'rules' | 'unwritten' | 'notices'> {
    const names = [...this.#lookedUp].sort().map((name) => {
      const found = this.#addresses.names.get(name) ?? [];
      return `${name} was looked up: ${listed(found)}. Rules by address have to follow when that changes; --no-resolve leaves the name to firewalls that look names up (asa, panos).`;
    });
    return {
      rules: [...this.#rules.values()],
      unwritten: [...this.#unwritten.values()],
      notices: [...notices, ...this.#routeNotice(), ...names],
    };
  }

  #routeNotice(): readonly string[] {
    const routed = [...this.#routed];
    if (routed.length === 0) return [];
    const which = routed.length === 1 ? 'is the address' : 'are the addresses';
    return [
      `${listed(routed)} ${which} of this machine that its routes choose: nobody is named for its role. For another machine, name that one in the site, or give --source.`,
    ];
  }

  #leave({ profile, flow, title, from, to, carrier }: WantedFlow, why: string, incomplete = true): void {
    const asker = from.address ?? from.host;
    const what = arrow({
      from: { role: from.role, ...(asker === undefined ? {} : { address: asker }) },
      to,
      carrier: carrierWord(carrier),
    });
    const one = { profile, flow, title, what, why, incomplete };
    this.#unwritten.set(JSON.stringify(one), one);
  }

  #addFar(flow: WantedFlow, protocol: RuleProtocol, far: RuleEnd): void {
    if (far.kind === 'address' && staysOnLink(far.address)) {
      this.#leave(flow, `${far.address} does not leave its own link: no firewall between networks sees it.`, false);
      return;
    }
    const families = far.kind === 'address' ? [familyOf(far.address)] : this.#familiesHere(flow);
    const pairs = families.flatMap((family) => this.#nearEnds(flow, far, family).map((near) => ({ family, near })));
    if (pairs.length === 0) {
      const family = far.kind === 'address' ? `IPv${familyOf(far.address)} ` : '';
      this.#leave(flow, `This machine has no ${family}address that it could go from or to: give --source.`);
      return;
    }
    for (const { family, near } of pairs) this.#addPair(flow, protocol, far, near, family);
  }

  #addPair(flow: WantedFlow, protocol: RuleProtocol, far: RuleEnd, near: RuleEnd, family: Family): void {
    if (near.kind === 'address' && far.kind === 'address' && near.address === far.address) {
      this.#leave(flow, `Both of its ends are ${near.address}.`, false);
      return;
    }
    const out = flow.direction === 'out';
    const asked = flow.answersFrom !== undefined || flow.broadcast === true;
    const oneWay = protocol.kind === 'udp' && flow.traits?.silence === 'by-design';
    this.#put(flow, {
      direction: out ? 'from-here' : 'to-here',
      family,
      source: out ? near : far,
      destination: out ? far : near,
      protocol,
      kind: 'flow',
      answered: !asked && !oneWay,
    });
    if (asked && !oneWay) this.#addAnswers(flow, protocol, far, near, family);
  }

  /** Packets that answer from another port, or from other addresses than were asked, are new to a firewall. */
  #addAnswers(flow: WantedFlow, protocol: RuleProtocol, far: RuleEnd, near: RuleEnd, family: Family): void {
    if ((protocol.kind !== 'udp' && protocol.kind !== 'tcp') || protocol.sourcePort === undefined) {
      this.#leave(flow, 'Its answers come from elsewhere than was asked, to a port that nothing fixes: no exact rule.');
      return;
    }
    const out = flow.direction === 'out';
    const askers = out ? [near] : [far];
    const answerers = flow.broadcast === true ? this.#answerers(flow, near, family) : [out ? far : near];
    if (answerers.length === 0) {
      this.#leave(flow, `Nobody is named for the role ${flow.to.role}: rules for the answers need addresses.`);
    }
    const answer = { kind: protocol.kind, port: protocol.sourcePort, sourcePort: flow.answersFrom ?? protocol.port };
    for (const source of answerers) {
      for (const destination of askers) {
        const direction = out ? 'to-here' : 'from-here';
        this.#put(flow, { direction, family, source, destination, protocol: answer, kind: 'answer', answered: false });
      }
    }
  }

  #answerers({ profile, to }: WantedFlow, near: RuleEnd, family: Family): readonly RuleEnd[] {
    const hosts = [...(this.#farHosts.get(`${profile}/${to.role}`) ?? [])];
    const ends = hosts.flatMap((host) => this.#ends({ role: to.role, host }) ?? []);
    return ends.filter(
      (end) =>
        end.kind === 'name' ||
        (familyOf(end.address) === family && !staysOnLink(end.address) && end.address !== endText(near)),
    );
  }

  #put(flow: WantedFlow, rule: Omit<Rule, 'flows'>): void {
    const key = JSON.stringify([
      rule.direction,
      rule.family,
      endText(rule.source),
      endText(rule.destination),
      rule.protocol,
      rule.kind,
    ]);
    const known = this.#rules.get(key);
    const told = this.#told(flow);
    if (known === undefined) {
      this.#rules.set(key, { ...rule, flows: [told] });
    } else {
      const others = known.flows.filter((each) => each.profile !== flow.profile || each.flow !== flow.flow);
      const answered = known.answered || rule.answered;
      this.#rules.set(key, {
        ...known,
        answered,
        flows: others.length < known.flows.length ? known.flows : [...others, told],
      });
    }
  }

  #told(flow: WantedFlow): RuleFlow {
    const { profile, flow: id, title, required, group, path, why, source, erratum, seen } = flow;
    const choice = group !== undefined && this.#choices.has(group);
    return {
      profile,
      flow: id,
      title,
      need: choice ? 'alternative' : required ? 'required' : 'optional',
      ...(path === undefined ? {} : { path }),
      why,
      source,
      ...(erratum === undefined ? {} : { erratum }),
      notes: notesOf(flow),
      ...(seen === undefined ? {} : { seen }),
    };
  }

  /** Undefined where nobody is named. */
  #ends({ role, host, address }: Far): readonly RuleEnd[] | undefined {
    if (address !== undefined) {
      return [
        { kind: 'address', role, address: canonicalAddress(address), ...(isName(host) ? { name: bare(host) } : {}) },
      ];
    }
    if (host === undefined) return undefined;
    if (!isName(host)) return [{ kind: 'address', role, address: canonicalAddress(host) }];
    const found = this.#addresses.names.get(host) ?? [];
    if (found.length === 0) return [{ kind: 'name', role, name: bare(host) }];
    this.#lookedUp.add(host);
    return found.map((each) => ({ kind: 'address', role, address: canonicalAddress(each), name: bare(host) }));
  }

  /** This machine's end: where it was told to ask from, those who stand in its role, else what the routes say. */
  #nearEnds(flow: WantedFlow, far: RuleEnd, family: Family): readonly RuleEnd[] {
    const { role, address } = flow.direction === 'out' ? flow.from : flow.to;
    const given = this.#addresses.source?.[family];
    if (given !== undefined) return [{ kind: 'address', role, address: canonicalAddress(given) }];
    if (address !== undefined && familyOf(address) === family) return this.#ends({ role, address }) ?? [];
    const hosts = this.#addresses.standing[`${flow.profile}/${role}`] ?? [];
    const standing = hosts
      .flatMap((host) => this.#ends({ role, host }) ?? [])
      .filter((end) => end.kind === 'name' || familyOf(end.address) === family);
    if (standing.length > 0) return standing;
    const routed = far.kind === 'address' ? this.#addresses.routes.get(far.address) : this.#addresses.route[family];
    if (routed === undefined) return [];
    this.#routed.add(canonicalAddress(routed));
    return [{ kind: 'address', role, address: canonicalAddress(routed) }];
  }

  /** Where the far end is a name of unknown families: those that this end is known to have. */
  #familiesHere(flow: WantedFlow): readonly Family[] {
    const { role } = flow.direction === 'out' ? flow.from : flow.to;
    const { source, standing } = this.#addresses;
    const named = (standing[`${flow.profile}/${role}`] ?? []).flatMap((host) => this.#ends({ role, host }) ?? []);
    const known = named.flatMap((end) => (end.kind === 'address' ? [familyOf(end.address)] : FAMILIES));
    return FAMILIES.filter((family) => {
      const here = source === undefined ? known.length === 0 || known.includes(family) : source[family] !== undefined;
      return here && fits(flow, family);
    });
  }
}

interface Far {
  readonly role: string;
  readonly host?: string;
  readonly address?: string;
}

function farOf({ direction, from, to, via }: WantedFlow): Far {
  if (direction === 'in') return from;
  return via === undefined ? to : { role: 'proxy', host: via.host };
}

/** Why no firewall rule is wanted. */
function needless(flow: WantedFlow): string | undefined {
  if (flow.expect === 'blocked') return 'It must be blocked: no rule may let it through.';
  if (flow.needless !== undefined) return flow.needless;
  const everyone = flow.to.host === undefined || flow.to.host === LIMITED_BROADCAST;
  if (flow.broadcast === true && (flow.direction === 'in' || everyone)) {
    const port = flow.to.port === undefined ? '' : ` for UDP ${flow.to.port}`;
    return `A broadcast stays in its own network, and no firewall between networks passes it: both ends must stand in one network, or a router must relay it (a helper address${port}).`;
  }
  return undefined;
}

function protocolOf({ carrier, to, via, sourcePort }: WantedFlow): RuleProtocol | undefined {
  if (carrier === 'icmp') return { kind: 'icmp-echo' };
  if (carrier !== 'tcp' && carrier !== 'udp') return { kind: 'ip', number: carrier.ipProtocol };
  const port = via?.port ?? to.port;
  return port === undefined ? undefined : { kind: carrier, port, ...(sourcePort === undefined ? {} : { sourcePort }) };
}

function fits({ family }: WantedFlow, each: Family): boolean {
  return family === undefined || family === 'any' || family === each;
}

function isName(host: string | undefined): host is string {
  return host !== undefined && !host.includes(':') && !/^[\d.]+$/.test(host);
}

/** Without the dot that makes a name absolute: firewalls take names for absolute. */
function bare(name: string): string {
  return name.replace(/\.$/, '');
}

/** Loopback and link-local (RFC 1122 §3.2.1.3, RFC 3927 §2.7, RFC 4291 §2.5.6): no router forwards them. */
function staysOnLink(address: string): boolean {
  return /^(127\.|169\.254\.)/.test(address) || address === '::1' || /^fe[89ab]/i.test(address);
}

export function endText(end: RuleEnd): string {
  return end.kind === 'address' ? end.address : end.name;
}

function choicesOf(wanted: readonly WantedFlow[]): ReadonlySet<string> {
  const flows = new Map<string, Set<string>>();
  for (const { group, flow } of wanted) {
    if (group !== undefined) flows.set(group, (flows.get(group) ?? new Set()).add(flow));
  }
  return new Set([...flows].filter(([, members]) => members.size > 1).map(([group]) => group));
}

function farHostsOf(wanted: readonly WantedFlow[]): ReadonlyMap<string, ReadonlySet<string>> {
  const hosts = new Map<string, Set<string>>();
  for (const flow of wanted) {
    const { role, host } = flow.direction === 'out' ? flow.to : flow.from;
    if (host === undefined || (flow.broadcast === true && flow.direction === 'out')) continue;
    const key = `${flow.profile}/${role}`;
    hosts.set(key, (hosts.get(key) ?? new Set()).add(host));
  }
  return hosts;
}

/** What an engineer would add by hand, for protocols that an exact rule alone does not carry. */
function notesOf({ carrier, to, via, sourcePort, answersFrom, broadcast }: WantedFlow): readonly string[] {
  const at = (transport: 'tcp' | 'udp', port: number): boolean => carrier === transport && to.port === port;
  const tunnel = typeof carrier === 'string' ? undefined : carrier.ipProtocol;
  return [
    ...(answersFrom === undefined
      ? []
      : [
          `The answer comes from port ${answersFrom}, not from ${to.port ?? 0}: no firewall takes it for one, so it has a rule of its own.`,
        ]),
    ...(sourcePort === undefined
      ? []
      : [`The source port is always ${sourcePort}; address translation on the way must keep it.`]),
    ...(broadcast === true
      ? ['Routers drop what is sent to the broadcast address of a network, unless told otherwise (RFC 2644).']
      : []),
    ...(at('udp', 67) && sourcePort === 68
      ? [
          'A DHCP client without an address asks by broadcast (RFC 2131 section 4.1): in another network than the server it needs a relay agent on its router. The rule is for renewals, which go straight to the server.',
        ]
      : []),
    ...(at('tcp', 21)
      ? [
          'This is the control connection alone. Files go over a second connection, of a port that is agreed in the first (RFC 959 section 3.2): switch on FTP inspection in the firewall, or ask for a rule for the passive ports that the server is set to.',
        ]
      : []),
    ...(tunnel === 47 || tunnel === 50
      ? [
          'A firewall remembers a tunnel only while packets pass. Where the far end may speak first, the same rule is needed the other way round.',
        ]
      : []),
    ...(via === undefined ? [] : [`It goes through the proxy, which must itself get to ${to.host ?? to.role}.`]),
  ];
}
