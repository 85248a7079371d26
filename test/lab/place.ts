// Where a test's programs run, and how they are started, watched and ended. What they are stands in servers.ts.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, chmodSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export type Transport = 'tcp' | 'udp';

export interface Place {
  /** For messages: `loopback`, `server1`. */
  readonly name: string;
  /** Starts a program here. It dies with this process, also when this one is killed. */
  readonly start: (argv: readonly string[], options?: StartOptions) => Running;
  /** The port a server is to take here when its caller names none; `usual` is the protocol's own. */
  readonly choosePort: (transport: Transport, address: string, usual: number) => Promise<number>;
}

export interface StartOptions {
  /** Written to standard input, which is then closed; default: nothing. */
  readonly input?: string;
}

export interface Running {
  readonly pid: number;
  /** What it wrote so far, at most the last MiB of each: standard output, standard error, and both as they came. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly logs: () => string;
  /** The exit code once it has ended, null while it runs or when a signal ended it. */
  readonly exitCode: number | null;
  readonly hasEnded: boolean;
  /** Resolves when the program and all that hold its output have ended. Never rejects. */
  readonly ended: Promise<void>;
  /** Ends it and all it started, and waits for that. Safe to call again. */
  readonly stop: () => Promise<void>;
}

const MAX_OUTPUT_CHARACTERS = 1024 * 1024;

/** Whether this process may make mount and PID namespaces, as root usually may and root in a container may not. */
export function mayUnshare(): boolean {
  unshareAllowed ??=
    process.platform === 'linux' &&
    process.getuid?.() === 0 &&
    spawnSync('unshare', ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child', 'true']).status === 0;
  return unshareAllowed;
}
let unshareAllowed: boolean | undefined;

/**
 * The words that give a program a PID and a mount namespace of its own, with an empty /run: ending it ends everything
 * that it started, and the files of this machine stay untouched.
 */
export function contained(): readonly string[] {
  const unshare = ['unshare', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
  // Entering a mount namespace left the folder that the program is to run in.
  return [...unshare, '--', 'sh', '-c', 'mount -n -t tmpfs tmpfs /run && cd "$0" && exec "$@"', process.cwd()];
}

/** This machine's loopback interface. With root's rights the programs still get namespaces for PIDs and mounts. */
export const loopback: Place = {
  name: 'loopback',
  start: (argv, options) => {
    const contains = mayUnshare();
    return start(contains ? [...contained(), ...argv] : argv, contains, options);
  },
  choosePort: (transport, address) => (transport === 'tcp' ? freeTcpPort(address) : freeUdpPort(address)),
};

function freeTcpPort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port: 0 }, () => {
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

function freeUdpPort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', reject);
    socket.bind({ address, port: 0 }, () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

/**
 * Starts a program that dies with this process (PR_SET_PDEATHSIG). `contains`: it has a PID namespace of its own, so that
 * killing it ends all that it started.
 */
export function start(argv: readonly string[], contains: boolean, options: StartOptions = {}): Running {
  const words = process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'KILL', '--', ...argv] : argv;
  const [file = '', ...args] = words;
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: withSystemPath() });
  const written = { stdout: '', stderr: '', logs: '' };
  let hasEnded = false;
  const hear = (stream: 'stdout' | 'stderr', text: string): void => {
    written[stream] = (written[stream] + text).slice(-MAX_OUTPUT_CHARACTERS);
    written.logs = (written.logs + text).slice(-MAX_OUTPUT_CHARACTERS);
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => hear('stdout', text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => hear('stderr', text));
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      hear('stderr', `${error.message}\n`);
      hasEnded = true;
      resolve();
    });
    child.once('close', () => {
      hasEnded = true;
      resolve();
    });
  });
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid === undefined || hasEnded) return;
    try {
      process.kill(-child.pid, name);
    } catch {
      // It ended in this very moment.
    }
  };
  void ended.then(atExit(() => signal('SIGKILL')));
  return {
    pid: child.pid ?? 0,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    logs: () => written.logs,
    get exitCode() {
      return child.exitCode;
    },
    get hasEnded() {
      return hasEnded;
    },
    ended,
    stop: async () => {
      signal(contains ? 'SIGKILL' : 'SIGTERM');
      const patience = new AbortController();
      const killed = delay(1000, undefined, { signal: patience.signal }).then(
        () => signal('SIGKILL'),
        () => undefined,
      );
      await ended;
      patience.abort();
      await killed;
    },
  };
}

