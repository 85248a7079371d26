// Every probe runs the shared suite, and every decoder has its fuzz property: what a missing test would not tell itself.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { probes } from '../../probes/index.js';
import { DECODER_NAME } from './decoders.js';

const root = join(import.meta.dirname, '../..');

describe.each(Object.keys(probes))('%s', (name) => {
  const test = join(root, 'test/probes', `${name}.test.ts`);
  const text = existsSync(test) ? readFileSync(test, 'utf8') : '';
  const packet = join(root, 'probes', name, 'packet.ts');

  it('runs the suite that every probe passes', () => {
    expect(text).toMatch(/^\s*describe(?:Packet)?Conformance\(/m);
  });

  it('has its decoders under the fuzz properties, where it has any', async () => {
    const exported: unknown = existsSync(packet) ? await import(packet) : {};
    const names = Object.keys(typeof exported === 'object' && exported !== null ? exported : {}).filter((each) =>
      DECODER_NAME.test(each),
    );
    const tested =
      /^\s*describeDecoders\(packet,/m.test(text) &&
      text.includes(`import * as packet from '../../probes/${name}/packet.js'`);
    expect({ names, tested }).toEqual({ names, tested: names.length > 0 });
  });
});
