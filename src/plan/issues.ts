// What zod found, as problems in a file: which place, which word, what was expected. The schemas live elsewhere.
import { z } from 'zod';
import type { Place } from '../contract/flow.js';
import { childOf, isRecord, type Path } from './document.js';
import { nearest, oneOf } from './nearest.js';
import { quoted, shown, type Problems } from './problem.js';

type Issue = z.core.$ZodIssue;
/** A JSON Schema, as z.toJSONSchema makes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Origin {
  /** The value that was checked. */
  readonly value: unknown;
  place(path: Path, part: 'key' | 'value'): Place | undefined;
  /** How the top is called in a sentence: `the file`. */
  readonly top: string;
  /** What stands there is not to be repeated in a sentence. */
  hidden?(path: Path): boolean;
}

/** Checks `value`; adds a problem for all that is wrong with it. A schema's own messages begin with `expected `. */
export function checked<T>(schema: z.ZodType<T>, origin: Origin, problems: Problems): T | undefined {
  const result = schema.safeParse(origin.value, { error: expectation });
  if (result.success) return result.data;
  let keys: JsonSchema | undefined;
  const schemaOf = (): JsonSchema => (keys ??= jsonSchemaOf(schema));
  for (const issue of result.error.issues) report(issue, [], origin, schemaOf, problems);
  return undefined;
}

/** As an editor takes it: the shape of what is written, JSON Schema draft 7. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { target: 'draft-7', io: 'input', unrepresentable: 'any' });
}

function report(issue: Issue, above: Path, origin: Origin, schema: () => JsonSchema, problems: Problems): void {
  const path = [...above, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys) {
        problems.add(() => {
          const known = keysAt(schema(), path);
          const near = nearest(key, known);
          return {
            ...placed(origin, [...path, key], 'key'),
            what: `unknown key ${quoted(key)}${near === undefined ? '' : `; did you mean ${quoted(near)}?`}`,
            ...(near === undefined && known.length > 0 ? { expected: oneOf(known) } : {}),
          };
        });
      }
      return;
    case 'invalid_key':
      problems.add(() => ({
        ...placed(origin, path, 'key'),
        what: `the key ${quoted(String(path.at(-1)))}`,
        ...expected(issue.issues[0]?.message ?? 'expected another key'),
      }));
      return;
    case 'invalid_union': {
      const branch = issue.errors.find((issues) => issues.length > 0 && !issues.some(isOtherKind));
      if (branch !== undefined) {
        for (const inner of branch) report(inner, path, origin, schema, problems);
        return;
      }
      addWrong(`expected ${[...new Set(kindsOf(issue))].map(unprefixed).join(', or ')}`);
      return;
    }
    default:
      addWrong(issue.message);
  }

  function addWrong(message: string): void {
    problems.add(() => {
      const found = at(origin.value, path);
      const label = labelOf(path, origin.top);
      const hidden = (value: unknown): boolean => typeof value === 'string' && origin.hidden?.(path) === true;
      const what = found === undefined ? `${label} is missing` : `${label} is ${hidden(found) ? 'text' : shown(found)}`;
      // A probe's own refinement may word its message as it likes.
      if (!message.startsWith('expected ')) return { ...placed(origin, path, 'value'), what: `${what}: ${message}` };
      return { ...placed(origin, path, 'value'), what, ...expected(message) };
    });
  }
}

/** The value is of another kind altogether than this branch of a union takes. */
function isOtherKind(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_union') return issue.errors.every((issues) => issues.some(isOtherKind));
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

/** What each branch of a union would have taken. */
function kindsOf(issue: Issue): readonly string[] {
  if (issue.code !== 'invalid_union' || issue.message !== '') return [issue.message];
  return issue.errors.flatMap((issues) => issues.filter(isOtherKind).flatMap(kindsOf));
}

function placed(origin: Origin, path: Path, part: 'key' | 'value'): { readonly place?: Place } {
  const place = origin.place(path, part);
  return place === undefined ? {} : { place };
}

function expected(message: string): { readonly expected: string } {
  return { expected: unprefixed(message) };
}

function unprefixed(message: string): string {
  return message.startsWith('expected ') ? message.slice('expected '.length) : message;
}

function at(value: unknown, path: Path): unknown {
  return path.reduce(childOf, value);
}

/** `tcp`, `from[1]`, `flows[3]`: the last key and what follows it; a file's place says the rest. */
function labelOf(path: Path, top: string): string {
  if (path.length === 0) return top;
  const last = path.findLastIndex((step) => typeof step === 'string');
  const rest = path.slice(last + 1).map((step) => `[${String(step)}]`);
  return (last < 0 ? top : String(path[last])) + rest.join('');
}

const KIND: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'a map of keys'],
  ['record', 'a map of keys'],
]);

