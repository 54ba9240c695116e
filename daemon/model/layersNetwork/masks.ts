/** Which mask a call passes on, as operations: layers/maskRules.ts applied to nodes. engine/masks/rules.ts applies it to tensors. */
import type { Node } from '../../network/ir.js';
import type { Operations } from '../../network/operations.js';
import { mergedMask, type Masks } from '../layerClasses/merging/masked.js';
import type { ClassName } from '../layerClasses/registry.js';
import { rowPresence, tokenPresence } from '../layerClasses/rules/presence.js';
import { field, isLayerJson, numberAt, own, type LayerJson } from '../layers/layerConfig.js';
import { makesMask, maskRule } from '../layers/maskRules.js';

type Rule = (op: Operations, layer: LayerJson, inputs: readonly Node[], masks: Masks) => Node | null;

const sameRank = (masks: Masks): boolean => masks.every((mask) => mask?.shape.length === masks[0]?.shape.length);

/** Along a time axis masks follow each other, and every step of an input without a mask counts; along the channels they are merged. */
const concatenated: Rule = (op, { config }, inputs, masks) => {
  const axis = numberAt(config, 'axis') ?? -1;
  const { length: rank } = inputs[0]!.shape;
  const from = axis < 0 ? axis + rank : axis;
  if (masks.every((mask) => mask === null)) return null;
  if (from === rank - 1) return sameRank(masks) ? mergedMask(op, masks) : null;
  const all = inputs.map((x, i) => masks[i] ?? op.fill(1, x.shape.slice(0, -1)));
  return sameRank(all) ? op.concat(all, from) : null;
};

/** The first output of a recurrent layer that returns all steps. */
const steps: Rule = (_op, { class_name: name, config }, _inputs, [mask = null]) => {
  const inner = name === 'Bidirectional' && isLayerJson(config.layer) ? config.layer.config : config;
  return field(inner, 'return_sequences') === true ? mask : null;
};

const OWN: Readonly<Partial<Record<ClassName, Rule>>> = {
  Concatenate: concatenated,
  Embedding: (op, layer, [x]) => (makesMask(layer) ? tokenPresence(op, x!) : null),
  Masking: (op, { config }, [x]) => rowPresence(op, x!, numberAt(config, 'mask_value') ?? 0),
};

/** The mask of a call's first output. @param masks of its inputs. */
export const passedMask: Rule = (op, layer, inputs, masks) => {
  const special = own<Rule>(OWN as Readonly<Record<string, Rule>>, layer.class_name);
  if (special) return special(op, layer, inputs, masks);
  const rule = maskRule(layer.class_name);
  if (rule === 'pass') return masks[0] ?? null;
  if (rule === 'merge') return sameRank(masks) ? mergedMask(op, masks) : null;
  return rule === 'steps' ? steps(op, layer, inputs, masks) : null;
};
