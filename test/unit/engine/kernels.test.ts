import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as sparse from '../../../daemon/engine/kernels/sparse.wasm.js';
import * as update from '../../../daemon/engine/kernels/update.wasm.js';
import {
  compileNative,
  compileWasm,
  nativeKernel,
  nodeHeaders,
  sourceHash,
  wasmKernels,
} from '../../../daemon/engine/kernels/build.mjs';
import { cannotBuild, targets } from '../../../daemon/engine/kernels/targets.mjs';

const committed = { update, sparse };

/** The compiler that made the committed modules; other versions give other, equally good bytes. */
function hasClang14(): boolean {
  try {
    execFileSync('wasm-ld', ['--version'], { stdio: 'ignore' });
    return execFileSync('clang', ['--version'], { encoding: 'utf8' }).includes('clang version 14.');
  } catch {
    return false;
  }
}

describe.each(Object.entries(committed))('committed kernel %s', (name, module) => {
  const kernel = wasmKernels[name as keyof typeof committed];
  const bytes = Buffer.from(module.wasmBase64, 'base64');

  it('is built from the sources as they are', () => {
    expect(module.sourceHash).toBe(sourceHash(kernel));
  });

  it.skipIf(!hasClang14())('rebuilds to the same bytes', () => {
    expect(compileWasm(kernel).equals(bytes)).toBe(true);
  });

  it("places nothing of its own in the caller's memory", () => {
    const compiled = new WebAssembly.Module(bytes);
    expect(WebAssembly.Module.imports(compiled)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
    const memory = new WebAssembly.Memory({ initial: 1 });
    new Uint8Array(memory.buffer).fill(0xa5);
    new WebAssembly.Instance(compiled, { env: { memory } });
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 0xa5)).toBe(true);
  });
});

describe.each(Object.keys(targets))('committed native kernels of %s', (target) => {
  const file = (ending: string) =>
    readFileSync(new URL(`../../../daemon/engine/kernels/prebuilt/lc-kernels-${target}.${ending}`, import.meta.url));
  const record = JSON.parse(file('json').toString()) as { sourceHash: string };

  it('are built from the sources as they are', () => {
    expect(record.sourceHash).toBe(sourceHash(nativeKernel(target)));
  });

  it('are small', () => {
    // macOS rounds segments to pages of 16 kB, and each page has a signature.
    expect(file('node').length).toBeLessThan(target.startsWith('darwin') ? 420_000 : 400_000);
  });

  it.skipIf(nodeHeaders() === null || cannotBuild(target) !== null)(
    'rebuild to the same bytes',
    () => {
      expect(compileNative([], target).equals(file('node'))).toBe(true);
    },
    600_000,
  );

  it.runIf(target.startsWith('linux'))('need nothing newer than the C library that VS Code needs', () => {
    const versions = [
      ...file('node')
        .toString('latin1')
        .matchAll(/GLIBC_2\.(\d+)/g),
    ].map(([, minor]) => Number(minor));
    expect(versions.length).toBeGreaterThan(0);
    expect(Math.max(...versions)).toBeLessThanOrEqual(28);
  });
});
