// Holds a profile against its document: each row's words beside the flows that it asks for, in both directions.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { carrierName } from '../../src/plan/asking.js';
import { parseProfile, type Flow, type Profile } from '../../src/plan/profile.js';
import { valueOf, warningsOf } from '../plan/fakes.js';

/** A row, or a sentence that asks something of the network, as the document words it; and each flow in short. */
export interface Row {
  readonly words: string;
  /** As `inShort` writes them, in the profile's order. */
  readonly flows: readonly string[];
}

/** A profile of ours. Throws with all that is wrong in it. */
export function ownProfile(id: string): Profile {
  const file = `profiles/${id}.yaml`;
  const parsed = parseProfile({ file, text: readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8') });
  expect(warningsOf(parsed)).toEqual([]);
  return valueOf(parsed);
}

/** Everything that planning makes of a flow except who asks and how deep: those follow the probes there are. */
export function inShort(flow: Flow): string {
  const { carrier, ports, required } = flow;
  const range =
    ports === undefined ? '' : ports.first === ports.last ? ` ${ports.first}` : ` ${ports.first}-${ports.last}`;
  return [
    `${flow.id}: ${flow.from.join()} ${flow.bothWays ? '<>' : '>'} ${flow.to.join()} ${carrierName(carrier)}${range}`,
    flow.configurable ? 'configurable' : '',
    flow.broadcast ? 'broadcast' : '',
    flow.sourcePort === undefined ? '' : `from port ${flow.sourcePort}`,
    flow.answersFrom === undefined ? '' : `answered from ${flow.answersFrom}`,
    flow.path ?? '',
    flow.everyMs === undefined ? '' : `every ${flow.everyMs / 1000}s`,
    ...required.features.map((feature) => `if ${feature}`),
    ...required.unless.map((feature) => `unless ${feature}`),
    required.oneOf === undefined ? '' : `one of ${required.oneOf}`,
    required.optional ? 'optional' : '',
    flow.erratum === undefined ? '' : 'erratum',
  ]
    .filter((word) => word !== '')
    .join(' ');
}

/** No row without its flows, no flow without its row, and each flow as the row has it. */
export function describeRows(profile: Profile, rows: readonly Row[]): void {
  describe(`the profile ${profile.id} and its document`, () => {
    it.each(rows)('has each flow of "$words"', ({ words, flows }) => {
      expect(flows).not.toEqual([]);
      expect(profile.flows.filter(({ source }) => source.includes(words)).map(inShort)).toEqual(flows);
    });

    it('has no words that the document does not have', () => {
      const known = new Set(rows.map(({ words }) => words));
      expect(profile.flows.flatMap(({ source }) => source).filter((words) => !known.has(words))).toEqual([]);
    });

    it('has no flow that no row asks for', () => {
      const asked = new Set(rows.flatMap(({ flows }) => flows));
      expect(profile.flows.map(inShort).filter((flow) => !asked.has(flow))).toEqual([]);
    });
  });
}
