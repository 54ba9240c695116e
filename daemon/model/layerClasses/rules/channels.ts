/** Channel rules that several classes share. */
import { channelsFirst, field, stringAt, type Json } from '../../layers/layerConfig.js';
import { linearConstants, type LinearMap } from '../../layers/linearMap.js';
import { channelsOf } from '../../layers/shape.js';
import type { WeightTensor } from '../../model.js';
import { scalarFunction } from '../../normalise/scalarFunctions.js';
import type { ChannelRole, ChannelRule, Cut, LayerCall, Weights } from '../layerClass.js';

/** Channels of an input. */
export const width = (call: LayerCall, input = 0): number => channelsOf(call.inputs[input]?.shape ?? null)!;

/** The layer's own weight of that name. */
export const weightOf = (call: LayerCall, weights: Weights, part: string): WeightTensor | undefined => {
  const spec = call.node.weights.find(({ name }) => name.endsWith(`/${part}`));
  return spec && weights(spec.name);
};

/** Sets a number under the config's spelling of the key. */
function setNumber(config: Json, key: string, value: number): void {
  const camel = key.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
  config[config[key] === undefined && config[camel] !== undefined ? camel : key] = value;
}

/** The same channels out as in; each value becomes f(value), NaN (varies) stays NaN. */
export const elementwise = (
  f: (x: number, channel: number) => number,
  cuts: ChannelRole['cuts'] = [],
): ChannelRole => ({
  tied: (channel) => [{ input: 0, channel }],
  constants: ([values]) => values!.map(f),
  cuts,
});

export const identity: ChannelRule = () => elementwise((x) => x);

export const unlessChannelsFirst =
  (rule: ChannelRule): ChannelRule =>
  (call, weights) =>
    channelsFirst(call.node.layer.config) ? null : rule(call, weights);

/** The element-wise function of an activation in the config; null: it is not element-wise. */
export const activated =
  (of: (config: Json) => ((x: number) => number) | null): ChannelRule =>
  (call) => {
    const f = of(call.node.layer.config);
    return f && elementwise(f);
  };

/**
 * The role of a linear map and its activation; null for a softmax, which reads all units, so none can be removed.
 * @param inputs what the input's channels slice. @param key of the config, which has the number of outputs.
 */
export function linearRole(
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

/** Kernel axes [..., inAxis, outAxis], counted from the end; `key` of the config has the number of outputs. */
export function linear(
  kernelAxes: { readonly input: number | null; readonly output: number },
  key: string,
  pads: (config: Json) => boolean = () => false,
): ChannelRule {
  return (call, weights) => {
    const { config } = call.node.layer;
    const kernel = weightOf(call, weights, kernelAxes.input === null ? 'embeddings' : 'kernel');
    if (!kernel) return null;
    const activation = scalarFunction(field(config, 'activation'));
    const bias = weightOf(call, weights, 'bias');
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

export const zeroPads = (config: Json): boolean => (stringAt(config, 'padding') ?? 'valid').toLowerCase() !== 'valid';

/** Merges channel by channel; inputs that broadcast along channels are not tied. */
export const merged =
  (f: (values: readonly number[]) => number): ChannelRule =>
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
