import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import * as update from '../../../daemon/engine/kernels/update.wasm.js';
import { compileWasm, sourceHash, wasmKernels } from '../../../daemon/engine/kernels/build.mjs';

const committed = { update };

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
