// One ICMP echo by the system's own ping, whose file has the privilege that this process lacks. Nothing else is started.
import { execFile } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { platform } from 'node:os';
import { promisify } from 'node:util';
import { canonicalAddress } from '../bytes/ip.js';
import type { Family } from '../contract/flow.js';
import type { RefusalSignal } from '../contract/outcome.js';
import type { Pinged } from '../contract/probe.js';
import { refusalOf } from './icmp.js';
import { localAddressOf } from './ip.js';
import { SocketFailed } from './session.js';
import type { Session } from './session.js';

/** Where systems keep it. The environment is not asked: whoever sets PATH does not choose what we start. */
const PATH = '/usr/bin:/bin:/usr/sbin:/sbin:/run/wrappers/bin';
/** Longer than any deadline; the end of the attempt ends it. */
const WAIT_SECONDS = 3600;
const MOST_TEXT = 64 * 1024;

/** What the program said of its one echo. */
export type PingText =
  | ({ readonly kind: 'reply' } & Pinged)
  | { readonly kind: 'error'; readonly from: string; readonly type: number; readonly code: number }
  /** Our own machine refused to send. */
  | { readonly kind: 'local'; readonly signal: RefusalSignal }
  | { readonly kind: 'no-permission' }
  | { readonly kind: 'nothing' };

// The words of iputils for types and codes; busybox and inetutils share the common ones.
const WORDS_4: readonly (readonly [RegExp, number, number])[] = [
  [/^Destination Net Unreachable$/, 3, 0],
  [/^Destination Host Unreachable$/, 3, 1],
  [/^Destination Protocol Unreachable$/, 3, 2],
  [/^Destination Port Unreachable$/, 3, 3],
  [/^Destination Net Prohibited$/, 3, 9],
  [/^Destination Host Prohibited$/, 3, 10],
  [/^Packet filtered$/, 3, 13],
  [/^Time to live exceeded$/, 11, 0],
];
const WORDS_6: readonly (readonly [RegExp, number, number])[] = [
  [/^Destination unreachable: No route$/, 1, 0],
  [/^Destination unreachable: Administratively prohibited$/, 1, 1],
  [/^Destination unreachable: Beyond scope of source address$/, 1, 2],
  [/^Destination unreachable: Address unreachable$/, 1, 3],
  [/^Destination unreachable: Port unreachable$/, 1, 4],
  [/^Destination unreachable: Source address failed ingress\/egress policy$/, 1, 5],
  [/^Destination unreachable: Reject route to destination$/, 1, 6],
  [/^Time exceeded: Hop limit$/, 3, 0],
];

/** Reads strictly: what is not understood to the end of its line is nothing. */
export function pingTextOf(text: string, address: string, family: Family): PingText {
  const lines = text.split('\n').map((line) => line.trim());
  for (const line of lines) {
    const reply =
      /^(\d{1,5}) bytes from ([0-9A-Fa-f:.]+)(?:%[\w.-]+)?: (?:icmp_)?seq=\d+ ttl=(\d{1,3}) time=([\d.]+) ms$/.exec(
        line,
      );
    if (reply !== null) {
      const [, bytes = '', from = '', ttl = '', ms = ''] = reply;
      if (sameAddress(from, address)) {
        return { kind: 'reply', bytes: Number(bytes), ttl: Number(ttl), roundTripMs: Number(ms) };
      }
    }
    const told = /^From ([0-9A-Fa-f:.]+)(?:%[\w.-]+)?:? icmp_seq=\d+ (.+)$/.exec(line);
    if (told !== null) {
      const [, from = '', words = ''] = told;
      const known = (family === 6 ? WORDS_6 : WORDS_4).find(([pattern]) => pattern.test(words));
      const canonical = canonicalOf(from);
      if (known !== undefined && canonical !== undefined) {
        return { kind: 'error', from: canonical, type: known[1], code: known[2] };
      }
    }
  }
  const complains = (of: RegExp): boolean => lines.some((line) => /^ping6?: /.test(line) && of.test(line));
  if (complains(/: Network is unreachable$/)) return { kind: 'local', signal: 'no-route' };
  if (complains(/: sendmsg: Operation not permitted$/)) return { kind: 'local', signal: 'local-firewall' };
  if (complains(/(Operation not permitted|[Pp]ermission denied.*)$/)) return { kind: 'no-permission' };
  return { kind: 'nothing' };
}

