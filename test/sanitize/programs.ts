/** Programs of real networks, as the native engine builds them: what is mutated, and what threads race on. */
import { type Graph } from '../../daemon/network/ir.js';
import { GraphBuilder } from '../../daemon/network/builder.js';
import { encode } from '../../daemon/engine/native/encode.js';
import { traceModel } from '../../daemon/engine/trace/traceModel.js';
import { cases, chain, noisy, untrainableInTensorFlow } from '../unit/engine/compiled/layerCases.js';
import { onCpu, toModel } from '../unit/engine/compiled/tinyModels.js';
import { sizeOf } from '../../daemon/protocol/shape.js';
import { trainingOf } from '../bench/transformer/networks.js';

export interface SampleProgram {
  readonly name: string;
  readonly code: Int32Array;
  /** Floats of each buffer. */
  readonly sizes: readonly number[];
}

function programOf(name: string, graph: Graph): SampleProgram {
  const { code, arenaSize, constants } = encode(graph);
  const given = [...graph.inputs, ...graph.outputs].map(({ node }) => sizeOf(node.shape));
  return { name, code, sizes: [arenaSize, ...constants.map(({ length }) => length), ...given] };
}

/** A convolution in Winograd's tiles with bias and pooling, and both gradients: too large for a layer's own test. */
function tiledConvolution(): Graph {
  const builder = new GraphBuilder();
  const [c, f, size] = [12, 12, 8];
  const input = (name: string, shape: number[]) => builder.input(shape, { role: 'parameter', name });
  const [x, filter, bias, dy] = [
    input('x', [2, size, size, c]),
    input('filter', [3, 3, c, f]),
    input('bias', [f]),
    input('dy', [32, size, size, f]),
  ];
  const images = input('images', [32, size, size, c]);
  const attrs = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
  const shape = [2, size, size, f];
  const product = builder.add({ op: 'Conv2D', inputs: [x, filter], attrs, shape });
  const shifted = builder.add({ op: 'Add', inputs: [product, bias], shape });
  const window = { window: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] };
  const outputs = [
    builder.add({ op: 'MaxPool', inputs: [shifted], attrs: window, shape: [2, size / 2, size / 2, f] }),
    builder.add({ op: 'Conv2DBackpropInput', inputs: [dy, filter], attrs, shape: [32, size, size, c] }),
    builder.add({ op: 'Conv2DBackpropFilter', inputs: [images, dy], attrs, shape: [3, 3, c, f] }),
  ];
  return builder.finish(outputs.map((node, i) => ({ role: 'gradient', name: `p${i}`, node })));
}

/** Depthwise convolutions and poolings over edges of more channels than vectors have lanes, as no layer's own test has them. */
function windowsOverEdges(channels: number): Graph {
  const builder = new GraphBuilder();
  const input = (name: string, shape: number[]) => builder.input(shape, { role: 'parameter', name });
  const [image, half, taps] = [[2, 7, 10, channels], [2, 4, 5, channels], [3, 3, channels, 1]]; // prettier-ignore
  const [x, dy, dyHalf, filter] = [input('x', image!), input('dy', image!), input('half', half!), input('filter', taps!)]; // prettier-ignore
  const nodes = [1, 2].flatMap((stride) => {
    const attrs = { strides: [stride, stride], dilations: [1, 1], pads: [1, 1, 1, 1] };
    const [shape, slopes] = stride === 1 ? [image!, dy] : [half!, dyHalf];
    return [
      builder.add({ op: 'DepthwiseConv2D', inputs: [x, filter], attrs, shape }),
      builder.add({ op: 'DepthwiseConv2DBackpropInput', inputs: [slopes, filter], attrs, shape: image! }),
      builder.add({ op: 'DepthwiseConv2DBackpropFilter', inputs: [x, slopes], attrs, shape: taps! }),
    ];
  });
  const windows = [2, 3].flatMap((stride) => {
    const attrs = { window: [3, 3], strides: [stride, stride], pads: [1, 1, 1, 1] };
    const shape = stride === 2 ? half! : [2, 3, 4, channels];
    const pooled = builder.add({ op: 'MaxPool', inputs: [x], attrs, shape });
    return [pooled, builder.add({ op: 'MaxPoolGrad', inputs: [pooled, x, pooled], attrs, shape: image! })];
  });
  return builder.finish([...nodes, ...windows].map((node, i) => ({ role: 'gradient', name: `p${i}`, node })));
}

