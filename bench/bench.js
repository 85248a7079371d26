#!/usr/bin/env node
// `npm run bench`: how long linecheck takes to start, how fast it checks and how much memory it needs, each beside
// something else in the same run. Prints a table of medians; with --write it goes into bench/README.md too.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { table, withResults } from './figures.js';
import { root } from './measuring.js';
import { services } from './services.js';
import { silence } from './silence.js';
import { startUp } from './start-up.js';
import { tenThousand, twoThousand } from './tcp.js';

const PARTS = { 'start-up': startUp, tcp: twoThousand, 'tcp-10000': tenThousand, services, silence };
/** Those that need nothing but Node and about a minute. */
const USUAL = ['start-up', 'tcp'];

const names = Object.keys(PARTS);
const given = process.argv.slice(2);
const unknown = given.find((argument) => !['--write', '--all', ...names].includes(argument));
if (unknown !== undefined) {
  console.error(
    `unknown argument "${unknown}"; usage: node bench/bench.js [--write] [--all | ${names.join(' | ')} ...]`,
  );
  process.exit(2);
}
const named = given.filter((argument) => names.includes(argument));
const wanted = given.includes('--all') ? names : named.length > 0 ? named : USUAL;

const built = spawnSync('npm', ['run', '--silent', 'build'], {
  cwd: root,
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
if (built.status !== 0) process.exit(1);

const directory = mkdtempSync(path.join(tmpdir(), 'linecheck-bench-'));
const [loadBefore = 0] = loadavg();
const rows = [];
try {
  for (const [name, measure] of Object.entries(PARTS))
    if (wanted.includes(name)) rows.push(...(await measure(directory)));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
const machine = `${availableParallelism()} cores, Node ${process.versions.node}, ${process.platform}`;
const block = `${table(rows)}\n\nMedians of 21 starts, of 7 runs for 2000 checks and of 3 for the others (beside nmap one); ${machine}, load ${loadBefore.toFixed(1)} before.`;
console.log(block);
if (given.includes('--write')) {
  const page = path.join(import.meta.dirname, 'README.md');
  writeFileSync(page, withResults(readFileSync(page, 'utf8'), block));
}
// An aim that is missed is for whoever reads the table; only a measurement that fails is an error.
