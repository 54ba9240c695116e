import { defineConfig } from 'vitest/config';

/** Suites that need a WebGPU device, if a software one. `node test/webgpu/run.mjs` finds it first. */
export default defineConfig({
  test: {
    reporters: ['default', ['json', { outputFile: 'artifacts/results/webgpu.json' }]],
    include: ['test/webgpu/**/*.test.ts'],
    setupFiles: ['test/seed.ts'],
    testTimeout: 240_000,
    fileParallelism: false,
  },
});
