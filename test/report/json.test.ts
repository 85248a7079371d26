// Reports and run events for programs: published schema, key order, nothing that a terminal would obey.
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import type { Report, ReportedCheck } from '../../src/contract/report.js';
import type { RunEvent } from '../../src/contract/run-event.js';
import { json, ndjson } from '../../src/report/json.js';
import { reportJsonSchema, reportSchema, runEventJsonSchema, runEventSchema } from '../../src/report/schema.js';
import { arbitraryReport, hostile } from './arbitrary.js';
import { expectGolden } from './golden.js';
import { events, full } from './events.js';
import { check, ldapServer, report, samples } from './samples.js';

/** Without `readonly`, which a schema does not know. */
type Loose<T> = T extends readonly (infer U)[]
  ? Loose<U>[]
  : T extends object
    ? { -readonly [K in keyof T]: Loose<T[K]> }
    : T;

function validator(schema: Readonly<Record<string, unknown>>): (value: unknown) => unknown {
  const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false });
  addFormats.default(ajv);
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? 'valid' : validate.errors);
}

/** Paths of all objects in a schema that would let an unknown key through. */
function openObjects(schema: unknown, path = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own = 'properties' in schema && (!('additionalProperties' in schema) || schema.additionalProperties !== false);
  return [
    ...(own ? [path] : []),
    ...Object.entries(schema).flatMap(([key, value]) => openObjects(value, `${path}/${key}`)),
  ];
}

describe('the schema', () => {
  it('of the report has the type of the contract, both ways', () => {
    expectTypeOf<Loose<Report>>().toExtend<z.infer<typeof reportSchema>>();
    expectTypeOf<z.infer<typeof reportSchema>>().toExtend<Report>();
  });

  it('of run events has the type of the contract, both ways', () => {
    expectTypeOf<Loose<RunEvent>>().toExtend<z.infer<typeof runEventSchema>>();
    expectTypeOf<z.infer<typeof runEventSchema>>().toExtend<RunEvent>();
  });

  it('knows every key there is and no other', () => {
    expect(openObjects(reportJsonSchema())).toEqual([]);
    expect(openObjects(runEventJsonSchema())).toEqual([]);
    const strange = { ...full, colour: 'red' };
    expect(reportSchema.safeParse(strange).success).toBe(false);
    expect(validator(reportJsonSchema())(strange)).not.toBe('valid');
  });

  it('is the published one', () => {
    expectGolden('report.schema.json', `${JSON.stringify(reportJsonSchema(), undefined, 2)}\n`);
    expectGolden('run-event.schema.json', `${JSON.stringify(runEventJsonSchema(), undefined, 2)}\n`);
  });
});

describe('json', () => {
  const validate = validator(reportJsonSchema());

  it.each(Object.entries({ ...samples, full }))('of %s is valid against the published schema', (_, sample) => {
    const parsed: unknown = JSON.parse(json(sample));
    expect(validate(parsed)).toBe('valid');
    expect(reportSchema.parse(parsed)).toEqual(sample);
  });

  it('has every key that a report can have, in the order of the design', () => {
    expectGolden('full.json', json(full));
  });

  it('has the same order of keys whatever the order in the report', () => {
    const reversed = (value: object): object => Object.fromEntries(Object.entries(value).reverse());
    const turned = reportSchema.parse({
      ...reversed(full),
      checks: full.checks.map(reversed),
      summary: reversed(full.summary),
    });
    expect(json({ ...turned, ...reversed(turned) })).toBe(json(full));
  });

  it('is indented by two and ends in one newline', () => {
    expect(json(full)).toMatch(/^\{\n {2}"schema": "linecheck\/report\/v1",\n/);
    expect(json(full)).toMatch(/[^\n]\n$/);
  });

  it('escapes what a terminal would obey, and loses nothing of it', () => {
    const sample = report([
      check({ flow: 'a', title: 'A', to: ldapServer, facts: { banner: hostile }, summary: hostile }),
    ]);
    expect(json(sample).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
    const [parsed] = reportSchema.parse(JSON.parse(json(sample))).checks;
    expect(parsed?.facts).toEqual({ banner: hostile });
  });

  it('gives back every report there can be', () => {
    fc.assert(
      fc.property(arbitraryReport, (sample) => {
        expect(JSON.parse(json(sample))).toEqual(sample);
        expect(validate(JSON.parse(json(sample)))).toBe('valid');
      }),
      { numRuns: 100 },
    );
  });
});

describe('ndjson', () => {
  const validate = validator(runEventJsonSchema());

  it.each(events.map((event) => [event.event, event] as const))('writes a valid line for %s', (_, event) => {
    const line = ndjson(event);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(validate(JSON.parse(line))).toBe('valid');
    expect(runEventSchema.parse(JSON.parse(line))).toEqual(event);
    expect(line.startsWith(`{"event":"${event.event}","t":`)).toBe(true);
  });

  it('stays on one line whatever a host sends', () => {
    const hit: ReportedCheck = check({ flow: 'a', title: hostile, to: ldapServer });
    expect(ndjson({ event: 'check', t: 1, check: hit }).trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
  });
});
