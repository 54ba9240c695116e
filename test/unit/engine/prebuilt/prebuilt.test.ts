/** The prebuilt addons as files: what each asks of the system that loads it, and what it offers. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { darwinFunctions, nodeFunctions } from '../../../../daemon/engine/kernels/targets.mjs';
import { readElf } from './elf.js';
import { readMachO } from './machO.js';
import { readPe } from './pe.js';

const addon = (target: string): Buffer =>
  readFileSync(new URL(`../../../../daemon/engine/kernels/prebuilt/lc-kernels-${target}.node`, import.meta.url));

/** What Node calls. */
const OFFERS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
const ofNode = (name: string): boolean => /^(napi|uv)_/.test(name);
const NODE_FUNCTIONS = [...nodeFunctions].sort();

describe.each(['linux-x64', 'linux-arm64'])('the addon of %s', (target) => {
  const file = readElf(addon(target));

  it('asks Node for the functions that it lists', () => {
    expect(file.imports.filter(ofNode)).toEqual(NODE_FUNCTIONS);
  });

  it('offers what Node calls, and no more', () => {
    expect(file.exports).toEqual(OFFERS);
  });

  it('is loaded with the C library alone', () => {
    expect(file.libraries.filter((name) => !/^(libc|libm)\.so\.6$|^ld-linux/.test(name))).toEqual([]);
  });
});

describe.each([
  ['darwin-arm64', 0x0100000c],
  ['darwin-x64', 0x01000007],
])('the addon of %s', (target, processor) => {
  const bytes = addon(target);
  const file = readMachO(bytes);

  it('is a library for that processor, for macOS 11 and later', () => {
    expect([file.processor, file.kind, file.system]).toEqual([processor, 6, 'macos 11.0']);
  });

  it('asks the program that loads it for the functions of Node that it lists', () => {
    expect(file.lookedUp).toEqual(NODE_FUNCTIONS);
  });

  it('asks macOS for the functions that it lists, and for nothing else', () => {
    expect(file.libraries).toEqual(['/usr/lib/libSystem.B.dylib']);
    expect(file.imports.filter((name) => ![...darwinFunctions, 'dyld_stub_binder'].includes(name))).toEqual([]);
    expect(file.imports).toContain('memcpy');
  });

  it('offers what Node calls, and no more', () => {
    expect(file.exports).toEqual(OFFERS);
  });

  it('is signed ad hoc, without which no processor of Apple runs it', () => {
    expect(file.signature).toEqual({ adHoc: true, intact: true });
  });

  it('has a signature that one changed byte breaks', () => {
    const changed = Buffer.from(bytes);
    changed[0x5000]! ^= 1;
    expect(readMachO(changed).signature).toEqual({ adHoc: true, intact: false });
  });
});

describe('the addon of win32-x64', () => {
  const file = readPe(addon('win32-x64'));

  it('is a DLL for that processor that any place in memory suits, with the same bytes at each build', () => {
    expect([file.machine, file.isDll, file.time]).toEqual([0x8664, true, 0]);
    // HIGH_ENTROPY_VA, DYNAMIC_BASE, NX_COMPAT.
    expect(file.characteristics & 0x160).toBe(0x160);
    expect(file.system).toBeLessThanOrEqual(10);
  });

  it('is loaded with libraries that every Windows has, and names no program: an Electron application is not node.exe', () => {
    expect(file.libraries).toEqual(['kernel32.dll', 'msvcrt.dll']);
    expect(file.delayed).toEqual([]);
    expect(file.imports.filter(ofNode)).toEqual([]);
  });

  it('has the names of the functions that it searches in the program that loads it', () => {
    const text = addon('win32-x64').toString('latin1');
    expect(NODE_FUNCTIONS.filter((name) => !text.includes(`\0${name}\0`))).toEqual([]);
    expect(file.imports).toEqual(expect.arrayContaining(['GetModuleHandleW', 'GetProcAddress']));
  });

  it('offers what Node calls, and no more', () => {
    expect(file.exports).toEqual(OFFERS);
  });
});
