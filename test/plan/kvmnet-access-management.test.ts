// The KVM.net profile against its document, row by row, both directions; and the plan that it makes for every role.
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { PlannedCheck, Plan } from '../../src/contract/flow.js';
import { carrierName } from '../../src/plan/asking.js';
import { makePlan } from '../../src/plan/plan.js';
import { parseProfile, profileJsonSchema, type Flow } from '../../src/plan/profile.js';
import { siteJsonSchema } from '../../src/plan/site.js';
import { fakeProbes, siteOf, valueOf } from './fakes.js';

const file = 'profiles/kvmnet-access-management.yaml';
const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const profile = valueOf(parseProfile({ file, text }));

/** The table of IPA36-2, its cells as they stand there, and the paragraph below it; and which flows each asks for. */
const rows: readonly { readonly words: string; readonly flows: readonly string[] }[] = [
  {
    words:
      'UDP 3080 | Bidirectional between Centralized Access Management and devices | Used for device discovery in broadcast (Auto Discovery) or unicast (Manual Manager IP) modes every time the device or Manager boots.',
    flows: [
      'discovery-unicast: manager <> device udp 3080',
      'discovery-broadcast: manager <> device udp 3080 broadcast',
    ],
  },
  {
    words:
      "UDP 3081 | Unidirectional from Manager to devices | Used for device discovery if port 3080 doesn't work. Device answers on port 3080 only.",
    flows: ['discovery-fallback: manager > device udp 3081 answered from 3080'],
  },
  {
    words:
      'TCP 443 | Bidirectional between Centralized Access Management System and devices | Used for status updates, device configurations, upgrades and other communication.',
    flows: ['device-communication: manager <> device tcp 443'],
  },
  {
    words:
      'TCP 443 | Unidirectional from Client to Manager | Used for Centralized Access Management web interface login and operation.',
    flows: ['web-interface: client > manager tcp 443'],
  },
  {
    words:
      'TCP 443 | Unidirectional from Administrator to device | Used for login to device config page for initial KVMIP device configuration',
    flows: ['device-config-page: administrator > device tcp 443'],
  },
  {
    words:
      'TCP 900-902 (configurable) | Unidirectional from Client to device | Used for Remote Client session (Video, keyboard, mouse control of the target)',
    flows: ['remote-session: client > device tcp 900-902 configurable'],
  },
  {
    words:
      'TCP 389 | Unidirectional from Manager to LDAP | Used for importing the users from LDAP server and for password authentication during the user login to Centralized Access Management Manager.',
    flows: ['ldap: manager > ldap-server tcp 389'],
  },
  {
    words:
      'TCP 3306 | Bidirectional between Centralized Access Management Primary and Secondary units | Used for database synchronization and replication when Centralized Access Management system operated in Replication mode.',
    flows: ['replication: manager <> secondary-manager tcp 3306'],
  },
  {
    words:
      'TCP 22 | Unidirectional from Administrator to Manager | Used by Administrator for system troubleshooting and debugging (PuTTY - SSH, WinSCP - SFTP)',
    flows: ['manager-ssh: administrator > manager tcp 22'],
  },
  {
    words:
      'COMMENTS: Protocols that may be used are DHCP (UDP 67, 68) for obtaining dynamic network address from DHCP server for devices, DNS (TCP 53) for name resolving to Centralized Access Management Manager, ping (ICMP) and other network protocols.',
    flows: [
      'dhcp: device > dhcp-server udp 67 from port 68',
      'dns-tcp: manager > dns-server tcp 53',
      'dns-udp: manager > dns-server udp 53 erratum',
      'ping: manager > device icmp',
    ],
  },
];

function inShort(flow: Flow): string {
  const { carrier, ports } = flow;
  const range =
    ports === undefined ? '' : ports.first === ports.last ? ` ${ports.first}` : ` ${ports.first}-${ports.last}`;
  return [
    `${flow.id}: ${flow.from.join()} ${flow.bothWays ? '<>' : '>'} ${flow.to.join()} ${carrierName(carrier)}${range}`,
    flow.configurable ? 'configurable' : '',
    flow.broadcast ? 'broadcast' : '',
    flow.answersFrom === undefined ? '' : `answered from ${flow.answersFrom}`,
    flow.sourcePort === undefined || flow.sourcePort === 3080 ? '' : `from port ${flow.sourcePort}`,
    flow.erratum === undefined ? '' : 'erratum',
  ]
    .filter((word) => word !== '')
    .join(' ');
}

