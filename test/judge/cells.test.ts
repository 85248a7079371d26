// The verdict table, cell by cell, and that no word of it is left without one.
import { describe, expect, it } from 'vitest';
import type { Certainty, HowWords, Proof, Result, VerdictWord } from '../../src/contract/verdict.js';
import { judge } from '../../src/judge/judge.js';
import { answers } from './cells/answers.js';
import { refusals } from './cells/refusals.js';
import { silences } from './cells/silences.js';
import type { Cell } from './records.js';

const cells: readonly Cell[] = [...answers, ...refusals, ...silences];

function judged(cell: Cell): ReturnType<typeof judge>[number] {
  const found = judge(cell.run)[cell.index ?? 0];
  if (found === undefined) throw new Error(`no check ${cell.index ?? 0} in ${cell.name}`);
  return found;
}

describe.each([
  ['answers', answers],
  ['refusals', refusals],
  ['silences', silences],
])('%s', (_, table) => {
  it.each(table.map((cell) => [cell.name, cell] as const))('%s', (_name, cell) => {
    const found = judged(cell);
    for (const [key, value] of Object.entries(cell.is)) {
      if (value === undefined) expect(found).not.toHaveProperty(key);
      else expect(found).toHaveProperty(key, value);
    }
    for (const mention of cell.says ?? []) expect(`${found.summary} ${found.advice ?? ''}`).toMatch(mention);
  });
});

describe('the table as a whole', () => {
  it('has no two cells of one name', () => {
    expect(new Set(cells.map(({ name }) => name)).size).toBe(cells.length);
  });

  // The types make these lists complete: a word added to the contract does not compile until a cell produces it.
  const words: { readonly [V in VerdictWord]: Readonly<Record<HowWords[V], true>> } = {
    open: {},
    denied: { secret: true, credentials: true, client: true },
    closed: { reset: true, 'port-unreachable': true, refused: true },
    blocked: {
      rejected: true,
      reset: true,
      dropped: true,
      'payload-dropped': true,
      'oversize-dropped': true,
      local: true,
    },
    unreachable: { 'no-route': true, 'no-host': true, 'no-address': true, silent: true },
    intercepted: { issuer: true, ttl: true, 'control-port': true, receipt: true },
    'wrong-service': { stranger: true, silent: true, closed: true, reset: true },
    unproven: {
      silence: true,
      'one-way': true,
      'no-peer': true,
      'no-host': true,
      'no-permission': true,
      'port-in-use': true,
      shallow: true,
      interrupted: true,
    },
    error: { 'no-resources': true, resolver: true, bug: true },
  };
  const proofs: Readonly<Record<Proof, true>> = {
    service: true,
    protocol: true,
    secure: true,
    port: true,
    receipt: true,
    rejection: true,
    reset: true,
    errno: true,
    path: true,
    control: true,
    ttl: true,
    tls: true,
    acked: true,
    size: true,
    resolver: true,
    neighbours: true,
    silence: true,
  };
  const certainties: Readonly<Record<Certainty, true>> = { proven: true, likely: true };
  const results: Readonly<Record<Result, true>> = { pass: true, fail: true, unproven: true };

  it('produces every verdict with every one of its words', () => {
    const declared = Object.entries(words).flatMap(([verdict, hows]) =>
      Object.keys(hows).length === 0 ? [verdict] : Object.keys(hows).map((how) => `${verdict}, ${how}`),
    );
    const produced = cells.map(judged).map(({ verdict, how }) => (how === undefined ? verdict : `${verdict}, ${how}`));
    expect([...new Set(produced)].sort()).toEqual(declared.sort());
  });

  it('produces every kind of proof, certainty and result', () => {
    const found = cells.map(judged);
    expect([...new Set(found.flatMap(({ proof }) => proof))].sort()).toEqual(Object.keys(proofs).sort());
    expect([...new Set(found.map(({ certain }) => certain))].sort()).toEqual(Object.keys(certainties).sort());
    expect([...new Set(found.map(({ result }) => result))].sort()).toEqual(Object.keys(results).sort());
  });

  it('tells every verdict in one line that names both ends and the port, and never hides a doubt', () => {
    for (const cell of cells) {
      const { summary, advice, verdict, certain, result } = judged(cell);
      expect(summary, cell.name).toMatch(/^\S.* to \S.*, (TCP|UDP|IP protocol) \d+.*: .+\.$/);
      expect(`${summary}${advice ?? ''}`, cell.name).not.toMatch(/[^\P{C}]|undefined|null|\.\.| {2}/u);
      if (result !== 'pass') expect(advice, cell.name).toMatch(/^[A-Z].*\.$/);
      if (certain === 'likely' && ['blocked', 'intercepted', 'closed'].includes(verdict)) {
        expect(summary, cell.name).toMatch(/probably|seems/);
      }
      if (certain === 'proven') expect(summary, cell.name).not.toMatch(/probably|seems/);
    }
  });

  it('keeps sentences short enough to be read out: nine in ten below 160 characters, none above 220', () => {
    const lengths = cells.map((cell) => judged(cell).summary.length);
    expect(lengths.filter((length) => length > 160).length / lengths.length).toBeLessThan(0.1);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(220);
  });
});
