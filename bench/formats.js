#!/usr/bin/env node
// `node bench/formats.js`: how long each format takes to render a report of 5,000 checks, and how much memory the process
// needs for it. Each format in a process of its own, started three times; needs a build (`npm run build`) and nothing else.
import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { median } from './figures.js';

const here = import.meta.dirname;
const rounds = 3;
const checks = 5000;
const most = { ms: 2000, mb: 300 };

/** A third of the checks fails, a third is unproven, a third passes, each with what a second look and TLS leave behind. */
function largeReport() {
  const hops = Array.from({ length: 8 }, (_, at) => ({ hop: at + 1, address: `198.51.100.${at + 1}`, rttMs: 1.25 }));
  const evidence = [
    { t: 4.2, source: 'attempt', kind: 'alive', address: '203.0.113.5', ttl: 57, by: 'handshake' },
    { t: 5001, source: 'diagnose', kind: 'path', hops, reached: false },
    { t: 9002, source: 'diagnose', kind: 'icmp', from: '198.51.100.8', type: 3, code: 13, ttl: 57, hop: 8 },
    { t: 18, source: 'attempt', kind: 'tls', issuer: 'CN=Site CA', subject: 'CN=device', pin: 'q0Xr'.repeat(11) },
  ];
  const kinds = [
    { verdict: 'blocked', how: 'rejected', result: 'fail', by: { address: '198.51.100.8' } },
    { verdict: 'unproven', how: 'silence', result: 'unproven' },
    { verdict: 'open', result: 'pass' },
  ];
  const all = Array.from({ length: checks }, (_, at) => {
    const address = `2001:db8::${(at + 1).toString(16)}`;
    return {
      id: `kvmnet-access-management/device-https/manager/${address}/tcp-443`,
      profile: 'kvmnet-access-management',
      flow: 'device-https',
      title: 'Status updates, device configuration and upgrades',
      required: true,
      expect: 'open',
      reach: 'protocol',
      from: { role: 'manager', address: '192.0.2.10' },
      to: { role: 'device', host: address, address, port: 443 },
      carrier: 'tcp',
      probe: 'https',
      ...kinds[at % kinds.length],
      certain: 'proven',
      proof: ['rejection'],
      summary: `198.51.100.8 rejects TCP 443 of 192.0.2.10 to ${address}: ICMP 3/13, administratively prohibited.`,
      advice: `Ask whoever runs 198.51.100.8 to let 192.0.2.10 reach ${address} on TCP 443.`,
      facts: { status: 200, server: 'nginx', issuer: 'CN=Site CA', notAfter: '2027-03-01T00:00:00Z' },
      timings: { connectMs: 4.2, tlsMs: 18, replyMs: 26 },
      attempts: 2,
      durationMs: 9003.4,
      evidence,
      source: ['row 7'],
      place: { file: 'site.yaml', line: 10 + at, column: 7 },
    };
  });
  const of = (/** @type {number} */ kind) => all.filter((_, at) => at % kinds.length === kind).length;
  const required = { pass: of(2), fail: of(0), unproven: of(1) };
  return {
    schema: 'linecheck/report/v1',
    tool: { name: 'linecheck', version: '0.1.0', node: '24.0.0', platform: 'linux', tier: 1, can: ['errno'] },
    site: 'branch-12',
    startedAt: '2025-06-03T08:15:02.114Z',
    durationMs: 19_870,
    notices: [],
    summary: {
      required,
      optional: { pass: 0, fail: 0, unproven: 0 },
      skipped: 0,
      accepted: 0,
      exitCode: 1,
      state: 'critical',
      byVerdict: { blocked: required.fail, unproven: required.unproven, open: required.pass },
    },
    checks: all,
    skipped: [],
  };
}

/** @returns {Promise<typeof import('../src/report/formats.js')>} */
function registry() {
  return import(pathToFileURL(path.join(here, '../dist/src/report/formats.js')).href);
}

/**
 * In the measured process: renders the report in `file`, and prints milliseconds of processor time and bytes.
 * @param {string} name
 * @param {string} file
 */
async function measured(name, file) {
  const format = (await registry()).formats.get(name);
  if (format === undefined || format.kind === 'stream') throw new Error(`${name} is no format of whole reports`);
  const report = JSON.parse(readFileSync(file, 'utf8'));
  // Processor time: on a busy machine the clock tells of the others.
  const began = process.cpuUsage();
  let bytes = 0;
  if (format.kind === 'parts') {
    for (const part of (await format.load())(report)) bytes += Buffer.byteLength(part);
  } else bytes = Buffer.byteLength((await format.load())(report, { width: 80, colour: false }));
  const { user, system } = process.cpuUsage(began);
  const ms = (user + system) / 1000;
  process.stdout.write(`${ms} ${bytes}\n`);
}

/**
 * @param {string} name
 * @param {string} file
 */
function once(name, file) {
  const args = ['--import', path.join(here, 'peak.js'), import.meta.filename, name, file];
  const { status, stdout, stderr, output } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  if (status !== 0) throw new Error(`${name} ended with ${String(status)}\n${stderr}`);
  const [ms = NaN, bytes = NaN] = stdout.split(' ').map(Number);
  return { ms, bytes, mb: Number(output[3]) / 1024 };
}

async function main() {
  const directory = mkdtempSync(path.join(tmpdir(), 'linecheck-bench-'));
  const file = path.join(directory, 'report.json');
  let met = true;
  try {
    writeFileSync(file, JSON.stringify(largeReport()));
    console.log(
      `${checks} checks; aims: under ${most.ms} ms of the processor and ${most.mb} MB. Medians of ${rounds}.\n`,
    );
    for (const [name, { kind }] of (await registry()).formats) {
      if (kind === 'stream') continue;
      const runs = Array.from({ length: rounds }, () => once(name, file));
      const ms = median(runs.map((run) => run.ms));
      const mb = median(runs.map((run) => run.mb));
      const size = median(runs.map((run) => run.bytes)) / 1e6;
      const well = ms < most.ms && mb < most.mb;
      met &&= well;
      const columns = [name.padEnd(12), `${ms.toFixed(0).padStart(6)} ms`, `${mb.toFixed(0).padStart(5)} MB`];
      console.log(`${columns.join('  ')}  ${size.toFixed(2).padStart(7)} MB long  ${well ? 'met' : 'NOT MET'}`);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  process.exitCode = met ? 0 : 1;
}

const [name, file] = process.argv.slice(2);
await (name === undefined || file === undefined ? main() : measured(name, file));
