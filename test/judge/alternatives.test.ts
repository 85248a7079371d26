// One-of groups and names of which one address is enough: who carries the requirement.
import { describe, expect, it } from 'vitest';
import type { BoundCheck } from '../../src/contract/flow.js';
import type { Outcome } from '../../src/contract/outcome.js';
import type { CheckRecord } from '../../src/contract/verdict.js';
import { exitCode } from '../../src/judge/exit.js';
import { judge } from '../../src/judge/judge.js';
import { ambiguous, answered, record, refused, run, silent, turnedAway, udp } from './records.js';

const A1 = '198.51.100.21';
const A2 = '198.51.100.22';

function member(
  port: number,
  outcome: Outcome,
  over: Partial<BoundCheck> = {},
  address = A1,
  host = address,
): CheckRecord {
  return record(
    {
      ...udp,
      ...ambiguous,
      flow: `radius-${port}`,
      group: 'radius',
      to: { role: 'radius-server', host, address, port },
      id: `suite/radius-${port}/manager/${host}/udp-${port}${host === address ? '' : `/${address}`}`,
      ...over,
    },
    outcome,
  );
}

function carried(...records: readonly CheckRecord[]): { required: boolean[]; exit: number } {
  const judged = judge(run(...records));
  return { required: judged.map(({ required }) => required), exit: exitCode(judged, {}) };
}

describe('a one-of group on one target', () => {
  it('is satisfied by one open member, and the others are not required', () => {
    expect(carried(member(1645, refused()), member(1812, answered()))).toEqual({ required: [false, true], exit: 0 });
    expect(carried(member(1645, answered()), member(1812, refused()))).toEqual({ required: [true, false], exit: 0 });
  });

  it('is carried once where both are open', () => {
    expect(carried(member(1645, answered()), member(1812, answered()))).toEqual({ required: [true, false], exit: 0 });
  });

  it('fails once where all fail, by the member that tells most', () => {
    expect(carried(member(1645, refused('no-route')), member(1812, refused('refused')))).toEqual({
      required: [false, true],
      exit: 1,
    });
    expect(carried(member(1645, turnedAway(), { reach: 'service' }), member(1812, refused()))).toEqual({
      required: [true, false],
      exit: 1,
    });
  });

  it('is unproven while one alternative is', () => {
    expect(carried(member(1645, refused()), member(1812, silent()))).toEqual({ required: [false, true], exit: 3 });
  });

  it('is accepted where its unproven alternative is', () => {
    const judged = judge({
      checks: [member(1645, silent()), member(1812, silent(), { acceptUnproven: true })],
      accept: [],
    });
    expect(judged.map(({ required, accepted }) => [required, accepted])).toEqual([
      [false, false],
      [true, true],
    ]);
    expect(exitCode(judged, {})).toBe(0);
  });

  it('is required where the plan named one member only', () => {
    expect(carried(member(1645, refused()), member(1812, answered(), { required: false })).required).toEqual([
      false,
      true,
    ]);
  });

  it('is required of nobody where it is optional', () => {
    const optional = { required: false };
    expect(carried(member(1645, refused(), optional), member(1812, refused(), optional)).required).toEqual([
      false,
      false,
    ]);
  });

  it('holds on each target by itself', () => {
    expect(
      carried(
        member(1645, refused()),
        member(1812, answered()),
        member(1645, refused(), {}, A2),
        member(1812, refused(), {}, A2),
      ),
    ).toEqual({ required: [false, true, true, false], exit: 1 });
  });

  it('holds on each address of a name where every address counts', () => {
    expect(
      carried(member(1812, answered(), {}, A1, 'aaa.example.net'), member(1645, refused(), {}, A2, 'aaa.example.net')),
    ).toEqual({ required: [true, true], exit: 1 });
  });

  it('holds once over all addresses of a name where any is enough', () => {
    const any = { addresses: 'any' } as const;
    expect(
      carried(
        member(1812, silent(), any, A1, 'aaa.example.net'),
        member(1645, refused(), any, A2, 'aaa.example.net'),
        member(1812, answered(), any, A2, 'aaa.example.net'),
      ),
    ).toEqual({ required: [false, false, true], exit: 0 });
  });

  it('keeps groups of other profiles, roles and directions apart', () => {
    expect(
      carried(
        member(1812, answered()),
        member(1645, refused(), { profile: 'other' }),
        member(1645, refused(), { from: { role: 'device', address: '192.0.2.6' } }),
      ),
    ).toEqual({ required: [true, true, true], exit: 1 });
  });

  it('demands every member where the flow must be blocked', () => {
    const blocked = { expect: 'blocked' } as const;
    expect(carried(member(1645, refused('local-firewall'), blocked), member(1812, answered(), blocked))).toEqual({
      required: [true, true],
      exit: 1,
    });
  });
});

describe('a name of which any address is enough', () => {
  const any = (address: string, outcome: Outcome, over: Partial<BoundCheck> = {}): CheckRecord =>
    record(
      {
        to: { role: 'web', host: 'web.example.net', address, port: 443 },
        id: `suite/web/manager/web.example.net/tcp-443/${address}`,
        addresses: 'any',
        ...over,
      },
      outcome,
    );

  it('is satisfied by one address', () => {
    expect(carried(any(A1, refused()), any(A2, answered()))).toEqual({ required: [false, true], exit: 0 });
  });

  it('fails once where none answers', () => {
    expect(carried(any(A1, refused()), any(A2, refused()))).toEqual({ required: [true, false], exit: 1 });
  });

  it('keeps two flows to that name apart', () => {
    expect(
      carried(any(A1, answered()), any(A2, refused(), { id: `suite/ssh/manager/web.example.net/tcp-22/${A2}` })),
    ).toEqual({ required: [true, true], exit: 1 });
  });

  it('is asked of every address where every one counts', () => {
    const every = { addresses: 'every' } as const;
    expect(carried(any(A1, refused(), every), any(A2, answered(), every))).toEqual({ required: [true, true], exit: 1 });
  });
});
