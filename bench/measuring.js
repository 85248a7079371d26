// What the measurements share: Node run to its end, servers in processes of their own, the site that asks many addresses.
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const here = import.meta.dirname;
export const root = path.join(here, '..');
export const executable = path.join(root, 'bin/linecheck.js');
/** Preloaded, it makes `peakMb` known. */
export const peak = path.join(here, 'peak.js');

/** What `--concurrency` is unless said otherwise. */
export const concurrency = 512;

/**
 * Addresses of this machine's loopback, each another host to linecheck: 127.0.1.1, 127.0.1.2, ...
 * @param {number} count
 */
export function loopback(count) {
  return Array.from({ length: count }, (_, n) => `127.0.${1 + Math.floor(n / 250)}.${1 + (n % 250)}`);
}

/**
 * A profile and a site in which this machine asks every host for one TCP port.
 * @param {string} directory
 * @param {string} name
 * @param {{ probe: string, port: number, hosts: readonly string[] }} asked
 */
export function writeSite(directory, name, { probe, port, hosts }) {
  const profile = `linecheck: profile/v1
id: bench
title: Many hosts with one open port
source: {title: A measurement}
roles: {asker: {title: This machine}, answerer: {title: A listener}}
flows:
  - {id: open-port, title: One open port, from: asker, to: answerer, tcp: ${port}, probe: ${probe}, why: it is measured, source: none}
`;
  const site = `linecheck: site/v1
name: ${name}
profiles: [./${name}-profile.yaml]
here: asker
hosts:
  answerer: [${hosts.join(', ')}]
`;
  writeFileSync(path.join(directory, `${name}-profile.yaml`), profile);
  const file = path.join(directory, `${name}.yaml`);
  writeFileSync(file, site);
  return file;
}

/**
 * Runs a program to its end. Throws where it ends otherwise than expected.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {readonly number[]} [expected] exit codes
 * @returns {{ ms: number, stdout: string, peakMb: number }} `peakMb` is NaN unless peak.js is preloaded
 */
export function run(program, args, expected = [0]) {
  const began = process.hrtime.bigint();
  const { status, stdout, stderr, output, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const ms = Number(process.hrtime.bigint() - began) / 1e6;
  if (error !== undefined) throw error;
  if (status === null || !expected.includes(status)) {
    const command = [program, ...args.slice(0, 6)].join(' ');
    throw new Error(`${command} ended with ${status}\n${stderr}${stdout.slice(0, 2000)}`);
  }
  return { ms, stdout, peakMb: Number(output[3] ?? NaN) / 1024 };
}

/**
 * @param {readonly string[]} args
 * @param {readonly number[]} [expected] exit codes
 */
export function node(args, expected) {
  return run(process.execPath, args, expected);
}

/**
 * Starts a program that prints one line when it is ready and ends with its standard input.
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {Promise<{ line: string, stop(): Promise<void> }>}
 */
export async function start(program, args) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  /** @type {string} */
  const line = await new Promise((resolve, reject) => {
    child.stdout.once('data', (text) => resolve(String(text).trim()));
    child.once('exit', () => reject(new Error(`${program} ${args.join(' ')} ended at once`)));
  });
  return {
    line,
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** @param {readonly string[]} args */
export function startNode(args) {
  return start(process.execPath, args);
}

/**
 * The summary and time of a report; throws where not all its checks passed, since something else was measured then.
 * @param {string} json
 * @param {number} checks
 */
export function passed(json, checks) {
  const { durationMs, summary } = JSON.parse(json);
  const { pass } = summary.required;
  if (pass !== checks) throw new Error(`${pass} of ${checks} checks passed: what was measured is not what was meant`);
  return { durationMs };
}
