/** The engine that users of Linux x64 get: here it is required, so that no suite passes by leaving its tests out. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { bytesHash } from '../../daemon/engine/kernels/build.mjs';
import { loadAddon } from '../../daemon/engine/native/addon.js';

const prebuilt = (ending: string) =>
  readFileSync(
    fileURLToPath(new URL(`../../daemon/engine/kernels/prebuilt/lc-kernels-linux-x64.${ending}`, import.meta.url)),
  );
const recorded = () => (JSON.parse(prebuilt('json').toString()) as { sha256: string }).sha256;

/** Processors before 2013 have no AVX2; the engine is not for them. */
const hasAvx2 = () => readFileSync('/proc/cpuinfo', 'utf8').includes(' avx2');

describe.runIf(process.platform === 'linux' && process.arch === 'x64' && hasAvx2())('the native engine', () => {
  test('loads', () => {
    expect(loadAddon()).toHaveProperty('addon');
  });

  test('has the bytes that were built', () => {
    expect(bytesHash(prebuilt('node'))).toBe(recorded());
  });

  test('is not taken for them with one byte changed', () => {
    const changed = Buffer.from(prebuilt('node'));
    changed[changed.length >> 1]! ^= 1;
    expect(bytesHash(changed)).not.toBe(recorded());
  });
});