describe('the profile and the document', () => {
  it.each(rows)('has each flow of the row "$words"', ({ words, flows }) => {
    expect(profile.flows.filter(({ source }) => source.includes(words)).map(inShort)).toEqual(flows);
  });

  it('have no flow without a row', () => {
    const known = new Set(rows.map(({ words }) => words));
    expect(
      profile.flows.filter(({ source }) => source.length !== 1 || !source.every((words) => known.has(words))),
    ).toEqual([]);
    expect(rows.flatMap(({ flows }) => flows)).toHaveLength(profile.flows.length);
  });

  it('keep what is in use only sometimes to features', () => {
    const conditions = profile.flows.map(({ id, required: { features, optional, oneOf } }) =>
      [id, ...features, optional ? 'optional' : '', oneOf === undefined ? '' : `one of ${oneOf}`]
        .filter((word) => word !== '')
        .join(' '),
    );
    expect(conditions).toEqual([
      'discovery-unicast one of discovery',
      'discovery-broadcast auto-discovery',
      'discovery-fallback one of discovery',
      'device-communication',
      'web-interface',
      'device-config-page',
      'remote-session',
      'ldap ldap',
      'replication replication',
      'manager-ssh',
      'dhcp dhcp',
      'dns-tcp dns',
      'dns-udp dns optional',
      'ping ping optional',
    ]);
  });
});

describe('the published schemas', () => {
  const ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true });

  it('accept the profile', () => {
    const validate = ajv.compile(profileJsonSchema());
    expect(validate(profile.written), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...profile.written, flows: [] })).toBe(false);
    expect(validate({ ...profile.written, flow: [] })).toBe(false);
  });

  it('accept a site in its short and its long form, and no unknown key', () => {
    const validate = ajv.compile(siteJsonSchema());
    const site = {
      linecheck: 'site/v1',
      here: 'manager',
      hosts: { device: ['192.0.2.1', { address: '192.0.2.2', flows: { web: { port: '900-902' } } }], client: 'none' },
      family: 4,
    };
    expect(validate(site), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...site, here: ['manager'], hosts: { device: { name: 'a.example', addresses: 'any' } } })).toBe(
      true,
    );
    expect(validate({ ...site, hots: {} })).toBe(false);
    expect(validate({ ...site, family: 5 })).toBe(false);
  });
});

const hosts = `hosts:
  manager: 192.0.2.10
  secondary-manager: 192.0.2.20
  device: [192.0.2.31, "2001:db8::32"]
  client: 192.0.2.40
  administrator: 192.0.2.50
  ldap-server: ldap.example.net
  dhcp-server: 192.0.2.67
  dns-server: 192.0.2.53`;
const everything = `features: [${[...profile.features.keys()].join(', ')}]`;

/** As somebody reads it who compares it with the document. */
function asText(plan: Plan): string {
  const line = (check: PlannedCheck): string => {
    const extras = [
      check.sourcePort === undefined ? '' : `source port ${check.sourcePort}`,
      check.answersFrom === undefined ? '' : `answers from ${check.answersFrom}`,
      check.broadcast === true ? 'broadcast' : '',
      check.group === undefined ? '' : `one of ${check.group}`,
    ].filter((word) => word !== '');
    const said = `${check.direction === 'out' ? 'ask ' : 'wait'} ${check.required ? 'required' : 'optional'} ${check.probe}/${check.reach}`;
    return [`${said}  ${check.id}`, ...extras.map((extra) => `      ${extra}`)].join('\n');
  };
  const skipped = plan.skipped.map(({ flow, reason }) => `skip ${flow}: ${Object.values(reason).flat().join(' ')}`);
  return `${[`here: ${plan.here.join(', ')}`, ...plan.checks.map(line), ...skipped].join('\n')}\n`;
}

describe('the plan', () => {
  it.each([...profile.roles.keys()])('of a machine that stands as %s, with all features in use', async (role) => {
    const parsed = makePlan({
      profiles: [profile],
      site: siteOf(`here: ${role}\n${hosts}\n${everything}`),
      selection: { as: [], hosts: [], features: [], flows: [] },
      probes: fakeProbes,
    });
    await expect(asText(valueOf(parsed))).toMatchFileSnapshot(`golden/kvmnet-access-management.${role}.txt`);
  });

  it('without features and hosts accounts for every flow', () => {
    const plan = valueOf(
      makePlan({
        profiles: [profile],
        selection: { as: ['manager'], hosts: [], features: [], flows: [] },
        probes: fakeProbes,
      }),
    );
    const accounted = new Set([...plan.checks, ...plan.skipped].map(({ flow }) => flow));
    expect([...accounted].sort()).toEqual(profile.flows.map(({ id }) => id).sort());
  });
});
