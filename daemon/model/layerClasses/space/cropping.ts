/** Cropping1D, Cropping2D and Cropping3D. */
import { DATA_FORMAT, layer, optional } from '../../keras3/arguments.js';
import { borders } from '../../keras3/values.js';
import type { LayerClass } from '../layerClass.js';
import { bordered, borderProblem, bordersOf, ofAllAxes } from './borders.js';

/** @param fallback border if the config has none. */
const cropping = (n: number, fallback: number): LayerClass => ({
  shape: bordered(n, 'cropping', fallback, -1),
  forward(op, config, [x]) {
    const cut = ofAllAxes(config, bordersOf(config, 'cropping', n, fallback)!);
    return op.slice(x!, cut.map(([before]) => before), x!.shape.map((size, axis) => size - cut[axis]![0] - cut[axis]![1])); // prettier-ignore
  },
  onInput: 'moves',
  keras: layer({ cropping: optional(borders(n)), ...(n === 1 ? {} : DATA_FORMAT) }),
});

/** The classes that TensorFlow.js lacks. */
const computed = (n: number): LayerClass => {
  const own = cropping(n, 1);
  return {
    ...own,
    problem: borderProblem(own.shape!),
    compute(tf, config, [x]) {
      const cut = ofAllAxes(config, bordersOf(config, 'cropping', n, 1)!);
      const sizes = x!.shape.map((size, axis) => size - cut[axis]![0] - cut[axis]![1]);
      return tf.slice(x!, cut.map(([before]) => before), sizes); // prettier-ignore
    },
  };
};

export const CROPPING = {
  Cropping1D: computed(1),
  Cropping2D: cropping(2, 0),
  Cropping3D: computed(3),
} satisfies Record<string, LayerClass>;