/** Gathering and summing rows, a window of more than 256 pixels, and every element-wise operation that no layer has. */
function otherOperations(): Graph {
  const builder = new GraphBuilder();
  const input = (name: string, shape: number[]) => builder.input(shape, { role: 'parameter', name });
  const [table, given, rows, image] = [input('table', [5, 3]), input('ids', [7]), input('rows', [7, 3]), input('image', [1, 17, 17, 2])]; // prettier-ignore
  const ids = builder.add({ op: 'Cast', inputs: [given], shape: [7], dtype: 'int32' });
  const attrs = { window: [17, 17], strides: [1, 1], pads: [0, 0, 0, 0] };
  const pooled = builder.add({ op: 'MaxPool', inputs: [image], attrs, shape: [1, 1, 1, 2] });
  const [a, b] = [input('a', [4, 3]), input('b', [4, 3])];
  const [middle, wide] = [input('middle', [2, 5, 3]), input('wide', [2, 1, 3])];
  const both = (op: 'Minimum' | 'GreaterEqual' | 'LessEqual' | 'Less' | 'LogicalAnd' | 'LogicalOr' | 'NotEqual') =>
    builder.add({ op, inputs: [a, b], shape: [4, 3] });
  const one = (op: 'LogicalNot' | 'Sign' | 'Floor' | 'Reciprocal' | 'Rsqrt' | 'Expm1' | 'Log1p') =>
    builder.add({ op, inputs: [a], shape: [4, 3] });
  const numbers = ['Pow', 'Atan2', 'Mod', 'FloorDiv', 'LogicalXor', 'Sin', 'Cosh', 'Round', 'Ceil'] as const;
  const reduced = (op: 'Prod' | 'Max', axes: number[], shape: number[]) =>
    builder.add({ op, inputs: [middle], attrs: { axes, keepDims: false }, shape });
  const nodes = [
    ...numbers.map((op) => builder.add({ op, inputs: [a, b].slice(0, 'Sin Cosh Round Ceil'.includes(op) ? 1 : 2), shape: [4, 3] })), // prettier-ignore
    builder.add({ op: 'Gather', inputs: [middle, ids], attrs: { axis: 1 }, shape: [2, 7, 3] }),
    builder.add({
      op: 'Cumsum',
      inputs: [middle],
      attrs: { axis: 1, exclusive: true, reverse: true },
      shape: [2, 5, 3],
    }),
    builder.add({ op: 'Add', inputs: [middle, wide], shape: [2, 5, 3] }),
    reduced('Prod', [1], [2, 3]),
    reduced('Max', [0, 2], [5]),
    builder.add({ op: 'Gather', inputs: [table, ids], attrs: { axis: 0 }, shape: [7, 3] }),
    builder.add({ op: 'SegmentSum', inputs: [rows, ids], shape: [5, 3] }),
    pooled,
    builder.add({ op: 'MaxPoolGrad', inputs: [pooled, image, pooled], attrs, shape: image.shape }),
    ...(['Minimum', 'GreaterEqual', 'LessEqual', 'Less', 'LogicalAnd', 'LogicalOr', 'NotEqual'] as const).map(both),
    ...(['LogicalNot', 'Sign', 'Floor', 'Reciprocal', 'Rsqrt', 'Expm1', 'Log1p'] as const).map(one),
  ];
  return builder.finish(nodes.map((node, i) => ({ role: 'gradient', name: `p${i}`, node })));
}

const transformer = { batch: 2, layers: 1, width: 12, heads: 3, tokens: 7, hidden: 20, classes: 5 };

/** Programs of every layer class in training and inference, and of networks larger than those of the layers' tests. */
export async function samplePrograms(): Promise<SampleProgram[]> {
  const programs = [
    programOf('tiled convolution', tiledConvolution()),
    programOf('windows over edges', windowsOverEdges(19)),
    programOf('windows over edges, whole vectors', windowsOverEdges(16)),
    programOf('other operations', otherOperations()),
    programOf('transformer of patches', trainingOf({ ...transformer, patch: 10 }).graph),
    programOf('transformer of words', trainingOf({ ...transformer, words: 11 }).graph),
  ];
  await onCpu();
  for (const [name, inputShape, layers, loss = 'meanSquaredError'] of [
    ...cases,
    ...untrainableInTensorFlow,
    ...noisy,
  ]) {
    const traced = await traceModel(toModel(chain(inputShape, layers())), { loss, batchSize: 3 });
    programs.push(programOf(name, await traced.training()));
  }
  return programs;
}
