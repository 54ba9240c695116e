/** The places of each layer's variables in Keras 3's native format, and their shapes by the config (null: the config does not determine it). */
import { innerLayers, isContainer, layersIn, nameOf, type Json, type LayerJson } from './config.js';

/** null: of any. */
type Shape = readonly (number | null)[] | null;

const snake = (name: string): string => name.replace(/\W+/g, '').replace(/(.)([A-Z][a-z]+)/g, '$1_$2').replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase(); // prettier-ignore

const tuple = (value: unknown, n: number): number[] =>
  Array.isArray(value) ? (value as number[]) : new Array<number>(n).fill(value as number);
const bias = (config: Json, ...shape: (number | null)[]): Shape[] => (config.use_bias === false ? [] : [shape]);
const gated = (gates: number) => (config: Json): Shape[] => {
  const units = config.units as number;
  const doubled = gates === 3 && config.reset_after !== false;
  return [[null, gates * units], [units, gates * units], ...bias(config, ...(doubled ? [2] : []), gates * units)];
}; // prettier-ignore
const convolution = (n: number) => (config: Json): Shape[] => [[...tuple(config.kernel_size, n), null, config.filters as number], ...bias(config, config.filters as number)]; // prettier-ignore
const transposed = (n: number) => (config: Json): Shape[] => [[...tuple(config.kernel_size, n), config.filters as number, null], ...bias(config, config.filters as number)]; // prettier-ignore
const multiplier = (config: Json): number => (config.depth_multiplier as number | undefined) ?? 1;
const normalized = (config: Json, rest: number): Shape[] => {
  const axes = Array.isArray(config.axis) ? config.axis.length : 1;
  const vector = new Array<null>(axes).fill(null);
  return [...(config.scale === false ? [] : [vector]), ...(config.center === false ? [] : [vector]), ...new Array<Shape>(rest).fill(vector)]; // prettier-ignore
};

const headed = (config: Json, queries: number, keys: number, size: number, value: number): Shape[] => [
  [null, queries, size], ...bias(config, queries, size),
  [null, keys, size], ...bias(config, keys, size),
  ...(config.use_gate === true ? [[null, queries, value], ...bias(config, queries, value)] : []),
  [null, keys, value], ...bias(config, keys, value),
  null, ...(config.use_bias === false ? [] : [null]),
]; // prettier-ignore

const SHAPES: Readonly<Record<string, (config: Json) => Shape[]>> = {
  Dense: (config) => [[null, config.units as number], ...bias(config, config.units as number)],
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  Conv3D: convolution(3),
  EinsumDense: (config) => [null, ...(config.bias_axes == null ? [] : [null])],
  MultiHeadAttention: (config) =>
    headed(
      config,
      config.num_heads as number,
      config.num_heads as number,
      config.key_dim as number,
      (config.value_dim ?? config.key_dim) as number,
    ),
  GroupedQueryAttention: (config) =>
    headed(
      config,
      config.num_query_heads as number,
      config.num_key_value_heads as number,
      config.head_dim as number,
      config.head_dim as number,
    ),
  Attention: (config) => [...(config.use_scale === true ? [[]] : []), ...(config.score_mode === 'concat' ? [[]] : [])],
  AdditiveAttention: (config) => (config.use_scale === false ? [] : [[null]]),
  RMSNormalization: () => [null],
  DepthwiseConv1D: (config) => [[...tuple(config.kernel_size, 1), null, multiplier(config)], ...bias(config, null)],
  SeparableConv1D: (config) => [
    [...tuple(config.kernel_size, 1), null, multiplier(config)],
    [1, null, config.filters as number],
    ...bias(config, config.filters as number),
  ],
  Conv1DTranspose: transposed(1),
  Conv2DTranspose: transposed(2),
  Conv3DTranspose: transposed(3),
  DepthwiseConv2D: (config) => [[...tuple(config.kernel_size, 2), null, multiplier(config)], ...bias(config, null)],
  SeparableConv2D: (config) => [
    [...tuple(config.kernel_size, 2), null, multiplier(config)],
    [1, 1, null, config.filters as number],
    ...bias(config, config.filters as number),
  ],
  SimpleRNN: gated(1),
  GRU: gated(3),
  LSTM: gated(4),
  SimpleRNNCell: gated(1),
  GRUCell: gated(3),
  LSTMCell: gated(4),
  ConvLSTM2D: (config) => {
    const [kernel, filters] = [tuple(config.kernel_size, 2), config.filters as number];
    return [[...kernel, null, 4 * filters], [...kernel, filters, 4 * filters], ...bias(config, 4 * filters)];
  },
  Embedding: (config) => [[config.input_dim as number, config.output_dim as number]],
  BatchNormalization: (config) => normalized(config, 2),
  LayerNormalization: (config) =>
    normalized(config.rms_scaling === true ? { ...config, scale: true, center: false } : config, 0),
  GroupNormalization: (config) => normalized({ ...config, axis: -1 }, 0),
  PReLU: () => [null],
  // Mean, variance and count.
  Normalization: (config) => (config.mean == null ? [null, null, null] : []),
};

