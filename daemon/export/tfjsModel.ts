/** A model as plain TensorFlow.js loads and computes it: what its layers-models hold. */
import type { Model } from '../model/model.js';
import { withoutCausalPadding } from './tfjsCausal.js';
import { asTfjsComputes } from './tfjsForms.js';
import { refuseMasksOfTfjs } from './tfjsMasks.js';
import { withoutNormalization } from './tfjsNormalization.js';
import { refuseOperations } from './tfjsOperations.js';

/** @throws UserError('model-unsupported') naming a layer that TensorFlow.js does not have, or computes otherwise, and the way out. */
export function asPlainTfjs(model: Model): Model {
  refuseOperations(model);
  refuseMasksOfTfjs(model);
  return asTfjsComputes(withoutCausalPadding(withoutNormalization(model)));
}
