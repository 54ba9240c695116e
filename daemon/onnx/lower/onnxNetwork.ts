import { GraphBuilder } from '../../network/builder.js';
import { inverse, type Node, sameShape } from '../../network/ir.js';
import type { Network, NetworkPort, NetworkWeight, Pass, PassSpec } from '../../network/network.js';
import { withSizesThatFit } from '../../network/sizes.js';
import { BrokenGraph, verifyNode } from '../../network/verify/verifyNode.js';
import { UserError } from '../../protocol/errors.js';
import type { OnnxModel, OnnxNode, OnnxTensor } from '../file/onnxModel.js';
import { frozenNorms } from './frozenNorms.js';
import { inputSizes } from './inputs.js';
import { Lowering } from './lowering.js';
import { notesOf } from './notes.js';
import { problemsOf, unsupported } from './unsupported.js';
import { channelsLast, naturalAxes, type Value } from './values/value.js';
import { toNetwork, type WeightLayout } from './values/weightLayout.js';
import { inputValue, layerNames, liveNodes, shapesOf, walk } from './walk.js';
import { Weights } from './weights.js';

export interface OnnxOptions {
  /**
   * `channelsLast` (the default): images have the shape [height, width, channels], as in the product's data, if the file's first
   * operation on them needs channels first; see `NetworkPort.fileAxes`. `asFile`: as in the file.
   */
  readonly images?: 'channelsLast' | 'asFile';
  /** Sizes of open dimensions other than the batch, by their names in the file. */
  readonly sizes?: ReadonlyMap<string, number>;
  /** No axis is a batch: data has the file's shapes, and a pass ignores its batch. It serves graphs of one fixed computation. */
  readonly wholeShapes?: boolean;
}

/** A weight with its tensor in the file. */
export interface OnnxWeight extends NetworkWeight {
  readonly tensor: OnnxTensor;
  /** The layout of the network's tensor relative to the file's. */
  readonly layout: WeightLayout;
  /** The file's values in the network's layout. @throws as OnnxTensor.values */
  values(): Float32Array;
}

/** An operation of the file, for tables. */
export interface OnnxOperation {
  readonly name: string;
  readonly op: string;
  /** Names of the weights that it reads. */
  readonly weights: readonly string[];
  /** Shape of its first output, in the file's order of axes, for a batch of one (or of the file's batch). */
  readonly shape: readonly number[];
}

/** A pass with what each name of the file stands for in it. */
export interface OnnxPass extends Pass {
  readonly values: ReadonlyMap<string, Value>;
}

export interface OnnxNetwork extends Network {
  readonly weights: readonly OnnxWeight[];
  /** The batch that a file without an open batch axis was written for. */
  readonly fileBatch?: number;
  readonly operations: readonly OnnxOperation[];
  /** Notes on the import for the user. */
  readonly notes: readonly string[];
  pass(builder: GraphBuilder, spec: PassSpec): OnnxPass;
}

/** Batch of the plan of a network with an open batch: large enough that no other axis is mistaken for the samples. */
const planBatch = 2;

interface Plan {
  readonly weights: Weights;
  readonly images: ReadonlySet<number>;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly outputs: readonly (Value | undefined)[];
}

/**
 * Lowers an ONNX model to a network. A first pass finds the layouts that operations need for the weights, and everything that is not
 * supported; then each pass is recorded for a batch.
 *
 * @param path the model's name in messages
 * @throws UserError('model-unsupported') with every operator and input that has no rule, in one message
 */
