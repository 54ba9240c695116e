/** A random graph and its gradients on onnxruntime and on the native kernels, against float64. */
import { kernelLevel, loadAddon } from '../../../daemon/engine/native/addon.js';
import { NativeGraph } from '../../../daemon/engine/native/nativeGraph.js';
import { Unsupported } from '../../../daemon/engine/native/units.js';
import { OnnxGraph } from '../../../daemon/engine/compiled/onnxGraph.js';
import { gradients } from '../../../daemon/network/gradient/gradients.js';
import { verified } from '../../../daemon/network/verify/verified.js';
import type { EngineName } from '../engine/engines.js';
import { Interpreter } from '../engine/float64/interpreter.js';
import { sizeOf } from '../engine/float64/tensors.js';
import { judge } from '../engine/judge.js';
import type { Sample } from './grammar.js';

export interface ExecutorVerdict {
  readonly differ: readonly string[];
  readonly notes: ReadonlySet<string>;
  /** Why the native kernels do not take it. */
  readonly refused?: string;
}

const addon = loadAddon();

/** Of the loss and its gradient in every input. */
export async function checkExecutors({ growth, loss }: Sample): Promise<ExecutorVerdict> {
  const { feeds, graph: builder } = growth;
  const nodes = [loss, ...gradients(builder, loss, [...feeds.keys()]).flatMap((node) => node ?? [])];
  const graph = verified(builder.finish(nodes.map((node) => ({ role: 'output', node }))));
  const inputs = graph.inputs.map(({ node }) => Float32Array.from(feeds.get(node)!));
  const rounded = new Map(graph.inputs.map(({ node }, i) => [node, inputs[i]!]));
  const buffers = () => nodes.map(({ shape }) => new Float32Array(sizeOf(shape)));
  const results: Partial<Record<EngineName, Float32Array[]>> = { onnx: buffers() };
  const onnx = await OnnxGraph.create(graph, inputs, results.onnx!, { provider: 'cpu', threads: 1 });
  await onnx.run();
  await onnx.release();
  let refused: string | undefined;
  if (!('reason' in addon)) {
    const outputs = buffers();
    try {
      const options = { threads: 1, level: kernelLevel(addon.addon) };
      const native = NativeGraph.create(addon.addon, graph, inputs, outputs, options);
      native.runNow();
      await native.release();
      results.native = outputs;
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
      refused = error.message;
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
  return { ...judgement, ...(refused === undefined ? {} : { refused }) };
}
