/** The model as an ONNX inference graph: weights by name, any batch size where the layers allow it. */
import { emitOnnxParts, opsets } from '../engine/graph/onnx/emit.js';
import { wholeOnnx } from '../engine/graph/onnx/emitter.js';
import { encodeOnnx, type OnnxGraph, type OnnxNode, type OnnxTensor } from '../engine/graph/onnx/protobuf.js';
import type { Graph } from '../engine/graph/ir.js';
import { buildLayers, type TraceableModel } from '../engine/trace/layersModel.js';
import { writeFileAtomic } from '../model/atomicWrite.js';
import type { Model } from '../model/model.js';
import { UserError } from '../protocol/errors.js';
import { traceInference } from './traceInference.js';

/** Batch sizes to trace with: primes, so that a size that is a multiple of one comes from the batch. */
const PRIMES = [7919, 7927, 7933, 7937, 7949, 7951, 7963, 7993];
const BATCH = 'batch';

/** The first prime that divides no size of the model itself. */
const batchMarker = (layers: TraceableModel): number | undefined => {
  const shapes = [...layers.weights.map(({ shape }) => shape), ...layers.model.inputs.map(({ shape }) => shape)];
  const sizes = shapes.flat().filter((size): size is number => typeof size === 'number' && size > 0);
  return PRIMES.find((prime) => sizes.every((size) => size % prime !== 0));
};

/** Weights are initializers, not inputs, under their own names. */
function withWeights(parts: OnnxGraph, graph: Graph, model: Model): OnnxGraph {
  const values = new Map(model.weights.map((weight) => [weight.name, weight.data]));
  const names = new Map<string, string>();
  const initializers = new Map(parts.initializers);
  const inputs = parts.inputs.filter((input, i) => {
    const source = graph.inputs[i]!;
    if (source.role !== 'parameter') return true;
    names.set(input.name, source.name);
    initializers.set(source.name, { type: 'float32', dims: source.node.shape, data: values.get(source.name)! });
    return false;
  });
  const rename = (name: string) => names.get(name) ?? name;
  const nodes = parts.nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename) }));
  return { ...parts, nodes, inputs, initializers };
}

const fromBatch = (size: number, batch: number): boolean => size !== 0 && size % batch === 0;

/**
 * The traced batch size made open: in the shapes of Reshape, and by leaving out the axes that Resize does not change.
 * null where a layer needs to know the batch.
 */
function withOpenBatch(parts: OnnxGraph, batch: number): OnnxGraph | null {
  const initializers = new Map(parts.initializers);
  const nodes: OnnxNode[] = [];
  for (const node of parts.nodes) {
    const shaped = node.inputs.map((name) => {
      const data = parts.initializers.get(name)?.data;
      const sizes = data instanceof BigInt64Array ? [...data].map(Number) : [];
      return sizes.some((size) => fromBatch(size, batch)) ? sizes : null;
    });
    const at = shaped.findIndex((sizes) => sizes !== null);
    if (at < 0) {
      nodes.push(node);
      continue;
    }
    let sizes = shaped[at]!;
    let attrs = node.attrs;
    if (node.op === 'Reshape') sizes = sizes.map((size) => (fromBatch(size, batch) ? -1 : size));
    else if (node.op === 'Resize' && sizes.length === 4) {
      sizes = sizes.slice(2);
      attrs = { ...attrs, axes: [2, 3] };
    } else return null;
    if (sizes.filter((size) => size === -1).length > 1) return null;
    const name = `${node.inputs[at]!}_open_${sizes.join('_').replace('-', '')}`;
    initializers.set(name, { type: 'int64', dims: [sizes.length], data: BigInt64Array.from(sizes, BigInt) });
    nodes.push({ ...node, attrs, inputs: node.inputs.map((input, i) => (i === at ? name : input)) });
  }
  if (![...parts.inputs, ...parts.outputs].every(({ dims }) => dims[0] === batch)) return null;
  const openFirst = (values: OnnxGraph['inputs']) =>
    values.map((value) => ({ ...value, dims: [BATCH, ...value.dims.slice(1)] }));
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  return {
    nodes,
    initializers: new Map([...initializers].filter(([name]) => read.has(name))),
    inputs: openFirst(parts.inputs),
    outputs: openFirst(parts.outputs),
  };
}

