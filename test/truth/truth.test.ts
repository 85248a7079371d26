// The truth table: every behaviour of the network, every kind of flow, IPv4 and IPv6, seen with errno alone, without root
// and as root. What must stand in each cell is data (behaviours.ts); `npm run truth` prints it all.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { FAMILIES, type Family } from '../lab/behaviours.js';
import { requireLinecheck } from '../lab/linecheck.js';
import { labReason, serverReason, skipFor } from '../lab/requirements.js';
import { awaited, awaiting, maySay } from './awaiting.js';
import { behaviours, TIERS, type Tier } from './behaviours.js';
import { cells, placeIn, wordsOf, type Cell, type ReportedCheck } from './cells.js';
import { openNetwork, type Network } from './network.js';
import { run, type Run } from './runs.js';

const CHARON = '/usr/lib/ipsec/charon';
const SERVERS = [
  ['sshd', 'openssh-server'],
  ['nginx', 'nginx-light'],
  ['chronyd', 'chrony'],
  ['unbound', 'unbound'],
  ['swanctl', 'strongswan-swanctl'],
  ['freeradius', 'freeradius'],
  ['rsyslogd', 'rsyslog'],
  ['python3', 'python3-minimal'],
] as const;
const reason =
  labReason() ??
  SERVERS.map(([binary, debianPackage]) => serverReason(binary, debianPackage)).find((one) => one !== undefined) ??
  (existsSync(CHARON) ? undefined : `${CHARON} is not installed: npm run lab:install`) ??
  (existsSync(join(import.meta.dirname, '../../dist/src/entry/cli.js')) ? undefined : 'linecheck is not built');

/** Each tier has a lab of its own, so that none sees what the packets of another left behind. */
const networks: Network[] = [];
/** By tier and family, in order. */
const runs = new Map<string, Run[]>();

const key = (tier: Tier, family: Family): string => `${tier} ${family}`;

async function ask(network: Network, tier: Tier): Promise<void> {
  for (const one of await Promise.all(FAMILIES.map((family) => run(network, tier, family)))) {
    const before = runs.get(key(tier, one.family)) ?? [];
    runs.set(key(tier, one.family), [...before, one]);
  }
}

/** Until routers may send as many errors as before (icmp_ratelimit, and error_burst for those of routes): six a second each. */
const REST_MS = 6000;

/** Hundreds of flows begin at once in each run, and two cores are few. */
const APART_MS = 6000;

beforeAll(async () => {
  if (reason !== undefined) return;
  await Promise.all(
    TIERS.map(async (tier) => {
      const network = await openNetwork();
      networks.push(network);
      await delay((tier - 1) * APART_MS);
      await ask(network, tier);
      if (tier !== 1) return;
      await delay(REST_MS);
      await ask(network, tier);
    }),
  );
}, 180_000);

afterAll(() => Promise.all(networks.map((network) => network.close())));

function needed(ctx: Pick<TestContext, 'skip'>): void {
  requireLinecheck(ctx);
  skipFor(ctx, reason);
}

function checkOf({ tier, family, flow, target }: Cell, nth = 0): ReportedCheck {
  const found = runs
    .get(key(tier, family))
    ?.[nth]?.checks.find((check) => check.flow === flow.name && check.to.address === target.address);
  if (found === undefined) throw new Error(`no check of ${flow.name} to ${target.address}`);
  return found;
}

const said = (cell: Cell, nth = 0): string => wordsOf(checkOf(cell, nth), cell.target);

describe.for(TIERS.map((tier) => [{ 1: 'errno alone', 2: 'no root', 3: 'root' }[tier], tier] as const))(
  'the truth, with %s',
  ([, tier]) => {
    describe.for(FAMILIES.map((family) => [family] as const))('over IPv%i', ([family]) => {
      it.for(behaviours.map((behaviour) => [behaviour.name, behaviour] as const))('%s', ([, behaviour], ctx) => {
        needed(ctx);
        const row = cells.filter((cell) => {
          return cell.tier === tier && cell.family === family && cell.behaviour === behaviour;
        });
        const expected: string[] = [];
        const got: string[] = [];
        for (const cell of row) {
          const words = said(cell);
          const waiting = awaited(cell);
          const right = waiting === undefined ? words === cell.expected : maySay(cell, waiting, words);
          const wanted =
            waiting === undefined ? cell.expected : `${(waiting.says ?? cell.lower).join(', or ')}, for now`;
          expected.push(`${cell.flow.name}: ${right ? words : wanted}`);
          got.push(`${cell.flow.name}: ${words}`);
        }
        expect(got, `attempts: ${row.map((cell) => checkOf(cell).summary).join('\n')}`).toEqual(expected);
      });
    });
  },
);

