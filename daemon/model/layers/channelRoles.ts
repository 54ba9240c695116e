/** What a layer does to the channels (last axis) of its tensors: what thinning and neuron budgets have to know of each class. */
import { axisWithoutBatch, type Shape } from './shape.js';
import { channelsFirst, field, numberAt, stringAt, type Json } from './layerConfig.js';
import type { WeightTensor } from '../model.js';
import { linearConstants, type LinearMap } from './linearMap.js';
import { keptAxes, LEAST_DEVIATION } from '../layerClasses/normalisation/statistics.js';
import { scalarFunction } from '../normalise/scalarFunctions.js';
import type { Call } from '../normalise/wiring.js';

/** A channel of one of a call's inputs. */
export interface Place {
  readonly input: number;
  readonly channel: number;
}

/** Channels that must stay: [0..n) of the output and of each input. */
export interface KeptChannels {
  readonly inputs: readonly (readonly number[])[];
  readonly output: readonly number[];
}

export interface Cut {
  readonly weight: WeightTensor;
  readonly axis: number;
  readonly side: 'input' | 'output';
  /** Entries per channel along the axis, side by side. Default 1. */
  readonly entries?: number;
}

export interface ChannelRole {
  /** Reads its input through a kernel. */
  readonly linear?: LinearMap;
  /** Its output channels all stay. */
  readonly fixed?: boolean;
  /** Input channels that an output channel is one with: removed together, or not at all. */
  tied(channel: number): readonly Place[];
  /** One value per output channel: what it is for every sample and position, NaN where that varies. */
  constants(inputs: readonly Float64Array[]): Float64Array;
  /** Weights to cut, along which axis, by what is kept of which side. */
  readonly cuts: readonly Cut[];
  /** Adjusts the layer's config to the channels kept. */
  resize?(config: Json, kept: KeptChannels): void;
}

export type Weights = (name: string) => WeightTensor | undefined;
type Rule = (call: Call, weights: Weights) => ChannelRole | null;

export const channelsOf = (shape: Shape | null): number | null => shape?.at(-1) ?? null;
const width = (call: Call, input = 0): number => channelsOf(call.inputs[input]?.shape ?? null)!;
const own = (call: Call, weights: Weights, part: string): WeightTensor | undefined => {
  const spec = call.node.weights.find(({ name }) => name.endsWith(`/${part}`));
  return spec && weights(spec.name);
};
/** Sets a number under whichever spelling of the key the config has. */
function setNumber(config: Json, key: string, value: number): void {
  const camel = key.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
  config[config[key] === undefined && config[camel] !== undefined ? camel : key] = value;
}

/** The same channels out as in; each value becomes f(value), NaN (varies) stays NaN. */
const elementwise = (f: (x: number, channel: number) => number, cuts: ChannelRole['cuts'] = []): ChannelRole => ({
  tied: (channel) => [{ input: 0, channel }],
  constants: ([values]) => values!.map(f),
  cuts,
});

const identity: Rule = () => elementwise((x) => x);
/** Adds a border of zeros: only a constant 0 stays constant. */
const bordered: Rule = () => elementwise((x) => (x === 0 ? 0 : NaN));
const unlessChannelsFirst =
  (rule: Rule): Rule =>
  (call, weights) =>
    channelsFirst(call.node.layer.config) ? null : rule(call, weights);
const activated =
  (of: (config: Json) => ((x: number) => number) | null): Rule =>
  (call) => {
    const f = of(call.node.layer.config);
    return f && elementwise(f);
  };

/**
 * The role of a linear map and its activation; null is a softmax, which reads all units, so none can go.
 * @param inputs what the input's channels cut. @param key of the config, which has the number of outputs.
 */
function linearRole(
  map: Omit<LinearMap, 'activation'>,
  activation: ((x: number) => number) | null,
  inputs: readonly Cut[],
  key: string,
): ChannelRole {
  const linear: LinearMap = { ...map, activation: activation ?? (() => NaN) };
  const { kernel, outputAxis, bias } = map;
  return {
    linear,
    fixed: activation === null,
    tied: () => [],
    constants: ([values]) => linearConstants(linear, values!),
    cuts: [
      ...inputs,
      { weight: kernel, axis: outputAxis, side: 'output' },
      ...(bias ? [{ weight: bias, axis: 0, side: 'output' as const }] : []),
    ],
    resize: (layer, { output }) => setNumber(layer, key, output.length),
  };
}

