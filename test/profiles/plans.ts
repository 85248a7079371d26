// Plans of our profiles by the real probes, for a site in which every role has a host.
import { probes as registry } from '../../probes/index.js';
import type { Plan } from '../../src/contract/flow.js';
import type { Probe } from '../../src/contract/probe.js';
import { makePlan, probesOf } from '../../src/plan/plan.js';
import type { Profile } from '../../src/plan/profile.js';
import { siteOf, valueOf } from '../plan/fakes.js';

/** Those of the profile's probes that there are; planning tells of one that is missing. */
async function probesFor(profile: Profile): Promise<ReadonlyMap<string, Probe>> {
  const loaded = await Promise.all(
    probesOf([profile]).map(async (name): Promise<[string, Probe][]> => {
      const load = Object.hasOwn(registry, name) ? registry[name] : undefined;
      return load === undefined ? [] : [[name, (await load()).probe]];
    }),
  );
  return new Map(loaded.flat());
}

/** Roles whose hosts show more than one plain address would: names, both families, ports of their own. */
const HOSTS: Readonly<Record<string, string>> = {
  'managed-device': '[192.0.2.11, "2001:db8::12", {address: 192.0.2.13, flows: {managed-device-ssh: {port: 2022}}}]',
  device: '[192.0.2.31, "2001:db8::32"]',
  'ldap-server': 'ldap.example.net',
  'internet-service': '[updates.example.com, licences.example.com]',
  'syslog-server': '192.0.2.14',
  'virtual-port-ssh-device':
    '[{address: 192.0.2.15, flows: {virtual-port-ssh: {port: 2001}}}, {address: 192.0.2.15, flows: {virtual-port-ssh: {port: 2002}}}, 192.0.2.16]',
};

/** The hosts of a site, in which the roles of the profile stand at 192.0.2.100 and on unless HOSTS says otherwise. */
function hostsOf(profile: Profile): string {
  const lines = [...profile.roles.keys()].map((role, index) => `  ${role}: ${HOSTS[role] ?? `192.0.2.${100 + index}`}`);
  return ['hosts:', ...lines].join('\n');
}

export interface Given {
  readonly here: string;
  readonly features: readonly string[];
  /** What else stands in the site. */
  readonly site?: string;
  /** Globs; none is all. */
  readonly flows?: readonly string[];
}

/** Throws with all that is wrong. */
export async function planOf(profile: Profile, { here, features, site = '', flows = [] }: Given): Promise<Plan> {
  const inUse = features.length === 0 ? '' : `features: [${features.join(', ')}]`;
  const text = `here: ${here}\n${hostsOf(profile)}\n${inUse}\n${site}`;
  return valueOf(
    makePlan({
      profiles: [profile],
      site: siteOf(text),
      selection: { as: [], hosts: [], features: [], flows },
      probes: await probesFor(profile),
      probeNames: Object.keys(registry),
    }),
  );
}
