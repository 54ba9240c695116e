import { InferenceSession, Tensor } from 'onnxruntime-node';
import { GraphBuilder } from '../../daemon/network/builder.js';
import type { Graph, Node } from '../../daemon/network/ir.js';
import { emitOnnx } from '../../daemon/onnx/emit/emit.js';
import { cpuOnnx } from '../../daemon/onnx/emit/emitter.js';
import type { OnnxModel } from '../../daemon/onnx/file/onnxModel.js';
import type { OnnxNetwork } from '../../daemon/onnx/lower/onnxNetwork.js';
import type { NetworkPort } from '../../daemon/network/network.js';
import { sizeOf } from '../../daemon/protocol/shape.js';
import { createRandom } from '../../daemon/lc/random.js';

/** A network's inference pass beside onnxruntime on the file. */

/** Samples of an input as the network has them, and as the file does. */
export interface Samples {
  readonly network: Float32Array;
  readonly file: Float32Array;
  readonly fileDims: readonly number[];
}

/** The network's values, [batch, ...shape], in the file's order of axes. */
export function asFile({ shape, fileAxes }: NetworkPort, values: Float32Array, batch: number): Float32Array {
  if (!fileAxes) return values;
  const size = sizeOf(shape);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const dims = fileAxes.map((axis) => shape[axis]!);
  const moved = new Float32Array(values.length);
  const index = dims.map(() => 0);
  for (let i = 0; i < size; i++) {
    const from = index.reduce((sum, at, axis) => sum + at * strides[fileAxes[axis]!]!, 0);
    for (let b = 0; b < batch; b++) moved[b * size + i] = values[b * size + from]!;
    for (let axis = dims.length - 1; axis >= 0 && ++index[axis]! === dims[axis]; axis--) index[axis] = 0;
  }
  return moved;
}

/** Random samples for every input: numbers, or for whole numbers those below 30. */
export function randomSamples(network: OnnxNetwork, model: OnnxModel, batch: number, seed: number): Samples[] {
  const random = createRandom(seed);
  return network.inputs.map((port, i) => {
    const whole = model.graph.inputs[i]!.type.includes('int');
    const values = Float32Array.from({ length: batch * sizeOf(port.shape) }, () =>
      whole ? Math.floor(random.next() * 30) : 2 * random.next() - 1,
    );
    const dims = port.fileAxes?.map((axis) => port.shape[axis]!) ?? port.shape;
    return { network: values, file: asFile(port, values, batch), fileDims: [batch, ...dims] };
  });
}

/** The graph of one inference pass, with the weights' nodes by name. */
export function inferenceGraph(network: OnnxNetwork, batch: number): Graph {
  const builder = new GraphBuilder();
  const weights = new Map<string, Node>();
  const data = network.inputs.map(({ shape }, index) => builder.input([batch, ...shape], { role: 'data', index }));
  const weight = (name: string): Node => {
    const { shape } = network.weights.find((one) => one.name === name)!;
    const node = weights.get(name) ?? builder.input(shape, { role: 'parameter', name });
    weights.set(name, node);
    return node;
  };
  const { outputs } = network.pass(builder, { batch, training: false, data, weight });
  return builder.finish(outputs.map((node, index) => ({ role: 'output', index, node })));
}

/** The outputs of a graph for weights by name, in the network's order of axes, computed by onnxruntime. */
export async function passOutputs(
  graph: Graph,
  weights: ReadonlyMap<string, Float32Array>,
  samples: readonly Samples[],
): Promise<Float32Array[]> {
  const emitted = emitOnnx(graph, cpuOnnx);
  const session = await InferenceSession.create(emitted.bytes, { intraOpNumThreads: 1 });
  const feeds = Object.fromEntries(
    graph.inputs.flatMap((input, i) => {
      const name = emitted.inputs[i]!;
      if (!session.inputNames.includes(name)) return [];
      if (input.role !== 'data' && input.role !== 'parameter' && input.role !== 'state') return [];
      const values = input.role === 'data' ? samples[input.index]!.network : weights.get(input.name)!;
      return [[name, new Tensor('float32', values, input.node.shape)] as const];
    }),
  );
  const results = await session.run(feeds);
  await session.release();
  return emitted.outputs.map((name) => results[name]!.data as Float32Array);
}

/** The outputs of the network, in the file's order of axes, computed by onnxruntime from the graph. */
export async function networkOutputs(
  network: OnnxNetwork,
  graph: Graph,
  samples: readonly Samples[],
  batch: number,
): Promise<Float32Array[]> {
  const weights = new Map(network.weights.map((weight) => [weight.name, weight.values()]));
  const outputs = await passOutputs(graph, weights, samples);
  return network.outputs.map((port, i) => asFile(port, outputs[i]!, batch));
}

/** The outputs of onnxruntime for the file itself. */
export async function fileOutputs(
  bytes: Uint8Array,
  model: OnnxModel,
  samples: readonly Samples[],
): Promise<Float32Array[]> {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 });
  const feeds = Object.fromEntries(
    samples.map(({ file, fileDims }, i) => {
      const { name, type } = model.graph.inputs[i]!;
      const tensor = type === 'int64' ? new Tensor('int64', BigInt64Array.from(file, BigInt), fileDims) : new Tensor('float32', file, fileDims); // prettier-ignore
      return [name, tensor];
    }),
  );
  const results = await session.run(feeds);
  await session.release();
  return model.graph.outputs.map(({ name }) => results[name]!.data as Float32Array);
}

/** The largest difference, relative to the largest number there is. */
export function relativeError(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let [error, size] = [0, 0];
  b.forEach((expected, k) => {
    if (a[k]!.length !== expected.length) error = Infinity;
    expected.forEach((v, i) => {
      error = Math.max(error, Math.abs(a[k]![i]! - v));
      size = Math.max(size, Math.abs(v));
    });
  });
  return Number.isNaN(error) ? Infinity : error / size;
}
