import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { TensorFlow } from './tensorflow.js';

const repaired = new WeakSet<object>();

/**
 * Repairs the gradient of nearest upsampling by whole factors: the sum over each pixel's block. The cpu backend of TensorFlow.js (4.22) sums other
 * pixels.
 */
export function repairNearestUpSampling({ core }: TensorFlow): void {
  if (repaired.has(core)) return;
  repaired.add(core);
  const original = core.getGradient('ResizeNearestNeighbor');
  core.unregisterGradient('ResizeNearestNeighbor');
  core.registerGradient({
    ...original,
    gradFunc(given, saved, attrs) {
      const dy = given as Tensor;
      const [rows, columns] = [1, 2].map((axis) => dy.shape[axis]! / saved[0]!.shape[axis]!) as [number, number];
      const whole = Number.isInteger(rows) && Number.isInteger(columns) && attrs['alignCorners'] !== true;
      if (core.getBackend() !== 'cpu' || !whole) return original.gradFunc(given, saved, attrs);
      const block: [number, number] = [rows, columns];
      return { images: () => core.mul(core.avgPool(dy as Tensor4D, block, block, 'valid'), rows * columns) };
    },
  });
}
