// Bytes that this project did not make: captures and examples from documents, with their origin. They lie in vectors/.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'vectors');

/** The bytes of `vectors/<path>`: hexadecimal lines; lines that begin with # tell where they come from. */
export function vector(path: string): Uint8Array {
  const lines = readFileSync(join(folder, path), 'latin1').split('\n');
  if (!lines.some((line) => line.startsWith('#'))) throw new Error(`${path} does not say where it comes from`);
  const hex = lines.filter((line) => !line.startsWith('#')).join('');
  if (!/^(?:[0-9a-f]{2})+$/.test(hex)) throw new Error(`${path} is not hexadecimal`);
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** All of one probe's, by path. */
export function vectorsOf(probe: string): readonly { readonly path: string; readonly bytes: Uint8Array }[] {
  return readdirSync(join(folder, probe))
    .filter((name) => name.endsWith('.hex'))
    .sort()
    .map((name) => ({ path: `${probe}/${name}`, bytes: vector(`${probe}/${name}`) }));
}
