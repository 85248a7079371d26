// Secrets: read once, by name, kept in this one place, and struck out of everything that leaves it.
import process from 'node:process';
import type { Plan, Problem } from '../contract/flow.js';
import { systemWords, UsageError } from './fail.js';
import { readFileSync } from 'node:fs';

export interface Secrets {
  /** Throws for a name that was not loaded. */
  get(name: string): Uint8Array;
  /** The same value, every secret in its strings struck out. */
  redact<T>(value: T): T;
}

/** Shorter ones would strike out half of every sentence. */
const LEAST_LENGTH = 4;
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

/** Those that the plan's checks name. A file's last line end is not part of a secret. Throws UsageError. */
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
      const text = readFileSync(source.file);
      values.set(name, text.at(-1) === 0x0a ? text.subarray(0, -1) : text);
    } catch (error) {
      problems.push({ what: `secret ${name}: cannot read ${source.file}: ${systemWords(error)}` });
    }
  }
  if (problems.length > 0) throw new UsageError(...problems);
  const words = [...values.values()]
    .flatMap((bytes) => {
      const buffer = Buffer.from(bytes);
      return [buffer.toString('utf8'), buffer.toString('hex'), buffer.toString('base64')];
    })
    .filter((word) => word.length >= LEAST_LENGTH);
  return {
    get: (name) => {
      const value = values.get(name);
      if (value === undefined) throw new Error(`no secret of the name ${name} was loaded`);
      return value;
    },
    redact: (value) => (words.length === 0 ? value : (strike(value, words) as typeof value)),
  };
}
