/** Gradients that TensorFlow.js 4.22 does not have, or has of a wrong shape. Its registry is one for all its backends. */
import type * as Core from '@tensorflow/tfjs-core';
import type { TensorFlow } from './tensorflow.js';

type Tf = typeof Core;

/** A 3-D convolution's data gradient is what its transpose computes; TensorFlow.js gives that one no gradient. */
const transposedConvolution = (tf: Tf): Core.GradConfig => ({
  kernelName: 'Conv3DBackpropInputV2',
  inputsToSave: ['dy', 'filter'],
  gradFunc: (ddx, saved, attrs) => {
    const [dy, filter] = saved as [Core.Tensor5D, Core.Tensor5D];
    const { strides, pad } = attrs as unknown as { strides: [number, number, number]; pad: 'valid' | 'same' };
    const x = ddx as Core.Tensor5D;
    return {
      dy: () => tf.conv3d(x, filter, strides, pad),
      filter: () =>
        tf.engine().runKernel('Conv3DBackpropFilterV2', { x, dy }, { strides, pad, filterShape: filter.shape }) as unknown as Core.Tensor, // prettier-ignore
    };
  },
});

/** Of an axis of length 1 (a sequence of one step) the gradient comes as a tensor, not as a list of one. */
const unpacking = (tf: Tf): Core.GradConfig => ({
  kernelName: 'Unpack',
  gradFunc: (dy, _saved, attrs) => ({
    value: () => tf.stack([dy].flat(), (attrs as unknown as { axis: number }).axis),
  }),
});

/** Summed over what broadcasting repeated. */
function summedTo(tf: Tf, x: Core.Tensor, shape: number[]): Core.Tensor {
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap((n, axis) => (axis < lead || (n !== 1 && shape[axis - lead] === 1) ? [axis] : []));
  return tf.reshape(axes.length > 0 ? tf.sum(x, axes) : x, shape);
}

/** TensorFlow.js gives operands that were broadcast a gradient of the result's shape. Equal ones: the first takes it. */
const extreme = (tf: Tf, kernelName: 'Maximum' | 'Minimum'): Core.GradConfig => ({
  kernelName,
  inputsToSave: ['a', 'b'],
  gradFunc: (dy, saved) => {
    const [a, b] = saved as [Core.Tensor, Core.Tensor];
    const [first, second] = kernelName === 'Maximum' ? [tf.greaterEqual, tf.less] : [tf.lessEqual, tf.greater];
    const share = (takes: Core.Tensor, shape: number[]) =>
      summedTo(tf, tf.mul(dy as Core.Tensor, tf.cast(takes, 'float32')), shape);
    return { a: () => share(first(a, b), a.shape), b: () => share(second(a, b), b.shape) };
  },
});

const repaired = new WeakSet<object>();

/** Registers them with this instance of TensorFlow.js, once. */
export function repairGradients({ core }: TensorFlow): void {
  if (repaired.has(core)) return;
  repaired.add(core);
  for (const gradient of [
    transposedConvolution(core),
    unpacking(core),
    extreme(core, 'Maximum'),
    extreme(core, 'Minimum'),
  ]) {
    if (core.getGradient(gradient.kernelName)) core.unregisterGradient(gradient.kernelName);
    core.registerGradient(gradient);
  }
}
