// linecheck asked the whole table, once by tier and family, from the tech of the lab.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Family } from '../lab/behaviours.js';
import { NOBODY } from '../lab/linecheck.js';
import { temporaryFolder } from '../lab/place.js';
import { behaviours, targetOf, type Tier } from './behaviours.js';
import type { ReportedCheck } from './cells.js';
import { profile, site } from './flows.js';
import { RADIUS_SECRET, type Network } from './network.js';

const CLI = join(import.meta.dirname, '../../bin/linecheck.js');
const WITHOUT_PACKAGES = join(import.meta.dirname, 'without-packages.js');

export interface Run {
  readonly tier: Tier;
  readonly family: Family;
  readonly tool: { readonly tier: number; readonly can: readonly string[] };
  readonly checks: readonly ReportedCheck[];
  readonly durationMs: number;
}

/** How linecheck is started to see as much as this tier, and no more. */
export function started(tier: Tier): { readonly argv: readonly string[]; readonly uid?: number } {
  const plain = tier === 1 ? ['--import', WITHOUT_PACKAGES] : [];
  return { argv: [process.execPath, ...plain, CLI], ...(tier === 3 ? {} : { uid: NOBODY }) };
}

/** `--timeout`: two answers that are two seconds late each, and a busy machine. `--diagnose`: a second look at all flows. */
const PATIENCE = ['--timeout', '7s', '--diagnose', '30s'];

export async function run({ lab, ca }: Network, tier: Tier, family: Family): Promise<Run> {
  const folder = temporaryFolder();
  try {
    const path = join(folder.path, 'site.yaml');
    const radius = join(folder.path, 'secret');
    writeFileSync(radius, RADIUS_SECRET);
    writeFileSync(join(folder.path, 'truth.yaml'), profile());
    const hosts = behaviours.map((behaviour) => ({
      address: targetOf(behaviour, family).address,
      few: behaviour.few === true,
      with: behaviour.with ?? {},
    }));
    writeFileSync(path, site(hosts, { site: ca, radius }));
    const { argv, ...as } = started(tier);
    const words = ['check', path, '--format', 'json', ...PATIENCE];
    const { stdout, stderr } = await lab.exec('tech', [...argv, ...words], as);
    if (stdout === '') throw new Error(`linecheck reports nothing at tier ${tier}, IPv${family}: ${stderr}`);
    return { ...(JSON.parse(stdout) as Pick<Run, 'tool' | 'checks' | 'durationMs'>), tier, family };
  } finally {
    folder.remove();
  }
}
