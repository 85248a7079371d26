// What is sent for each role of each profile, as `linecheck plan` prints it; and what holds for all profiles together.
import { readdirSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { profileJsonSchema, type Profile } from '../../src/plan/profile.js';
import { planTable } from '../../src/report/plan.js';
import { expectGolden } from '../report/golden.js';
import { planOf } from './plans.js';
import { ownProfile } from './rows.js';

const profiles = readdirSync(new URL('../../profiles/', import.meta.url))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => ownProfile(file.slice(0, -'.yaml'.length)));

const everyRole = profiles.flatMap((profile) =>
  [...profile.roles.keys()].map((role) => ({ id: profile.id, role, profile })),
);

/** Features that take other flows away: with them in use no plan shows those. */
function narrowing({ flows }: Profile): ReadonlySet<string> {
  return new Set(flows.flatMap(({ required }) => required.unless));
}

function expectPlan(name: string, text: string): void {
  for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  expectGolden(`../../profiles/golden/${name}.txt`, text);
}

describe('the plan of a machine', () => {
  it.each(everyRole)('that stands as $role of $id, all features in use', async ({ profile, role }) => {
    const plan = await planOf(profile, { here: role, features: [...profile.features.keys()] });
    expectPlan(`${profile.id}.${role}`, planTable(plan, { width: 80, colour: false }));
  });

  it.each(
    everyRole.filter(({ profile, role }) =>
      profile.flows.some(({ from, to, required }) => [...from, ...to].includes(role) && required.unless.length > 0),
    ),
  )('that stands as $role of $id, all features in use but those that take flows away', async ({ profile, role }) => {
    const features = [...profile.features.keys()].filter((feature) => !narrowing(profile).has(feature));
    const plan = await planOf(profile, { here: role, features });
    expectPlan(`${profile.id}.${role}.widest`, planTable(plan, { width: 80, colour: false }));
  });

  it.each(everyRole)('that stands as $role of $id accounts for every flow', async ({ profile, role }) => {
    const plan = await planOf(profile, { here: role, features: [...profile.features.keys()] });
    const accounted = new Set([...plan.checks, ...plan.skipped].map(({ flow }) => flow));
    expect([...accounted].sort()).toEqual(profile.flows.map(({ id }) => id).sort());
  });
});

describe('the profiles together', () => {
  it('are what the published schema says a profile is', () => {
    const validate = new Ajv({ strict: true, strictTypes: false, allErrors: true }).compile(profileJsonSchema());
    for (const { written, id } of profiles)
      expect(validate(written), `${id}: ${JSON.stringify(validate.errors)}`).toBe(true);
  });

  it('call one role by one name', () => {
    const titles = new Map<string, Set<string>>();
    for (const { role, profile } of everyRole) {
      const known = titles.get(role) ?? new Set();
      titles.set(role, known.add(profile.roles.get(role)?.title ?? ''));
    }
    expect([...titles].filter(([, known]) => known.size > 1)).toEqual([]);
    expect([...titles].filter(([, known]) => known.has(''))).toEqual([]);
  });

  it('tell flows apart by their titles, and say of each what breaks without it', () => {
    for (const { flows, id } of profiles) {
      expect(new Set(flows.map(({ title }) => title)).size, id).toBe(flows.length);
      expect(flows.filter(({ why }) => !/^[A-Z].{30,}\.$/s.test(why)).map((flow) => flow.id)).toEqual([]);
    }
  });

  it('have no group of alternatives with a single member', () => {
    for (const { flows, id } of profiles) {
      const groups = flows.flatMap(({ required, from }) =>
        required.oneOf === undefined ? [] : [`${from.join()} ${required.oneOf}`],
      );
      const single = groups.filter((group) => groups.indexOf(group) === groups.lastIndexOf(group));
      expect(single, id).toEqual([]);
    }
  });
});
