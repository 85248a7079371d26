// A plan and a profile as the KVM.net access management document gives them, for the pages that show them. No rules.
import { skip } from '../../src/plan/skip.js';
import type { PlannedCheck, Plan } from '../../src/contract/flow.js';
import type { Traits } from '../../src/contract/probe.js';
import type { FlowText, ProfileText } from '../../src/report/profiles.js';

export const sshTraits: Traits = {
  silence: 'conclusive',
  depths: ['port', 'protocol'],
  defaultDepth: 'protocol',
  sends: [
    { what: 'identification', packets: 1, bytes: 21 },
    { what: 'KEXINIT', packets: 1, bytes: 1120 },
    { what: 'DISCONNECT', packets: 1, bytes: 72 },
  ],
};
const tcpTraits: Traits = {
  silence: 'conclusive',
  depths: ['port'],
  defaultDepth: 'port',
  sends: [{ what: 'a TCP connection, opened and closed', packets: 4, bytes: 0 }],
};
const discoveryTraits: Traits = {
  silence: 'ambiguous',
  depths: ['protocol'],
  defaultDepth: 'protocol',
  sends: [{ what: 'discovery request', packets: 1, bytes: 32 }],
  needs: 'bind to UDP port 3080',
};

type Given = Partial<PlannedCheck> & Pick<PlannedCheck, 'flow' | 'title' | 'to'>;

function planned(given: Given): PlannedCheck {
  const { flow, to, carrier = 'tcp' } = given;
  const from = given.from ?? { role: 'manager', address: '192.0.2.10' };
  return {
    id: `kvmnet-access-management/${flow}/${from.role}/${to.host ?? 'unknown'}/${typeof carrier === 'string' ? carrier : 'ip'}-${String(to.port)}`,
    profile: 'kvmnet-access-management',
    required: true,
    expect: 'open',
    reach: 'port',
    direction: 'out',
    from,
    carrier,
    probe: 'tcp',
    options: {},
    traits: tcpTraits,
    addresses: 'every',
    family: 'any',
    why: 'Without it the product does not work.',
    source: [`row ${flow}`],
    acceptUnproven: false,
    ...given,
  };
}

const host = (last: number, port: number): PlannedCheck['to'] => ({ role: 'device', host: `192.0.2.${last}`, port });

export const plan: Plan = {
  site: 'branch-12',
  profiles: [{ id: 'kvmnet-access-management', title: 'KVM.net II and AccessIT' }],
  here: ['kvmnet-access-management/manager'],
  source: '192.0.2.10',
  login: false,
  acceptHow: ['one-way'],
  secrets: { 'ldap-user': { env: 'LDAP_PASSWORD' } },
  checks: [
    ...[21, 22].map((last) =>
      planned({
        flow: 'discovery',
        title: 'Device discovery',
        to: host(last, 3080),
        carrier: 'udp',
        probe: 'udp',
        traits: discoveryTraits,
        sourcePort: 3080,
      }),
    ),
    planned({
      flow: 'discovery-broadcast',
      title: 'Device discovery by broadcast',
      to: { role: 'device', host: '192.0.2.255', port: 3080 },
      carrier: 'udp',
      probe: 'udp',
      traits: discoveryTraits,
      broadcast: true,
      required: false,
    }),
    ...[900, 901, 902].map((port) =>
      planned({ flow: 'remote-session', title: 'Remote Client session', to: host(21, port) }),
    ),
    planned({
      flow: 'ssh',
      title: 'Troubleshooting and debugging',
      to: { role: 'device', host: 'a-long-name-of-a-device.branch-12.example.net', port: 22 },
      probe: 'ssh',
      traits: sshTraits,
      expect: 'blocked',
    }),
    planned({ flow: 'ldap', title: 'Import of users', to: { role: 'ldap-server', port: 389 } }),
    ...[21, 22].map((last) =>
      planned({
        flow: 'status',
        title: 'Status updates',
        direction: 'in',
        from: { role: 'device', host: `192.0.2.${last}`, address: `192.0.2.${last}` },
        to: { role: 'manager', address: '192.0.2.10', port: 443 },
      }),
    ),
  ],
  skipped: [
    { kind: 'feature-off' as const, feature: 'replication' },
    { kind: 'unless' as const, feature: 'ldap-tls' },
    { kind: 'role-none' as const, role: 'dns-server' },
    { kind: 'elsewhere' as const, roles: ['client', 'device'] },
    { kind: 'elsewhere' as const, roles: ['client', 'device'] },
    { kind: 'no-route-for-family' as const, family: 6 as const, address: '2001:db8::21' },
    { kind: 'deselected' as const },
  ].map((reason, at) => skip('kvmnet-access-management', { id: `skipped-${at}`, title: `Skipped flow ${at}` }, reason)),
};

export const emptyPlan: Plan = {
  profiles: [],
  here: [],
  login: true,
  checks: [],
  skipped: [],
  acceptHow: [],
  secrets: {},
};

function flow(given: Partial<FlowText> & Pick<FlowText, 'id' | 'title' | 'from' | 'to'>): FlowText {
  return {
    bothWays: false,
    carrier: 'tcp',
    configurable: false,
    probe: { value: 'tcp' },
    required: { features: [], unless: [], optional: false },
    broadcast: false,
    why: 'Without it the product does not work.',
    source: ['TCP 443'],
    ...given,
  };
}

export const profile: ProfileText = {
  id: 'kvmnet-access-management',
  title: 'Centralized Access Management (KVM.net II and AccessIT)',
  source: { title: 'Network Ports, IPA36-2', date: '2009-10-08' },
  roles: new Map([
    ['manager', { title: 'Centralized Access Management Manager' }],
    ['device', { title: 'KVM over IP device' }],
    ['client', { title: 'Workstation of a user', description: 'Runs a browser and the Remote Client' }],
  ]),
  features: new Map([['ldap', { title: 'Users come from an LDAP server' }]]),
  flows: [
    flow({
      id: 'discovery-3080',
      title: 'Device discovery',
      from: ['manager'],
      to: ['device'],
      bothWays: true,
      carrier: 'udp',
      ports: { first: 3080, last: 3080 },
      sourcePort: 3080,
      broadcast: true,
      probe: { value: 'udp' },
      why: 'A device that is not discovered is not managed.',
      source: ['UDP 3080, Bidirectional between Centralized Access Management and devices'],
    }),
    flow({
      id: 'device-https',
      title: 'Status updates, configuration, upgrades',
      from: ['manager'],
      to: ['device'],
      bothWays: true,
      ports: { first: 443, last: 443 },
      probe: { value: 'https' },
      reach: { value: 'protocol' },
      path: 'in-band',
      everyMs: 30_000,
    }),
    flow({
      id: 'discovery-3081',
      title: 'Device discovery where 3080 does not work',
      from: ['manager'],
      to: ['device'],
      carrier: 'udp',
      ports: { first: 3081, last: 3081 },
      answersFrom: 3080,
      required: { features: [], unless: ['ldap'], optional: true },
    }),
    flow({
      id: 'remote-session',
      title: 'Remote Client session',
      from: ['client', 'administrator'],
      to: ['device'],
      ports: { first: 900, last: 902 },
      configurable: true,
      required: { features: ['ldap'], unless: [], optional: false, oneOf: 'sessions' },
      erratum: 'The document gives no default for the third port.',
    }),
    flow({ id: 'tunnel', title: 'Tunnel', from: ['manager'], to: ['device'], carrier: { ipProtocol: 47 } }),
  ],
};
