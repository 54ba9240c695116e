import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A program in the addon; opaque. */
export type Program = object & { readonly __program: unique symbol };

/** The Node-API addon, daemon/engine/kernels/native/addon.c. */
export interface Addon {
  /** Whether this processor has the instructions it is compiled for. */
  supported(): boolean;
  /** Keeps the buffers alive; their places must not change. @param code trusted. */
  create(buffers: readonly Float32Array[], code: Int32Array, threads: number): Program;
  run(program: Program): Promise<void>;
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
  if (!path) return { reason: `no kernels are built for ${process.platform} ${process.arch}` };
  try {
    const addon = createRequire(import.meta.url)(path) as Addon;
    return addon.supported() ? { addon } : { reason: 'the processor has no AVX2 and FMA instructions' };
  } catch (error) {
    return { reason: `the kernels do not load: ${(error as Error).message.split('\n', 1)[0]}` };
  }
}
