// The command doctor as it is run: on this machine, by whoever runs the tests, and without the optional packages.
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { expectFreshBuild, linecheck } from './linecheck.js';

beforeAll(expectFreshBuild);

/** Hides the optional packages from the process, as where their build failed. */
const HIDING = path.join(import.meta.dirname, '../truth/without-packages.js');

interface Diagnosis {
  readonly tool: { readonly tier: number; readonly can: readonly string[] };
  readonly findings: readonly { readonly what: string; readonly state: string; readonly remedy?: string }[];
}

const read = (stdout: string): Diagnosis => JSON.parse(stdout) as Diagnosis;

it('says what this machine has, and works whoever runs it', async () => {
  const { code, stdout, stderr } = await linecheck(['doctor', '--format', 'json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { tool, findings } = read(stdout);
  expect(findings.map(({ what }) => what)).toEqual(['Node', 'koffi', 'raw sockets', 'ping', 'open files', 'addresses']);
  expect(tool.can).toContain('errno');
  const raw = findings.find(({ what }) => what === 'raw sockets');
  expect(raw?.state).toBe(tool.can.includes('raw') ? 'good' : 'lacking');
});

it('without the optional packages works at tier 1, and says how to get them', async () => {
  const { code, stdout, stderr } = await linecheck(['doctor', '--format', 'json'], {
    env: { NODE_OPTIONS: `--import=${HIDING}` },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { tool, findings } = read(stdout);
  expect(tool).toMatchObject({ tier: 1, can: ['errno'] });
  for (const what of ['koffi', 'raw sockets']) {
    const finding = findings.find((one) => one.what === what);
    expect(finding?.state).toBe('lacking');
    expect(finding?.remedy).toMatch(/npm (install|rebuild)/);
  }
});

it('has a page for people', async () => {
  const { code, stdout } = await linecheck(['doctor']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^linecheck \d+\.\d+\.\d+ on Node /);
  expect(stdout).toMatch(/\nTier [123]: /);
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});
