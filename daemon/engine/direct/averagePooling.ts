import type { Tensor } from '@tensorflow/tfjs-core';
import type { TensorFlow } from './tensorflow.js';

/** Backends of TensorFlow.js (4.22) whose gradient divides by the whole window even if part of it is padding. */
const wrongBackends = new Set(['cpu', 'webgpu']);

const repaired = new WeakSet<object>();

/**
 * Repairs the gradient of average pooling with "same" padding, of images and of volumes. The forward pass divides a border
 * window by the elements inside; the gradient of the listed backends divides by the window's size, and is up to 8 times too
 * small there. Other backends (a tracing one among them) keep TensorFlow.js's own gradient.
 */
export function repairAveragePooling(tf: TensorFlow): void {
  if (repaired.has(tf.core)) return;
  repaired.add(tf.core);
  repair(tf, 'AvgPool', 2);
  repair(tf, 'AvgPool3D', 3);
}

function repair({ core }: TensorFlow, kernel: string, axes: number): void {
  const original = core.getGradient(kernel);
  core.unregisterGradient(kernel);
  core.registerGradient({
    ...original,
    gradFunc(dy, saved, attrs) {
      const { filterSize, strides, pad } = attrs as unknown as Pooling;
      if (!wrongBackends.has(core.getBackend()) || pad !== 'same') return original.gradFunc(dy, saved, attrs);
      const window = each(filterSize, axes);
      const step = each(strides, axes);
      let scaled = dy as Tensor;
      for (const [i, size] of window.entries()) {
        const counts = inside(saved[0]!.shape[i + 1]!, size, step[i]!);
        const shape = scaled.shape.map((n, axis) => (axis === i + 1 ? n : 1));
        scaled = core.mul(scaled, core.tensor(counts.map((count) => size / count), shape)); // prettier-ignore
      }
      return original.gradFunc(scaled, saved, attrs);
    },
  });
}

interface Pooling {
  readonly filterSize: readonly number[] | number;
  readonly strides: readonly number[] | number;
  readonly pad: 'same' | 'valid' | number;
}

const each = (value: readonly number[] | number, n: number): readonly number[] =>
  typeof value === 'number' ? new Array<number>(n).fill(value) : value;

/** For each window along one axis: the number of its elements inside the image. */
function inside(length: number, size: number, stride: number): number[] {
  const windows = Math.ceil(length / stride);
  const before = Math.floor(Math.max(0, (windows - 1) * stride + size - length) / 2);
  return Array.from({ length: windows }, (_, i) => {
    const start = i * stride - before;
    return Math.min(start + size, length) - Math.max(start, 0);
  });
}
