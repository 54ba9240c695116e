/**
 * A layer's weights by arithmetic on the config alone, named, ordered and shaped as TensorFlow.js creates them
 * (tfjs-layers 4.22, the `build` of each class), with the FLOPs that each kernel costs.
 */
import { channelsFirst, field, isLayerJson, numberAt, tupleAt, type Json, type LayerJson, own } from './layerConfig.js';
import { outputShapes } from './layerShapes.js';
import { axisWithoutBatch, sizeOf, type Dim, type Shape } from './shape.js';
import { isAdapted, keptAxes } from '../layerClasses/normalisation/statistics.js';

export interface WeightSpec {
  /** Within the model, as TensorFlow.js names it when it loads the topology: "dense_1/kernel". */
  readonly name: string;
  /** null sizes follow from an input shape that the topology leaves open. */
  readonly shape: Shape;
  /** Kernels and embeddings: what pruning may remove. */
  readonly prunable: boolean;
  readonly trainable: boolean;
  /** A moving average, or a statistic of the data: never trained, whatever the layer is. */
  readonly statistic?: true;
  /** Times one weight takes part in a multiply-add per sample: Hout*Wout for a convolution, 1 for Dense. */
  readonly uses: number;
  /**
   * Axes [from, to) of a prunable weight that hold its units, where they are not the last axis: the others hold a unit's inputs.
   * A unit of an embedding is an entry of its vocabulary.
   */
  readonly unitAxes?: readonly [from: number, to: number];
}

type Part = Omit<WeightSpec, 'trainable'>;
type Rule = (config: Json, input: Shape | null) => Part[];

const kernel = (name: string, shape: Shape, uses: number): Part => ({ name, shape, prunable: true, uses });
/** [..., channels, multiplier]: a filter for each of the two. */
const depthwiseKernel = (shape: Shape, uses: number): Part => ({
  ...kernel('depthwise_kernel', shape, uses),
  unitAxes: [shape.length - 2, shape.length],
});
const vector = (name: string, ...shape: Dim[]): Part => ({ name, shape, prunable: false, uses: 0 });
const usesBias = (config: Json): boolean => field(config, 'use_bias') !== false;
const withBias = (config: Json, size: Dim): Part[] => (usesBias(config) ? [vector('bias', size)] : []);
const product = (...dims: Dim[]): Dim => sizeOf(dims);
/** Unknown sizes count once, so that FLOPs stay a lower bound. */
const positions = (shape: Shape): number => shape.reduce<number>((n, dim) => n * (dim ?? 1), 1);

const channelsOf = (config: Json, input: Shape | null): Dim =>
  input === null ? null : ((channelsFirst(config) ? input[0] : input.at(-1)) ?? null);
const withoutChannels = (config: Json, shape: Shape | null | undefined): Shape =>
  shape == null ? [] : channelsFirst(config) ? shape.slice(1) : shape.slice(0, -1);
const kernelSize = (config: Json, n: number): Dim[] =>
  tupleAt(config, 'kernel_size', n, 1) ?? new Array<Dim>(n).fill(null);
const outputPositions = (class_name: string, config: Json, input: Shape | null): number =>
  positions(withoutChannels(config, outputShapes({ class_name, config }, [input])[0]));

const convolution =
  (className: string, n: number): Rule =>
  (config, input) => {
    const filters = numberAt(config, 'filters');
    const shape = [...kernelSize(config, n), channelsOf(config, input), filters];
    return [kernel('kernel', shape, outputPositions(className, config, input)), ...withBias(config, filters)];
  };

/** Each input position spreads the whole kernel over the output. */
const transposed =
  (n: number): Rule =>
  (config, input) => {
    const filters = numberAt(config, 'filters');
    const shape = [...kernelSize(config, n), filters, channelsOf(config, input)];
    const uses = positions(withoutChannels(config, input));
    return [{ ...kernel('kernel', shape, uses), unitAxes: [n, n + 1] }, ...withBias(config, filters)];
  };

