// Holds the import rules against the tree as it stands, and each rule against trees that break it.
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { graphOf, graphOnDisk, type Graph } from './graph.js';
import { atStartUp, exceptions, roomOf, rules, type Violation } from './rules.js';

const root = path.join(import.meta.dirname, '../..');
const onDisk = graphOnDisk(root);

describe.each(rules)('$rule', (rule) => {
  it('holds for every file', () => {
    const excepted = exceptions.filter((each) => each.rule === rule.rule).map((each) => each.file);
    const violations = rule.violations(onDisk).filter(({ at }) => !excepted.includes(at.replace(/:\d+$/, '')));
    expect(toLines(violations), rule.why).toEqual([]);
  });

  it('is seen to be broken by every tree that breaks it, at the right line', () => {
    const seen = rule.breaks.map(({ tree }) => ({ tree, at: rule.violations(graphOf(tree)).map((each) => each.at) }));
    expect(seen).toEqual(rule.breaks);
  });

  it('is kept by the trees that only look alike', () => {
    expect(rule.keeps.map((tree) => ({ tree, lines: toLines(rule.violations(graphOf(tree))) }))).toEqual(
      rule.keeps.map((tree) => ({ tree, lines: [] })),
    );
  });

  it('has a reason in prose and something that breaks it', () => {
    expect(rule.why).toMatch(/^[A-Z].{40,}\.$/);
    expect(rule.breaks).not.toEqual([]);
  });
});

it.each(exceptions)('$file needs its exception', (exception) => {
  const broken = rules.find((each) => each.rule === exception.rule)?.violations(onDisk) ?? [];
  expect(broken.map(({ at }) => at.replace(/:\d+$/, ''))).toContain(exception.file);
  expect(exception.why).toMatch(/^[A-Z].{40,}\.$/);
});

describe('the graph of the tree on disk', () => {
  it('has files in every room that exists, and the imports between them', () => {
    expect(roomsOf(onDisk)).toEqual(
      expect.arrayContaining(['contract', 'bytes', 'net', 'plan', 'run', 'judge', 'report']),
    );
    const reader = onDisk.get('src/bytes/reader.ts');
    expect(reader?.imports.map((each) => each.target)).toContainEqual({ kind: 'file', path: 'src/bytes/errors.ts' });
  });

  it('follows the executable into the command line', () => {
    expect(atStartUp(onDisk).map((file) => file.path)).toContain('src/entry/cli.ts');
  });
});

function toLines(violations: readonly Violation[]): readonly string[] {
  return violations.map(({ at, what }) => `${at}: ${what}`);
}

function roomsOf(graph: Graph): readonly string[] {
  return [...new Set([...graph.keys()].map(roomOf))];
}
