// Tests of one run, from plan to report: names, families, shared askings, the second look, the events, early ends.
// Probes here open no socket; what they answer is written by the test.
import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import { startCheck } from '../src/check.js';
import type { CheckSettings, World } from '../src/check.js';
import type { Plan, PlannedCheck } from '../src/contract/flow.js';
import type { Outcome } from '../src/contract/outcome.js';
import type { Kit, Probe, Target } from '../src/contract/probe.js';
import type { Report } from '../src/contract/report.js';
import type { RunEvent } from '../src/contract/run-event.js';
import { openKit } from '../src/net/kit.js';
import type { Resolution } from '../src/net/names.js';
import { answered, clock } from './net/kit.js';

const traits = {
  silence: 'conclusive',
  depths: ['port', 'protocol'],
  defaultDepth: 'protocol',
  sends: [{ what: 'a question', packets: 1, bytes: 1 }],
} as const;

/** A planned check of a flow, outbound over UDP to `host`. */
function planned(flow: string, host: string | undefined, change: Partial<PlannedCheck> = {}): PlannedCheck {
  return {
    id: `product/${flow}/here/${host ?? 'none'}/udp-123`,
    profile: 'product',
    flow,
    title: flow,
    required: true,
    expect: 'open',
    reach: 'protocol',
    direction: 'out',
    from: { role: 'here' },
    to: { role: 'there', port: 123, ...(host === undefined ? {} : { host }) },
    carrier: 'udp',
    probe: 'fake',
    options: {},
    traits,
    addresses: 'every',
    family: 'any',
    why: '',
    source: [],
    acceptUnproven: false,
    ...change,
  };
}

interface Scene {
  readonly checks: readonly PlannedCheck[];
  readonly answer?: (target: Target, number: number, kit: Kit) => Outcome | Promise<Outcome>;
  readonly names?: Readonly<Record<string, Resolution | Promise<Resolution>>>;
  /** Addresses without a route. */
  readonly unrouted?: readonly string[];
  readonly settings?: Partial<CheckSettings>;
}

interface Played {
  readonly done: Promise<Report>;
  readonly events: readonly RunEvent[];
  readonly asked: readonly Target[];
  interrupt(): void;
}

function play({ checks, answer = () => answered, names = {}, unrouted = [], settings }: Scene): Played {
  const events: RunEvent[] = [];
  const asked: Target[] = [];
  const fake: Probe = {
    name: 'fake',
    summary: 'answers what the test says',
    carriers: ['udp', 'tcp'],
    options: z.strictObject({}),
    bind: () => ({
      traits,
      ask: async (target, kit) => {
        asked.push(target);
        return answer(target, asked.filter(({ address }) => address === target.address).length, kit);
      },
    }),
  };
  const world: World = {
    clock,
    tool: { name: 'linecheck', version: '0', node: '20', platform: 'linux', tier: 1, can: ['errno'] },
    probes: new Map([['fake', fake]]),
    resolve: (host) => {
      const known = names[host];
      if (known !== undefined) return Promise.resolve(known);
      const family = host.includes(':') ? 6 : 4;
      return Promise.resolve({ ok: true, found: [{ address: host, family }], ms: 0 });
    },
    routeTo: (address) =>
      Promise.resolve(unrouted.includes(address) ? undefined : address.includes(':') ? '2001:db8::99' : '192.0.2.99'),
    openKit: (target, first) =>
      openKit(target, { clock, verbose: false, login: first, secret: () => new Uint8Array() }),
    onEvent: (event) => events.push(event),
  };
  const plan: Plan = {
    site: 'test',
    profiles: [{ id: 'product', title: 'Product' }],
    here: ['product/here'],
    login: false,
    checks,
    skipped: [],
    acceptHow: [],
    secrets: {},
  };
  const running = startCheck(
    plan,
    {
      limits: { concurrency: 10, perHost: 10, retries: 0 },
      timeoutMs: 5000,
      accept: [],
      nagios: false,
      verbose: false,
      ...settings,
    },
    world,
  );
  return { done: running.done, events, asked, interrupt: () => running.interrupt('SIGINT') };
}

const silent: Outcome = { kind: 'silent', sent: 1, waitedMs: 5000 };
const found = (...addresses: readonly string[]): Resolution => ({
  ok: true,
  found: addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
  ms: 2,
});
const verdicts = (report: Report): unknown =>
  report.checks.map(({ id, verdict, how }) => [id.split('/').slice(3).join('/'), verdict, how]);