/** Kernel axes [..., inAxis, outAxis]; `resize` writes the number of outputs under `key`. */
function linear(
  kernelAxes: { input: number | null; output: number },
  key: string,
  pads: (config: Json) => boolean,
): Rule {
  return (call, weights) => {
    const { config } = call.node.layer;
    const kernel = own(call, weights, kernelAxes.input === null ? 'embeddings' : 'kernel');
    if (!kernel) return null;
    const activation = scalarFunction(field(config, 'activation'));
    const bias = own(call, weights, 'bias');
    const rank = kernel.shape.length;
    const map = {
      kernel,
      inputAxis: kernelAxes.input === null ? null : rank + kernelAxes.input,
      outputAxis: rank + kernelAxes.output,
      ...(bias && { bias }),
      foldsZeroOnly: pads(config),
    };
    const inputs = map.inputAxis === null ? [] : [{ weight: kernel, axis: map.inputAxis, side: 'input' as const }];
    return linearRole(map, activation, inputs, key);
  };
}

const zeroPads = (config: Json): boolean => (stringAt(config, 'padding') ?? 'valid').toLowerCase() !== 'valid';
const convolution = unlessChannelsFirst(linear({ input: -2, output: -1 }, 'filters', zeroPads));

/** The borders of its output see fewer taps. */
const transposed = unlessChannelsFirst(linear({ input: -1, output: -2 }, 'filters', () => true));

const depthwise: Rule = (call, weights) => {
  const { config } = call.node.layer;
  const kernel = own(call, weights, 'depthwise_kernel');
  const bias = own(call, weights, 'bias');
  const activation = scalarFunction(field(config, 'activation'));
  if (!kernel || !activation) return null;
  const [channels, multiplier] = [kernel.shape.at(-2)!, kernel.shape.at(-1)!];
  const pads = zeroPads(config);
  return {
    tied: (channel) => [{ input: 0, channel: Math.floor(channel / multiplier) }],
    constants([values]) {
      const sums = new Float64Array(channels * multiplier);
      kernel.data.forEach((w, i) => {
        const output = i % sums.length;
        const x = values![Math.floor(output / multiplier)]!;
        if (w !== 0 && x !== 0) sums[output]! += pads ? NaN : w * x;
      });
      return sums.map((sum, output) => activation(sum + (bias?.data[output] ?? 0)));
    },
    cuts: [
      { weight: kernel, axis: kernel.shape.length - 2, side: 'input' },
      ...(bias ? [{ weight: bias, axis: 0, side: 'output' as const }] : []),
    ],
  };
};

/** A depthwise convolution and a pointwise one; no activation between them. */
const separable: Rule = (call, weights) => {
  const { config } = call.node.layer;
  const filters = own(call, weights, 'depthwise_kernel');
  const kernel = own(call, weights, 'pointwise_kernel');
  if (!filters || !kernel) return null;
  const activation = scalarFunction(field(config, 'activation'));
  const bias = own(call, weights, 'bias');
  const [inputAxis, outputAxis] = [kernel.shape.length - 2, kernel.shape.length - 1];
  // What a constant becomes in the depthwise part is not followed, but for 0.
  const map = { kernel, depthwise: filters, inputAxis, outputAxis, ...(bias && { bias }), foldsZeroOnly: true };
  const inputs = [
    { weight: filters, axis: filters.shape.length - 2, side: 'input' as const },
    { weight: kernel, axis: inputAxis, side: 'input' as const, entries: filters.shape.at(-1)! },
  ];
  return linearRole(map, activation, inputs, 'filters');
};

const batchNormalization: Rule = (call, weights) => {
  const { config } = call.node.layer;
  const rank = call.inputs[0]!.shape!.length;
  if (axisWithoutBatch(numberAt(config, 'axis') ?? -1, rank) !== rank - 1) return null;
  const [gamma, beta, mean, variance] = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((part) => own(call, weights, part)); // prettier-ignore
  if (!mean || !variance) return null;
  const epsilon = numberAt(config, 'epsilon') ?? 1e-3;
  const normalised = (x: number, c: number): number => {
    const scale = (gamma?.data[c] ?? 1) / Math.sqrt(variance.data[c]! + epsilon);
    return (scale === 0 ? 0 : scale * (x - mean.data[c]!)) + (beta?.data[c] ?? 0);
  };
  const vectors = [gamma, beta, mean, variance].filter((weight) => weight !== undefined);
  return elementwise(
    normalised,
    vectors.map((weight) => ({ weight, axis: 0, side: 'output' })),
  );
};

