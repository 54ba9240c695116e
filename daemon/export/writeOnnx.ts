/** The model as an ONNX inference graph: weights by name, any batch size where the layers allow it. */
import { emitOnnxParts, opsets } from '../onnx/emit/emit.js';
import { wholeOnnx } from '../onnx/emit/emitter.js';
import { encodeOnnx, type OnnxGraph, type OnnxNode, type OnnxTensor } from '../onnx/emit/protobuf.js';
import type { Graph } from '../network/ir.js';
import { buildLayers, type TraceableModel } from '../engine/trace/layersModel.js';
import { writeFileAtomic } from '../files/atomicWrite.js';
import { writeGraph } from '../model/graph/writeGraph.js';
import type { LayersModel, Model } from '../model/model.js';
import { UserError } from '../protocol/errors.js';
import { stridesOf } from '../protocol/shape.js';
import { traceInference } from './traceInference.js';

/** Batch sizes to trace with: primes, so that a multiple of one shows that a size derives from the batch. */
const PRIMES = [7919, 7927, 7933, 7937, 7949, 7951, 7963, 7993];
const BATCH = 'batch';

/** The first prime that divides no size of the model itself. */
const batchMarker = (layers: TraceableModel): number | undefined => {
  const shapes = [...layers.weights.map(({ shape }) => shape), ...layers.model.inputs.map(({ shape }) => shape)];
  const sizes = shapes.flat().filter((size): size is number => typeof size === 'number' && size > 0);
  return PRIMES.find((prime) => sizes.every((size) => size % prime !== 0));
};

/** Weights are initializers, not inputs, under their own names. */
function withWeights(parts: OnnxGraph, graph: Graph, model: LayersModel): OnnxGraph {
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

const BATCH_SIZE = 'batch_size';

/** Sizes of which some are multiples of the batch, as the file computes them: factors * batch + rest. */
function batchSizes(name: string, sizes: readonly number[], batch: number) {
  const vector = (values: readonly number[]): OnnxTensor => ({ type: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) }); // prettier-ignore
  const open = (size: number) => fromBatch(size, batch);
  const [factors, product, rest] = ['factors', 'product', 'rest'].map((part) => `${name}_${part}`) as [string, string, string]; // prettier-ignore
  return {
    initializers: [
      [factors, vector(sizes.map((size) => (open(size) ? size / batch : 0)))],
      [rest, vector(sizes.map((size) => (open(size) ? 0 : size)))],
    ] as const,
    nodes: [
      { op: 'Mul', inputs: [factors, BATCH_SIZE], outputs: [product], attrs: {} },
      { op: 'Add', inputs: [product, rest], outputs: [name], attrs: {} },
    ] satisfies OnnxNode[],
  };
}

/**
 * Makes the traced batch size open: -1 in the shape of a Reshape, left out of a Resize, and computed from the first input in all other sizes.
 * @throws (through `refuse`) if a layer needs it in another way.
 */
