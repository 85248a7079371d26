// How long linecheck takes to learn which of many ports serve their protocol, beside nmap's version detection.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { median, row, skipped } from './figures.js';
import { executable, loopback, node, passed, run, startNode, writeSite } from './measuring.js';

const checks = 1000;
// nmap takes minutes, so that one run tells.
const rounds = 1;

/** What nmap must call the service: it is to find out as much as linecheck does. */
const SERVICES = [
  { probe: 'ssh', server: ['stand-in.js', 'ssh'], says: /^\d+\/open\/tcp\/\/ssh\// },
  { probe: 'https', server: ['web.js'], says: /^\d+\/open\/tcp\/\/ssl\|http\// },
];

/** @param {string} probe */
const words = (probe) => `${checks} \`${probe}\` checks on loopback, beside \`nmap -sV\``;

/** @param {string} directory */
export async function services(directory) {
  if (spawnSync('nmap', ['--version']).error !== undefined) {
    return SERVICES.map(({ probe }) => skipped(words(probe), 'nmap is not here: apt-get install nmap'));
  }
  const rows = [];
  for (const service of SERVICES) rows.push(await beside(directory, service));
  return rows;
}

/**
 * @param {string} directory
 * @param {{ probe: string, server: readonly string[], says: RegExp }} service
 */
async function beside(directory, { probe, server: [file = '', ...args], says }) {
  const hosts = loopback(checks);
  const server = await startNode([path.join(import.meta.dirname, file), ...args]);
  const targets = path.join(directory, `${probe}-targets`);
  writeFileSync(targets, hosts.join('\n'));
  /** @type {Record<'nmap' | 'linecheck', number[]>} */
  const ms = { nmap: [], linecheck: [] };
  /** @type {number[]} */
  const named = [];
  try {
    const site = writeSite(directory, probe, { probe, port: Number(server.line), hosts });
    for (let round = 0; round < rounds; round += 1) {
      // Neither looks names up nor asks whether a host is up; -T4 is nmap's own advice for a fast, reliable network.
      const nmap = run('nmap', ['-n', '-Pn', '-sT', '-sV', '-T4', '-p', server.line, '-iL', targets, '-oG', '-']);
      const found = [...nmap.stdout.matchAll(/Ports: (\S+)/g)].filter(([, port]) => says.test(port ?? '')).length;
      named.push(found);
      const ours = node([executable, 'check', site, '--format', 'json']);
      passed(ours.stdout, checks);
      ms.nmap.push(nmap.ms);
      ms.linecheck.push(ours.ms);
    }
  } finally {
    await server.stop();
  }
  // On a busy machine nmap gives some of them up.
  return row(`${words(probe)}, which named ${median(named)} of them`, 'ms', ms.nmap, ms.linecheck);
}
