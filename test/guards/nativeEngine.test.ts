/** The engine that users get: on a platform with kernels it is required, so that no suite passes by leaving its tests out. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { bytesHash } from '../../daemon/engine/kernels/build.mjs';
import { targets } from '../../daemon/engine/kernels/targets.mjs';
import { loadAddon } from '../../daemon/engine/native/addon.js';
import { platformOf } from '../host/vsix/binary.mjs';
import { TARGETS } from '../host/vsix/targets.mjs';

const path = (target: string, ending: string) =>
  fileURLToPath(new URL(`../../daemon/engine/kernels/prebuilt/lc-kernels-${target}.${ending}`, import.meta.url));

/** Processors before 2013 have no AVX2; the engine is not for them. */
const hasVectors = () =>
  process.arch !== 'x64' || !existsSync('/proc/cpuinfo') || readFileSync('/proc/cpuinfo', 'utf8').includes(' avx2');

test.runIf(`${process.platform}-${process.arch}` in targets && hasVectors())('the native engine loads', () => {
  expect(loadAddon()).toHaveProperty('addon');
});

describe.each(Object.keys(targets))('the native engine of %s', (target) => {
  const bytes = readFileSync(path(target, 'node'));
  const { sha256 } = JSON.parse(readFileSync(path(target, 'json'), 'utf8')) as { sha256: string };

  test('has the bytes that were built, for that platform', () => {
    expect(bytesHash(bytes)).toBe(sha256);
    expect(platformOf(bytes)).toBe(target);
  });

  test('is not taken for them with one byte changed', () => {
    const changed = Buffer.from(bytes);
    changed[changed.length >> 1]! ^= 1;
    expect(bytesHash(changed)).not.toBe(sha256);
  });
});

test('every platform that a VSIX is made for has kernels, but for Windows on ARM', () => {
  expect(TARGETS.filter((target) => !(target in targets))).toEqual(['win32-arm64']);
  for (const target of TARGETS) expect(existsSync(path(target, 'node'))).toBe(target in targets);
});