function canonicalOf(text: string): string | undefined {
  try {
    return canonicalAddress(text);
  } catch {
    return undefined;
  }
}

function sameAddress(from: string, address: string): boolean {
  return canonicalOf(from) === canonicalAddress(address);
}

/** The version of the system's ping, or the errno with which it does not start. Sends nothing. */
export async function pingVersion(): Promise<{ readonly version: string } | { readonly errno: string }> {
  try {
    const { stdout } = await promisify(execFile)('ping', ['-V'], { env: { PATH, LC_ALL: 'C' } });
    return { version: stdout.split('\n')[0]?.trim() ?? '' };
  } catch (error) {
    return { errno: error instanceof Error && 'code' in error ? String(error.code) : 'unknown' };
  }
}

/** Rejects with SocketFailed (the ledger says why) or Aborted; silence ends only with the attempt. */
export async function ping(session: Session, missing: string): Promise<Pinged> {
  const record = session.record('ip');
  const { address, family } = session.target;
  const unable = (detail: string): SocketFailed => {
    record.unable ??= { reason: 'no-permission', detail };
    return new SocketFailed(detail);
  };
  // Elsewhere the same letters mean other things.
  if (platform() !== 'linux') throw unable(missing);
  const local = await localAddressOf(session, record);
  record.localAddress = local;
  const source = session.options.source?.[family];
  const args = ['-n', '-c', '1', '-W', String(WAIT_SECONDS), ...(source === undefined ? [] : ['-I', source]), address];
  session.say('connecting', `${address}, by ping ${args.join(' ')}`);
  record.state = 'open';
  record.askedMs = session.elapsedMs();
  record.sent = 1;
  const text = await session.wait<PingText>((resolve, reject) => {
    const failed = (error: Error, code: string): void => {
      // No such file, one that may not be started, or whose capabilities this process can never have.
      const lacking = ['ENOENT', 'EACCES', 'EPERM'].includes(code);
      const known = Object.assign(new Error(error.message, { cause: error }), { code, syscall: 'spawn' });
      reject(lacking ? unable(`${missing}; no ping either`) : session.fail(record, known, true, record.openedMs));
    };
    let child: ChildProcess;
    try {
      child = execFile('ping', args, { env: { PATH, LC_ALL: 'C' }, maxBuffer: MOST_TEXT }, (error, stdout, stderr) => {
        owned.release();
        // An exit code, 1 for no answer, or a signal: it was started.
        if (typeof error?.code === 'string') failed(error, error.code);
        else resolve(pingTextOf(`${stdout}\n${stderr}`, address, family));
      });
    } catch (error) {
      // Some errors of spawn are thrown at once.
      const thrown = error instanceof Error ? error : new Error(String(error));
      failed(thrown, 'code' in thrown ? String(thrown.code) : '');
      return;
    }
    const owned = session.own(() => child.kill('SIGKILL'));
  });
  const afterMs = Math.round(session.elapsedMs() - record.askedMs);
  const refused = (signal: RefusalSignal, by?: string): SocketFailed => {
    record.refusal ??= { kind: 'refused', signal, afterMs, ...(by === undefined ? {} : { by }) };
    session.say('refused', by === undefined ? signal : `${signal}, says ${by}`);
    return new SocketFailed(signal);
  };
  switch (text.kind) {
    case 'reply': {
      const { bytes, ttl, roundTripMs } = text;
      record.received = bytes;
      // Starting the program took longer than the echo did.
      record.repliedMs = record.askedMs + roundTripMs;
      session.see({ kind: 'alive', address: canonicalAddress(address), ttl, by: 'echo' });
      session.say('note', `${bytes} bytes, TTL ${ttl}, ${roundTripMs} ms`);
      return { bytes, ttl, roundTripMs };
    }
    case 'error': {
      const { from, type, code } = text;
      session.see({ kind: 'icmp', from, type, code });
      const said = refusalOf(type, code, family);
      if (said === undefined) break;
      throw refused(said === 'host-unreachable' && from === local ? 'no-neighbour' : said, from);
    }
    case 'local':
      throw refused(text.signal);
    case 'no-permission':
      throw unable(`${missing}; nor may ping`);
    case 'nothing':
      break;
  }
  return session.wait<Pinged>(() => undefined);
}