/** This environment, with the folders where servers live and which an ordinary user's PATH often lacks. */
export function withSystemPath(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin` };
}

/** The process and all below it. */
function family(pid: number): readonly number[] {
  const children = readOr(`/proc/${String(pid)}/task/${String(pid)}/children`)
    .split(' ')
    .filter(Boolean)
    .map(Number);
  return [pid, ...children.flatMap(family)];
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** Inodes of the sockets that wait for peers on this port in the network namespace of `pid`. */
function boundInodes(pid: number, transport: Transport, port: number): ReadonlySet<string> {
  // proc_net_tcp(5): `local_address` is hex ADDRESS:PORT; state 0A is LISTEN, 07 an unconnected UDP socket.
  const state = transport === 'tcp' ? '0A' : '07';
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set<string>();
  for (const table of [transport, `${transport}6`]) {
    for (const row of readOr(`/proc/${String(pid)}/net/${table}`)
      .split('\n')
      .slice(1)) {
      const [, local, , status, , , , , , inode] = row.trim().split(/\s+/);
      if (local?.endsWith(suffix) && status === state && inode !== undefined) inodes.add(`socket:[${inode}]`);
    }
  }
  return inodes;
}

/** How many of the sockets bound to this port belong to the running program: another's do not count. */
function socketsOn(running: Running, transport: Transport, port: number): number {
  // The namespaces are those of the innermost process: the outer ones only wait for it.
  const members = family(running.pid);
  const bound = boundInodes(members.at(-1) ?? running.pid, transport, port);
  const own = new Set<string>();
  for (const member of members) {
    const folder = `/proc/${String(member)}/fd`;
    let entries: readonly string[] = [];
    try {
      entries = readdirSync(folder);
    } catch {
      // It ended, or it is not ours to look into.
    }
    for (const entry of entries) {
      try {
        const target = readlinkSync(join(folder, entry));
        if (bound.has(target)) own.add(target);
      } catch {
        // Closed meanwhile.
      }
    }
  }
  return own.size;
}

/**
 * Resolves once the program listens on `sockets` sockets of this port. Throws with its output where it ends before, or
 * where ten seconds pass.
 */
export async function listening(running: Running, transport: Transport, port: number, sockets = 1): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (socketsOn(running, transport, port) < sockets) {
    if (running.hasEnded) throw new Error(`ended before it listened on ${transport} ${port}:\n${running.logs()}`);
    if (performance.now() > deadline) {
      throw new Error(`does not listen on ${transport} ${port} after 10 s:\n${running.logs()}`);
    }
    await delay(10);
  }
}

/** Resolves once the program has written `text` to standard output. Throws as `listening` does. */
export async function saying(running: Running, text: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!running.stdout().includes(text)) {
    if (running.hasEnded) throw new Error(`ended before it said "${text}":\n${running.logs()}`);
    if (performance.now() > deadline) throw new Error(`did not say "${text}" within 10 s:\n${running.logs()}`);
    await delay(10);
  }
}

/** A folder that is gone when `remove` is called, or at the latest when this process exits. Others may read it. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'linecheck-'));
  chmodSync(path, 0o755);
  const removeNow = (): void => rmSync(path, { recursive: true, force: true });
  const forget = atExit(removeNow);
  const remove = (): void => {
    forget();
    removeNow();
  };
  return { path, remove };
}

/** Does this when the process exits, unless the returned function is called before. */
function atExit(act: () => void): () => void {
  if (atExitActs.size === 0) process.on('exit', actAtExit);
  atExitActs.add(act);
  return () => {
    atExitActs.delete(act);
    if (atExitActs.size === 0) process.off('exit', actAtExit);
  };
}
const atExitActs = new Set<() => void>();
const actAtExit = (): void => atExitActs.forEach((act) => act());
