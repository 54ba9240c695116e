/** Loss and gradients of a training graph beside PyTorch's float64: by the native kernels, and where these differ in float64. */
import { kernelLevel, loadAddon } from '../../daemon/engine/native/addon.js';
import { NativeGraph } from '../../daemon/engine/native/nativeGraph.js';
import { graphsOf } from '../../daemon/engine/graphs/graphsOf.js';
import type { GraphModel } from '../../daemon/model/model.js';
import type { Graph } from '../../daemon/network/ir.js';
import { verified } from '../../daemon/network/verify/verified.js';
import { toNetwork } from '../../daemon/onnx/lower/values/weightLayout.js';
import { sizeOf } from '../../daemon/protocol/shape.js';
import { Interpreter } from '../fuzz/engine/float64/interpreter.js';
import type { EngineBatch } from './batch.js';
import type { Reference } from './reference.js';

/** The largest relative error of the loss, or of a gradient. */
export const tolerance = 1e-4;

export interface GradientErrors {
  /** The largest relative error: of the loss, and of each gradient, which is relative to the largest number of its tensor (of those that are 0, of the network). */
  readonly error: number;
  /** The tensor that it is of. */
  readonly worst: string;
  readonly computedIn: 'float32' | 'float64';
  /** That of the native kernels, whatever `computedIn`. */
  readonly float32: number;
  /** Trained tensors that were compared, of all. */
  readonly compared: number;
  readonly trained: number;
}

type Values = Float32Array | Float64Array;

/** Share of the network's largest gradient below which a tensor's is 0 in exact arithmetic, as that of a bias before a norm is. */
const zero = 1e-9;

const largestOf = (values: Values): number => {
  let most = 0;
  for (const x of values) most = Math.max(most, Math.abs(x));
  return most;
};

function feedsOf(graph: Graph, model: GraphModel, { inputs, target }: EngineBatch): Float32Array[] {
  const weights = new Map(model.weights.map(({ name, data }) => [name, data]));
  return graph.inputs.map((input) => {
    if (input.role === 'data') return inputs[input.index]!;
    if (input.role === 'target') return target;
    if (input.role === 'parameter' || input.role === 'state') return weights.get(input.name)!;
    // Masks of Dropout keep everything.
    return new Float32Array(sizeOf(input.node.shape)).fill(0.999);
  });
}

function byNative(graph: Graph, feeds: readonly Float32Array[]): Float32Array[] {
  const found = loadAddon();
  if ('reason' in found) throw new Error(found.reason);
  const outputs = graph.outputs.map(({ node }) => new Float32Array(sizeOf(node.shape)));
  const executor = NativeGraph.create(found.addon, graph, feeds, outputs, { threads: 1, level: kernelLevel(found.addon) });
  executor.runNow();
  void executor.release();
  return outputs;
} // prettier-ignore

function byDefinition(graph: Graph, feeds: readonly Float32Array[]): Float64Array[] {
  const interpreter = new Interpreter(graph, new Map(graph.inputs.map(({ node }, i) => [node, feeds[i]!])));
  return graph.outputs.map(({ node }) => interpreter.value(node));
}

/** @throws Error where a tensor with a gradient in PyTorch has none here. */
export async function checkGradients(model: GraphModel, reference: Reference, batch: EngineBatch): Promise<GradientErrors> {
  const graph = verified(await (await graphsOf(model, batch.spec)).training());
  const feeds = feedsOf(graph, model, batch);
  const expected = new Map(
    model.network.weights.flatMap(({ name, layout }) => {
      const values = reference.gradients.get(name);
      return values ? [[name, toNetwork(layout, values)] as const] : [];
    }),
  );
  const trained = model.network.weights.filter((weight) => weight.trainable);
  const given = new Set(graph.outputs.flatMap((output) => (output.role === 'gradient' ? [output.name] : [])));
  const without = trained.filter(({ name }) => expected.has(name) && !given.has(name));
  if (without.length > 0) throw new Error(`no gradient of ${without.map(({ name }) => name).join(', ')}`);
  const largest = Math.max(...[...expected.values()].map(largestOf));
  const errorsOf = (results: readonly Values[]) => {
    let [error, worst] = [0, ''];
    let compared = 0;
    graph.outputs.forEach((output, i) => {
      if (output.role === 'state') return;
      const name = output.role === 'gradient' ? output.name : 'the loss';
      const right = output.role === 'gradient' ? expected.get(output.name) : Float64Array.of(reference.loss);
      if (!right) return;
      if (output.role === 'gradient') compared++;
      let difference = 0;
      right.forEach((x, k) => (difference = Math.max(difference, Math.abs(results[i]![k]! - x))));
      const own = largestOf(right);
      const relative = difference / (output.role === 'gradient' && own <= zero * largest ? largest : own);
      if (!(relative <= error)) [error, worst] = [relative, name];
    });
    return { error, worst, compared };
  };
  const float32 = errorsOf(byNative(graph, feeds));
  const common = { float32: float32.error, trained: trained.length };
  if (float32.error <= tolerance) return { ...float32, ...common, computedIn: 'float32' };
  return { ...errorsOf(byDefinition(graph, feeds)), ...common, computedIn: 'float64' };
} // prettier-ignore
