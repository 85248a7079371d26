// The examples of docs/files.md can be read, and the site among them planned.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makePlan } from '../../src/plan/plan.js';
import { parseProfile } from '../../src/plan/profile.js';
import { parseSite } from '../../src/plan/site.js';
import { fakeProbes, linesOf, valueOf, warningsOf } from './fakes.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const blocks = [...read('docs/files.md').matchAll(/```yaml\n(.*?)```/gs)].map(([, block]) => block ?? '');
const kvmnet = 'profiles/kvmnet-access-management.yaml';

describe('docs/files.md', () => {
  const sites = blocks.filter((block) => block.startsWith('linecheck: site/'));
  const profiles = blocks.filter((block) => block.startsWith('linecheck: profile/'));

  it('shows two sites and a profile', () => {
    expect([sites.length, profiles.length]).toEqual([2, 1]);
  });

  it.each(sites)('shows a site that can be planned: %#', (text) => {
    const parsed = makePlan({
      profiles: [valueOf(parseProfile({ file: kvmnet, text: read(kvmnet) }))],
      site: valueOf(parseSite({ file: 'site.yaml', text })),
      selection: { as: [], hosts: [], features: [], flows: [] },
      probes: fakeProbes,
    });
    expect(linesOf(parsed)).toEqual([]);
    expect(warningsOf(parsed)).toEqual([]);
  });

  it.each(profiles)('shows a profile that can be read: %#', (text) => {
    const parsed = parseProfile({ file: 'profile.yaml', text });
    expect(linesOf(parsed)).toEqual([]);
    expect(warningsOf(parsed)).toEqual([]);
  });
});
