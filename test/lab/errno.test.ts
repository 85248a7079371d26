// What a plain Node socket says to each behaviour of the network: the ground under net/errno.ts. All targets are asked
// at once from the tech host, by root in one lab and by an ordinary user in another. Times are not asserted.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { behaviours, deploy, layOut, type BehaviourName, type Target } from './behaviours.js';
import { openLab, type Lab } from './lab.js';
import { labReason, requireLab } from './requirements.js';

/** TCP over IPv4, UDP over IPv4, TCP over IPv6, UDP over IPv6; undefined where the behaviour does not exist there. */
type Row = readonly (string | undefined)[];

const none = undefined;
const table: Record<BehaviourName, Row> = {
  pass: ['open', 'open', 'open', 'open'],
  closed: ['ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED'],
  drop: ['timeout', 'timeout', 'timeout', 'timeout'],
  'drop-return': ['timeout', 'timeout', 'timeout', 'timeout'],
  'tcp-reset': ['ECONNREFUSED', none, 'ECONNREFUSED', none],
  // udp(7), ip(7): a UDP socket without IP_RECVERR hears only of the codes that the kernel takes for final, and net-
  // and host-unreachable, which may pass, are not among them.
  'icmp-3-0': ['ENETUNREACH', 'timeout'],
  'icmp-3-1': ['EHOSTUNREACH', 'timeout'],
  'icmp-3-2': ['ENOPROTOOPT', 'ENOPROTOOPT'],
  'icmp-3-3': ['ECONNREFUSED', 'ECONNREFUSED'],
  'icmp-3-9': ['ENETUNREACH', 'ENETUNREACH'],
  'icmp-3-10': ['EHOSTUNREACH', 'EHOSTUNREACH'],
  'icmp-3-13': ['EHOSTUNREACH', 'EHOSTUNREACH'],
  'icmp6-1-0': [none, none, 'ENETUNREACH', 'timeout'],
  'icmp6-1-1': [none, none, 'EACCES', 'EACCES'],
  'icmp6-1-3': [none, none, 'EHOSTUNREACH', 'timeout'],
  'icmp6-1-4': [none, none, 'ECONNREFUSED', 'ECONNREFUSED'],
  'icmp6-1-5': [none, none, 'EACCES', 'EACCES'],
  'icmp6-1-6': [none, none, 'EACCES', 'EACCES'],
  absent: ['EHOSTUNREACH', 'timeout', 'EHOSTUNREACH', 'timeout'],
  'absent-on-link': ['EHOSTUNREACH', 'timeout', 'EHOSTUNREACH', 'timeout'],
  'no-route-at-router': ['ENETUNREACH', 'timeout', 'ENETUNREACH', 'timeout'],
  // Linux answers an unreachable route with 3/1 in IPv4 and with 1/0, no route, in IPv6; a prohibiting one with 3/13
  // and 1/1.
  'firewall-route-unreachable': ['EHOSTUNREACH', 'timeout', 'ENETUNREACH', 'timeout'],
  'router-route-prohibit': ['EHOSTUNREACH', 'EHOSTUNREACH', 'EACCES', 'EACCES'],
  'router-route-blackhole': ['timeout', 'timeout', 'timeout', 'timeout'],
  'output-drop': ['timeout', 'EPERM', 'timeout', 'EPERM'],
  'output-reject': ['ECONNREFUSED', 'EPERM', 'ECONNREFUSED', 'EPERM'],
  'output-tcp-reset': ['ECONNREFUSED', none, 'ECONNREFUSED', none],
  'output-admin-prohibited': ['EHOSTUNREACH', 'EPERM', 'EACCES', 'EPERM'],
  'tech-route-unreachable': ['EHOSTUNREACH', 'EHOSTUNREACH', 'EHOSTUNREACH', 'EHOSTUNREACH'],
  'tech-route-prohibit': ['EACCES', 'EACCES', 'EACCES', 'EACCES'],
  'tech-route-blackhole': ['EINVAL', 'EINVAL', 'EINVAL', 'EINVAL'],
  'tech-route-throw': ['ENETUNREACH', 'ENETUNREACH', 'ENETUNREACH', 'ENETUNREACH'],
};

/** One of ask.js's answers. */
interface Answer {
  readonly code: string;
  readonly beforeImmediate: boolean;
}

// Linux gives up on a neighbour after three seconds; silence needs longer than that to be told from it.
const TIMEOUT_MS = 4500;
const layout = layOut<BehaviourName>(behaviours);
const users = [
  { who: 'root', uid: 0 },
  { who: 'an ordinary user', uid: 65534 },
] as const;
const answers = new Map<number, readonly Answer[]>();
const labs: Lab[] = [];

beforeAll(async () => {
  if (labReason() !== undefined) return;
  const input = JSON.stringify({ timeoutMs: TIMEOUT_MS, targets: layout.targets });
  await Promise.all(
    users.map(async ({ uid }) => {
      const lab = await openLab({ icmpRatelimitMs: 0 });
      labs.push(lab);
      await deploy(lab, layout);
      const asked = await lab.exec('tech', [process.execPath, join(import.meta.dirname, 'ask.js')], { input, uid });
      expect(asked).toMatchObject({ exitCode: 0, stderr: '' });
      answers.set(uid, JSON.parse(asked.stdout) as readonly Answer[]);
    }),
  );
});

afterAll(() => Promise.all(labs.map((lab) => lab.close())));

const columnOf = ({ family, transport }: Target): number => (family === 4 ? 0 : 2) + (transport === 'tcp' ? 0 : 1);
const nameOf = ({ behaviour, family, transport }: Target): string =>
  `${behaviour}, ${transport.toUpperCase()} over IPv${family}`;

describe.for(users.map(({ who, uid }) => [who, uid] as const))('the socket of %s', ([, uid]) => {
  const cells = layout.targets.map((target, index) => {
    const row: Row = table[target.behaviour];
    return { target, index, name: nameOf(target), expected: row[columnOf(target)] };
  });

  it.for(cells.map((cell) => [cell.name, cell.expected, cell.index] as const))('%s: %s', ([, expected, index], ctx) => {
    requireLab(ctx);
    expect(answers.get(uid)?.[index]?.code).toBe(expected);
  });

  it('hears of what this machine itself refuses before the event loop turns, of what the network refuses later', (ctx) => {
    requireLab(ctx);
    const given = answers.get(uid) ?? [];
    const early = cells.filter(({ index }) => given[index]?.beforeImmediate).map(({ name }) => name);
    // A route refuses connect(), for UDP as well. A packet filter refuses sendmsg(), so UDP alone hears of it.
    const own = cells.filter(({ target: { behaviour, transport } }) => {
      return behaviour.startsWith('tech-route-') || (behaviour.startsWith('output-') && transport === 'udp');
    });
    expect(early).toEqual(own.map(({ name }) => name));
  });
});

it('every cell of the table is one that the lab can make, and no other', () => {
  const made = layout.targets.map((target) => `${target.behaviour} ${columnOf(target)}`);
  const written = Object.entries(table).flatMap(([name, row]) =>
    row.flatMap((cell, column) => (cell === undefined ? [] : [`${name} ${column}`])),
  );
  expect(made.sort()).toEqual(written.sort());
});
