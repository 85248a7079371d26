// The kinds of flow that the truth table asks through every behaviour of the network, as a profile of linecheck.
import { stringify } from 'yaml';

export type FlowName = 'ssh' | 'tls' | 'https' | 'ntp' | 'dns' | 'ike' | 'radius' | 'syslog' | 'gre' | 'witness';

/** Flows to which the same words apply. */
export type FlowGroup =
  /** A server that shows itself when it is connected to. */
  | 'tcp'
  /** UDP, and a healthy server answers everybody. */
  | 'asked'
  /** UDP, and a healthy server may have its reasons to be silent. */
  | 'ambiguous'
  /** UDP, and nobody ever answers. */
  | 'one-way'
  /** An IP protocol of its own. */
  | 'ip'
  /** Another open port of the same host, left alone by nearly all behaviours: by it the host is known to be up. */
  | 'witness';

export interface Flow {
  readonly name: FlowName;
  readonly group: FlowGroup;
  readonly transport: 'tcp' | 'udp' | 'gre';
  /** 0 where the transport has none. */
  readonly port: number;
  /** As a profile writes it. */
  readonly probe: string;
  readonly with?: Readonly<Record<string, unknown>>;
  /** One of each kind, asked of hosts that few are asked of; see `few` in behaviours.ts. */
  readonly few?: true;
  /** Why silence says nothing here, where it does not. */
  readonly undecided?: string;
}

export const flows: readonly Flow[] = [
  { name: 'ssh', group: 'tcp', transport: 'tcp', port: 22, probe: 'ssh', few: true },
  { name: 'tls', group: 'tcp', transport: 'tcp', port: 8305, probe: 'tls', with: { ca: 'site' } },
  { name: 'https', group: 'tcp', transport: 'tcp', port: 443, probe: 'https', with: { ca: 'site' } },
  {
    name: 'syslog',
    group: 'one-way',
    transport: 'udp',
    port: 514,
    probe: 'syslog',
    few: true,
    undecided: 'no server answers a message (RFC 5426 §4.2): only the far end knows',
  },
  { name: 'ntp', group: 'asked', transport: 'udp', port: 123, probe: 'ntp', few: true },
  { name: 'dns', group: 'asked', transport: 'udp', port: 53, probe: 'dns' },
  {
    name: 'ike',
    group: 'ambiguous',
    transport: 'udp',
    port: 500,
    probe: 'ike',
    undecided: 'a gateway may ignore who is not in its configuration (RFC 7296 §2.21.1)',
  },
  {
    name: 'radius',
    group: 'ambiguous',
    transport: 'udp',
    port: 1812,
    probe: 'radius',
    few: true,
    with: { secret: 'radius' },
    undecided: 'a server drops what comes from no client of its own (RFC 2865 §3)',
  },
  {
    name: 'gre',
    group: 'ip',
    transport: 'gre',
    port: 0,
    probe: 'gre',
    undecided: 'an end without a tunnel to us is silent, and healthy',
  },
  { name: 'witness', group: 'witness', transport: 'tcp', port: 80, probe: 'http' },
];

/** Where behaviours send what they redirect; no flow asks there. */
export const OTHER_TLS_PORT = 8443;

const flowOf = (flow: Flow): object => ({
  id: flow.name,
  title: `The flow ${flow.name}`,
  from: 'tech',
  to: flow.few === true ? ['gate', 'outpost'] : 'gate',
  ...(flow.transport === 'gre' ? { ip: 47 } : { [flow.transport]: flow.port }),
  probe: flow.probe,
  ...(flow.with === undefined ? {} : { with: flow.with }),
  why: 'The truth about it is known.',
  source: 'flows.ts',
});

/** The text of the profile file. */
export function profile(asked: readonly Flow[] = flows): string {
  return stringify({
    linecheck: 'profile/v1',
    id: 'truth',
    title: 'The truth table',
    source: { title: 'test/truth' },
    roles: { tech: { title: 'Tech' }, gate: { title: 'Gate' }, outpost: { title: 'Outpost' } },
    flows: asked.map(flowOf),
  });
}

export interface SiteHost {
  readonly address: string;
  readonly few: boolean;
  /** Options of probes that this host alone wants. */
  readonly with: Readonly<Partial<Record<FlowName, Readonly<Record<string, unknown>>>>>;
}

const hostOf = ({ address, with: options }: SiteHost): object => ({
  address,
  flows: Object.fromEntries(Object.entries(options).map(([name, given]) => [name, { with: given }])),
});

/** The text of a site file beside it. `secrets` are paths. */
export function site(hosts: readonly SiteHost[], secrets: { readonly site: string; readonly radius: string }): string {
  return stringify({
    linecheck: 'site/v1',
    name: 'truth',
    profiles: ['./truth.yaml'],
    here: 'tech',
    hosts: {
      gate: hosts.filter(({ few }) => !few).map(hostOf),
      outpost: hosts.filter(({ few }) => few).map(hostOf),
    },
    secrets: { site: { file: secrets.site }, radius: { file: secrets.radius } },
  });
}
