// What an attempt sees of each behaviour of the network through the kernel's error queue: who refuses, with which ICMP
// error, and with which TTL that came. As root and as an ordinary user; without raw sockets in either case.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/contract/outcome.js';
import { behaviours, deploy, layOut, type BehaviourName, type Target } from './behaviours.js';
import { addresses, openLab, type Host, type Lab } from './lab.js';
import { NOBODY, requireLinecheck } from './linecheck.js';
import { labReason } from './requirements.js';

/** `HOST TYPE/CODE TTL SIGNAL` for each family, TCP and UDP alike; or other words where they differ. */
type Seen = string | { readonly tcp?: string; readonly udp?: string };
type Row = Readonly<Partial<Record<4 | 6, Seen>>>;

const both = (seen: Seen): Row => ({ 4: seen, 6: seen });
const table: Record<BehaviourName, Row> = {
  pass: both('answered'),
  closed: {
    4: { tcp: 'reset reset', udp: 'server1 3/3 62 port-unreachable' },
    6: { tcp: 'reset reset', udp: 'server1 1/4 62 port-unreachable' },
  },
  drop: both('silent'),
  'drop-return': both('silent'),
  'tcp-reset': both({ tcp: 'reset reset' }),
  'icmp-3-0': { 4: 'firewall 3/0 63 net-unreachable' },
  'icmp-3-1': { 4: 'firewall 3/1 63 host-unreachable' },
  'icmp-3-2': { 4: 'firewall 3/2 63 protocol-unreachable' },
  'icmp-3-3': { 4: 'firewall 3/3 63 port-unreachable' },
  'icmp-3-9': { 4: 'firewall 3/9 63 prohibited' },
  'icmp-3-10': { 4: 'firewall 3/10 63 prohibited' },
  'icmp-3-13': { 4: 'firewall 3/13 63 prohibited' },
  'icmp6-1-0': { 6: 'firewall 1/0 63 net-unreachable' },
  'icmp6-1-1': { 6: 'firewall 1/1 63 prohibited' },
  'icmp6-1-3': { 6: 'firewall 1/3 63 host-unreachable' },
  'icmp6-1-4': { 6: 'firewall 1/4 63 port-unreachable' },
  'icmp6-1-5': { 6: 'firewall 1/5 63 prohibited' },
  'icmp6-1-6': { 6: 'firewall 1/6 63 prohibited' },
  // The firewall asks for the host's address in vain, and says so.
  absent: { 4: 'firewall 3/1 63 host-unreachable', 6: 'firewall 1/3 63 host-unreachable' },
  'absent-on-link': { 4: 'tech 3/1 64 no-neighbour', 6: 'tech 1/3 64 no-neighbour' },
  'no-route-at-router': { 4: 'router 3/0 64 net-unreachable', 6: 'router 1/0 64 net-unreachable' },
  'router-route-prohibit': { 4: 'router 3/13 64 prohibited', 6: 'router 1/1 64 prohibited' },
  'firewall-route-unreachable': { 4: 'firewall 3/1 63 host-unreachable', 6: 'firewall 1/0 63 net-unreachable' },
  'router-route-blackhole': both('silent'),
  'output-drop': both({ tcp: 'silent', udp: 'local-firewall' }),
  'output-reject': { 4: 'tech 3/3 64 local-firewall', 6: 'tech 1/4 64 local-firewall' },
  'output-tcp-reset': both({ tcp: 'reset reset' }),
  'output-admin-prohibited': { 4: 'tech 3/13 64 local-firewall', 6: 'tech 1/1 64 local-firewall' },
  'tech-route-unreachable': both('no-route'),
  'tech-route-prohibit': both('local-firewall'),
  'tech-route-blackhole': both('no-route'),
  'tech-route-throw': both('no-route'),
};

/** What one attempt saw, in the table's words. */
function wordsOf({ outcome, evidence }: Attempt, family: 4 | 6): string {
  const place = (address: string): string =>
    (Object.keys(addresses) as (Host & keyof typeof addresses)[]).find((host) => addresses[host][family] === address) ??
    address;
  const seen = evidence.flatMap((item) => {
    if (item.kind === 'icmp') return [`${place(item.from)} ${item.type}/${item.code} ${item.ttl ?? '?'}`];
    return item.kind === 'reset' ? ['reset'] : [];
  });
  return [...seen, outcome.kind === 'refused' ? outcome.signal : outcome.kind].join(' ');
}