/** Statistics of other axes make a channel's values vary. */
const normalization: Rule = (call, weights) => {
  const { config } = call.node.layer;
  const rank = call.inputs[0]!.shape!.length;
  const axes = keptAxes(config, rank + 1);
  const [mean, variance] = ['mean', 'variance'].map((part) => own(call, weights, part));
  if (!axes) return null;
  const given = mean ? null : ['mean', 'variance'].map((key) => [config[key]].flat() as number[]);
  const n = width(call);
  const perChannel = given?.every((list) => list.length === n && axes.join() === String(rank)) ?? axes.includes(rank);
  // Those of the config are one for all channels, one for each, or not followed.
  if (given && !perChannel && given.some((list) => list.length !== 1 || typeof list[0] !== 'number')) return null;
  const constant = axes.every((axis) => axis === rank);
  const at = (of: 0 | 1, c: number): number => (given?.[of] ?? [mean, variance][of]!.data)[perChannel ? c : 0]!;
  const normalised = (x: number, c: number): number => {
    if (!constant) return NaN;
    const deviation = Math.max(Math.sqrt(at(1, c)), LEAST_DEVIATION);
    return config.invert === true ? x * deviation + at(0, c) : (x - at(0, c)) / deviation;
  };
  const cut = (weight: WeightTensor): Cut => ({ weight, axis: axes.length - 1, side: 'output' });
  if (!given) return elementwise(normalised, perChannel ? [cut(mean!), cut(variance!)] : []);
  return {
    ...elementwise(normalised),
    resize(layer, { output }) {
      if (perChannel)
        for (const [i, key] of ['mean', 'variance'].entries()) layer[key] = output.map((c) => given[i]![c]!);
    },
  };
};

const prelu: Rule = (call, weights) => {
  const alpha = own(call, weights, 'alpha');
  if (!alpha || alpha.shape.at(-1) !== width(call)) return null;
  const perChannel = alpha.shape.slice(0, -1).every((dim) => dim === 1);
  const f = (x: number, c: number): number => (x >= 0 ? x : perChannel ? alpha.data[c]! * x : NaN);
  return elementwise(f, [{ weight: alpha, axis: alpha.shape.length - 1, side: 'output' }]);
};

/** Merges channel by channel; inputs that broadcast along channels are left alone. */
const merge =
  (f: (values: readonly number[]) => number): Rule =>
  (call) => {
    const rank = call.inputs[0]?.shape?.length;
    const n = width(call);
    if (call.inputs.some(({ shape }) => shape?.length !== rank || channelsOf(shape) !== n)) return null;
    return {
      tied: (channel) => call.inputs.map((_, input) => ({ input, channel })),
      constants: (inputs) => Float64Array.from({ length: n }, (_, c) => f(inputs.map((values) => values[c]!))),
      cuts: [],
    };
  };

const allEqual = (values: readonly number[]): number => (values.every((x) => x === values[0]) ? values[0]! : NaN);

const concatenate: Rule = (call, weights) => {
  const rank = call.inputs[0]!.shape!.length;
  const axis = axisWithoutBatch(numberAt(call.node.layer.config, 'axis') ?? -1, rank);
  if (axis === null) return null;
  if (axis !== rank - 1) return merge(allEqual)(call, weights);
  const places = call.inputs.flatMap(({ shape }, input) =>
    Array.from({ length: channelsOf(shape)! }, (_, channel) => ({ input, channel })),
  );
  return {
    tied: (channel) => [places[channel]!],
    constants: (inputs) => Float64Array.from(places, ({ input, channel }) => inputs[input]![channel]!),
    cuts: [],
  };
};

const flatten: Rule = (call) => {
  const n = width(call);
  const size = channelsOf(call.outputs[0]!.shape)!;
  return {
    tied: (position) => [{ input: 0, channel: position % n }],
    constants: ([values]) => Float64Array.from({ length: size }, (_, position) => values![position % n]!),
    cuts: [],
  };
};

/**
 * ZeroPadding2D. Said to be channels-first it pads axes 2 and 3, which in a channels-last tensor are the width and the
 * channels: the zero channels of a parameter-free shortcut (He et al. 2016, option A), which may go like any other.
 */
