/**
 * Output shapes by arithmetic on the config alone: one rule per layer class of TensorFlow.js, as its computeOutputShape
 * (tfjs-layers 4.22, src/layers). Shapes are without the batch axis; a null size is unknown, a null shape wholly so.
 */
import { field, isLayerJson, numberAt, type LayerJson, own } from './layerConfig.js';
import { operationShape } from '../operations/operations.js';
import {
  bordered,
  convolution,
  globalPooling,
  on,
  pooling,
  sizeOf,
  transposed,
  upsampling,
  type Dim,
  type Rule,
  type Shape,
} from './spatialShapes.js';

export { sizeOf, type Dim, type Shape };

const same: Rule = (_config, inputs) => [inputs[0] ?? null];

/** Elementwise merges broadcast from the right. */
const broadcast: Rule = (_config, inputs) => {
  let merged: Shape | null = inputs[0] ?? null;
  for (const other of inputs.slice(1)) {
    if (merged === null || other === null) return [null];
    const [long, short]: [Shape, Shape] = merged.length >= other.length ? [merged, other] : [other, merged];
    const lead = long.length - short.length;
    const shape: Dim[] = [];
    for (const [i, a] of long.entries()) {
      const b = i < lead ? 1 : short[i - lead]!;
      if (a === null || b === null) shape.push(null);
      else if (a === 1 || a === b) shape.push(b);
      else if (b === 1) shape.push(a);
      else return [null];
    }
    merged = shape;
  }
  return [merged];
};

/** An axis of the config, which counts the batch axis, as an index into a shape without it. */
export function axisWithoutBatch(axis: number, rank: number): number | null {
  const index = axis < 0 ? rank + axis : axis - 1;
  return index >= 0 && index < rank ? index : null;
}

const concatenate: Rule = (config, inputs) => {
  const first = inputs[0];
  if (!first || inputs.some((shape) => shape === null || shape.length !== first.length)) return [null];
  const axis = axisWithoutBatch(numberAt(config, 'axis') ?? -1, first.length);
  if (axis === null) return [null];
  const total = (inputs as Shape[]).reduce<Dim>(
    (sum, shape) => (sum === null || shape[axis] === null ? null : sum + shape[axis]!),
    0,
  );
  return [first.map((dim, i) => (i === axis ? total : dim))];
};

const dot: Rule = (config, [a, b]) => {
  if (!a || !b || a.length > 2 || b.length > 2) return [null];
  const axes = field(config, 'axes');
  const [axisA, axisB] = Array.isArray(axes) ? (axes as unknown[]) : [axes, axes];
  if (typeof axisA !== 'number' || typeof axisB !== 'number') return [null];
  const [i, j] = [axisWithoutBatch(axisA, a.length), axisWithoutBatch(axisB, b.length)];
  if (i === null || j === null) return [null];
  const rest = [...a.filter((_dim, k) => k !== i), ...b.filter((_dim, k) => k !== j)];
  return [rest.length === 0 ? [1] : rest];
};

const reshape = on(null, (config, input) => {
  const target = field(config, 'target_shape');
  if (!Array.isArray(target)) return null;
  const wanted = (target as unknown[]).map((dim): Dim => (typeof dim === 'number' && dim >= 0 ? dim : null));
  const total = sizeOf(input);
  const known = sizeOf(wanted.map((dim) => dim ?? 1))!;
  const open = wanted.filter((dim) => dim === null).length;
  if (total === null || open > 1) return wanted;
  if (open === 0) return known === total ? wanted : null;
  return known > 0 && total % known === 0 ? wanted.map((dim) => dim ?? total / known) : null;
});

const permute = on(null, (config, input) => {
  const dims = field(config, 'dims');
  if (!Array.isArray(dims) || dims.length !== input.length) return null;
  const shape = (dims as unknown[]).map((dim) => (typeof dim === 'number' ? input[dim - 1] : undefined));
  return shape.some((dim) => dim === undefined) ? null : (shape as Dim[]);
});

const embedding = on(null, (config, input) => {
  const length = field(config, 'input_length');
  const lengths = length == null ? [] : Array.isArray(length) ? (length as unknown[]) : [length];
  const outer = input.map((dim, i): Dim => dim ?? (typeof lengths[i] === 'number' ? lengths[i] : null));
  return [...outer, numberAt(config, 'output_dim')];
});

/** [sequence or last output, ...states]. A state is as the last output; LSTM has two. */
const recurrent =
  (states: number): Rule =>
  (config, [input]) => {
    if (!input || input.length !== 2) return [null];
    const units = numberAt(config, 'units');
    const output: Shape = field(config, 'return_sequences') === true ? [input[0]!, units] : [units];
    return field(config, 'return_state') === true ? [output, ...new Array<Shape>(states).fill([units])] : [output];
  };

/** Output sizes of an RNN cell and of its states. */
function cellStates(cell: LayerJson): (number | null)[] {
  const units = numberAt(cell.config, 'units');
  if (cell.class_name === 'LSTMCell') return [units, units];
  if (cell.class_name !== 'StackedRNNCells') return [units];
  // As TensorFlow.js: the last cell's states come first.
  const cells = field(cell.config, 'cells');
  return Array.isArray(cells) ? (cells as unknown[]).filter(isLayerJson).reverse().flatMap(cellStates) : [null];
}