/** zod's issues in the words of people; a schema's own message goes before it. */
function expectation(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${KIND.get(issue.expected) ?? issue.expected}`;
    case 'too_small':
      return `expected at least ${String(issue.minimum)}${unit(issue.origin)}`;
    case 'too_big':
      return `expected at most ${String(issue.maximum)}${unit(issue.origin)}`;
    case 'invalid_format':
      return `expected ${issue.format === 'regex' ? `text that matches ${issue.pattern ?? ''}` : issue.format}`;
    case 'not_multiple_of':
      return `expected a multiple of ${String(issue.divisor)}`;
    case 'invalid_value':
      return `expected ${issue.values.length === 1 ? shown(issue.values[0]) : oneOf(issue.values.map(String))}`;
    case 'invalid_union':
      return '';
    default:
      return 'expected another value';
  }
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' || origin === 'set' ? ' entries' : '';
}

/** The keys that a JSON Schema knows at `path`. */
export function keysAt(schema: JsonSchema, path: Path): readonly string[] {
  let here = branches(schema);
  for (const step of path) here = here.flatMap((one) => branches(childSchema(one, step)));
  return [...new Set(here.flatMap((one) => (isRecord(one['properties']) ? Object.keys(one['properties']) : [])))];
}

/** A schema and all its alternatives. */
function branches(schema: unknown): readonly JsonSchema[] {
  if (!isRecord(schema)) return [];
  const inner = ['anyOf', 'oneOf', 'allOf'].flatMap((word) => {
    const list = schema[word];
    return Array.isArray(list) ? list.flatMap(branches) : [];
  });
  return [schema, ...inner];
}

function childSchema(schema: JsonSchema, step: PropertyKey): unknown {
  return childOf(schema['properties'], step) ?? schema[typeof step === 'number' ? 'items' : 'additionalProperties'];
}

/** The paths at which an option names a secret of the site, by the schema's mark; a list's items are `*`. */
export function secretPaths(schema: JsonSchema): readonly (readonly string[])[] {
  return branches(schema).flatMap((one) => {
    const own = one['linecheck'] === 'secret' ? [[]] : [];
    const { properties, items } = { properties: one['properties'], items: one['items'] };
    const keyed = isRecord(properties)
      ? Object.entries(properties).flatMap(([key, inner]) =>
          isRecord(inner) ? secretPaths(inner).map((path) => [key, ...path]) : [],
        )
      : [];
    const listed = isRecord(items) ? secretPaths(items).map((path) => ['*', ...path]) : [];
    return [...own, ...keyed, ...listed];
  });
}

/** The strings at a path of `secretPaths`, each with the place of it in the value. */
export function stringsAt(
  value: unknown,
  path: readonly string[],
): readonly { readonly path: Path; readonly text: string }[] {
  const [step, ...rest] = path;
  if (step === undefined) return typeof value === 'string' ? [{ path: [], text: value }] : [];
  const steps: readonly PropertyKey[] = step === '*' ? (Array.isArray(value) ? [...value.keys()] : []) : [step];
  return steps.flatMap((one) =>
    stringsAt(childOf(value, one), rest).map((found) => ({ path: [one, ...found.path], text: found.text })),
  );
}
