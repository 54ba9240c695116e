/** A random graph and its gradients on onnxruntime and on the native kernels, against float64. */
import { kernelLevel, loadAddon } from '../../../daemon/engine/native/addon.js';
import { NativeGraph } from '../../../daemon/engine/native/nativeGraph.js';
import { Unsupported } from '../../../daemon/engine/native/units.js';
import { OnnxGraph } from '../../../daemon/engine/compiled/onnxGraph.js';
import { gradients } from '../../../daemon/network/gradient/gradients.js';
import type { Graph } from '../../../daemon/network/ir.js';
import { verified } from '../../../daemon/network/verify/verified.js';
import { UserError } from '../../../daemon/protocol/errors.js';
import type { EngineName } from '../engine/engines.js';
import { Interpreter } from '../engine/float64/interpreter.js';
import { sizeOf } from '../engine/float64/tensors.js';
import { judge } from '../engine/judge.js';
import type { Sample } from './grammar.js';

export interface ExecutorVerdict {
  readonly differ: readonly string[];
  readonly notes: ReadonlySet<string>;
  /** By executor, the reason why it refuses the graph. */
  readonly refused: Partial<Record<EngineName, string>>;
}

type Compute = (graph: Graph, inputs: readonly Float32Array[], outputs: readonly Float32Array[]) => Promise<void>;

const addon = loadAddon();

/** Whether the native kernels run on this machine. */
export const hasNative = !('reason' in addon);

const executors: Partial<Record<EngineName, Compute>> = {
  async onnx(graph, inputs, outputs) {
    const executor = await OnnxGraph.create(graph, inputs, outputs, { provider: 'cpu', threads: 1 });
    await executor.run();
    await executor.release();
  },
  ...(!('reason' in addon) && {
    async native(graph, inputs, outputs) {
      const options = { threads: 1, level: kernelLevel(addon.addon) };
      const executor = NativeGraph.create(addon.addon, graph, inputs, outputs, options);
      executor.runNow();
      await executor.release();
    },
  }),
};

/** Errors of the loss and of its gradient with respect to every input. */
export async function checkExecutors({ growth, loss }: Sample): Promise<ExecutorVerdict> {
  const { feeds, graph: builder } = growth;
  const nodes = [loss, ...gradients(builder, loss, [...feeds.keys()]).flatMap((node) => node ?? [])];
  const graph = verified(builder.finish(nodes.map((node) => ({ role: 'output', node }))));
  const inputs = graph.inputs.map(({ node }) => Float32Array.from(feeds.get(node)!));
  const rounded = new Map(graph.inputs.map(({ node }, i) => [node, inputs[i]!]));
  const results: Partial<Record<EngineName, Float32Array[]>> = {};
  const refused: Partial<Record<EngineName, string>> = {};
  for (const [name, compute] of Object.entries(executors) as [EngineName, Compute][]) {
    const outputs = nodes.map(({ shape }) => new Float32Array(sizeOf(shape)));
    try {
      await compute(graph, inputs, outputs);
      results[name] = outputs;
    } catch (error) {
      if (!(error instanceof Unsupported || (error instanceof UserError && error.code === 'model-unsupported')))
        throw error;
      refused[name] = error.message;
    }
  }
  const judgement = { differ: [] as string[], notes: new Set<string>() };
  const exact = new Interpreter(graph, rounded);
  const noises = new Map<number, Interpreter>();
  const noisyBy = (seed: number) => {
    if (!noises.has(seed)) noises.set(seed, new Interpreter(graph, rounded, seed));
    return noises.get(seed)!;
  };
  nodes.forEach((node, i) => {
    const found = Object.fromEntries(Object.entries(results).map(([name, outputs]) => [name, outputs[i]!]));
    const name = i === 0 ? 'the loss' : `the gradient of shape [${node.shape}]`;
    judge(
      { name, found, exact: exact.value(node), noisy: (seed) => noisyBy(seed).value(node), floor: 1e-5 },
      judgement,
    );
  });
  return { ...judgement, refused };
}