const depthwise: Rule = (config, input) => {
  const channels = channelsOf(config, input);
  const multiplier = numberAt(config, 'depth_multiplier') ?? 1;
  const uses = outputPositions('DepthwiseConv2D', config, input);
  return [
    depthwiseKernel([...kernelSize(config, 2), channels, multiplier], uses),
    ...withBias(config, product(channels, multiplier)),
  ];
};

const separable: Rule = (config, input) => {
  const channels = channelsOf(config, input);
  const multiplier = numberAt(config, 'depth_multiplier') ?? 1;
  const filters = numberAt(config, 'filters');
  const uses = outputPositions('SeparableConv2D', config, input);
  return [
    depthwiseKernel([...kernelSize(config, 2), channels, multiplier], uses),
    kernel('pointwise_kernel', [1, 1, product(channels, multiplier), filters], uses),
    ...withBias(config, filters),
  ];
};

/** Of a GRU or its cell; absent is false, as in TensorFlow.js and in Keras before 2.1. */
export const isResetAfter = (config: Json): boolean => field(config, 'reset_after') === true;

/** SimpleRNN, GRU and LSTM have 1, 3 and 4 gates side by side; each weight is used once per time step. */
function gated(gates: number, config: Json, features: Dim, steps: number): Part[] {
  const units = numberAt(config, 'units');
  const width = product(units, gates);
  // The product with the state has a bias of its own, the second row.
  const bias = isResetAfter(config) ? vector('bias', 2, width) : vector('bias', width);
  return [
    kernel('kernel', [features, width], steps),
    kernel('recurrent_kernel', [units, width], steps),
    ...(usesBias(config) ? [bias] : []),
  ];
}

const recurrent =
  (gates: number): Rule =>
  (config, input) =>
    gated(gates, config, input?.at(-1) ?? null, input?.[0] ?? 1);

const GATES: Record<string, number> = { SimpleRNNCell: 1, GRUCell: 3, LSTMCell: 4 };

function cellWeights(cell: LayerJson, features: Dim, steps: number): Part[] {
  const gates = own(GATES, cell.class_name);
  if (gates !== undefined) return gated(gates, cell.config, features, steps);
  if (cell.class_name !== 'StackedRNNCells') return [];
  let size = features;
  const cells = field(cell.config, 'cells');
  return (Array.isArray(cells) ? (cells as unknown[]) : []).filter(isLayerJson).flatMap((inner, i) => {
    const parts = cellWeights(inner, size, steps).map((part) => ({ ...part, name: `RNNCell_${i}/${part.name}` }));
    size = numberAt(inner.config, 'units');
    return parts;
  });
}

const rnn: Rule = (config, input) =>
  isLayerJson(config.cell) ? cellWeights(config.cell, input?.at(-1) ?? null, input?.[0] ?? 1) : [];

const convLstm: Rule = (config, input) => {
  const filters = numberAt(config, 'filters');
  const frame = outputShapes({ class_name: 'Conv2D', config }, [input?.slice(1) ?? null])[0];
  const uses = (input?.[0] ?? 1) * positions(withoutChannels(config, frame));
  const width = product(filters, 4);
  return [
    kernel('kernel', [...kernelSize(config, 2), channelsOf(config, input?.slice(1) ?? null), width], uses),
    kernel('recurrent_kernel', [...kernelSize(config, 2), filters, width], uses),
    ...withBias(config, width),
  ];
};

const batchNormalization: Rule = (config, input) => {
  const axis = input && axisWithoutBatch(numberAt(config, 'axis') ?? -1, input.length);
  const size = input && axis !== null ? input[axis]! : null;
  return [
    ...(field(config, 'scale') !== false ? [vector('gamma', size)] : []),
    ...(field(config, 'center') !== false ? [vector('beta', size)] : []),
    { ...vector('moving_mean', size), statistic: true },
    { ...vector('moving_variance', size), statistic: true },
  ];
};

