/** Layers and settings of Keras that TensorFlow.js lacks, for each instance of it. Does not import TensorFlow.js, because there may be several. */
import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';
import { registerOperations } from '../operations/operationLayer.js';
import { registerActivations } from './activations.js';
import { registerCausalConvolution } from './causalConvolution.js';
import { registerComputedLayers } from './computedLayers.js';
import { registerResetAfterGru } from './resetAfterGru.js';

const registered = new WeakSet<object>();

/** Registers the missing layers with an instance, once. */
export function registerOwnLayers(core: typeof Core, layers: typeof Layers): void {
  if (registered.has(layers)) return;
  registered.add(layers);
  registerOperations(core, layers);
  registerActivations(core);
  registerCausalConvolution(core);
  registerComputedLayers(core, layers);
  registerResetAfterGru(core);
}
