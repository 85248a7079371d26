// `npm run truth`: asks the whole table and prints it: what must stand in each cell, what linecheck says, and on demand
// what nmap says of the same port. `--nmap` takes minutes. Exits 1 where a cell is wrong that does not await anything.
import { parseArgs } from 'node:util';
import { FAMILIES } from '../lab/behaviours.js';
import { labReason } from '../lab/requirements.js';
import { awaited, maySay } from './awaiting.js';
import { TIERS } from './behaviours.js';
import { cells, placeIn, wordsOf, type Cell } from './cells.js';
import { openNetwork, type Network } from './network.js';
import { scanned } from './nmap.js';
import { run, type Run } from './runs.js';

const USAGE = `Usage: npm run truth -- [--tier 1|2|3]... [--wrong] [--repeat N] [--nmap]

  --tier     1 errno alone, 2 without root, 3 root (default: all)
  --wrong    print only the cells that are not what they must be, those that await something included
  --repeat   ask the table so often, and print where the runs differ (default: 1)
  --nmap     beside it what nmap -sS -sU -sV --reason says (minutes)`;

const { values } = parseArgs({
  options: {
    tier: { type: 'string', multiple: true },
    wrong: { type: 'boolean', default: false },
    repeat: { type: 'string', default: '1' },
    nmap: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

type Standing = 'right' | 'awaited' | 'WRONG';

function standingOf(cell: Cell, words: string): Standing {
  const waiting = awaited(cell);
  if (words === cell.expected) return waiting === undefined || waiting.sometimes === true ? 'right' : 'WRONG';
  return waiting !== undefined && maySay(cell, waiting, words) ? 'awaited' : 'WRONG';
}

function saidIn({ checks }: Run, { flow, target }: Cell): string {
  const check = checks.find((one) => one.flow === flow.name && one.to.address === target.address);
  return check === undefined ? 'no check' : wordsOf(check, target);
}

const padded = (text: string, width: number): string => text.padEnd(width);

async function print(network: Network): Promise<number> {
  const tiers = TIERS.filter((tier) => values.tier?.includes(String(tier)) ?? true);
  const repeat = Number(values.repeat);
  const nmap = values.nmap ? await scanned(network) : undefined;
  const tally: Record<Standing, number> = { right: 0, awaited: 0, WRONG: 0 };
  const differing: string[] = [];
  for (const tier of tiers) {
    const first = new Map<string, string>();
    for (let nth = 1; nth <= repeat; nth += 1) {
      const runs = await Promise.all(FAMILIES.map((family) => run(network, tier, family)));
      for (const one of runs) {
        for (const cell of cells.filter((each) => each.tier === tier && each.family === one.family)) {
          const words = saidIn(one, cell);
          const before = first.get(placeIn(cell));
          if (before !== undefined) {
            if (before !== words) differing.push(`${tier} ${placeIn(cell)}: ${before}, then ${words}`);
            continue;
          }
          first.set(placeIn(cell), words);
          const standing = standingOf(cell, words);
          tally[standing] += 1;
          if (values.wrong && standing === 'right') continue;
          const scan = nmap === undefined ? '' : `  nmap: ${nmap.get(placeIn(cell)) ?? 'not asked'}`;
          const line = [`${tier} ${padded(placeIn(cell), 34)}`, padded(standing, 7), padded(cell.expected, 52), words];
          console.log(`${line.join('  ')}${scan}`);
        }
      }
    }
  }
  console.log(`\n${tally.right} right, ${tally.awaited} awaited, ${tally.WRONG} wrong`);
  if (repeat > 1) console.log(differing.length === 0 ? `${repeat} runs agree` : `differing:\n${differing.join('\n')}`);
  const undecided = new Map(
    cells.flatMap(({ behaviour, flow, expected }) => {
      if (!expected.startsWith('unproven') && behaviour.undecided === undefined) return [];
      const why = behaviour.undecided ?? flow.undecided;
      return why === undefined ? [] : [[behaviour.undecided === undefined ? flow.name : behaviour.name, why]];
    }),
  );
  console.log('\nWhat one end cannot decide:');
  for (const [name, why] of undecided) console.log(`  ${name}: ${why}`);
  return tally.WRONG === 0 ? 0 : 1;
}

if (values.help) {
  console.log(USAGE);
} else {
  const reason = labReason();
  if (reason !== undefined) throw new Error(reason);
  const network = await openNetwork();
  try {
    process.exitCode = await print(network);
  } finally {
    await network.close();
  }
}
