// Golden files: text compared with what stands in golden/, and written there only on demand.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/**
 * Compares with golden/NAME; with UPDATE_GOLDEN=1 in the environment writes it instead. A missing file is a failure:
 * text that nobody has looked at proves nothing.
 */
export function expectGolden(name: string, text: string): void {
  const file = new URL(`golden/${name}`, import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  expect(existsSync(file), `golden/${name} is missing; UPDATE_GOLDEN=1 writes it, and then read it`).toBe(true);
  expect(text).toBe(readFileSync(file, 'utf8'));
}
