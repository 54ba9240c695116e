/** A model in the form that plain TensorFlow.js loads and computes: the content of its layers-models. */
import type { LayerJson } from '../../model/layers/layerConfig.js';
import { modelGraph } from '../../model/layers/layerGraph.js';
import { classOf } from '../../model/layerClasses/registry.js';
import { isResetAfter } from '../../model/layerClasses/recurrent/gated.js';
import type { Model } from '../../model/model.js';
import { withoutCausalPadding } from './tfjsCausal.js';
import { asTfjsComputes } from './tfjsForms.js';
import { refuseMasksOfTfjs } from './tfjsMasks.js';
import { withoutNormalization } from './tfjsNormalization.js';
import { refuseOperations } from './tfjsOperations.js';
import { refuseForTfjs, wraps } from './tfjsRefusal.js';

const isResetAfterGru = ({ class_name: name, config }: LayerJson): boolean =>
  /^GRU(Cell)?$/.test(name) && isResetAfter(config);

/** TensorFlow.js applies the reset only before the product. */
function refuseResetAfter(model: Model): void {
  const found = modelGraph(model.topology).layers.find(({ layer }) => isResetAfterGru(layer) || wraps(layer, isResetAfterGru));
  if (found) refuseForTfjs(model, found.path, 'is or wraps a GRU with reset_after=true');
} // prettier-ignore

/** @throws UserError('model-unsupported') for a layer that TensorFlow.js cannot compute without this product. */
function refuseComputed(model: Model): void {
  const isComputed = ({ class_name: name }: LayerJson): boolean => classOf(name)?.compute !== undefined;
  for (const { layer, path } of modelGraph(model.topology).layers) {
    if (isComputed(layer)) refuseForTfjs(model, path, `is a ${layer.class_name}`);
    if (wraps(layer, isComputed)) refuseForTfjs(model, path, 'wraps a layer that it does not have');
  }
}

/** @throws UserError('model-unsupported') naming a layer that TensorFlow.js lacks or computes differently, and the way out. */
export function asPlainTfjs(model: Model): Model {
  refuseOperations(model);
  refuseResetAfter(model);
  refuseMasksOfTfjs(model);
  const plain = withoutCausalPadding(withoutNormalization(model));
  refuseComputed(plain);
  return asTfjsComputes(plain);
}
