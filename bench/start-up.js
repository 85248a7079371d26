// How long linecheck takes to start, beside bare Node.
import path from 'node:path';
import { row } from './figures.js';
import { executable, loopback, node, startNode, writeSite } from './measuring.js';

const rounds = 21;
const aim = { text: 'under 1.6', met: (/** @type {number} */ ratio) => ratio < 1.6 };

/** @param {string} directory */
export async function startUp(directory) {
  const listener = await startNode([path.join(import.meta.dirname, 'listener.js')]);
  try {
    const site = writeSite(directory, 'one', { probe: 'tcp', port: Number(listener.line), hosts: loopback(1) });
    const oneCheckArgs = [executable, 'check', site, '--format', 'json'];
    // The first run of anything reads from disk what the others find in memory.
    node(oneCheckArgs);
    /** @type {Record<'bare' | 'version' | 'oneCheck', number[]>} */
    const ms = { bare: [], version: [], oneCheck: [] };
    // In turn, so that a machine that slows down slows all three.
    for (let round = 0; round < rounds; round += 1) {
      ms.bare.push(node(['-e', '0']).ms);
      ms.version.push(node([executable, '--version']).ms);
      ms.oneCheck.push(node(oneCheckArgs).ms);
    }
    return [
      row('start-up: `linecheck --version`', 'ms', ms.bare, ms.version, aim),
      row('start-up: `linecheck check`, one flow', 'ms', ms.bare, ms.oneCheck),
    ];
  } finally {
    await listener.stop();
  }
}