function transposed({ type, dims, data }: OnnxTensor, perm: readonly number[]): OnnxTensor {
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((n, dim) => n * dim, 1));
  const shape = perm.map((axis) => dims[axis]!);
  const from = data as Float32Array;
  const result = new Float32Array(from.length);
  const index = shape.map(() => 0);
  for (let to = 0; to < result.length; to++) {
    result[to] = from[index.reduce((sum, i, axis) => sum + i * strides[perm[axis]!]!, 0)]!;
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return { type, dims: shape, data: result };
}

/** Weights that are only transposed or reshaped before they are used are stored that way, under the same name. */
function withReadyWeights(parts: OnnxGraph): OnnxGraph {
  const initializers = new Map(parts.initializers);
  const renamed = new Map<string, string>();
  const uses = new Map<string, number>();
  for (const name of parts.nodes.flatMap(({ inputs }) => inputs)) uses.set(name, (uses.get(name) ?? 0) + 1);
  const outputs = new Set(parts.outputs.map(({ name }) => name));
  const nodes: OnnxNode[] = [];
  for (const node of parts.nodes) {
    const inputs = node.inputs.map((name) => renamed.get(name) ?? name);
    const [name, dims] = inputs as [string, string | undefined];
    const tensor = initializers.get(name);
    const ready = tensor?.type === 'float32' && uses.get(node.inputs[0]!) === 1 && !outputs.has(node.outputs[0]!);
    if (ready && node.op === 'Transpose') initializers.set(name, transposed(tensor, node.attrs['perm'] as number[]));
    else if (ready && node.op === 'Reshape') {
      const sizes = [...(initializers.get(dims!)!.data as BigInt64Array)].map(Number);
      initializers.set(name, { ...tensor, dims: sizes });
    } else {
      nodes.push({ ...node, inputs });
      continue;
    }
    renamed.set(node.outputs[0]!, name);
  }
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  return { ...parts, nodes, initializers: new Map([...initializers].filter(([name]) => read.has(name))) };
}

/**
 * @returns an ONNX file (operator set 18) that computes what the model does, from input to output activation. The batch is
 * open unless a layer needs to know it (recurrent ones), then 1. @throws UserError('model-unsupported') naming the layer.
 */
export async function onnxFile(model: Model): Promise<Uint8Array> {
  const layers = await buildLayers(model);
  try {
    for (const { name, shape } of layers.model.inputs)
      if (shape.slice(1).some((size) => size === null))
        throw new UserError(
          'model-unsupported',
          `${model.path}: input "${name}" has no fixed size, which this format needs; tfjs-layers and keras keep it open`,
        );
    const traced = (batch: number): OnnxGraph => {
      const graph = traceInference(layers, model.path, batch);
      return withReadyWeights(withWeights(emitOnnxParts(graph, wholeOnnx), graph, model));
    };
    const marker = batchMarker(layers);
    const parts = (marker === undefined ? null : withOpenBatch(traced(marker), marker)) ?? traced(1);
    const domains = new Set(['', ...parts.nodes.map(({ domain }) => domain ?? '')]);
    return encodeOnnx(parts, Object.fromEntries(Object.entries(opsets).filter(([domain]) => domains.has(domain))));
  } finally {
    layers.dispose();
  }
}

/** @throws UserError('model-unsupported'), UserError('disk'). */
export async function writeOnnx(model: Model, path: string): Promise<void> {
  await writeFileAtomic(path, await onnxFile(model));
}
