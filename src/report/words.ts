// Words that several pages share: ends of a flow, durations, counts, lists. No layout.
import type { ReportedCheck } from '../contract/report.js';
import type { Carrier } from '../contract/probe.js';

/** `7 flows`, `1 flow`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** `a, b and c`. */
export function listed(words: readonly string[], last = 'and'): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1) ?? ''}`;
}

/** `12 ms`, `8.4 s`, `3 min 20 s`. */
export function duration(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Number((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** `512 bytes`, `1.2 KiB`. */
export function size(bytes: number): string {
  if (bytes < 1024) return count(bytes, 'byte');
  if (bytes < 1024 * 1024) return `${Number((bytes / 1024).toFixed(1))} KiB`;
  return `${Number((bytes / 1024 / 1024).toFixed(1))} MiB`;
}

/** `tcp`, `udp`, `icmp`, `ip-47`: as reports and ids write it. */
export function carrierWord(carrier: Carrier): string {
  return typeof carrier === 'string' ? carrier : `ip-${carrier.ipProtocol}`;
}

interface Far {
  readonly host?: string;
  readonly address?: string;
  readonly port?: number;
}

/** `192.0.2.5:443/tcp`, `[2001:db8::5]:443/tcp`, `ldap.example.net:389/tcp (192.0.2.5)`, `192.0.2.5 icmp`. */
export function endpoint(to: Far, carrier: string): string {
  const host = to.host ?? to.address;
  const hasPort = to.port !== undefined && (carrier === 'tcp' || carrier === 'udp');
  if (host === undefined) return hasPort ? `${String(to.port)}/${carrier}` : carrier;
  const bracketed = host.includes(':') && hasPort ? `[${host}]` : host;
  const at = hasPort ? `${bracketed}:${String(to.port)}/${carrier}` : `${bracketed} ${carrier}`;
  return to.address !== undefined && to.address !== host ? `${at} (${to.address})` : at;
}

/** `manager 192.0.2.10 -> device 192.0.2.21:443/tcp`. */
export function arrow(check: {
  readonly from: ReportedCheck['from'];
  readonly to: ReportedCheck['to'];
  readonly carrier: string;
}): string {
  const from = check.from.address === undefined ? check.from.role : `${check.from.role} ${check.from.address}`;
  return `${from} -> ${check.to.role} ${endpoint(check.to, check.carrier)}`;
}

/** `blocked (dropped, likely)`. */
export function verdictWords(check: Pick<ReportedCheck, 'verdict' | 'how' | 'certain'>): string {
  const more = [...(check.how === undefined ? [] : [check.how]), ...(check.certain === 'likely' ? ['likely'] : [])];
  return more.length === 0 ? check.verdict : `${check.verdict} (${more.join(', ')})`;
}

/** At most so many characters, of which the last three are dots where something is missing. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  // A character takes one or two units.
  const characters = Array.from(text.slice(0, 2 * most + 2));
  return characters.length <= most ? text : `${characters.slice(0, Math.max(0, most - 3)).join('')}...`;
}

/** In the order in which each key first comes. */
export function grouped<T>(all: readonly T[], key: (one: T) => string): [key: string, members: T[]][] {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const name = key(one);
    const members = groups.get(name);
    if (members === undefined) groups.set(name, [one]);
    else members.push(one);
  }
  return [...groups];
}