const rnn: Rule = (config, [input]) => {
  const cell = config.cell;
  if (!input || input.length !== 2 || !isLayerJson(cell)) return [null];
  const states = cellStates(cell);
  const output: Shape = field(config, 'return_sequences') === true ? [input[0]!, states[0]!] : [states[0]!];
  return field(config, 'return_state') === true ? [output, ...states.map((size): Shape => [size])] : [output];
};

const convLstm: Rule = (config, [input]) => {
  if (!input || input.length !== 4) return [null];
  const [frame] = RULES.Conv2D!(config, [input.slice(1)]);
  if (!frame) return [null];
  const output: Shape = field(config, 'return_sequences') === true ? [input[0]!, ...frame] : frame;
  return field(config, 'return_state') === true ? [output, frame, frame] : [output];
};

const timeDistributed: Rule = (config, [input]) => {
  const layer = config.layer;
  if (!input || input.length === 0 || !isLayerJson(layer)) return [null];
  const [inner] = outputShapes(layer, [input.slice(1)]);
  return [inner ? [input[0]!, ...inner] : null];
};

const bidirectional: Rule = (config, [input]) => {
  const layer = config.layer;
  if (!input || !isLayerJson(layer)) return [null];
  const [output, ...states] = outputShapes(layer, [input]);
  const mode = field(config, 'merge_mode');
  const both = states.length > 0 ? [...states, ...states] : [];
  if (!output) return [null];
  if (mode === null) return [output, output, ...both];
  if (mode !== undefined && mode !== 'concat') return [output, ...both];
  // TensorFlow.js doubles the channel axis wherever it is: the last.
  return [[...output.slice(0, -1), output.at(-1) == null ? null : output.at(-1)! * 2], ...both];
};

const RULES: Record<string, Rule> = {
  InputLayer: (config) => {
    const shape = field(config, 'batch_input_shape') ?? field(config, 'batch_shape');
    return [
      Array.isArray(shape) ? (shape as unknown[]).slice(1).map((dim) => (typeof dim === 'number' ? dim : null)) : null,
    ];
  },
  Dense: on(null, (config, input) => (input.length === 0 ? null : [...input.slice(0, -1), numberAt(config, 'units')])),
  Conv1D: convolution(1, (config) => numberAt(config, 'filters')),
  Conv2D: convolution(2, (config) => numberAt(config, 'filters')),
  Conv3D: convolution(3, (config) => numberAt(config, 'filters')),
  SeparableConv2D: convolution(2, (config) => numberAt(config, 'filters')),
  DepthwiseConv2D: convolution(2, (config, channels) =>
    channels === null ? null : channels * (numberAt(config, 'depth_multiplier') ?? 1),
  ),
  Conv2DTranspose: transposed(2),
  Conv3DTranspose: transposed(3),
  MaxPooling1D: pooling(1),
  AveragePooling1D: pooling(1),
  MaxPooling2D: pooling(2),
  AveragePooling2D: pooling(2),
  MaxPooling3D: pooling(3),
  AveragePooling3D: pooling(3),
  GlobalAveragePooling1D: globalPooling(1),
  GlobalMaxPooling1D: globalPooling(1),
  GlobalAveragePooling2D: globalPooling(2),
  GlobalMaxPooling2D: globalPooling(2),
  ZeroPadding2D: bordered('padding', 1, 1),
  Cropping2D: bordered('cropping', 0, -1),
  UpSampling2D: upsampling,
  CenterCrop: on(3, (config, input) => [numberAt(config, 'height'), numberAt(config, 'width'), input[2]!]),
  Resizing: on(3, (config, input) => [numberAt(config, 'height'), numberAt(config, 'width'), input[2]!]),
  Flatten: on(null, (_config, input) => [sizeOf(input)]),
  Reshape: reshape,
  Permute: permute,
  RepeatVector: on(1, (config, input) => [numberAt(config, 'n'), input[0]!]),
  Embedding: embedding,
  Add: broadcast,
  Multiply: broadcast,
  Average: broadcast,
  Maximum: broadcast,
  Minimum: broadcast,
  Concatenate: concatenate,
  Dot: dot,
  SimpleRNN: recurrent(1),
  GRU: recurrent(1),
  LSTM: recurrent(2),
  RNN: rnn,
  ConvLSTM2D: convLstm,
  TimeDistributed: timeDistributed,
  Bidirectional: bidirectional,
  Operation: (config, inputs) => [operationShape(config, inputs)],
};

const ELEMENTWISE = [
  'Activation', 'ReLU', 'LeakyReLU', 'PReLU', 'ELU', 'ThresholdedReLU', 'Softmax', 'Dropout', 'SpatialDropout1D',
  'GaussianNoise', 'GaussianDropout', 'AlphaDropout', 'BatchNormalization', 'LayerNormalization', 'Masking', 'Rescaling',
  'Normalization',
]; // prettier-ignore
for (const name of ELEMENTWISE) RULES[name] = same;

/** Layer classes whose shape rule is known; TensorFlow.js may have others that the product refuses. */
export const KNOWN_CLASSES: ReadonlySet<string> = new Set(Object.keys(RULES));

/** The outputs' shapes of one call of a layer that is no container. Unknown classes give [null]. */
export function outputShapes(layer: LayerJson, inputs: readonly (Shape | null)[]): (Shape | null)[] {
  const rule = own(RULES, layer.class_name);
  return rule ? rule(layer.config, inputs) : [null];
}
