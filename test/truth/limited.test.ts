// Many flows at once through a firewall that rejects all of them and limits its ICMP errors as Linux does: six at once, then
// one a second. Each must be blocked, whoever got an error of his own; nothing may be called down or silent for that.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAMILIES } from '../lab/behaviours.js';
import { addresses, openLab, type Lab } from '../lab/lab.js';
import { requireLinecheck } from '../lab/linecheck.js';
import { temporaryFolder } from '../lab/place.js';
import { labReason } from '../lab/requirements.js';
import { TIERS, type Tier } from './behaviours.js';
import type { ReportedCheck } from './cells.js';
import { started } from './runs.js';

const FLOWS = 27;

const profile = `
linecheck: profile/v1
id: many
title: Many flows
source: { title: test/truth }
roles: { tech: { title: Tech }, gate: { title: Gate } }
flows:
${Array.from({ length: FLOWS }, (_, index) => {
  const carrier = index % 3 === 2 ? `udp: ${5000 + index}, probe: ntp` : `tcp: ${5000 + index}, probe: tcp`;
  return `  - { id: flow-${index}, title: Flow, from: tech, to: gate, ${carrier}, why: To be rejected., source: "${index}" }`;
}).join('\n')}
`;
const site = (address: string): string => `
linecheck: site/v1
profiles: [./many.yaml]
here: tech
hosts: { gate: "${address}" }
`;

const labs: Lab[] = [];
const reports = new Map<string, readonly ReportedCheck[]>();
const built = existsSync(join(import.meta.dirname, '../../dist/src/entry/cli.js'));

/** Each run has a firewall of its own, which has told nobody anything yet. */
async function rejected(tier: Tier, family: 4 | 6): Promise<void> {
  const lab = await openLab({ routers: 2 });
  labs.push(lab);
  await lab.firewall(
    'table inet f { chain c { type filter hook forward priority filter; reject with icmpx admin-prohibited; }; }',
  );
  const folder = temporaryFolder();
  try {
    writeFileSync(join(folder.path, 'many.yaml'), profile);
    writeFileSync(join(folder.path, 'site.yaml'), site(addresses.server1[family]));
    const { argv, ...as } = started(tier);
    const words = ['check', join(folder.path, 'site.yaml'), '--format', 'json'];
    const { stdout, stderr } = await lab.exec('tech', [...argv, ...words], as);
    if (stdout === '') throw new Error(`linecheck reports nothing: ${stderr}`);
    reports.set(`${tier} ${family}`, (JSON.parse(stdout) as { readonly checks: readonly ReportedCheck[] }).checks);
  } finally {
    folder.remove();
  }
}

beforeAll(async () => {
  if (labReason() !== undefined || !built) return;
  await Promise.all(TIERS.flatMap((tier) => FAMILIES.map((family) => rejected(tier, family))));
}, 120_000);

afterAll(() => Promise.all(labs.map((lab) => lab.close())));

/** With errno alone nobody can be named, and what heard nothing stays silence. None of these is a wrong word. */
const BY_ERRNO = ['blocked rejected likely', 'unreachable silent likely', 'unproven silence likely'];

const wordsOf = ({ verdict, how, certain }: ReportedCheck): string => `${verdict} ${how ?? ''} ${certain}`;

describe.for(FAMILIES.map((family) => [family] as const))('many rejected flows at once over IPv%i', ([family]) => {
  it.for(TIERS.filter((tier) => tier > 1))('are all blocked by the firewall at tier %i', (tier, ctx) => {
    requireLinecheck(ctx);
    const checks = reports.get(`${tier} ${family}`) ?? [];
    expect(checks).toHaveLength(FLOWS);
    const firewall = addresses.firewall[family];
    for (const check of checks) {
      expect(check, check.summary).toMatchObject({ verdict: 'blocked', how: 'rejected', by: { address: firewall } });
    }
    // Linux grants six at once.
    expect(checks.filter(({ certain }) => certain === 'proven').length).toBeGreaterThanOrEqual(6);
  });

  it('are said to be rejected or silent, and nothing else, with errno alone', (ctx) => {
    requireLinecheck(ctx);
    const checks = reports.get(`1 ${family}`) ?? [];
    expect(checks).toHaveLength(FLOWS);
    const told = checks.map(wordsOf);
    expect(told.filter((words) => !BY_ERRNO.includes(words))).toEqual([]);
    expect(told).toContain('blocked rejected likely');
  });
});
