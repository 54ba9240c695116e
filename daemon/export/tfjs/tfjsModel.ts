/** A model in the form that plain TensorFlow.js loads and computes: the content of its layers-models. */
import { ownActivation } from '../../model/layerClasses/activations/ownActivations.js';
import { field, type LayerJson } from '../../model/layers/layerConfig.js';
import { modelGraph } from '../../model/layers/layerGraph.js';
import { classOf } from '../../model/layerClasses/registry.js';
import { isResetAfter } from '../../model/layerClasses/recurrent/gated.js';
import type { LayersModel } from '../../model/model.js';
import { withoutCausalPadding } from './tfjsCausal.js';
import { asTfjsComputes } from './tfjsForms.js';
import { refuseMasksOfTfjs } from './tfjsMasks.js';
import { withoutNormalization } from './tfjsNormalization.js';
import { refuseOperations } from './tfjsOperations.js';
import { refuseForTfjs, wraps } from './tfjsRefusal.js';

const isResetAfterGru = ({ class_name: name, config }: LayerJson): boolean =>
  /^GRU(Cell)?$/.test(name) && isResetAfter(config);

/** TensorFlow.js resets the state before the product alone. */
function refuseResetAfter(model: LayersModel): void {
  const found = modelGraph(model.topology).layers.find(({ layer }) => isResetAfterGru(layer) || wraps(layer, isResetAfterGru));
  if (found) refuseForTfjs(model, found.path, 'is or wraps a GRU with reset_after=true');
} // prettier-ignore

/** Whether the record of its class computes it, because TensorFlow.js lacks the class or the setting. */
function isComputed({ class_name: name, config }: LayerJson): boolean {
  const record = classOf(name);
  return record?.compute !== undefined && (record.computes?.(config) ?? true);
}

const ownActivationOf = ({ config }: LayerJson): unknown =>
  [field(config, 'activation'), field(config, 'recurrent_activation')].find((name) => ownActivation(name));

/** @throws UserError('model-unsupported') on a layer that its own record computes, or whose activation only LC Prune has. */
function refuseComputed(model: LayersModel): void {
  for (const { layer, path } of modelGraph(model.topology).layers) {
    if (isComputed(layer)) {
      const some = classOf(layer.class_name)!.computes ? ' of such settings' : '';
      refuseForTfjs(model, path, `is a ${layer.class_name}${some}`);
    }
    const activation = ownActivationOf(layer);
    if (activation !== undefined) refuseForTfjs(model, path, `uses the activation ${String(activation)}`);
    if (wraps(layer, (inner) => isComputed(inner) || ownActivationOf(inner) !== undefined))
      refuseForTfjs(model, path, 'wraps a layer or an activation that it does not have');
  }
}

/** @throws UserError('model-unsupported') naming a layer that TensorFlow.js does not have, or computes otherwise, and the way out. */
export function asPlainTfjs(model: LayersModel): LayersModel {
  refuseOperations(model);
  refuseResetAfter(model);
  refuseMasksOfTfjs(model);
  const plain = withoutCausalPadding(withoutNormalization(model));
  refuseComputed(plain);
  return asTfjsComputes(plain);
}