/** Variables in the layer's order, including those of inner layers. */
export function expectedShapes(layer: LayerJson): Shape[] {
  if (layer.class_name === 'Bidirectional') {
    const forward = expectedShapes(innerLayers(layer)[0]!);
    return [...forward, ...forward];
  }
  if (isContainer(layer)) return layersIn(layer).flatMap(expectedShapes);
  const own = SHAPES[layer.class_name]?.(layer.config) ?? [];
  return [...own, ...innerLayers(layer).flatMap(expectedShapes)];
}

function groupsOf(layer: LayerJson, base: string): string[] {
  const [inner] = innerLayers(layer);
  switch (layer.class_name) {
    case 'SimpleRNN':
    case 'GRU':
    case 'LSTM':
    case 'ConvLSTM2D':
      return [`${base}/cell`];
    case 'MultiHeadAttention':
      return ['query_dense', 'key_dense', ...(layer.config.use_gate === true ? ['_gate_dense'] : []), 'value_dense', 'output_dense'].map((part) => `${base}/${part}`); // prettier-ignore
    case 'GroupedQueryAttention':
      return ['_query_dense', '_key_dense', ...(layer.config.use_gate === true ? ['_gate_dense'] : []), '_value_dense', '_output_dense'].map((part) => `${base}/${part}`); // prettier-ignore
    case 'RNN':
      return groupsOf(inner!, `${base}/cell`);
    case 'StackedRNNCells':
      return named(innerLayers(layer)).flatMap(([cell, name]) => groupsOf(cell, `${base}/cells/${name}`));
    case 'Bidirectional':
      return ['forward_layer', 'backward_layer'].flatMap((way) => groupsOf(inner!, `${base}/${way}`));
    case 'TimeDistributed':
      return isContainer(inner!) ? variableGroups(inner!, `${base}/layer/`).flatMap((entry) => entry.groups) : groupsOf(inner!, `${base}/layer`); // prettier-ignore
    default:
      return [base];
  }
}

/** Each with the name of its group: its class in snake_case, counted. */
function named(layers: readonly LayerJson[]): [LayerJson, string][] {
  const used = new Map<string, number>();
  return layers.map((layer) => {
    const name = snake(layer.class_name);
    const count = used.get(name) ?? 0;
    used.set(name, count + 1);
    return [layer, count === 0 ? name : `${name}_${count}`];
  });
}

/** Every layer that is not a container, with its groups. */
export function variableGroups(model: LayerJson, prefix = ''): { layer: LayerJson; groups: string[]; where: string }[] {
  return named(layersIn(model)).flatMap(([layer, name]) => {
    const base = `${prefix}layers/${name}`;
    if (isContainer(layer)) return variableGroups(layer, `${base}/`);
    return [{ layer, groups: groupsOf(layer, base), where: nameOf(layer) }];
  });
}
