// Planning of a whole profile, that of KVM.net: the published schemas accept it, and the plan that it makes for every role.
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { PlannedCheck, Plan } from '../../src/contract/flow.js';
import { makePlan } from '../../src/plan/plan.js';
import { parseProfile, profileJsonSchema } from '../../src/plan/profile.js';
import { siteJsonSchema } from '../../src/plan/site.js';
import { fakeProbes, siteOf, valueOf } from './fakes.js';

const file = 'profiles/kvmnet-access-management.yaml';
const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const profile = valueOf(parseProfile({ file, text }));

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
