// All that a kit promises, with every socket opened through the kernel: the tests of kit.test.ts over again.
import { afterAll, beforeEach, expect, it } from 'vitest';
import { kernelAccess } from '../../src/net/kernel.js';
import { skipFor } from '../lab/requirements.js';
import { askThrough } from './kit.js';
import './kit.test.js';

const access = await kernelAccess();
let ran = 0;

if ('kernel' in access) askThrough(access.kernel);
beforeEach((ctx) => {
  skipFor(ctx, 'missing' in access ? `${access.missing}; npm install` : undefined);
  ran += 1;
});

it('can be asked', () => {
  expect('kernel' in access).toBe(true);
});

afterAll(() => {
  if ('kernel' in access) expect(ran).toBeGreaterThan(40);
});