// What must hold whatever linecheck can see, and however much of the table is awaited.
describe('always', () => {
  /** What is open in truth: where the table says so at the tier that sees most. */
  const openInTruth = new Set(
    cells.filter(({ tier, expected }) => tier === 3 && expected.startsWith('open ')).map(placeIn),
  );
  const DOWN: readonly string[] = ['absent', 'absent-on-link', 'nat-absent', 'service-down', 'nat-service-down'];

  it('nothing is open that is not', (ctx) => {
    needed(ctx);
    const wrong = cells.filter((cell) => said(cell).startsWith('open ') && !openInTruth.has(placeIn(cell)));
    expect(wrong.map((cell) => `${cell.tier} ${placeIn(cell)}`)).toEqual([]);
  });

  it('a host that is down and a service that refuses are not called blocked', (ctx) => {
    needed(ctx);
    const wrong = cells.filter(
      (cell) => DOWN.includes(cell.behaviour.name) && /^(blocked|intercepted)/.test(said(cell)),
    );
    expect(wrong.map((cell) => `${cell.tier} ${placeIn(cell)}: ${said(cell)}`)).toEqual([]);
  });

  it('whoever is accused is the one who did it', (ctx) => {
    needed(ctx);
    const accused = (words: string): string => / by .*$/.exec(words)?.[0] ?? '';
    const truth = new Map(
      cells.filter(({ tier }) => tier === 3).map((cell) => [placeIn(cell), accused(cell.expected)]),
    );
    const wrong = cells.filter((cell) => {
      const by = accused(said(cell));
      return by !== '' && !(truth.get(placeIn(cell)) ?? '').startsWith(by);
    });
    expect(wrong.map((cell) => `${cell.tier} ${placeIn(cell)}: ${said(cell)}`)).toEqual([]);
  });

  it('a second run says the same', (ctx) => {
    needed(ctx);
    const first = cells.filter(({ tier }) => tier === 1);
    const changed = first.filter((cell) => said(cell, 0) !== said(cell, 1) && awaited(cell)?.sometimes !== true);
    expect(changed.map((cell) => `${placeIn(cell)}: ${said(cell, 0)}, then ${said(cell, 1)}`)).toEqual([]);
  });
});

describe('the table itself', () => {
  it('sees at each tier what the tier can', (ctx) => {
    needed(ctx);
    for (const tier of TIERS) {
      for (const family of FAMILIES) {
        expect(runs.get(key(tier, family))?.[0]?.tool.tier, `tier ${tier}`).toBeLessThanOrEqual(tier);
      }
    }
  });

  it('has no two behaviours of one name, and awaits only what it has', () => {
    const names = behaviours.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const entry of awaiting) {
      const covered = cells.filter((cell) => awaited(cell) === entry);
      for (const behaviour of entry.behaviours) {
        expect(names).toContain(behaviour);
        expect(
          covered.map((cell) => cell.behaviour.name),
          entry.missing,
        ).toContain(behaviour);
      }
    }
  });

  it('never asks for more at a lower tier, and calls nothing open that root cannot see to be', () => {
    const byPlace = new Map<string, Cell[]>();
    for (const cell of cells) byPlace.set(placeIn(cell), [...(byPlace.get(placeIn(cell)) ?? []), cell]);
    for (const [place, row] of byPlace) {
      const open = row.map(({ expected }) => expected.startsWith('open '));
      expect(open.indexOf(true) === -1 || open.at(-1), place).toBe(true);
    }
  });

  it('says why, where one end cannot decide', () => {
    const undecided = cells.filter(({ tier, expected }) => tier === 3 && expected.startsWith('unproven'));
    for (const { behaviour, flow } of undecided) {
      expect(flow.undecided ?? behaviour.undecided, `${behaviour.name} ${flow.name}`).toBeDefined();
    }
  });
});
