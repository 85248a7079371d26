// The registry against the folders of probes/, and what every probe must say of itself. How probes behave on a wire:
// test/probes/.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { probes } from '../probes/index.js';
import type { Carrier, Depth } from '../src/contract/probe.js';

const root = path.join(import.meta.dirname, '..');
const names = Object.keys(probes);

/** Probes that nobody can stand in for, and why. */
const withoutStandIn: Readonly<Record<string, string>> = {
  esp: 'A peer that answers an ESP packet of no association does not exist.',
  gre: 'It would need a raw socket, and take the packets of real tunnels.',
  icmp: 'The kernel answers.',
  'ipsec-over-udp': 'A peer that answers whom it has no tunnel with does not exist.',
};

const shallowToDeep: readonly Depth[] = ['port', 'secure', 'protocol', 'service'];

describe('the registry', () => {
  it('lists every folder of probes/ and nothing else, in alphabetical order', () => {
    const folders = readdirSync(path.join(root, 'probes'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
    expect(folders.length).toBeGreaterThan(0);
    expect(names).toEqual(folders.sort());
  });

  it('has names that fit a file name, a YAML value and a command line', () => {
    expect(names.filter((name) => !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))).toEqual([]);
  });

  it('gives a reason for every probe without a stand-in, and for no other', async () => {
    const lacking: string[] = [];
    for (const [name, load] of Object.entries(probes)) {
      if ((await load()).standIn === undefined) lacking.push(name);
    }
    expect(lacking).toEqual(Object.keys(withoutStandIn).sort());
  });
});

describe.each(Object.entries(probes))('%s', (name, load) => {
  it('is the name of the probe that its folder holds', async () => {
    const { probe } = await load();
    expect(probe.name).toBe(name);
  });

  it('sums itself up in one line', async () => {
    const { probe } = await load();
    expect(probe.summary).toMatch(/^\S.{9,119}$/);
  });

  it('has a test of its own', () => {
    expect(existsSync(path.join(root, 'test/probes', `${name}.test.ts`))).toBe(true);
  });

  it('has carriers, and a default port where they have ports', async () => {
    const { probe } = await load();
    expect(probe.carriers.length).toBeGreaterThan(0);
    expect(new Set(probe.carriers.map((each) => JSON.stringify(each))).size).toBe(probe.carriers.length);
    if (probe.defaultPort === undefined) return;
    expect(Number.isInteger(probe.defaultPort) && probe.defaultPort > 0 && probe.defaultPort < 65_536).toBe(true);
    expect(probe.carriers.some(hasPorts)).toBe(true);
  });

  it('has options that read as JSON Schema: kebab-case keys, each described, none besides', async () => {
    const { probe } = await load();
    const schema = optionsSchema.parse(z.toJSONSchema(probe.options, { io: 'input' }));
    for (const [key, option] of Object.entries(schema.properties)) {
      expect(key).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
      expect(option.description, key).toMatch(/^\S.{9,}\.$/);
    }
    expect(probe.options.safeParse({ ...sampleOptions(name), 'no-such-option': 1 }).success).toBe(false);
  });

  it('says of each carrier what it sends and how deep it reaches', async () => {
    const { probe } = await load();
    const options = probe.options.parse(sampleOptions(name));
    for (const carrier of probe.carriers) {
      const { traits } = probe.bind(carrier, options);
      expect(traits.depths.length).toBeGreaterThan(0);
      expect(traits.depths).toEqual(shallowToDeep.filter((depth) => traits.depths.includes(depth)));
      expect(traits.depths).toContain(traits.defaultDepth);
      expect(traits.sends.length).toBeGreaterThan(0);
      for (const { what, packets, bytes } of traits.sends) {
        expect(what).toMatch(/\S{2,}/);
        expect(Number.isInteger(packets) && packets > 0, what).toBe(true);
        expect(Number.isInteger(bytes) && bytes >= 0, what).toBe(true);
      }
    }
  });

  if (name in withoutStandIn) return;

  it('has a stand-in that answers on one of its carriers, and at most one for each', async () => {
    const { probe, standIn, otherStandIns = [] } = await load();
    if (standIn === undefined) throw new Error(`${name} exports no standIn and gives no reason`);
    const all = [standIn, ...otherStandIns];
    expect(new Set(all.map(({ carrier }) => carrier)).size).toBe(all.length);
    for (const each of all) {
      expect(probe.carriers).toContain(each.carrier);
      expect(typeof each[each.carrier === 'udp' ? 'reply' : 'session']).toBe('function');
    }
  });
});

const optionsSchema = z.looseObject({
  type: z.literal('object'),
  additionalProperties: z.literal(false),
  properties: z.record(z.string(), z.looseObject({ description: z.string() })),
});

/** Options for the probes that cannot do without some. */
function sampleOptions(name: string): Readonly<Record<string, unknown>> {
  const needed: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {};
  return needed[name] ?? {};
}

function hasPorts(carrier: Carrier): boolean {
  return carrier === 'tcp' || carrier === 'udp';
}
