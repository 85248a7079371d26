// The path of a flow through two routers and a firewall, searched with the flow's own packets: where it ends and by whose word.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FoundPath } from '../../src/contract/look.js';
import { deploy, FAMILIES, layOut, behaviours, type BehaviourName } from './behaviours.js';
import { addresses, openLab, type Lab } from './lab.js';
import { NOBODY, requireLinecheck } from './linecheck.js';
import { labReason } from './requirements.js';

const asked = [
  'pass',
  'closed',
  'drop',
  'tcp-reset',
  'icmp-3-13',
  'icmp6-1-1',
  'absent',
  'no-route-at-router',
] as const;
const layout = layOut<BehaviourName>(
  behaviours.filter(({ name }) => (asked as readonly string[]).includes(name) || name === 'tech-route-prohibit'),
);
const users = [
  { who: 'root', uid: 0 },
  { who: 'an ordinary user', uid: NOBODY },
] as const;
const found = new Map<number, readonly FoundPath[]>();
const labs: Lab[] = [];

beforeAll(async () => {
  if (labReason() !== undefined) return;
  const input = JSON.stringify({ what: 'paths', timeoutMs: 8000, targets: layout.targets });
  await Promise.all(
    users.map(async ({ uid }) => {
      const lab = await openLab({ icmpRatelimitMs: 0, routers: 2 });
      labs.push(lab);
      await deploy(lab, layout);
      const look = join(import.meta.dirname, 'look.js');
      const searched = await lab.exec('tech', [process.execPath, look], { input, uid });
      expect(searched).toMatchObject({ exitCode: 0, stderr: '' });
      const { seen, left } = JSON.parse(searched.stdout) as { seen: readonly FoundPath[]; left: number };
      expect(left).toBeLessThanOrEqual(0);
      found.set(uid, seen);
    }),
  );
});

afterAll(() => Promise.all(labs.map((lab) => lab.close())));

/** The paths of one behaviour with one transport, by family. */
function paths(uid: number, name: BehaviourName, transport: 'tcp' | 'udp'): readonly (readonly [4 | 6, FoundPath])[] {
  return layout.targets.flatMap((target, index) => {
    const path = found.get(uid)?.[index];
    return target.behaviour === name && target.transport === transport && path !== undefined
      ? [[target.family, path] as const]
      : [];
  });
}

const routers = (family: 4 | 6): readonly string[] => [
  addresses.router[family],
  addresses.core[family],
  addresses.firewall[family],
];
const hopsOf = ({ hops }: FoundPath): readonly (string | undefined)[] => hops.map(({ address }) => address);

describe.for(users.map(({ who, uid }) => [who, uid] as const))('a path that %s searches', ([, uid]) => {
  it.for(['tcp', 'udp'] as const)('ends at the server where the flow passes, hop by hop: %s', (transport, ctx) => {
    requireLinecheck(ctx);
    const all = paths(uid, 'pass', transport);
    expect(all.map(([family]) => family)).toEqual([...FAMILIES]);
    for (const [family, path] of all) {
      expect(hopsOf(path)).toEqual([...routers(family), addresses.server1[family]]);
      expect(path).toMatchObject({ reached: true, cut: false, last: { hop: 3, address: addresses.firewall[family] } });
      expect(path.end).toMatchObject({ kind: 'reached', by: transport === 'tcp' ? 'handshake' : 'reply' });
      // One goes the whole way; of the others one is enough, or few where this machine is busy.
      expect(path.sent).toBeLessThan(12);
    }
  });

  it.for(['tcp', 'udp'] as const)('ends at the server where nothing listens: %s', (transport, ctx) => {
    requireLinecheck(ctx);
    const all = paths(uid, 'closed', transport);
    expect(all).toHaveLength(2);
    for (const [family, path] of all) {
      expect(hopsOf(path)).toEqual([...routers(family), addresses.server1[family]]);
      expect(path.end).toMatchObject({ kind: 'reached', by: transport === 'tcp' ? 'reset' : 'port-unreachable' });
    }
  });

  it.for(['tcp', 'udp'] as const)('comes as far as the firewall that drops: %s', (transport, ctx) => {
    requireLinecheck(ctx);
    const all = paths(uid, 'drop', transport);
    expect(all).toHaveLength(2);
    for (const [family, path] of all) {
      expect(hopsOf(path).filter((address) => address !== undefined)).toEqual(routers(family));
      expect(path).toMatchObject({ reached: false, cut: false, end: { kind: 'silent' } });
      expect(path.last).toMatchObject({ hop: 3, address: addresses.firewall[family] });
    }
  });

  it.for(['tcp', 'udp'] as const)('names the firewall that rejects, its word and its place: %s', (transport, ctx) => {
    requireLinecheck(ctx);
    const all = [...paths(uid, 'icmp-3-13', transport), ...paths(uid, 'icmp6-1-1', transport)];
    expect(all).toHaveLength(2);
    for (const [family, path] of all) {
      expect(hopsOf(path)).toEqual(routers(family));
      expect(path.end).toEqual({
        kind: 'rejected',
        from: addresses.firewall[family],
        ...(family === 4 ? { type: 3, code: 13 } : { type: 1, code: 1 }),
        signal: 'prohibited',
        ttl: 62,
        hop: 3,
      });
    }
  });

  it('tells a reset in the server’s name only as reached: who sent it is not said', (ctx) => {
    requireLinecheck(ctx);
    for (const [, path] of paths(uid, 'tcp-reset', 'tcp')) {
      expect(path.end).toMatchObject({ kind: 'reached', by: 'reset' });
    }
  });

  it('ends at the router that knows no way', (ctx) => {
    requireLinecheck(ctx);
    for (const [family, path] of paths(uid, 'no-route-at-router', 'udp')) {
      expect(hopsOf(path)).toEqual([addresses.router[family]]);
      expect(path.end).toMatchObject({ kind: 'rejected', from: addresses.router[family], hop: 1 });
    }
  });

  it('ends before it begins where our own routes forbid it', (ctx) => {
    requireLinecheck(ctx);
    const all = paths(uid, 'tech-route-prohibit', 'tcp');
    expect(all).toHaveLength(2);
    for (const [, path] of all) {
      expect(path).toEqual({
        hops: [],
        reached: false,
        end: { kind: 'local', signal: 'local-firewall' },
        cut: false,
        sent: 0,
      });
    }
  });
});
