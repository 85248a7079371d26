// What linecheck wrote, parsed and held against the schemas that it publishes itself.
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'vitest';
import type { Report } from '../../src/contract/report.js';
import type { RunEvent } from '../../src/contract/run-event.js';
import { linecheck } from './linecheck.js';

type Reader<T> = (text: string) => T;

/** Reads text that must be valid by `linecheck schema WHAT`. */
async function readerOf<T>(what: string): Promise<Reader<T>> {
  const { stdout } = await linecheck(['schema', what]);
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const schema: unknown = JSON.parse(stdout);
  if (typeof schema !== 'object' || schema === null) throw new Error(`the schema of a ${what} is no object`);
  const valid = ajv.compile<T>(schema);
  return (text) => {
    const value: unknown = JSON.parse(text);
    if (valid(value)) return value;
    throw new Error(`not valid by the schema of a ${what}: ${ajv.errorsText(valid.errors)}\n${text}`);
  };
}

let reports: Promise<Reader<Report>> | undefined;
let events: Promise<Reader<RunEvent>> | undefined;

export async function reportIn(text: string): Promise<Report> {
  reports ??= readerOf<Report>('report');
  return (await reports)(text);
}

export async function eventsIn(text: string): Promise<readonly RunEvent[]> {
  events ??= readerOf<RunEvent>('event');
  const read = await events;
  expect(text.endsWith('\n')).toBe(true);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => read(line));
}

/** Flow -> `verdict how`. */
export function verdictsOf(report: Report): Readonly<Record<string, string>> {
  return Object.fromEntries(
    report.checks.map(({ flow, verdict, how }) => [flow, how === undefined ? verdict : `${verdict} ${how}`]),
  );
}