function withOpenBatch(parts: OnnxGraph, batch: number, refuse: (what: string) => never): OnnxGraph {
  const initializers = new Map(parts.initializers);
  const computed = new Map<string, readonly OnnxNode[]>();
  const nodes: OnnxNode[] = [];
  for (const [name, { dims, data }] of parts.initializers) {
    const sized = data instanceof BigInt64Array && dims.length === 1;
    if (!sized && dims.some((dim) => fromBatch(dim, batch))) refuse(`the constant ${name}`);
  }
  const sizesAt = (name: string): number[] => {
    const data = parts.initializers.get(name)?.data;
    const sizes = data instanceof BigInt64Array ? [...data].map(Number) : [];
    return sizes.some((size) => fromBatch(size, batch)) ? sizes : [];
  };
  const constant = (name: string, sizes: readonly number[]): string => {
    initializers.set(name, { type: 'int64', dims: [sizes.length], data: BigInt64Array.from(sizes, BigInt) });
    return name;
  };
  for (const node of parts.nodes) {
    let attrs = node.attrs;
    const inputs = node.inputs.map((name) => {
      const sizes = sizesAt(name);
      if (sizes.length === 0) return name;
      const opened = sizes.map((size) => (fromBatch(size, batch) ? -1 : size));
      if (node.op === 'Reshape' && opened.filter((size) => size === -1).length === 1)
        return constant(`${name}_open`, opened);
      if (node.op === 'Resize' && sizes.length === 4) {
        attrs = { ...attrs, axes: [2, 3] };
        return constant(`${name}_image`, sizes.slice(2));
      }
      const own = batchSizes(`${name}_of_batch`, sizes, batch);
      if (!computed.has(name)) nodes.push(...own.nodes);
      computed.set(name, own.nodes);
      for (const [part, tensor] of own.initializers) initializers.set(part, tensor);
      return `${name}_of_batch`;
    });
    nodes.push({ ...node, attrs, inputs });
  }
  for (const { name, dims } of [...parts.inputs, ...parts.outputs]) if (dims[0] !== batch) refuse(name);
  if (computed.size > 0) {
    const first = parts.inputs[0]!.name;
    nodes.unshift({ op: 'Shape', inputs: [first], outputs: [BATCH_SIZE], attrs: { start: 0, end: 1 } });
  }
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

/** Keeps the model's own names for inputs and outputs; an internal value with such a name is renamed. */
function withOwnNames(parts: OnnxGraph, inputs: readonly string[], outputs: readonly string[]): OnnxGraph {
  const taken = new Set<string>();
  const free = (name: string): string => {
    let own = name;
    for (let i = 1; taken.has(own); i++) own = `${name}_${i}`;
    taken.add(own);
    return own;
  };
  const renamed = new Map<string, string>();
  parts.inputs.forEach(({ name }, i) => renamed.set(name, free(inputs[i]!)));
  // One layer may give several outputs, or be an input as well.
  parts.outputs.forEach(({ name }, i) => renamed.set(name, free(outputs[i]!)));
  const inner = [...parts.initializers.keys(), ...parts.nodes.flatMap((node) => node.outputs)];
  for (const name of inner) if (!renamed.has(name)) renamed.set(name, free(name));
  const own = (name: string): string => renamed.get(name) ?? name;
  const value = <T extends { readonly name: string }>(one: T): T => ({ ...one, name: own(one.name) });
  return {
    nodes: parts.nodes.map((node) => ({ ...node, inputs: node.inputs.map(own), outputs: node.outputs.map(own) })),
    initializers: new Map([...parts.initializers].map(([name, tensor]) => [own(name), tensor])),
    inputs: parts.inputs.map(value),
    outputs: parts.outputs.map(value),
  };
}

function transposed({ type, dims, data }: OnnxTensor, perm: readonly number[]): OnnxTensor {
  const strides = stridesOf(dims);
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

/** Weights that are only transposed or reshaped before use are stored in that form, under the same name. */
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
 * @returns an ONNX file (operator set 18) that computes what the model does, from input to output activation, of any batch
 * size; inputs and outputs have the names of the model's. @throws UserError('model-unsupported') naming the layer.
 */
export async function onnxFile(model: LayersModel): Promise<Uint8Array> {
  const layers = await buildLayers(model);
  try {
    const unsupported = (problem: string): never => {
      throw new UserError('model-unsupported', `${model.path}: ${problem}; tfjs-layers and keras keep it open`);
    };
    for (const { name, shape } of layers.model.inputs)
      if (shape.slice(1).some((size) => size === null))
        unsupported(`input "${name}" has no fixed size, which this format needs`);
    const batch = batchMarker(layers);
    if (batch === undefined)
      return unsupported('its sizes cannot be distinguished from that of a batch, which this format needs');
    const graph = traceInference(layers, model.path, batch);
    const traced = withReadyWeights(withWeights(emitOnnxParts(graph, wholeOnnx), graph, model));
    const open = withOpenBatch(traced, batch, (what) => unsupported(`the size of the batch is fixed in ${what}`));
    const parts = withOwnNames(open, layers.model.inputNames, layers.model.outputNames);
    const domains = new Set(['', ...parts.nodes.map(({ domain }) => domain ?? '')]);
    return encodeOnnx(parts, Object.fromEntries(Object.entries(opsets).filter(([domain]) => domains.has(domain))));
  } finally {
    layers.dispose();
  }
}

/** @throws UserError('model-unsupported'), UserError('disk'). */
export async function writeOnnx(model: Model, path: string): Promise<void> {
  if (model.kind === 'graph') return writeGraph(model, path);
  await writeFileAtomic(path, await onnxFile(model));
}
