// Secrets: read once, by name, kept in this one place, and struck out of everything that leaves it.
import process from 'node:process';
import type { Plan, Problem } from '../contract/flow.js';
import { UsageError } from './fail.js';
import { readBytes } from './files.js';

export interface Secrets {
  /** Throws for a name that was not loaded. */
  get(name: string): Uint8Array;
  /** The same value, every secret in its strings struck out. */
  redact<T>(value: T): T;
}

/** Shorter ones would strike out half of every sentence. */
const LEAST_LENGTH = 4;
/** A shorter line of a secret says nothing of it. */
const LEAST_LINE = 16;
const STRUCK = '[secret]';

function* stringsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) yield* stringsIn(part);
}

function strike(value: unknown, words: readonly string[]): unknown {
  if (typeof value === 'string') return words.reduce((text, word) => text.replaceAll(word, STRUCK), value);
  if (Array.isArray(value)) return value.map((part: unknown) => strike(part, words));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, strike(part, words)]));
}

/** How a secret may turn up in an output, a line of a key by itself included. */
function formsOf(bytes: Uint8Array): readonly string[] {
  const text = Buffer.from(bytes).toString('utf8');
  const lines = text.split(/\r?\n/).filter((line) => line.length >= LEAST_LINE && !line.startsWith('-----'));
  return [text, ...lines]
    .flatMap((part) => [part, Buffer.from(part).toString('hex')])
    .concat(Buffer.from(bytes).toString('hex'), Buffer.from(bytes).toString('base64'))
    .filter((form) => form.length >= LEAST_LENGTH);
}

/** Those that the plan's checks name. A file's last line end is not part of a secret. Throws UsageError with all that are missing. */
export function loadSecrets(plan: Plan): Secrets {
  const named = new Set(plan.checks.flatMap(({ options }) => [...stringsIn(options)]));
  const values = new Map<string, Uint8Array>();
  const problems: Problem[] = [];
  for (const [name, source] of Object.entries(plan.secrets)) {
    if (!named.has(name)) continue;
    if ('env' in source) {
      const value = process.env[source.env];
      if (value === undefined || value === '') {
        problems.push({ what: `secret ${name}: the environment variable ${source.env} is not set` });
      } else values.set(name, Buffer.from(value, 'utf8'));
      continue;
    }
    try {
      const text = readBytes(source.file, { kind: `secret ${name}` });
      const value = text.at(-1) === 0x0a ? text.subarray(0, text.at(-2) === 0x0d ? -2 : -1) : text;
      if (value.length === 0) problems.push({ what: `secret ${name}: the file ${source.file} is empty` });
      else values.set(name, value);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new UsageError(...problems);
  const words = [...values.values()].flatMap(formsOf).sort((a, b) => b.length - a.length);
  return {
    get: (name) => {
      const value = values.get(name);
      if (value === undefined) throw new Error(`no secret of the name ${name} was loaded`);
      return value;
    },
    redact: (value) => (words.length === 0 ? value : (strike(value, words) as typeof value)),
  };
}