export function networkOfOnnx(model: OnnxModel, path: string, options: OnnxOptions = {}): OnnxNetwork {
  const { graph } = model;
  const nodes = liveNodes(graph);
  const names = layerNames(graph, nodes);
  const whole = options.wholeShapes ?? false;
  if (problemsOf(nodes).length > 0) throw unsupported(path, nodes, []);
  const { shapes, fileBatch } = inputSizes(model, path, options.sizes ?? new Map(), whole);
  const batchOfPlan = fileBatch ?? planBatch;
  const lead = (batch: number) => (whole ? [] : [batch]);

  /** The order of axes of each input: axis j of the data's node is axis order[j] of the file's input. */
  const orderOf = (index: number, images: ReadonlySet<number>): number[] => {
    const rank = shapes[index]!.length + lead(1).length;
    return images.has(index) ? channelsLast(rank) : naturalAxes(rank);
  };
  const dataShape = (index: number, batch: number, images: ReadonlySet<number>): number[] =>
    orderOf(index, images).map((axis) => [...lead(batch), ...shapes[index]!][axis]!);
  const valuesOf = (lowering: Lowering, data: readonly Node[], images: ReadonlySet<number>) =>
    graph.inputs.map((input, i) => inputValue(lowering, input, data[i]!, orderOf(i, images), i));

  const planned = (images: ReadonlySet<number>): Plan => {
    const builder = new GraphBuilder();
    const weights = new Weights(graph);
    const lowering = new Lowering({ builder, weights, batch: batchOfPlan, fileBatch, written: undefined, training: false, weight: undefined }); // prettier-ignore
    const data = shapes.map((_, index) =>
      builder.input(dataShape(index, batchOfPlan, images), { role: 'data', index }),
    );
    const refusals: string[] = [];
    const inputs = valuesOf(lowering, data, images);
    const values = walk({ model, nodes, names, lowering, inputs, refuse: (message) => refusals.push(message) });
    if (refusals.length > 0) throw unsupported(path, nodes, refusals);
    const outputs = graph.outputs.map(({ name }) => values.get(name));
    // An output is read in a layout, too.
    const given = outputs.map((value) => lowering.natural(value!));
    verified(path, builder, given);
    return { weights, images: lowering.images, shapes: shapesOf(values), outputs };
  };

  const first = planned(new Set());
  const wantsLast = (options.images ?? 'channelsLast') === 'channelsLast' && !whole;
  const images = wantsLast ? first.images : new Set<number>();
  const plan = images.size > 0 ? planned(images) : first;
  const { weights } = plan;
  const frozen = frozenNorms(graph, nodes);
  for (const record of weights.used()) record.frozen = frozen.has(record.name);

  const ports = (
    list: readonly { readonly name: string; readonly shape: readonly number[]; readonly order: readonly number[] }[],
  ) =>
    list.map(({ name, shape, order }): NetworkPort => {
      const fileAxes = inverse(order).slice(1).map((axis) => axis - 1); // prettier-ignore
      const isAsFile = whole || fileAxes.every((axis, i) => axis === i);
      return { name, shape, ...(isAsFile ? {} : { fileAxes }) };
    });
  const outputOrders = plan.outputs.map((value) => orderOfOutput(value!, images.size > 0));
  const outputShapes = graph.outputs.map(({ name }, i) => {
    const dims = plan.shapes.get(name)!;
    if (!whole && dims[0] !== batchOfPlan) throw new UserError('model-unsupported', `${path}: its output "${name}", of shape [${dims}], must have the samples of the batch along its first axis`, { file: path }); // prettier-ignore
    return outputOrders[i]!.map((axis) => dims[axis]!).slice(lead(1).length);
  });

  return {
    inputs: ports(graph.inputs.map(({ name }, i) => ({ name, shape: dataShape(i, 1, images).slice(lead(1).length), order: orderOf(i, images) }))), // prettier-ignore
    outputs: ports(graph.outputs.map(({ name }, i) => ({ name, shape: outputShapes[i]!, order: outputOrders[i]! }))),
    weights: weights.used().map((record): OnnxWeight => {
      const { name, tensor, prunable, asParameter, frozen, layer } = record;
      const layout = weights.layout(name);
      const trainable = asParameter > 0 && !frozen;
      return {
        name,
        layer: layer ?? name,
        shape: layout.shape,
        trainable,
        prunable,
        tensor,
        layout,
        values: () => toNetwork(layout, Float32Array.from(tensor.values())),
      };
    }),
    operations: operationsOf(model, nodes, names, plan),
    notes: notesOf(model, nodes, weights.used()),
    ...(fileBatch !== undefined && { fileBatch }),
    pass: (builder: GraphBuilder, spec: PassSpec): OnnxPass =>
      naming(path, () => {
        const written = fileBatch !== undefined && fileBatch !== spec.batch ? plan.shapes : undefined;
        const lowering = new Lowering({ builder, weights, batch: spec.batch, fileBatch, written, training: spec.training, weight: spec.weight }); // prettier-ignore
        const values = walk({ model, nodes, names, lowering, inputs: valuesOf(lowering, spec.data, images) });
        const outputs = graph.outputs.map(({ name }, i) => {
          const node = lowering.inOrder(values.get(name)!, outputOrders[i]!);
          const expected = [...lead(spec.batch), ...outputShapes[i]!];
          const why = fileBatch === undefined ? 'the first axis of an output must have the samples of the batch' : `the file was written for a batch of ${fileBatch}`; // prettier-ignore
          if (!sameShape(node.shape, expected)) throw new UserError('model-unsupported', `${path}: its output "${name}" is of shape [${node.shape}] for a batch of ${spec.batch}, not [${expected}]: ${why}; export it with an open first axis (dynamic_axes)`, { file: path }); // prettier-ignore
          return node.dtype === 'float32' ? node : lowering.cast(node, 'float32');
        });
        return { outputs, states: lowering.states, values };
      }),
  };
}