const layerNormalization: Rule = (config, input) => {
  const axis = field(config, 'axis') ?? -1;
  const axes = (Array.isArray(axis) ? (axis as unknown[]) : [axis]).map((a) =>
    input && typeof a === 'number' ? axisWithoutBatch(a, input.length) : null,
  );
  const shape = axes.map((a) => (a === null ? null : input![a]!));
  return [
    ...(field(config, 'scale') !== false ? [vector('gamma', ...shape)] : []),
    ...(field(config, 'center') !== false ? [vector('beta', ...shape)] : []),
  ];
};

/** Never trained, whatever the layer is; the count is of samples, and is for Keras alone. */
const normalization: Rule = (config, input) => {
  if (!isAdapted(config)) return [];
  const axes = input && keptAxes(config, input.length + 1);
  const shape = axes ? axes.map((axis) => input![axis - 1]!) : [null];
  const parts = [vector('mean', ...shape), vector('variance', ...shape), vector('count')];
  return parts.map((part) => ({ ...part, statistic: true }));
};

const prelu: Rule = (config, input) => {
  const shared = field(config, 'shared_axes');
  const axes = new Set(Array.isArray(shared) ? (shared as unknown[]) : typeof shared === 'number' ? [shared] : []);
  return [vector('alpha', ...(input ?? [null]).map((dim, i) => (axes.has(i + 1) ? 1 : dim)))];
};

const bidirectional: Rule = (config, input) => {
  const layer = config.layer;
  if (!isLayerJson(layer)) return [];
  const inner = typeof layer.config.name === 'string' ? layer.config.name : '';
  return ['forward', 'backward'].flatMap((way) =>
    parts(layer, input).map((part) => ({ ...part, name: `${way}_${inner}/${part.name}` })),
  );
};

const RULES: Record<string, Rule> = {
  Dense: (config, input) => {
    const units = numberAt(config, 'units');
    return [
      kernel('kernel', [input?.at(-1) ?? null, units], positions(input?.slice(0, -1) ?? [])),
      ...withBias(config, units),
    ];
  },
  Conv1D: convolution('Conv1D', 1),
  Conv2D: convolution('Conv2D', 2),
  Conv3D: convolution('Conv3D', 3),
  Conv2DTranspose: transposed(2),
  Conv3DTranspose: transposed(3),
  DepthwiseConv2D: depthwise,
  SeparableConv2D: separable,
  SimpleRNN: recurrent(1),
  GRU: recurrent(3),
  LSTM: recurrent(4),
  RNN: rnn,
  ConvLSTM2D: convLstm,
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  Normalization: normalization,
  PReLU: prelu,
  // A lookup costs no multiply-add.
  Embedding: (config) => [
    { ...kernel('embeddings', [numberAt(config, 'input_dim'), numberAt(config, 'output_dim')], 0), unitAxes: [0, 1] },
  ],
  TimeDistributed: (config, input) =>
    isLayerJson(config.layer)
      ? parts(config.layer, input?.slice(1) ?? null).map((part) => ({ ...part, uses: part.uses * (input?.[0] ?? 1) }))
      : [],
  Bidirectional: bidirectional,
};

function parts(layer: LayerJson, input: Shape | null): Part[] {
  return own(RULES, layer.class_name)?.(layer.config, input) ?? [];
}

/** The layers and cells that a layer wraps. */
export const wrappedLayers = ({ config }: LayerJson): LayerJson[] =>
  [config.layer, config.cell, ...(Array.isArray(config.cells) ? (config.cells as unknown[]) : [])].filter(isLayerJson);

/** Whether a file freezes a layer, or what it wraps: trainable is false. */
export const isFrozen = (layer: LayerJson): boolean =>
  layer.config.trainable === false || wrappedLayers(layer).some(isFrozen);

/**
 * @param scope the layer's name; weights are named "scope/kernel".
 * @param frozen whether a model around the layer is. Default: as the layer's own setting says.
 */
export function layerWeights(
  layer: LayerJson,
  scope: string,
  input: Shape | null,
  frozen = isFrozen(layer),
): WeightSpec[] {
  return parts(layer, input).map((part) => ({
    ...part,
    name: `${scope}/${part.name}`,
    trainable: !frozen && part.statistic !== true,
  }));
}
