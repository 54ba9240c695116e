/**
 * Conv1D of padding "causal" (keras.io/api/layers/convolution_layers/convolution1d). Does not import TensorFlow.js, because there may be several
 * instances of it.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type { layers, Shape } from '@tensorflow/tfjs-layers';
import { stepsInFront } from '../../model/normalise/causalPadding.js';
import type { Json } from '../../model/layers/layerConfig.js';
import { registerSetting, type ClassOf } from './ownSetting.js';

type Layer = layers.Layer;

/** Zero steps before the input of a causal layer. */
const FRONT = Symbol('steps in front');

/** The input of a layer's kernel: with zeros in front if it is causal, else x itself. */
export function withFront<T extends Core.Tensor>(core: typeof Core, layer: Layer, x: T): T {
  const steps = (layer as { readonly [FRONT]?: number })[FRONT] ?? 0;
  return steps === 0 ? x : core.pad(x, [[0, 0], [steps, 0], [0, 0]]);
} // prettier-ignore

const causal = (core: typeof Core) => (Conv1D: ClassOf<Layer>): ClassOf<Layer> =>
  class extends Conv1D {
    /** "valid" over the steps with the zeros in front. */
    readonly [FRONT]: number;

    constructor(config: Json) {
      super({ ...config, padding: 'valid' });
      this[FRONT] = stepsInFront(config);
    }

    override computeOutputShape(inputShape: Shape | Shape[]): Shape | Shape[] {
      const [batch, steps, ...rest] = (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as Shape;
      return super.computeOutputShape([batch!, steps == null ? null : steps + this[FRONT], ...rest]);
    }

    override call(inputs: Core.Tensor | Core.Tensor[], kwargs: Json): Core.Tensor | Core.Tensor[] {
      return core.tidy(() => super.call(withFront(core, this, [inputs].flat()[0]!), kwargs));
    }

    override getConfig(): Core.serialization.ConfigDict {
      return { ...super.getConfig(), padding: 'causal' };
    }
  }; // prettier-ignore

/** Registers Conv1D of padding "causal" with an instance. */
export function registerCausalConvolution(core: typeof Core): void {
  registerSetting(core, 'Conv1D', ({ padding }) => padding === 'causal', causal(core));
}
