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

/** The compiler that made the committed addon. */
function hasGcc12(): boolean {
  try {
    return (
      process.arch === 'x64' &&
      nodeHeaders() !== null &&
      execFileSync('gcc', ['-dumpversion'], { encoding: 'utf8' }).startsWith('12')
    );
  } catch {
    return false;
  }
}

describe('committed native kernels', () => {
  const file = (ending: string) =>
    readFileSync(new URL(`../../../daemon/engine/kernels/prebuilt/lc-kernels-linux-x64.${ending}`, import.meta.url));

  it('are built from the sources as they are', () => {
    const { sourceHash: committed } = JSON.parse(file('json').toString()) as { sourceHash: string };
    expect(committed).toBe(sourceHash(nativeKernel));
  });

  it.skipIf(!hasGcc12())(
    'rebuild to the same bytes',
    () => {
      expect(compileNative().equals(file('node'))).toBe(true);
    },
    240_000,
  );

  it('need nothing newer than the C library that VS Code needs', () => {
    const versions = [
      ...file('node')
        .toString('latin1')
        .matchAll(/GLIBC_2\.(\d+)/g),
    ].map(([, minor]) => Number(minor));
    expect(versions.length).toBeGreaterThan(0);
    expect(Math.max(...versions)).toBeLessThanOrEqual(28);
    expect(file('node').length).toBeLessThan(400_000);
  });
});
