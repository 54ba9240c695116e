import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CopyRows } from '../engine.js';
import type { UpdateKernel } from '../update/update.js';
import { layoutHash } from './layout.js';

/** A program in the addon; opaque. */
export type Program = object & { readonly __program: unique symbol };

/** The Node-API addon, daemon/engine/kernels/native/addon. */
export interface Addon {
  /** Of the program layout that the kernels were compiled with. */
  readonly layout: string;
  /** Names of the levels of instructions that this processor can run, best first. Numbers differ by rounding among them. */
  levels(): string[];
  /** Keeps the buffers alive; their places must not change. @param code trusted. */
  create(buffers: readonly Float32Array[], code: Int32Array, threads: number, level: string): Program;
  run(program: Program): Promise<void>;
  /** The same, blocking. */
  runNow(program: Program): void;
  /** The LC-SGD update (kernels/update.c) of vectors at byte offsets into the memory, 0 for none; on the program's threads. */
  update(program: Program, memory: Uint8Array, ...call: Parameters<UpdateKernel>): void;
  /**
   * Rows `indices[from .. from+count)` of `rows` into the start of `out`, on the program's threads.
   * @throws when one of them is not there, or `out` is too short.
   */
  copyRows(program: Program, ...call: Parameters<CopyRows>): void;
  /** Seconds that each operation took in the last run. */
  seconds(program: Program): number[];
  free(program: Program): void;
}

/** Where the prebuilt addon of this platform may lie: beside the sources, or in the bundle's folder (chunks are one deeper). */
function candidates(): string[] {
  const here = dirname(fileURLToPath(import.meta.url));
  const file = `lc-kernels-${process.platform}-${process.arch}.node`;
  return ['../kernels/prebuilt', 'prebuilt', '../prebuilt'].map((folder) => join(here, folder, file));
}

let loaded: { addon: Addon } | { reason: string } | undefined;

/** Loads the addon once. @returns it, or why there is none, in one line. */
export function loadAddon(): { addon: Addon } | { reason: string } {
  return (loaded ??= load());
}

function load(): { addon: Addon } | { reason: string } {
  const path = candidates().find(existsSync);
  return path ? openAddon(path) : { reason: `no kernels are built for ${process.platform} ${process.arch}` };
}

/**
 * Loads the addon at a path. One that was compiled with another table of operations is refused: it would read the words of
 * programs as something else.
 *
 * @param layout the hash of the table that programs are encoded by.
 * @returns the addon, or why it cannot be used, in one line.
 */
export function openAddon(path: string, layout = layoutHash): { addon: Addon } | { reason: string } {
  try {
    const addon = createRequire(import.meta.url)(path) as Addon;
    // Addons from before there was a table have none.
    const found = (addon as Partial<Addon>).layout ?? 'none';
    if (found !== layout)
      return {
        reason: `the kernels in ${path} are of another version of LC Prune (layout ${found}, not ${layout}): install it again, or build them with "node daemon/engine/kernels/build.mjs native"`,
      };
    return addon.levels().length > 0 ? { addon } : { reason: 'the processor has no AVX2 and FMA instructions' };
  } catch (error) {
    return { reason: `the kernels do not load: ${(error as Error).message.split('\n', 1)[0]}` };
  }
}

/**
 * The level of instructions to use: the processor's best, or what LC_PRUNE_CPU names, where the processor has it.
 *
 * @throws RangeError for one it does not have.
 */
export function kernelLevel(addon: Addon, wanted = process.env['LC_PRUNE_CPU']): string {
  const levels = addon.levels();
  if (wanted && !levels.includes(wanted))
    throw new RangeError(`LC_PRUNE_CPU is "${wanted}"; this processor has ${levels.join(', ')}`);
  return wanted || levels[0]!;
}
