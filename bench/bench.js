#!/usr/bin/env node
// `npm run bench`: how long linecheck takes to start, how fast it checks and how much memory it needs, each beside bare
// Node in the same run. Prints a table of medians; `node bench/bench.js --write` puts it into bench/README.md too.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { row, table, withResults } from './figures.js';

const here = import.meta.dirname;
const root = path.join(here, '..');
const executable = path.join(root, 'bin/linecheck.js');
const peak = path.join(here, 'peak.js');

const startUpRounds = 21;
const checkRounds = 7;
const checks = 2000;
// What `--concurrency` is unless said otherwise.
const concurrency = 512;

const aims = {
  version: { text: 'under 1.6', met: (/** @type {number} */ ratio) => ratio < 1.6 },
  rate: { text: '0.70 or more', met: (/** @type {number} */ ratio) => ratio >= 0.7 },
  memory: { text: 'under 120 MB', met: (/** @type {number} */ _ratio, /** @type {number} */ mb) => mb < 120 },
};

/** Addresses of this machine's loopback, each another host to linecheck: 127.0.1.1, 127.0.1.2, ... */
const addresses = Array.from({ length: checks }, (_, n) => `127.0.${1 + Math.floor(n / 250)}.${1 + (n % 250)}`);

/**
 * A profile and a site in which this machine asks every address for one TCP port.
 * @param {string} directory
 * @param {string} name
 * @param {number} port
 * @param {readonly string[]} hosts
 */
function writeSite(directory, name, port, hosts) {
  const profile = `linecheck: profile/v1
id: bench
title: Many hosts with one open port
source: {title: A measurement}
roles: {asker: {title: This machine}, answerer: {title: A listener}}
flows:
  - {id: open-port, title: One open port, from: asker, to: answerer, tcp: ${port}, probe: tcp, why: it is measured, source: none}
`;
  const site = `linecheck: site/v1
name: ${name}
profiles: [./bench-profile.yaml]
here: asker
hosts:
  answerer: [${hosts.join(', ')}]
`;
  writeFileSync(path.join(directory, 'bench-profile.yaml'), profile);
  const file = path.join(directory, `${name}.yaml`);
  writeFileSync(file, site);
  return file;
}

/**
 * Runs Node to its end. Throws where it ends otherwise than with `expected`.
 * @param {readonly string[]} args
 * @returns {{ ms: number, stdout: string, peakMb: number }} `peakMb` is NaN unless peak.js is preloaded
 */
function node(args) {
  const began = process.hrtime.bigint();
  const { status, stdout, stderr, output, error } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const ms = Number(process.hrtime.bigint() - began) / 1e6;
  if (error !== undefined) throw error;
  if (status !== 0)
    throw new Error(`node ${args.slice(0, 6).join(' ')} ended with ${status}\n${stderr}${stdout.slice(0, 2000)}`);
  return { ms, stdout, peakMb: Number(output[3] ?? NaN) / 1024 };
}

/** @returns {Promise<{ port: number, stop(): Promise<void> }>} */
async function startListener() {
  const child = spawn(process.execPath, [path.join(here, 'listener.js')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const port = await new Promise((resolve, reject) => {
    child.stdout.once('data', (line) => resolve(Number(line)));
    child.once('exit', () => reject(new Error('the listener ended at once')));
  });
  return {
    port,
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** @param {string} site */
function startUp(site) {
  /** @type {Record<'bare' | 'version' | 'oneCheck', number[]>} */
  const ms = { bare: [], version: [], oneCheck: [] };
  // In turn, so that a machine that slows down slows all three.
  for (let round = 0; round < startUpRounds; round += 1) {
    ms.bare.push(node(['-e', '0']).ms);
    ms.version.push(node([executable, '--version']).ms);
    ms.oneCheck.push(node([executable, 'check', site, '--format', 'json']).ms);
  }
  return [
    row('start-up: `linecheck --version`', 'ms', ms.bare, ms.version, aims.version),
    row('start-up: `linecheck check`, one flow', 'ms', ms.bare, ms.oneCheck),
  ];
}

/**
 * @param {string} site
 * @param {number} port
 */
function manyChecks(site, port) {
  /** @type {Record<'rate' | 'wholeMs' | 'peakMb', { bare: number[], linecheck: number[] }>} */
  const seen = {
    rate: { bare: [], linecheck: [] },
    wholeMs: { bare: [], linecheck: [] },
    peakMb: { bare: [], linecheck: [] },
  };
  for (let round = 0; round < checkRounds; round += 1) {
    const bare = node(['--import', peak, path.join(here, 'bare-loop.js'), `${port}`, `${concurrency}`, ...addresses]);
    const ours = node([
      '--import',
      peak,
      executable,
      'check',
      site,
      '--format',
      'json',
      '--concurrency',
      `${concurrency}`,
    ]);
    const report = JSON.parse(ours.stdout);
    const { pass } = report.summary.required;
    if (pass !== checks) throw new Error(`${pass} of ${checks} checks passed: what was measured is not what was meant`);
    seen.rate.bare.push((checks / Number(bare.stdout)) * 1000);
    seen.rate.linecheck.push((checks / report.durationMs) * 1000);
    seen.wholeMs.bare.push(bare.ms);
    seen.wholeMs.linecheck.push(ours.ms);
    seen.peakMb.bare.push(bare.peakMb);
    seen.peakMb.linecheck.push(ours.peakMb);
  }
  return [
    row(
      `${checks} \`tcp\` checks on loopback, ${concurrency} at once`,
      '/s',
      seen.rate.bare,
      seen.rate.linecheck,
      aims.rate,
    ),
    row('the same, start to end of the process', 'ms', seen.wholeMs.bare, seen.wholeMs.linecheck),
    row('the same, peak resident memory', 'MB', seen.peakMb.bare, seen.peakMb.linecheck, aims.memory),
  ];
}

async function measure() {
  const directory = mkdtempSync(path.join(tmpdir(), 'linecheck-bench-'));
  const listener = await startListener();
  try {
    const one = writeSite(directory, 'one', listener.port, addresses.slice(0, 1));
    const all = writeSite(directory, 'all', listener.port, addresses);
    // The first run of anything reads from disk what the others find in memory.
    node([executable, 'check', one]);
    return [...startUp(one), ...manyChecks(all, listener.port)];
  } finally {
    await listener.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

const unknown = process.argv.slice(2).find((argument) => argument !== '--write');
if (unknown !== undefined) {
  console.error(`unknown argument "${unknown}"; usage: node bench/bench.js [--write]`);
  process.exit(2);
}
const built = spawnSync('npm', ['run', '--silent', 'build'], {
  cwd: root,
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
if (built.status !== 0) process.exit(1);

const rows = await measure();
const machine = `${availableParallelism()} cores, Node ${process.versions.node}, ${process.platform}`;
const block = `${table(rows)}\n\nMedians of ${startUpRounds} starts and ${checkRounds} runs; ${machine}.`;
console.log(block);
if (process.argv.includes('--write')) {
  const page = path.join(here, 'README.md');
  writeFileSync(page, withResults(readFileSync(page, 'utf8'), block));
}
// An aim that is missed is for whoever reads the table; only a measurement that fails is an error.
