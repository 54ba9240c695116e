import type { Topology } from '../../model/model.js';
import { mentions } from '../../model/layers/readInside.js';

interface LayerConfig {
  readonly class_name: string;
  readonly config: Record<string, unknown>;
  readonly name?: string;
  readonly inbound_nodes?: unknown;
}

type Activation = 'softmax' | 'sigmoid';

const nameOf = (layer: LayerConfig): unknown => layer.name ?? layer.config['name'];

/** The same layer without its activation; null if the activation differs or cannot be removed from this layer. */
function linear(layer: LayerConfig, activation: Activation): LayerConfig | null {
  const { name, dtype } = layer.config;
  if (layer.class_name === 'Softmax' && activation === 'softmax') {
    const axis = layer.config['axis'] ?? -1;
    return axis === -1 ? { ...layer, class_name: 'Activation', config: { name, dtype, activation: 'linear' } } : null;
  }
  if (layer.config['activation'] !== activation) return null;
  return { ...layer, config: { ...layer.config, activation: 'linear' } };
}

/**
 * The topology without the `activation` of its output layer, so that the loss can be computed on the logits: the stable form, without the clipping at
 * 1e-7 that TensorFlow.js applies to probabilities.
 * @param output path of the output layer ("head/o1"); the last one if absent.
 * @returns null if the output does not end in that activation, or if another layer reads the activated values.
 */
export function withoutOutputActivation(topology: Topology, activation: Activation, output?: string): Topology | null {
  const config = topology.config as Record<string, unknown>;
  const layers = (Array.isArray(config) ? config : config['layers']) as readonly LayerConfig[];
  let index = layers.length - 1;
  if (topology.class_name !== 'Sequential') {
    const outputs = config['output_layers'] as readonly unknown[];
    const names = typeof outputs[0] === 'string' ? [outputs[0]] : outputs.map((node) => (node as unknown[])[0]);
    const name = output?.split('/')[0] ?? names.at(-1);
    index = layers.findIndex((layer) => nameOf(layer) === name);
    if (index < 0 || layers.some((layer) => mentions(layer.inbound_nodes, name))) return null;
  }
  const layer = layers[index]!;
  const nested = layer.class_name === 'Sequential' || layer.class_name === 'Functional' || layer.class_name === 'Model';
  const inner = output?.split('/').slice(1).join('/') || undefined;
  const replaced = nested ? withoutOutputActivation(layer as Topology, activation, inner) : linear(layer, activation);
  if (!replaced) return null;
  const changed = layers.with(index, { ...layer, ...(replaced as LayerConfig) });
  return { ...topology, config: Array.isArray(config) ? changed : { ...config, layers: changed } };
}