describe('a run', () => {
  it('reports in plan order what each check saw, and where it asked from', async () => {
    const report = await play({
      checks: [planned('a', '192.0.2.1'), planned('b', '192.0.2.2')],
      answer: ({ address }) =>
        address === '192.0.2.1' ? answered : { kind: 'refused', signal: 'refused', afterMs: 1 },
    }).done;
    expect(report.checks.map(({ flow, verdict, from }) => [flow, verdict, from.address])).toEqual([
      ['a', 'open', '192.0.2.99'],
      ['b', 'closed', '192.0.2.99'],
    ]);
    expect(report.summary).toMatchObject({ required: { pass: 1, fail: 1, unproven: 0 }, exitCode: 1 });
    expect(report).toMatchObject({ schema: 'linecheck/report/v1', site: 'test' });
  });

  it('asks once what several checks ask alike, and tells each of them', async () => {
    const played = play({ checks: [planned('a', '192.0.2.1'), planned('b', '192.0.2.1')] });
    const report = await played.done;
    expect(played.asked).toHaveLength(1);
    expect(report.checks.map(({ verdict }) => verdict)).toEqual(['open', 'open']);
    const attempts = played.events.filter(({ event }) => event === 'attempt');
    expect(attempts).toEqual([expect.objectContaining({ checks: report.checks.map(({ id }) => id) })]);
  });

  it('asks twice where options, port or source port differ', async () => {
    const played = play({
      checks: [
        planned('a', '192.0.2.1'),
        planned('b', '192.0.2.1', { options: { version: 3 } }),
        planned('c', '192.0.2.1', { to: { role: 'there', host: '192.0.2.1', port: 124 } }),
        planned('d', '192.0.2.1', { sourcePort: 123 }),
      ],
    });
    await played.done;
    expect(played.asked).toHaveLength(4);
  });

  it('asks every address of a name, and looks the name up once', async () => {
    const played = play({
      checks: [planned('a', 'ntp.example.net'), planned('b', 'ntp.example.net', { options: { version: 3 } })],
      names: { 'ntp.example.net': found('192.0.2.1', '2001:db8::1') },
    });
    const report = await played.done;
    expect(verdicts(report)).toEqual([
      ['ntp.example.net/udp-123/192.0.2.1', 'open', undefined],
      ['ntp.example.net/udp-123/2001:db8::1', 'open', undefined],
      ['ntp.example.net/udp-123/192.0.2.1', 'open', undefined],
      ['ntp.example.net/udp-123/2001:db8::1', 'open', undefined],
    ]);
    expect(report.checks[0]?.to).toMatchObject({ host: 'ntp.example.net', address: '192.0.2.1' });
  });

  it('skips the address of a family that this machine has no route for, and says so', async () => {
    const report = await play({
      checks: [planned('a', 'ntp.example.net')],
      names: { 'ntp.example.net': found('192.0.2.1', '2001:db8::1') },
      unrouted: ['2001:db8::1'],
    }).done;
    expect(report.checks.map(({ to }) => to.address)).toEqual(['192.0.2.1']);
    expect(report.skipped).toEqual([
      expect.objectContaining({
        flow: 'a',
        kind: 'no-route-for-family',
        reason: expect.stringContaining('2001:db8::1') as string,
      }),
    ]);
    expect(report.summary).toMatchObject({ skipped: 1, exitCode: 0 });
  });

  it('skips nothing where no address has a route: that is a failure, not an absence', async () => {
    const report = await play({
      checks: [planned('a', 'ntp.example.net')],
      names: { 'ntp.example.net': found('192.0.2.1', '2001:db8::1') },
      unrouted: ['192.0.2.1', '2001:db8::1'],
      answer: () => ({ kind: 'refused', signal: 'no-route', afterMs: 0 }),
    }).done;
    expect(verdicts(report)).toEqual([
      ['ntp.example.net/udp-123/192.0.2.1', 'unreachable', 'no-route'],
      ['ntp.example.net/udp-123/2001:db8::1', 'unreachable', 'no-route'],
    ]);
  });

  it('asks only the family that the site wants, and says when a name has none of it', async () => {
    const names = { 'ntp.example.net': found('192.0.2.1', '2001:db8::1'), 'v4.example.net': found('192.0.2.4') };
    const report = await play({
      checks: [planned('a', 'ntp.example.net', { family: 6 }), planned('b', 'v4.example.net', { family: 6 })],
      names,
    }).done;
    expect(verdicts(report)).toEqual([
      ['ntp.example.net/udp-123/2001:db8::1', 'open', undefined],
      ['v4.example.net/udp-123', 'unreachable', 'no-address'],
    ]);
  });

  it('tells a name without an address from a resolver that does not work', async () => {
    const failed = (reason: 'no-address' | 'resolver'): Resolution => ({ ok: false, reason, detail: reason, ms: 3 });
    const report = await play({
      checks: [planned('a', 'gone.example.net'), planned('b', 'lost.example.net')],
      names: { 'gone.example.net': failed('no-address'), 'lost.example.net': failed('resolver') },
    }).done;
    expect(report.checks.map(({ verdict, how, result }) => [verdict, how, result])).toEqual([
      ['unreachable', 'no-address', 'fail'],
      ['error', 'resolver', 'unproven'],
    ]);
  });

  it('asks nothing for what only the far end can prove, and for roles without a host', async () => {
    const played = play({
      checks: [
        planned('a', undefined, { direction: 'in', from: { role: 'there', host: '192.0.2.1' } }),
        planned('b', undefined),
      ],
    });
    const report = await played.done;
    expect(played.asked).toEqual([]);
    expect(report.checks.map(({ verdict, how }) => [verdict, how])).toEqual([
      ['unproven', 'no-peer'],
      ['unproven', 'no-host'],
    ]);
    expect(report.summary.exitCode).toBe(3);
  });

  it('asks again what fell silent, and believes the answer', async () => {
    const played = play({
      checks: [planned('a', '192.0.2.1')],
      answer: (_, number) => (number === 1 ? silent : answered),
      settings: { diagnoseMs: 6000 },
    });
    const report = await played.done;
    expect(report.checks[0]).toMatchObject({ verdict: 'open', attempts: 2 });
    expect(report.checks[0]?.warning).toBeDefined();
    expect(played.events.map(({ event }) => event)).toEqual([
      'started',
      'attempt',
      'diagnosing',
      'attempt',
      'check',
      'finished',
    ]);
  });

  it('lets credentials be used in the first asking of a question and never again', async () => {
    const logins: boolean[] = [];
    await play({
      checks: [planned('a', '192.0.2.1')],
      answer: (_, __, kit) => {
        logins.push(kit.login);
        return silent;
      },
      settings: { limits: { concurrency: 10, perHost: 10, retries: 2 }, diagnoseMs: 6000 },
    }).done;
    expect(logins).toEqual([true, false, false, false]);
  });

  it('asks nothing again without a budget, nor what was refused', async () => {
    const off = play({ checks: [planned('a', '192.0.2.1')], answer: () => silent });
    expect((await off.done).checks[0]).toMatchObject({ attempts: 1, result: 'unproven' });
    const refused = play({
      checks: [planned('a', '192.0.2.1')],
      answer: () => ({ kind: 'refused', signal: 'refused', afterMs: 1 }),
      settings: { diagnoseMs: 6000 },
    });
    expect((await refused.done).checks[0]).toMatchObject({ attempts: 1, verdict: 'closed' });
  });

  it('warns when it does not stand at the address of its role', async () => {
    const from = { role: 'here', host: '192.0.2.50' };
    const { notices } = await play({ checks: [planned('a', '192.0.2.1', { from })] }).done;
    expect(notices).toEqual([expect.stringContaining('192.0.2.99') as string]);
    const right = await play({ checks: [planned('a', '192.0.2.1', { from: { role: 'here', host: '192.0.2.99' } })] })
      .done;
    expect(right.notices).toEqual([]);
  });
});

