import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    // Most tests wait for servers and deadlines, not for the processor.
    maxWorkers: 5,
    hookTimeout: 60_000,
  },
});
