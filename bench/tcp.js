// How fast linecheck checks many TCP ports and how much memory it needs, beside a bare net.connect loop.
import path from 'node:path';
import { row } from './figures.js';
import { concurrency, executable, loopback, node, passed, peak, startNode, writeSite } from './measuring.js';

const here = import.meta.dirname;
const rate = { text: '0.70 or more', met: (/** @type {number} */ ratio) => ratio >= 0.7 };

/** @param {number} most megabytes */
function memory(most) {
  return {
    text: `under ${most} MB`,
    met: (/** @type {number} */ _ratio, /** @type {number} */ mb) => mb < most,
  };
}

/**
 * @param {string} directory
 * @param {number} checks
 * @param {number} rounds
 */
async function many(directory, checks, rounds) {
  const addresses = loopback(checks);
  const listener = await startNode([path.join(here, 'listener.js')]);
  /** @type {Record<'rate' | 'wholeMs' | 'peakMb', { bare: number[], linecheck: number[] }>} */
  const seen = {
    rate: { bare: [], linecheck: [] },
    wholeMs: { bare: [], linecheck: [] },
    peakMb: { bare: [], linecheck: [] },
  };
  try {
    const port = listener.line;
    const site = writeSite(directory, `tcp-${checks}`, { probe: 'tcp', port: Number(port), hosts: addresses });
    const check = ['check', site, '--format', 'json', '--concurrency', `${concurrency}`];
    for (let round = 0; round < rounds; round += 1) {
      const bare = node(['--import', peak, path.join(here, 'bare-loop.js'), port, `${concurrency}`, ...addresses]);
      const ours = node(['--import', peak, executable, ...check]);
      const { durationMs } = passed(ours.stdout, checks);
      seen.rate.bare.push((checks / Number(bare.stdout)) * 1000);
      seen.rate.linecheck.push((checks / durationMs) * 1000);
      seen.wholeMs.bare.push(bare.ms);
      seen.wholeMs.linecheck.push(ours.ms);
      seen.peakMb.bare.push(bare.peakMb);
      seen.peakMb.linecheck.push(ours.peakMb);
    }
  } finally {
    await listener.stop();
  }
  return seen;
}

/** @param {string} directory */
export async function twoThousand(directory) {
  const seen = await many(directory, 2000, 7);
  const what = `2000 \`tcp\` checks on loopback, ${concurrency} at once`;
  return [
    row(what, '/s', seen.rate.bare, seen.rate.linecheck, rate),
    row('the same, start to end of the process', 'ms', seen.wholeMs.bare, seen.wholeMs.linecheck),
    row('the same, peak resident memory', 'MB', seen.peakMb.bare, seen.peakMb.linecheck, memory(120)),
  ];
}

/** @param {string} directory */
export async function tenThousand(directory) {
  const seen = await many(directory, 10_000, 3);
  const what = `10000 \`tcp\` checks on loopback, ${concurrency} at once`;
  return [
    row(what, '/s', seen.rate.bare, seen.rate.linecheck),
    row('the same, peak resident memory', 'MB', seen.peakMb.bare, seen.peakMb.linecheck, memory(150)),
  ];
}
