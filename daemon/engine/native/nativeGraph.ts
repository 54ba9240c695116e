import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import type { Executor } from '../compiled/executor.js';
import type { CopyRows } from '../engine.js';
import { type Graph } from '../../network/ir.js';
import { createUpdateBy, type Update } from '../update/update.js';
import type { Addon, Program } from './addon.js';
import type { Operation } from './cost.js';
import { encode } from './encode.js';

/** A graph as a program of our own kernels, with a buffer for each input and output, used in place. */
export class NativeGraph implements Executor {
  private constructor(
    private readonly addon: Addon,
    private readonly program: Program,
    /** What the program does, in order. */
    readonly operations: readonly Operation[],
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
    const { code, arenaSize, constants, operations } = encode(graph);
    graph.inputs.forEach(({ node }, i) => check(inputs[i], sizeOf(node.shape)));
    graph.outputs.forEach(({ node }, i) => check(outputs[i], sizeOf(node.shape)));
    const buffers = [new Float32Array(arenaSize), ...constants, ...inputs, ...outputs];
    return new NativeGraph(addon, addon.create(buffers, code, threads, level), operations);
  }

  async run(): Promise<void> {
    try {
      await this.addon.run(this.program);
    } catch (error) {
      throw failure(error);
    }
  }

  runNow(): void {
    try {
      this.addon.runNow(this.program);
    } catch (error) {
      throw failure(error);
    }
  }

  /** On the program's threads, in its level's instructions. */
  update(memory: WebAssembly.Memory): Update {
    const bytes = new Uint8Array(memory.buffer);
    return createUpdateBy((...call) => this.addon.update(this.program, bytes, ...call));
  }

  readonly copyRows: CopyRows = (...call) => this.addon.copyRows(this.program, ...call);

  /** What each operation took when the program ran last. */
  seconds(): number[] {
    return this.addon.seconds(this.program);
  }

  async release(): Promise<void> {
    this.addon.free(this.program);
  }
}

const failure = (error: unknown): UserError =>
  new UserError('engine-failed', `the native kernels failed: ${(error as Error).message}`);

function check(buffer: Float32Array | undefined, size: number): void {
  if (buffer?.length !== size) throw new RangeError(`a buffer of ${buffer?.length} values for a tensor of ${size}`);
}
