import type { Graph } from '../graph/ir.js';

/** A graph made ready to run, with a buffer for each input and output that `run` reads and writes in place. */
export interface Executor {
  run(): Promise<void>;
  release(): Promise<void>;
}

/** @param inputs, outputs one buffer for each of the graph's, in its order and of its size. */
export type CreateExecutor = (
  graph: Graph,
  inputs: readonly Float32Array[],
  outputs: readonly Float32Array[],
) => Promise<Executor>;
