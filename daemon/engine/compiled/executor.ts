import type { CopyRows } from '../engine.js';
import type { Graph } from '../../network/ir.js';
import type { Update } from '../update/update.js';

/** A graph ready to run, with a buffer for each input and output that `run` reads and writes in place. */
export interface Executor {
  run(): Promise<void>;
  /** The same, on the caller's thread: for steps so short that changing threads would dominate. */
  runNow?(): void;
  /** The LC-SGD update of vectors in `memory`, if the executor has a faster one than our WebAssembly. */
  update?(memory: WebAssembly.Memory): Update;
  /** Gathers rows on the executor's threads, if it has some. Not while it runs. */
  copyRows?: CopyRows;
  release(): Promise<void>;
}

/** @param inputs, outputs one buffer for each of the graph's, in its order and of its size. */
export type CreateExecutor = (
  graph: Graph,
  inputs: readonly Float32Array[],
  outputs: readonly Float32Array[],
) => Promise<Executor>;
