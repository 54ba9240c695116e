import { UserError } from '../../protocol/errors.js';
import { type Graph, sizeOf } from '../graph/ir.js';
import type { Addon, Program } from './addon.js';
import { encode } from './encode.js';

/** A graph as a program of our own kernels, with a buffer for each input and output, used in place. */
export class NativeGraph {
  private constructor(
    private readonly addon: Addon,
    private readonly program: Program,
  ) {}

  /**
   * @param inputs, outputs one buffer for each of the graph's, in its order and of its size.
   * @throws Unsupported when no kernel computes something in the graph.
   */
  static create(
    addon: Addon,
    graph: Graph,
    inputs: readonly Float32Array[],
    outputs: readonly Float32Array[],
    { threads, level }: { readonly threads: number; readonly level: string },
  ): NativeGraph {
    const { code, arenaSize, constants } = encode(graph);
    graph.inputs.forEach(({ node }, i) => check(inputs[i], sizeOf(node.shape)));
    graph.outputs.forEach(({ node }, i) => check(outputs[i], sizeOf(node.shape)));
    const buffers = [new Float32Array(arenaSize), ...constants, ...inputs, ...outputs];
    return new NativeGraph(addon, addon.create(buffers, code, threads, level));
  }

  async run(): Promise<void> {
    try {
      await this.addon.run(this.program);
    } catch (error) {
      throw new UserError('engine-failed', `the native kernels failed: ${(error as Error).message}`);
    }
  }

  async release(): Promise<void> {
    this.addon.free(this.program);
  }
}

function check(buffer: Float32Array | undefined, size: number): void {
  if (buffer?.length !== size) throw new RangeError(`a buffer of ${buffer?.length} values for a tensor of ${size}`);
}
