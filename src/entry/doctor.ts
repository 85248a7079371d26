// linecheck doctor: what this machine has, what it lacks, and how to get it. It sends nothing.
import type { Command } from 'commander';
import { networkInterfaces } from 'node:os';
import process from 'node:process';
import type { ExitCode } from '../contract/report.js';
import type { Finding } from '../report/doctor.js';
import type { Done } from './commands.js';
import type { Setting } from './cli.js';
import { addFormat } from './format.js';
import { print, styleOf } from './terminal.js';

/** Node 20 gets no fixes since April 2026, 22 none after April 2027. */
const RECOMMENDED_NODE = 24;
const OLDEST_SUPPORTED_NODE = 22;
/** Below this a large site is asked in portions. */
const ENOUGH_DESCRIPTORS = 1024;

export function doctor(program: Command, setting: Setting, done: Done): void {
  const command = program.command('doctor').description('what this machine can see, what is missing, how to get it');
  addFormat(command)
    .addHelpText(
      'after',
      `
Sends nothing. Exit codes: 0 linecheck works here, were it with less sight;
1 something is broken.`,
    )
    .action(async (flags: { readonly format: 'text' | 'json' }) => done(await run(setting, flags.format)));
}

function nodeFinding(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  const what = 'Node';
  if (major >= OLDEST_SUPPORTED_NODE) return { what, state: 'good', found: `version ${process.versions.node}` };
  return {
    what,
    state: 'lacking',
    found: `version ${process.versions.node}, which is past its end of life`,
    costs: 'It works, and gets no security fixes any more.',
    remedy: `install Node ${RECOMMENDED_NODE}`,
  };
}

async function kernelFinding(): Promise<Finding> {
  const { kernelAccess } = await import('../net/kernel.js');
  const access = await kernelAccess();
  const what = 'koffi';
  if ('kernel' in access) return { what, state: 'good', found: 'calls this system’s kernel' };
  const fixable = process.platform === 'linux';
  return {
    what,
    state: 'lacking',
    found: access.missing,
    costs: 'Whoever rejects or drops a flow stays unnamed.',
    ...(fixable ? { remedy: 'npm install koffi (optional packages must not be left out: no --omit=optional)' } : {}),
  };
}

async function rawFinding(): Promise<Finding> {
  const { systemRawSockets } = await import('../net/raw.js');
  const missing = await systemRawSockets.missing();
  const what = 'raw sockets';
  if (missing === undefined) return { what, state: 'good', found: 'can be opened' };
  const built = missing.includes('CAP_NET_RAW');
  return {
    what,
    state: 'lacking',
    found: missing,
    costs: 'GRE and ESP cannot be asked, and resets do not show how far they came.',
    remedy: built
      ? 'run as root, or once: sudo setcap cap_net_raw+ep "$(readlink -f "$(command -v node)")"'
      : 'install a C++ compiler, make and python3, then: npm rebuild raw-socket',
  };
}

async function pingFinding(): Promise<Finding> {
  const { pingVersion } = await import('../net/ping.js');
  const found = await pingVersion();
  const what = 'ping';
  if ('version' in found) return { what, state: 'good', found: found.version };
  const absent = found.errno === 'ENOENT';
  return {
    what,
    state: 'lacking',
    found: absent ? 'this system has none' : `it does not start (${found.errno})`,
    costs: 'Without raw sockets no host can be pinged, so a silent host may be down or hidden.',
    ...(absent
      ? { remedy: process.platform === 'linux' ? 'apt-get install iputils-ping' : 'install the system’s ping' }
      : {}),
  };
}

async function descriptorFinding(): Promise<Finding> {
  const { descriptorLimit } = await import('../net/sight.js');
  const limit = descriptorLimit();
  const what = 'open files';
  if (limit >= ENOUGH_DESCRIPTORS) return { what, state: 'good', found: `${limit} at once` };
  return {
    what,
    state: 'lacking',
    found: `${limit} at once`,
    costs: 'Large sites are asked in portions, which takes longer.',
    remedy: `ulimit -n ${ENOUGH_DESCRIPTORS}`,
  };
}

function addressFinding(): Finding {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const of = (family: 'IPv4' | 'IPv6'): string => {
    const found = outside.filter((one) => one.family === family).map(({ address }) => address);
    return found.length === 0 ? `no ${family}` : `${family} ${found.join(', ')}`;
  };
  const found = `${of('IPv4')}; ${of('IPv6')}`;
  const what = 'addresses';
  if (outside.length > 0) return { what, state: 'good', found };
  return {
    what,
    state: 'lacking',
    found,
    costs: 'Only this machine itself can be asked.',
    remedy: 'connect this machine to a network',
  };
}

async function run(setting: Setting, format: 'text' | 'json'): Promise<ExitCode> {
  const { toolOf } = await import('./run.js');
  const [tool, ...findings] = await Promise.all([
    toolOf(setting),
    Promise.resolve(nodeFinding()),
    kernelFinding(),
    rawFinding(),
    pingFinding(),
    descriptorFinding(),
    Promise.resolve(addressFinding()),
  ]);
  const { doctorJson, doctorView } = await import('../report/doctor.js');
  await print(format === 'json' ? doctorJson(tool, findings) : doctorView(tool, findings, styleOf(process.stdout)));
  return findings.some(({ state }) => state === 'broken') ? 1 : 0;
}
