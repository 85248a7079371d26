// The small schemas that profiles and sites share: ids, ports, durations, texts, one or a list of something.
import { z } from 'zod';
import type { Problem } from '../contract/flow.js';
import { isRecord } from './document.js';
import { DURATION, parseDuration } from './duration.js';
import { suggestion } from './nearest.js';
import { quoted, type Placed } from './problem.js';

/** Makes a schema when it is first needed, and then keeps it: building and compiling one takes milliseconds. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const KEBAB = '[a-z0-9]+(?:-[a-z0-9]+)*';

/** The id of a profile, role, feature, flow or secret. */
export function idSchema(): z.ZodType<string> {
  return z
    .string({ error: ID_EXPECTED })
    .regex(new RegExp(`^${KEBAB}$`), { error: ID_EXPECTED })
    .max(80);
}
const ID_EXPECTED = 'expected lower-case letters, digits and single hyphens';

/** `role` or `profile/role`. */
export function qualifiedIdSchema(): z.ZodType<string> {
  return z
    .string({ error: ID_EXPECTED })
    .regex(new RegExp(`^${KEBAB}(?:/${KEBAB})?$`), { error: `${ID_EXPECTED}, or PROFILE/ID` })
    .max(161);
}

/** A line or a paragraph for a person. */
export function textSchema(): z.ZodType<string> {
  return z.string({ error: 'expected text' }).min(1, { error: 'expected text' }).max(4000);
}

/** One such, or a list of them. */
export function oneOrMore<T extends z.ZodType>(schema: T): z.ZodUnion<[T, z.ZodArray<T>]> {
  return z.union([schema, z.array(schema).min(1, { error: 'expected at least one entry' })]);
}

const PORT_EXPECTED = 'expected a port from 1 to 65535';

export function portSchema(): z.ZodType<number> {
  return z.int({ error: PORT_EXPECTED }).min(1, { error: PORT_EXPECTED }).max(65535, { error: PORT_EXPECTED });
}

/** A port, or a range `900-902`. */
export function portsSchema(): z.ZodType<number | string> {
  const error = `${PORT_EXPECTED}, or a range "900-902"`;
  return z.union([
    z.int({ error }).min(1, { error }).max(65535, { error }),
    z
      .string({ error })
      .regex(/^\d{1,5}-\d{1,5}$/, { error, abort: true })
      .refine((text) => rangeProblem(text) === undefined, { error: ({ input }) => rangeProblem(String(input)) }),
  ]);
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Beyond that a range is a network to be swept, not a flow to be proven. */
const WIDEST_RANGE = 1024;

function rangeProblem(text: string): string | undefined {
  const { first, last } = portsOf(text);
  if (first < 1 || last < 1 || first > 65535 || last > 65535) return 'expected ports from 1 to 65535';
  if (first > last) return `the range is upside down; did you mean "${last}-${first}"?`;
  return last - first < WIDEST_RANGE ? undefined : `expected at most ${WIDEST_RANGE} ports`;
}

/** What `portsSchema` accepts, as first and last port. */
export function portsOf(written: number | string): PortRange {
  const [first = 0, last = first] = String(written).split('-').map(Number);
  return { first, last };
}

export function durationSchema(): z.ZodType<string> {
  const error = 'expected a duration such as 500ms, 30s or 2m';
  return z
    .string({ error })
    .regex(DURATION, { error, abort: true })
    .refine((text) => parseDuration(text) !== undefined, { error: 'expected more than nothing, and at most 24 days' });
}

/** Options of a probe: which ones there are, the probe knows. */
export function optionsSchema(): z.ZodType<Record<string, unknown>> {
  return z.record(z.string(), z.unknown(), { error: 'expected a map of options' });
}

export const REACHES = ['path', 'port', 'secure', 'protocol', 'service'] as const;

export function listOf<T>(oneOrMany: T | readonly T[] | undefined): readonly T[] {
  if (oneOrMany === undefined) return [];
  return isList(oneOrMany) ? oneOrMany : [oneOrMany];
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

/** `no role of that name; did you mean "x"?`, at the place where the name was written. */
export function unknownName(kind: string, name: Placed<string>, known: readonly string[]): Problem {
  const { hint, expected } = suggestion(name.value, known);
  return {
    ...(name.place === undefined ? {} : { place: name.place }),
    what: `no ${kind} ${quoted(name.value)}${hint}`,
    ...(expected === undefined ? {} : { expected }),
  };
}

/** Own entries of what should have been a map. */
export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isRecord(value) ? Object.entries(value) : [];
}
