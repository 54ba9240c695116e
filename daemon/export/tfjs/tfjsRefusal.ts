/** Searches for layers that an export for TensorFlow.js cannot represent, and the error for them. */
import { CONTAINERS, layersOf, type LayerJson } from '../../model/layers/layerConfig.js';
import { wrappedLayers } from '../../model/layers/layerWeights.js';
import type { LayersModel } from '../../model/model.js';
import { UserError } from '../../protocol/errors.js';

/** Whether a wrapper contains such a layer, at any depth. */
export const wraps = (layer: LayerJson, is: (layer: LayerJson) => boolean): boolean =>
  wrappedLayers(layer)
    .flatMap((inner) => (CONTAINERS.has(inner.class_name) ? layersOf(inner) : [inner]))
    .some((inner) => is(inner) || wraps(inner, is));

/** @param what the layer is, that TensorFlow.js lacks. @throws UserError('model-unsupported') naming it and the way out. */
export function refuseForTfjs({ path: file }: LayersModel, layer: string, what: string): never {
  throw new UserError(
    'model-unsupported',
    `${file}: layer "${layer}" ${what}, which TensorFlow.js cannot compute; export onnx or keras`,
    { file, field: layer },
  );
}
