/** Which mask a layer passes on: model/layers/maskRules.ts applied to tensors. */
import type * as Core from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import type { MaskRule } from '../../model/layerClasses/layerClass.js';
import type { ClassName } from '../../model/layerClasses/registry.js';
import { own } from '../../model/layers/layerConfig.js';
import { maskRule } from '../../model/layers/maskRules.js';
import { concatenatedMask, mergedMask, type Mask } from './merging.js';
import { rowPresence, tokenPresence } from './presence.js';

type Tensor = Core.Tensor;
type Layer = layers.Layer;

/** @returns the mask of each output of a call; further outputs have none. */
export type Rule = (
  tf: typeof Core,
  layer: Layer,
  inputs: readonly Tensor[],
  masks: readonly Mask[],
) => readonly Mask[];

const passed: Rule = (_tf, _layer, _inputs, masks) => masks.slice(0, 1);
const merged: Rule = (...call) => [mergedMask(...call)];
const steps: Rule = (_tf, layer, _inputs, masks) =>
  (layer as unknown as { returnSequences: boolean }).returnSequences ? masks.slice(0, 1) : [];

const BY_RULE: Readonly<Record<MaskRule, Rule>> = { pass: passed, merge: merged, steps };

/** Classes with a rule of their own. */
const OWN: Readonly<Partial<Record<ClassName, Rule>>> = {
  Concatenate: (...call) => [concatenatedMask(...call)],
  Bidirectional(tf, layer, inputs, masks) {
    const [mask = null] = steps(tf, layer, inputs, masks);
    return (layer as unknown as { mergeMode: string | null }).mergeMode == null ? [mask, mask] : [mask];
  },
  Embedding: (tf, layer, [x]) => [
    (layer as unknown as { maskZero?: boolean }).maskZero === true ? tokenPresence(tf, x!) : null,
  ],
  Masking: (tf, layer, [x]) => [rowPresence(tf, x!, (layer as unknown as { maskValue: number }).maskValue)],
};

/** undefined: the layer drops every mask. */
export function ruleOf(layer: Layer): Rule | undefined {
  const name = layer.getClassName();
  const rule = maskRule(name);
  return own(OWN, name) ?? (rule && BY_RULE[rule]);
}
