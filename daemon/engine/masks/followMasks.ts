/**
 * Passes masks through a model of TensorFlow.js as in Keras 3.15: a mask belongs to a tensor, and each layer defines which of its inputs' masks it
 * applies and which masks its outputs get. TensorFlow.js keeps the first mask that it meets for all later layers, loses masks in nested models and
 * merges, and some layers ignore a mask that they should apply.
 * Does not import TensorFlow.js, because there may be several instances of it.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { CONTAINERS, isLayerJson, layersOf, type LayerJson } from '../../model/layers/layerConfig.js';
import type { Topology } from '../../model/model.js';
import { allLayers } from '../layerTree.js';
import { readMasks, readsMasks } from './readers.js';
import { takesStates } from './recurrent.js';
import { ruleOf } from './rules.js';

type Tensor = Core.Tensor;
type Layer = layers.Layer;

/** The masks of the tensors that a model computed. */
export interface Masks {
  /** 0 and 1 for every step of a tensor, of all its axes but the last one; undefined if it has no mask. */
  of(tensor: Tensor): Tensor | undefined;
  /** Frees the masks of the calls so far. */
  release(): void;
}

/**
 * The layers with `zero_output_for_mask` in the file: names are unique within one model, not within those nested in it.
 * @param built of `container`.
 */
function zeroOutputsByFile(built: readonly Layer[], container: LayerJson): Layer[] {
  return layersOf(container).flatMap((layer) => {
    const own = built.find(({ name }) => name === layer.config.name);
    if (!own) return [];
    return [...(layer.config.zero_output_for_mask === true ? [own] : []), ...inside(own, layer)];
  });
}

/** The same for the layers inside a layer; the directions of a Bidirectional layer have none of their own. */
function inside(built: Layer, layer: LayerJson): Layer[] {
  const { layers: inner, layer: wrapped } = built as unknown as { layers?: readonly Layer[]; layer?: Layer };
  if (CONTAINERS.has(layer.class_name)) return zeroOutputsByFile(inner ?? [], layer);
  const config = layer.config.layer;
  if (layer.class_name === 'Bidirectional' || !wrapped || !isLayerJson(config)) return [];
  return [...(config.config.zero_output_for_mask === true ? [wrapped] : []), ...inside(wrapped, config)];
}

/** Layers whose output is 0 at masked steps. Keras sets it for the directions of a Bidirectional layer that returns all steps. */
function zeroOutputs(
  model: { readonly layers: readonly Layer[] },
  layers: readonly Layer[],
  topology: Topology,
): ReadonlySet<Layer> {
  const found = new Set(zeroOutputsByFile(model.layers, topology as unknown as LayerJson));
  for (const layer of layers) {
    const { forwardLayer, backwardLayer, returnSequences } = layer as unknown as Record<string, Layer>;
    for (const direction of [forwardLayer, backwardLayer])
      if (direction) found[returnSequences ? 'add' : 'delete'](direction);
  }
  return found;
}

/**
 * Makes every call of the model's layers on numeric tensors apply and pass on masks.
 * @param model built of `topology`, before other code replaces its layers' `call`.
 */
export function followMasks(tf: typeof Core, model: { readonly layers: readonly Layer[] }, topology: Topology): Masks {
  const masks = new WeakMap<Tensor, Tensor>();
  const kept = new Set<Tensor>();
  const setMask = (x: Tensor, mask: Tensor): void => {
    masks.set(x, mask);
    // A model's call frees the tensors that it does not return.
    kept.add(tf.keep(mask));
  };
  const layers = [...new Set(allLayers(model.layers))];
  const zeroed = zeroOutputs(model, layers, topology);
  for (const layer of layers) {
    // Its own handling of masks.
    layer.supportsMasking = false;
    layer.computeMask = () => null as unknown as Tensor;
    readMasks(tf, layer, zeroed, setMask);
    const [reads, rule] = [readsMasks(layer), ruleOf(layer)];
    const stateful = takesStates(layer);
    const apply = layer.apply.bind(layer) as (inputs: Tensor | Tensor[], kwargs: object) => Tensor | Tensor[];
    layer.apply = ((inputs: Tensor | Tensor[], kwargs?: Readonly<Record<string, unknown>>) => {
      const given = [inputs].flat();
      const own = given.map((x) => masks.get(x) ?? null);
      // Arguments of one layer's call must not reach another's: TensorFlow.js passes masks and initial states on.
      const outputs = apply(inputs, {
        training: kwargs?.['training'],
        // Keras fills in the mask only for calls with one argument (Layer.__call__, 6): initial states are a second one.
        ...(reads && !(stateful && given.length > 1) && own.some((mask) => mask !== null) && { mask: own }),
      });
      const passed = rule?.(tf, layer, given, own) ?? [];
      [outputs].flat().forEach((output, i) => {
        const mask = passed[i];
        if (mask) setMask(output, mask);
      });
      return outputs;
    }) as Layer['apply'];
  }
  return {
    of: (tensor) => masks.get(tensor),
    release() {
      tf.dispose([...kept]);
      kept.clear();
    },
  };
}