/** Runs `work`. @throws its UserErrors with the name of the file */
function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UserError) || error.message.includes(path)) throw error;
    throw new UserError(error.code, `${path}: ${error.message}`, { ...error.details, file: path });
  }
}

/**
 * Shapes of a file may contradict each other, and its numbers the types of what reads them.
 * @throws UserError('model-invalid') naming the operation
 */
function verified(path: string, builder: GraphBuilder, outputs: readonly Node[]): void {
  const graph = builder.finish(outputs.map((node, index) => ({ role: 'output', index, node })));
  const { nodes } = naming(path, () => withSizesThatFit(graph));
  try {
    for (const node of nodes) {
      for (const input of node.inputs) if (input.op === 'Constant') verifyNode(input);
      verifyNode(node);
    }
  } catch (error) {
    if (!(error instanceof BrokenGraph)) throw error;
    throw new UserError('model-invalid', `${path}: its nodes do not fit together: ${error.message}`, { file: path });
  }
}

/** Images that a network of images returns keep the order in which they are computed; all other outputs have the file's. */
function orderOfOutput(value: Value, images: boolean): readonly number[] {
  const rank = value.kind === 'node' ? value.axes.length : value.dims.length;
  const last = channelsLast(rank);
  const isImage = images && rank > 2 && value.kind === 'node' && sameShape(inverse(value.axes), last);
  return isImage ? last : naturalAxes(rank);
}

function operationsOf(
  { graph }: OnnxModel,
  nodes: readonly OnnxNode[],
  names: ReadonlyMap<OnnxNode, string>,
  { weights, shapes }: Plan,
): OnnxOperation[] {
  const used = new Set(weights.used().map(({ name }) => name));
  const sources = new Map<string, string>([...graph.initializers.keys()].map((name) => [name, name]));
  return nodes.flatMap((node): OnnxOperation[] => {
    // A tensor that is only passed on, or transposed, is the weight itself.
    const isView = ['Identity', 'Cast', 'Transpose'].includes(node.op) && sources.has(node.inputs[0]!);
    if (isView) sources.set(node.outputs[0]!, sources.get(node.inputs[0]!)!);
    const shape = shapes.get(node.outputs[0]!);
    if (isView || node.op === 'Constant' || !shape) return [];
    const own = node.inputs.map((input) => sources.get(input)).filter((name) => name !== undefined && used.has(name));
    return [{ name: names.get(node)!, op: node.op, weights: own as string[], shape }];
  });
}