const zeroPadding: Rule = (call, weights) => {
  const { config } = call.node.layer;
  if (!channelsFirst(config)) return bordered(call, weights);
  const padding = field(config, 'padding') as unknown[];
  const [across, along] = Array.isArray(padding) ? (padding as unknown[][]) : [];
  if (!Array.isArray(across) || !Array.isArray(along) || across.some((n) => n !== 0)) return null;
  const before = along[0] as number;
  const n = width(call);
  const inside = (channel: number): boolean => channel >= before && channel < before + n;
  return {
    tied: (channel) => (inside(channel) ? [{ input: 0, channel: channel - before }] : []),
    constants: ([values]) =>
      Float64Array.from({ length: before + n + (along[1] as number) }, (_, channel) =>
        inside(channel) ? values![channel - before]! : 0,
      ),
    cuts: [],
    resize(layer, { output }) {
      const [first, last] = [output.filter((c) => c < before), output.filter((c) => c >= before + n)];
      layer['padding'] = [across, [first.length, last.length]];
    },
  };
};

/** Averages leave the padding out, so a constant stays what it is. */
const pooling = unlessChannelsFirst(identity);

const upTo =
  (limit: number | null) =>
  (x: number): number =>
    Math.min(Math.max(x, 0), limit ?? Infinity);

const RULES: Readonly<Record<string, Rule>> = {
  // The model's own input, or the entry of a nested model.
  InputLayer: (call, weights) => (call.inputs.length === 0 ? null : identity(call, weights)),
  Dense: linear({ input: -2, output: -1 }, 'units', () => false),
  Conv1D: convolution,
  Conv2D: convolution,
  Conv3D: convolution,
  Conv2DTranspose: transposed,
  Conv3DTranspose: transposed,
  Embedding: linear({ input: null, output: -1 }, 'output_dim', () => false),
  DepthwiseConv2D: unlessChannelsFirst(depthwise),
  SeparableConv2D: unlessChannelsFirst(separable),
  BatchNormalization: batchNormalization,
  Normalization: normalization,
  PReLU: prelu,
  Activation: activated((config) => scalarFunction(field(config, 'activation'))),
  ReLU: activated((config) => upTo(numberAt(config, 'max_value'))),
  LeakyReLU: activated((config) => {
    const alpha = numberAt(config, 'alpha') ?? 0.3;
    return (x) => (x >= 0 ? x : alpha * x);
  }),
  ELU: activated(() => scalarFunction('elu')),
  ThresholdedReLU: activated((config) => {
    const theta = numberAt(config, 'theta') ?? 1;
    return (x) => (Number.isNaN(x) ? NaN : x > theta ? x : 0);
  }),
  Rescaling: activated((config) => {
    const [scale, offset] = [numberAt(config, 'scale'), numberAt(config, 'offset') ?? 0];
    return scale === null ? null : (x) => x * scale + offset;
  }),
  Dropout: identity,
  SpatialDropout1D: identity,
  GaussianNoise: identity,
  GaussianDropout: identity,
  AlphaDropout: identity,
  RepeatVector: identity,
  MaxPooling1D: pooling,
  MaxPooling2D: pooling,
  AveragePooling1D: pooling,
  AveragePooling2D: pooling,
  MaxPooling3D: pooling,
  AveragePooling3D: pooling,
  GlobalAveragePooling1D: pooling,
  GlobalAveragePooling2D: pooling,
  GlobalMaxPooling1D: pooling,
  GlobalMaxPooling2D: pooling,
  ZeroPadding2D: zeroPadding,
  Cropping2D: unlessChannelsFirst(identity),
  UpSampling2D: unlessChannelsFirst(identity),
  Flatten: unlessChannelsFirst(flatten),
  Add: merge((values) => values.reduce((sum, x) => sum + x, 0)),
  Average: merge((values) => values.reduce((sum, x) => sum + x, 0) / values.length),
  Multiply: merge((values) => values.reduce((product, x) => product * x, 1)),
  Subtract: merge(([a, b]) => a! - b!),
  Maximum: merge((values) => Math.max(...values)),
  Minimum: merge((values) => Math.min(...values)),
  Concatenate: concatenate,
};

/** The role of a call; null for a layer whose channels all stay (those that mix channels, recurrent ones, unknown ones). */
export function channelRole(call: Call, weights: Weights): ChannelRole | null {
  const known = [...call.inputs, ...call.outputs].every(({ shape }) => shape !== null && channelsOf(shape) !== null);
  // A layer called on several tensors has one kernel for all of them.
  if (!known || call.outputs.length !== 1 || call.node.calls.length > 1) return null;
  return RULES[call.node.layer.class_name]?.(call, weights) ?? null;
}
