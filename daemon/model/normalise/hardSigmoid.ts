/**
 * hard_sigmoid is two different functions: clip(0.2 x + 0.5, 0, 1) in TensorFlow.js and Keras 1 and 2, clip(x / 6 + 0.5, 0, 1) in Keras 3
 * (keras.io/api/layers/activations). The first of x is the second of 1.2 x. So a layer computes the same in the other generation when the weights
 * that produce x are scaled: exactly, up to the rounding of each weight.
 */
import { UserError } from '../../protocol/errors.js';
import { classOf } from '../layerClasses/registry.js';
import { CONTAINERS, layerName, layersOf, stringAt, type Json, type LayerJson } from '../layers/layerConfig.js';
import { modelGraph, type LayerNode } from '../layers/layerGraph.js';
import { layerWeights } from '../layers/layerWeights.js';
import type { Refuse } from '../layers/refuse.js';
import type { LayersModel, WeightTensor } from '../model.js';
import { insertBehind } from './rewriteGraph.js';

/** The factor of the weights with which Keras 3 computes what TensorFlow.js does, and the inverse. */
const TO_KERAS_3 = 6 / 5;
const FROM_KERAS_3 = 5 / 6;

/** Rejects the layer of that name; the message is completed with the file. */
type RefuseLayer = (layer: string, problem: string) => never;

const isHard = (name: string | null): boolean => name !== null && /^hard_?sigmoid$/i.test(name);
const hardActivation = ({ config }: LayerJson): boolean => isHard(stringAt(config, 'activation'));
/** TensorFlow.js's default if a file has none. */
const hardGates = ({ config }: LayerJson): boolean =>
  isHard(stringAt(config, 'recurrent_activation') ?? 'hard_sigmoid');

/** The layers that own the weights inside a layer, in the order of its weights; a layer without inner ones owns its own. */
function owners(layer: LayerJson): LayerJson[] {
  const inside = CONTAINERS.has(layer.class_name) ? layersOf(layer) : classOf(layer.class_name)?.owners?.(layer);
  return inside ? inside.flatMap(owners) : [layer];
}

/** Which of the gates, side by side along the last axis, use hard_sigmoid; null: the layer has no gates. */
const hardOnes = (layer: LayerJson, refuse: Refuse): boolean[] | null =>
  classOf(layer.class_name)?.hardGates?.({ activation: hardActivation(layer), gates: hardGates(layer) }, refuse) ??
  null;

/** The factor of each weight along its last axis, repeated in blocks as wide as a gate. null: unchanged. */
function factors(layer: LayerJson, count: number, factor: number, refuse: Refuse): (number[] | null)[] {
  const none = new Array<null>(count).fill(null);
  const gates = hardOnes(layer, refuse);
  if (gates) return gates.includes(true) ? none.map(() => gates.map((hard) => (hard ? factor : 1))) : none;
  if (!hardActivation(layer) || layer.class_name === 'Activation') return none;
  // The depthwise kernel's output is the pointwise one's input.
  return none.map((_, i) => (layer.class_name.startsWith('SeparableConv') && i === 0 ? null : [factor]));
}

const scaled = (weight: WeightTensor, gates: readonly number[]): WeightTensor => {
  const width = weight.shape.at(-1)!;
  const block = width / gates.length;
  return { ...weight, data: weight.data.map((value, i) => value * gates[Math.floor((i % width) / block)]!) };
};

function* scalings(
  node: LayerNode,
  factor: number,
  refuse: RefuseLayer,
): Generator<readonly [name: string, gates: number[]]> {
  let at = 0;
  for (const owner of owners(node.layer)) {
    const count = layerWeights(owner, '', null).length;
    for (const [i, gates] of factors(owner, count, factor, (problem) => refuse(node.path, problem)).entries())
      if (gates) yield [node.weights[at + i]!.name, gates];
    at += count;
  }
}

/** An Activation layer has no weights: a Rescaling before it, under its name, scales its input. */
function rescaleActivations(container: LayerJson, factor: number, path: string, refuse: RefuseLayer): boolean {
  let changed = false;
  const names = new Set(layersOf(container).map(layerName));
  for (const layer of layersOf(container)) {
    const at = path + layerName(layer);
    if (CONTAINERS.has(layer.class_name)) changed = rescaleActivations(layer, factor, `${at}/`, refuse) || changed;
    else if (layer.class_name !== 'Activation') {
      if (owners(layer).some((owner) => owner !== layer && owner.class_name === 'Activation' && hardActivation(owner)))
        refuse(
          at,
          'wraps an Activation of hard_sigmoid, which Keras 3 computes differently; put the activation behind it',
        );
    } else if (hardActivation(layer)) {
      let name = `${layerName(layer)}_hard_sigmoid`;
      while (names.has(name)) name += '_';
      const { name: own, batch_input_shape: shape } = layer.config;
      insertBehind(container, layer, { class_name: 'Activation', config: { name, trainable: true, activation: 'hard_sigmoid' } }); // prettier-ignore
      layer.class_name = 'Rescaling';
      layer.config = { name: own, trainable: true, scale: factor, offset: 0, ...(shape === undefined ? {} : { batch_input_shape: shape }) }; // prettier-ignore
      changed = true;
    }
  }
  return changed;
}

/** @returns the model itself where none is used. @throws UserError('model-unsupported') where no weights can be scaled. */
function scaleHardSigmoid(model: LayersModel, factor: number, file: string): LayersModel {
  const refuse: RefuseLayer = (layer, problem) => {
    throw new UserError('model-unsupported', `${file}: layer "${layer}" ${problem}`, { file, field: layer });
  };
  const gates = new Map(modelGraph(model.topology).layers.flatMap((node) => [...scalings(node, factor, refuse)]));
  const topology = structuredClone(model.topology);
  const inserted = rescaleActivations(
    { class_name: topology.class_name, config: topology.config as Json },
    factor,
    '',
    refuse,
  );
  if (gates.size === 0 && !inserted) return model;
  const weights = model.weights.map((weight) => {
    const own = gates.get(weight.name);
    return own ? scaled(weight, own) : weight;
  });
  return { ...model, topology, weights };
}

/** The model as Keras 3 has to be given it, for the file of that name; itself where it computes the same. */
export const asInKeras3 = (model: LayersModel, file: string): LayersModel => scaleHardSigmoid(model, TO_KERAS_3, file);

/** What was read from a file, as TensorFlow.js has to be given it. */
export function asInTfjs(model: LayersModel, { keras3 }: { readonly keras3: boolean }): LayersModel {
  const scaledModel = keras3 ? scaleHardSigmoid(model, FROM_KERAS_3, model.path) : model;
  if (scaledModel === model) return model;
  return {
    ...scaledModel,
    notes: [...model.notes, "weights in front of Keras 3's hard_sigmoid were scaled for that of TensorFlow.js"],
  };
}
