import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { UserError } from '../../protocol/errors.js';
import type { Graph } from '../../network/ir.js';
import type { CreateExecutor } from './executor.js';
import { loadRuntime } from './runtime.js';
import { emitOnnx } from '../../onnx/emit/emit.js';
import { cpuOnnx, gpuOnnx } from '../../onnx/emit/emitter.js';

export type ExecutionProvider = 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';

export interface RuntimeOptions {
  readonly provider: ExecutionProvider;
  readonly threads: number;
}

/** A graph in onnxruntime with a buffer for each input and output, used in place: `run` reads and writes them. */
export class OnnxGraph {
  readonly #session: InferenceSession;
  readonly #feeds: Record<string, Tensor>;
  readonly #fetches: Record<string, Tensor>;
  readonly #afterwards: () => void;

  private constructor(
    session: InferenceSession,
    feeds: Record<string, Tensor>,
    fetches: Record<string, Tensor>,
    afterwards: () => void,
  ) {
    this.#session = session;
    this.#feeds = feeds;
    this.#fetches = fetches;
    this.#afterwards = afterwards;
  }

  /** @param inputs, outputs one buffer for each of the graph's, in its order and of its size. */
  static async create(
    graph: Graph,
    inputs: readonly Float32Array[],
    outputs: readonly Float32Array[],
    { provider, threads }: RuntimeOptions,
  ): Promise<OnnxGraph> {
    const ort = await loadRuntime();
    const model = emitOnnx(graph, provider === 'cpu' ? cpuOnnx : gpuOnnx);
    const tensors = (
      names: readonly string[],
      values: Graph['inputs'] | Graph['outputs'],
      buffers: readonly Float32Array[],
    ) =>
      Object.fromEntries(names.map((name, i) => [name, new ort.Tensor('float32', buffers[i]!, values[i]!.node.shape)]));
    const options: InferenceSession.SessionOptions = {
      executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      logSeverityLevel: 3,
      // onnxruntime would allocate the memory pattern of the first run beside its tensors: twice the memory.
      enableMemPattern: false,
      // Threads wait for the next operation by spinning, but briefly: on a busy machine a spinning thread occupies the core that the working one
      // needs. set_denormal_as_zero is left alone: it holds for this whole thread from then on, JavaScript's own arithmetic included.
      extra: { session: { intra_op: { spin_duration_us: '200' } } },
    };
    try {
      const session = await ort.InferenceSession.create(model.bytes, options);
      return new OnnxGraph(
        session,
        tensors(model.inputs, graph.inputs, inputs),
        tensors(model.outputs, graph.outputs, outputs),
        provider === 'cpu' ? () => undefined : () => tellOfNaN(graph, outputs),
      );
    } catch (error) {
      throw new UserError('engine-failed', `onnxruntime (${provider}) cannot load the compiled model: ${(error as Error).message}`); // prettier-ignore
    }
  }

  async run(): Promise<void> {
    try {
      await this.#session.run(this.#feeds, this.#fetches);
      this.#afterwards();
    } catch (error) {
      throw new UserError('engine-failed', `onnxruntime failed: ${(error as Error).message}`);
    }
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

/** On a GPU, max(NaN, 0) is 0: after a rectifier only the gradients still contain a NaN. This adds it to the loss, which is watched. */
function tellOfNaN({ outputs }: Graph, buffers: readonly Float32Array[]): void {
  const loss = outputs.findIndex(({ role }) => role === 'loss');
  if (loss < 0) return;
  for (const [i, { role }] of outputs.entries()) {
    if (role !== 'gradient') continue;
    let sum = 0;
    for (const value of buffers[i]!) sum += 0 * value;
    // 0 unless a value is infinite or NaN.
    if (sum !== 0) buffers[loss]![0] = NaN;
  }
}

export const onnxExecutor =
  (options: RuntimeOptions): CreateExecutor =>
  (graph, inputs, outputs) =>
    OnnxGraph.create(graph, inputs, outputs, options);
