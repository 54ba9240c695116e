/** Builds a trainer from the sources for one test file, so that no test depends on how fresh `dist` is. */
import { build } from 'esbuild';
import { cp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export interface Bundle {
  readonly path: string;
  remove(): Promise<void>;
}

/** @param entry a TypeScript file, relative to the repository. */
export async function bundleTrainer(entry: string): Promise<Bundle> {
  // Inside the repository: packages are loaded from its node_modules.
  const folder = resolve('out', `trainer-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const path = join(folder, 'trainer.mjs');
  await build({
    entryPoints: [entry],
    outfile: path,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
  // The native kernels lie beside the bundle, as in the product.
  await cp('daemon/engine/kernels/prebuilt', join(folder, 'prebuilt'), { recursive: true });
  return { path, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 10 }) };
}
