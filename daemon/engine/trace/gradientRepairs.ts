/** Gradients that TensorFlow.js 4.22 does not have, has wrong for some shapes, or computes from arrays as large as its tensors. Its registry is one for all its backends. */
import * as tf from '@tensorflow/tfjs-core';

/** A 3-D convolution's data gradient is what its transpose computes; TensorFlow.js gives that one no gradient. */
const transposedConvolution: tf.GradConfig = {
  kernelName: 'Conv3DBackpropInputV2',
  inputsToSave: ['dy', 'filter'],
  gradFunc: (ddx, saved, attrs) => {
    const [dy, filter] = saved as [tf.Tensor5D, tf.Tensor5D];
    const { strides, pad } = attrs as unknown as { strides: [number, number, number]; pad: 'valid' | 'same' };
    const x = ddx as tf.Tensor5D;
    return {
      dy: () => tf.conv3d(x, filter, strides, pad),
      filter: () =>
        tf.engine().runKernel('Conv3DBackpropFilterV2', { x, dy }, { strides, pad, filterShape: filter.shape }) as unknown as tf.Tensor, // prettier-ignore
    };
  },
};

/** Of an axis of length 1 (a sequence of one step) the gradient comes as a tensor, not as a list of one. */
const unpacking: tf.GradConfig = {
  kernelName: 'Unpack',
  gradFunc: (dy, _saved, attrs) => ({
    value: () => tf.stack([dy].flat(), (attrs as unknown as { axis: number }).axis),
  }),
};

/** Summed over what broadcasting repeated. */
function summedTo(x: tf.Tensor, shape: number[]): tf.Tensor {
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap((n, axis) => (axis < lead || (n !== 1 && shape[axis - lead] === 1) ? [axis] : []));
  return tf.reshape(axes.length > 0 ? tf.sum(x, axes) : x, shape);
}

/** TensorFlow.js gives operands that were broadcast a gradient of the result's shape. Equal ones: the first takes it. */
const extreme = (kernelName: 'Maximum' | 'Minimum'): tf.GradConfig => ({
  kernelName,
  inputsToSave: ['a', 'b'],
  gradFunc: (dy, saved) => {
    const [a, b] = saved as [tf.Tensor, tf.Tensor];
    const [first, second] = kernelName === 'Maximum' ? [tf.greaterEqual, tf.less] : [tf.lessEqual, tf.greater];
    const share = (takes: tf.Tensor, shape: number[]) =>
      summedTo(tf.mul(dy as tf.Tensor, tf.cast(takes, 'float32')), shape);
    return { a: () => share(first(a, b), a.shape), b: () => share(second(a, b), b.shape) };
  },
});

/** dy, the gradient of a sum or mean over `axis`, at every element of x. TensorFlow.js makes an array of ones for it. */
function spread(dy: tf.Tensor, x: tf.Tensor, axis: unknown): tf.Tensor {
  const summed = tf.util.parseAxisParam((axis ?? [...x.shape.keys()]) as number[], x.shape);
  const kept = x.shape.map((size, i) => (summed.includes(i) ? 1 : size));
  return tf.mul(tf.reshape(dy, kept), tf.fill(x.shape, 1, 'float32'));
}

const sum: tf.GradConfig = {
  kernelName: 'Sum',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], { axis }) => ({ x: () => spread(dy as tf.Tensor, x!, axis) }),
};

const mean: tf.GradConfig = {
  kernelName: 'Mean',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], { axis }) => ({
    x: () => tf.div(spread(dy as tf.Tensor, x!, axis), x!.size / (dy as tf.Tensor).size),
  }),
};

const repaired = [sum, mean, transposedConvolution, unpacking, extreme('Maximum'), extreme('Minimum')];

/** Registers them; a second call does nothing. */
export function repairGradients(): void {
  for (const gradient of repaired) if (tf.getGradient(gradient.kernelName) !== gradient) tf.registerGradient(gradient);
}
