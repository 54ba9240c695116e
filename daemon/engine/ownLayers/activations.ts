/**
 * Activation functions of Keras 3 that TensorFlow.js lacks, under their names in its spelling, so that any of its layers finds them. Does not import
 * TensorFlow.js, because there may be several instances of it.
 */
import type * as Core from '@tensorflow/tfjs-core';
import { camelCase, OWN_ACTIVATIONS, type OwnActivation } from '../../model/layerClasses/activations/ownActivations.js';

function activationClass(core: typeof Core, className: string, { compute }: OwnActivation) {
  return class Activation extends core.serialization.Serializable {
    /** TensorFlow.js reads the name here. */
    static readonly className = className;

    apply(x: Core.Tensor): Core.Tensor {
      return core.tidy(() => compute(core, x));
    }

    getConfig(): Core.serialization.ConfigDict {
      return {};
    }
  };
}

/** Registers every own activation with an instance. */
export function registerActivations(core: typeof Core): void {
  for (const [name, activation] of Object.entries(OWN_ACTIVATIONS))
    core.serialization.registerClass(activationClass(core, camelCase(name), activation) as never);
}