describe('a run that ends early', () => {
  const stuck = (): Promise<Outcome> => new Promise(() => undefined);
  const checks = [planned('a', '192.0.2.1'), planned('b', '192.0.2.2')];

  it('by a signal has the partial report, its unfinished checks unproven', async () => {
    const played = play({ checks, answer: ({ address }) => (address === '192.0.2.1' ? answered : stuck()) });
    await new Promise((resolve) => setTimeout(resolve, 50));
    played.interrupt();
    const report = await played.done;
    expect(report.interrupted).toBe('SIGINT');
    expect(report.checks.map(({ verdict, how }) => [verdict, how])).toEqual([
      ['open', undefined],
      ['unproven', 'interrupted'],
    ]);
    expect(report.summary.exitCode).toBe(130);
    expect(played.events.at(-1)).toMatchObject({ event: 'finished', interrupted: 'SIGINT' });
  });

  it('by its own time limit is judged by what it has', async () => {
    const report = await play({ checks, answer: stuck, settings: { maxTimeMs: 50 } }).done;
    expect(report.interrupted).toBe('max-time');
    expect(report.summary).toMatchObject({ required: { unproven: 2 }, exitCode: 3 });
  });

  it('while names are looked up says that those checks were not asked', async () => {
    const never = new Promise<Resolution>(() => undefined);
    const played = play({ checks: [planned('a', 'slow.example.net')], names: { 'slow.example.net': never } });
    played.interrupt();
    const report = await played.done;
    expect(report.checks.map(({ how }) => how)).toEqual(['interrupted']);
  });
});