/** A lookup fails after 3 s; an error that the kernel could not hand over in that moment comes with the next one's, 3 s on. */
const TIMEOUT_MS = 7500;
const layout = layOut<BehaviourName>(behaviours);
const users = [
  { who: 'root', uid: 0 },
  { who: 'an ordinary user', uid: NOBODY },
] as const;
const answers = new Map<number, readonly Attempt[]>();
const labs: Lab[] = [];

beforeAll(async () => {
  if (labReason() !== undefined) return;
  const input = JSON.stringify({ what: 'attempts', timeoutMs: TIMEOUT_MS, targets: layout.targets });
  await Promise.all(
    users.map(async ({ uid }) => {
      const lab = await openLab({ icmpRatelimitMs: 0 });
      labs.push(lab);
      await deploy(lab, layout);
      const asked = await lab.exec('tech', [process.execPath, join(import.meta.dirname, 'look.js')], { input, uid });
      expect(asked).toMatchObject({ exitCode: 0, stderr: '' });
      const { seen, left } = JSON.parse(asked.stdout) as { seen: readonly Attempt[]; left: number };
      expect(left).toBeLessThanOrEqual(0);
      answers.set(uid, seen);
    }),
  );
});

afterAll(() => Promise.all(labs.map((lab) => lab.close())));

const cells = layout.targets.map((target, index) => ({ target, index, expected: expectedOf(target) }));

function expectedOf({ behaviour, family, transport }: Target<BehaviourName>): string | undefined {
  const seen = table[behaviour][family];
  return typeof seen === 'object' ? seen[transport] : seen;
}

const nameOf = ({ behaviour, family, transport }: Target): string =>
  `${behaviour}, ${transport.toUpperCase()} over IPv${family}`;

describe.for(users.map(({ who, uid }) => [who, uid] as const))('an attempt of %s', ([, uid]) => {
  it.for(cells.map(({ target, expected, index }) => [nameOf(target), expected, index] as const))(
    'sees of %s: %s',
    ([, expected, index], ctx) => {
      requireLinecheck(ctx);
      const attempt = answers.get(uid)?.[index];
      const family = layout.targets[index]?.family ?? 4;
      expect(attempt === undefined ? undefined : wordsOf(attempt, family)).toBe(expected);
    },
  );

  it('names in the outcome who refused, and the TTL of that', (ctx) => {
    requireLinecheck(ctx);
    const index = layout.targets.findIndex(
      ({ behaviour, transport }) => behaviour === 'icmp-3-13' && transport === 'tcp',
    );
    expect(answers.get(uid)?.[index]?.outcome).toMatchObject({ by: addresses.firewall[4], ttl: 63 });
  });

  it('sees how far away a server is from its answer, but over TCP and IPv4', (ctx) => {
    requireLinecheck(ctx);
    const ttls = layout.targets.flatMap(({ behaviour, transport, family }, index) => {
      if (behaviour !== 'pass') return [];
      const evidence = answers.get(uid)?.[index]?.evidence ?? [];
      return evidence.flatMap((item) =>
        item.kind === 'alive' ? [`${transport} ${family} ${item.by} ${item.ttl ?? '?'}`] : [],
      );
    });
    expect(ttls).toEqual([
      'tcp 4 handshake ?',
      'tcp 4 data ?',
      'udp 4 reply 62',
      'tcp 6 handshake 62',
      'tcp 6 data 62',
      'udp 6 reply 62',
    ]);
  });
});

it('every cell of the table is one that the lab can make, and no other', () => {
  expect(cells.filter(({ expected }) => expected === undefined)).toEqual([]);
  const made = cells.map(({ target }) => `${target.behaviour} ${target.family} ${target.transport}`);
  const written = Object.entries(table).flatMap(([name, row]) =>
    Object.entries(row).flatMap(([family, seen]) =>
      (typeof seen === 'string' ? ['tcp', 'udp'] : Object.keys(seen)).map(
        (transport) => `${name} ${family} ${transport}`,
      ),
    ),
  );
  expect(made.sort()).toEqual(written.sort());
});
