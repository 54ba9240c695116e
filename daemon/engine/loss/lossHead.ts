/**
 * How an output loses the activation that its loss takes over: in the topology, before any engine builds the model. The loss is
 * then computed on the logits: the stable form, without the clipping at 1e-7 that TensorFlow.js applies to probabilities.
 */
import { classOf } from '../../model/layerClasses/registry.js';
import { CONTAINERS, layerName, layersOf, type LayerJson } from '../../model/layers/layerConfig.js';
import { isReadInside } from '../../model/layers/readInside.js';
import type { Topology } from '../../model/model.js';
import { absorbedHead, type Head } from '../../model/setup/loss.js';
import type { TrainedOutput } from './jointLoss.js';

/** The same layer without its activation; null if the activation differs or cannot be removed from this layer. */
function linear(layer: LayerJson, head: Head): LayerJson | null {
  // Called at two places, it would lose its activation at both.
  if (Array.isArray(layer.inbound_nodes) && layer.inbound_nodes.length > 1) return null;
  if (layer.class_name === 'Softmax' && head === 'softmax') {
    const axis = layer.config['axis'] ?? -1;
    if (axis !== -1) return null;
    // An entry of `undefined` is none in JSON, and TensorFlow.js throws on it.
    const { axis: _, ...config } = layer.config;
    return { ...layer, class_name: 'Activation', config: { ...config, activation: 'linear' } };
  }
  // The activation of a recurrent layer acts inside, at each step.
  if (layer.config['activation'] !== head || classOf(layer.class_name)?.recurrent) return null;
  return { ...layer, config: { ...layer.config, activation: 'linear' } };
}

/**
 * The topology with an activation taken off its output layer.
 *
 * @param output path of the output layer ("head/o1"); names are unique through nested models.
 * @returns null where the output does not end in that activation.
 */
export function withoutHead(topology: Topology, head: Head, output: string): Topology | null {
  const remove = (container: LayerJson, [name, ...inside]: readonly string[]): LayerJson | null => {
    const layers = layersOf(container);
    const index = layers.findIndex((layer) => layerName(layer) === name);
    const layer = layers[index];
    if (!layer) return null;
    const replaced = CONTAINERS.has(layer.class_name) ? remove(layer, inside) : linear(layer, head);
    if (!replaced) return null;
    const changed = layers.with(index, replaced);
    const config = container.config as unknown;
    return { ...container, config: (Array.isArray(config) ? changed : { ...container.config, layers: changed }) as LayerJson['config'] }; // prettier-ignore
  };
  return remove(topology as unknown as LayerJson, output.split('/')) as unknown as Topology | null;
}

/**
 * The topology that is computed for these losses: each output ends in its logits where its loss takes its activation over and it
 * has that one. Where several outputs are computed, one that another layer reads keeps its activation.
 *
 * @param outputs paths of the layers that make them, each once. @returns `heads`: what is missing from each.
 */
export function withoutHeads(
  topology: Topology,
  outputs: readonly (Pick<TrainedOutput, 'loss' | 'fromLogits'> & { readonly path: string })[],
): { readonly topology: Topology; readonly heads: readonly Head[] } {
  let rest = topology;
  const heads = outputs.map(({ loss, fromLogits, path }): Head => {
    const head = absorbedHead(loss);
    if (head === 'none' || fromLogits === true) return head;
    if (outputs.length > 1 && isReadInside(topology, path)) return 'none';
    const bare = withoutHead(rest, head, path);
    rest = bare ?? rest;
    return bare ? head : 'none';
  });
  return { topology: rest, heads };
}
