/** Which mask a layer gives on (Keras 3.15: supports_masking and compute_mask of each layer). */
import type * as Core from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { concatenatedMask, mergedMask, type Mask } from './merging.js';
import { rowPresence, tokenPresence } from './presence.js';

type Tensor = Core.Tensor;
type Layer = layers.Layer;

/** @returns the mask of each output of a call; outputs beyond them have none. */
export type Rule = (
  tf: typeof Core,
  layer: Layer,
  inputs: readonly Tensor[],
  masks: readonly Mask[],
) => readonly Mask[];

const passed: Rule = (_tf, _layer, _inputs, masks) => masks.slice(0, 1);
const merged: Rule = (...call) => [mergedMask(...call)];
const overTime: Rule = (_tf, layer, _inputs, masks) =>
  (layer as unknown as { returnSequences: boolean }).returnSequences ? masks.slice(0, 1) : [];

const all = (names: string, rule: Rule): Record<string, Rule> =>
  Object.fromEntries(names.split(' ').map((name) => [name, rule]));

/** By class. Every other layer ends a mask, as Keras does with a warning: convolutions, pooling, Flatten, Reshape and the like. */
const RULES: Readonly<Record<string, Rule>> = {
  ...all('Activation ELU LeakyReLU PReLU ReLU ThresholdedReLU Softmax Dense Rescaling TimeDistributed', passed),
  ...all(
    'Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianNoise GaussianDropout AlphaDropout',
    passed,
  ),
  ...all('BatchNormalization LayerNormalization', passed),
  ...all('Add Subtract Multiply Average Maximum Minimum', merged),
  ...all('RNN SimpleRNN GRU LSTM ConvLSTM2D', overTime),
  Concatenate: (...call) => [concatenatedMask(...call)],
  Bidirectional(tf, layer, inputs, masks) {
    const [mask = null] = overTime(tf, layer, inputs, masks);
    return (layer as unknown as { mergeMode: string | null }).mergeMode == null ? [mask, mask] : [mask];
  },
  Embedding: (tf, layer, [x]) => [
    (layer as unknown as { maskZero?: boolean }).maskZero === true ? tokenPresence(tf, x!) : null,
  ],
  Masking: (tf, layer, [x]) => [rowPresence(tf, x!, (layer as unknown as { maskValue: number }).maskValue)],
};

/** undefined: the layer ends every mask. */
export const ruleOf = (layer: Layer): Rule | undefined => RULES[layer.getClassName()];
