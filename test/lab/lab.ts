// The lab as tests use it: opened, asked, closed, and gone even when the tests' process is killed.
// What the lab is made of stands in the script `lab` beside this file; whether it can run here, in requirements.ts.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { contained, start, type Place, type Running, type StartOptions } from './place.js';

/** `core` only where the lab has two routers. */
export type Host = 'tech' | 'router' | 'core' | 'firewall' | 'server1' | 'server2';

/** One address for each family, keyed 4 and 6 like Family. */
export interface Addresses {
  readonly 4: string;
  readonly 6: string;
}

/** Fixed: every lab has the same, as none sees another. */
export const addresses = {
  tech: { 4: '10.1.0.2', 6: 'fd00:1::2' },
  /** The side that faces the tech. */
  router: { 4: '10.1.0.1', 6: 'fd00:1::1' },
  /** The second router, where there is one; the side that faces the first. */
  core: { 4: '10.5.0.2', 6: 'fd00:5::2' },
  /** The side that faces the routers. */
  firewall: { 4: '10.2.0.2', 6: 'fd00:2::2' },
  server1: { 4: '10.3.0.11', 6: 'fd00:3::11' },
  server2: { 4: '10.3.0.12', 6: 'fd00:3::12' },
  /** No host, on the servers' network. */
  absent: { 4: '10.3.0.99', 6: 'fd00:3::99' },
  /** No host, on the tech's own network. */
  absentOnLink: { 4: '10.1.0.99', 6: 'fd00:1::99' },
  /** A network that the router has no route to. */
  nowhere: { 4: '10.9.0.1', 6: 'fd00:9::1' },
} as const satisfies Record<string, Addresses>;

export interface LabOptions {
  /**
   * At least this many milliseconds between two ICMP errors of a host to one address, after a burst of six; 0: no limit,
   * so that many behaviours can be asked at once. Default: the kernel's own limits, as real networks have them.
   */
  readonly icmpRatelimitMs?: number;
  /** Default: 1. With 2 the core stands between the router and the firewall, whose interface is then named `core`. */
  readonly routers?: 1 | 2;
}

export interface ExecOptions extends StartOptions {
  /** User and group id to run with, without privileges but that of reading files; default: root. */
  readonly uid?: number;
}

export interface Ended {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Lab {
  readonly name: string;
  readonly addresses: typeof addresses;
  /** Runs a command on a host, in this process's folder, and waits for its end. Never rejects. */
  readonly exec: (host: Host, argv: readonly string[], options?: ExecOptions) => Promise<Ended>;
  /** Starts a command that runs until it is stopped or the lab is closed. */
  readonly start: (host: Host, argv: readonly string[], options?: ExecOptions) => Running;
  /** Where the servers of servers.ts can run. */
  readonly place: (host: Host) => Place;
  /** Loads nftables rules into the firewall, or another host, in place of those before. Throws what nft complains of. */
  readonly firewall: (rules: string, host?: Host) => Promise<void>;
  /** Ends everything in the lab and waits for that. Safe to call again. */
  readonly close: () => Promise<void>;
}

/**
 * An ordinary user to the network, but one who may read every file: the project or Node may stand in a folder that is
 * root's alone.
 */
function asUser(uid: number): readonly string[] {
  const ids = ['--reuid', String(uid), '--regid', String(uid), '--clear-groups'];
  const read = '-all,+dac_read_search';
  return ['setpriv', ...ids, '--inh-caps', read, '--ambient-caps', read, '--bounding-set', read, '--'];
}

const SCRIPT = join(import.meta.dirname, 'lab');

/** Makes a lab; throws what the script says where that fails. Ask labReason first. */
export async function openLab(options: LabOptions = {}): Promise<Lab> {
  const name = `t${process.pid}-${randomBytes(3).toString('hex')}`;
  const limit = options.icmpRatelimitMs === undefined ? [] : ['--icmp-ratelimit', String(options.icmpRatelimitMs)];
  // The lab stands as long as our end of its standard input does: also a killed process leaves none behind.
  const routers = options.routers === undefined ? [] : ['--routers', String(options.routers)];
  const holder = spawn(SCRIPT, ['hold', name, ...limit, ...routers], { detached: true });
  let complaint = '';
  holder.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  holder.stdin.on('error', () => undefined);
  const gone = new Promise<void>((resolve) => holder.once('close', () => resolve()));
  const anchor = await new Promise<string>((resolve, reject) => {
    holder.once('error', reject);
    createInterface(holder.stdout).once('line', (line) => resolve(line.replace('ready ', '')));
    void gone.then(() => reject(new Error(`no lab could be made: ${complaint.trim()}`)));
  });

  const running = new Set<Running>();
  const startOn: Lab['start'] = (host, argv, { uid, ...options } = {}) => {
    const words = [
      ...['nsenter', '--target', anchor, '--mount', '--', 'ip', 'netns', 'exec', `${name}-${host}`],
      ...contained(),
      ...(uid === undefined ? [] : asUser(uid)),
      ...argv,
    ];
    const begun = start(words, true, options);
    running.add(begun);
    void begun.ended.then(() => running.delete(begun));
    return begun;
  };
  const exec: Lab['exec'] = async (host, argv, execOptions) => {
    const begun = startOn(host, argv, execOptions);
    await begun.ended;
    return { exitCode: begun.exitCode, stdout: begun.stdout(), stderr: begun.stderr() };
  };
  return {
    name,
    addresses,
    exec,
    start: startOn,
    place: (host) => ({
      name: host,
      start: (argv, startOptions) => startOn(host, argv, startOptions),
      choosePort: (_transport, _address, usual) => Promise.resolve(usual),
    }),
    firewall: async (rules, host = 'firewall') => {
      const nft = await exec(host, ['nft', '-f', '-'], { input: `flush ruleset; ${rules}\n` });
      if (nft.exitCode !== 0) throw new Error(`nft refuses the rules:\n${nft.stderr}`);
    },
    close: async () => {
      await Promise.all([...running].map((begun) => begun.stop()));
      holder.stdin.end();
      await gone;
    },
  };
}
