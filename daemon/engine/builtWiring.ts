/** Checks that TensorFlow.js built the network of the file. Does not import TensorFlow.js, because there may be several instances. */
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import { firstCall } from '../model/normalise/callOrder.js';
import { CONTAINERS, layerName, layersOf, type LayerJson } from '../model/layers/layerConfig.js';
import { nodeRefs } from '../model/layers/layerGraph.js';
import type { Topology } from '../model/model.js';
import { UserError } from '../protocol/errors.js';

type Layer = layers.Layer;

/**
 * Compares the input tensors of each call with the topology, in nested models too.
 * @param path of the model, for messages.
 * @throws UserError('model-unsupported') naming the layer, if TensorFlow.js would compute another network.
 */
export function checkWiring(model: LayersModel, topology: Topology, path: string): void {
  checkContainer(model.layers, topology as LayerJson, path);
}

function checkContainer(built: readonly Layer[], container: LayerJson, path: string): void {
  const byName = new Map(built.map((layer) => [layer.name, layer]));
  for (const layer of layersOf(container)) {
    const name = layerName(layer);
    const own = byName.get(name);
    // A layer that no output depends on is not built.
    if (!own) continue;
    if (CONTAINERS.has(layer.class_name)) checkContainer((own as unknown as { layers: Layer[] }).layers, layer, path);
    if (container.class_name === 'Sequential' || !Array.isArray(layer.inbound_nodes)) continue;
    (layer.inbound_nodes as unknown[]).forEach((node, call) => {
      const made = own.inboundNodes[call + firstCall(layer)];
      const reads = made?.inboundLayers.map(
        (from, i) => `${from.name} ${made.nodeIndices[i]} ${made.tensorIndices[i]}`,
      );
      const wanted = nodeRefs(node).map((ref) => `${ref.layer} ${ref.node} ${ref.tensor}`);
      if (String(reads) === String(wanted)) return;
      throw new UserError(
        'model-unsupported',
        `${path}: TensorFlow.js connects call ${call + 1} of layer "${name}" to other tensors than the file; build the model without sharing "${name}" at several depths`,
        { file: path, field: name },
      );
    });
  }
}
