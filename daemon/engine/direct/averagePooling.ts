import type { Tensor } from '@tensorflow/tfjs-core';
import type { TensorFlow } from './tensorflow.js';

/** Backends of TensorFlow.js (4.22) that divide by the whole window in the gradient, also where part of it is padding. */
const wrongBackends = new Set(['cpu', 'webgpu']);

const repaired = new WeakSet<object>();

/**
 * Repairs the gradient of average pooling with "same" padding. The forward pass divides a border window by the elements
 * inside the image; the gradient of the listed backends divides by the window's size, and is up to 4 times too small
 * there. Other backends (a tracing one among them) keep TensorFlow.js's own gradient.
 */
export function repairAveragePooling({ core }: TensorFlow): void {
  if (repaired.has(core)) return;
  repaired.add(core);
  const original = core.getGradient('AvgPool');
  core.unregisterGradient('AvgPool');
  core.registerGradient({
    ...original,
    gradFunc(dy, saved, attrs) {
      const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as Pooling;
      const shape = saved[0]!.shape as [number, number, number, number];
      const info = core.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
      const { top, bottom, left, right } = info.padInfo;
      if (!wrongBackends.has(core.getBackend()) || top + bottom + left + right === 0)
        return original.gradFunc(dy, saved, attrs);
      const { inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth, strideHeight, strideWidth } = info;
      const rows = inside(outHeight, filterHeight, strideHeight, top, inHeight);
      const columns = inside(outWidth, filterWidth, strideWidth, left, inWidth);
      const ratios = rows.flatMap((row) => columns.map((column) => (filterHeight * filterWidth) / (row * column)));
      const scaled = core.mul(dy as Tensor, core.tensor(ratios, [1, outHeight, outWidth, 1]));
      return original.gradFunc(scaled, saved, attrs);
    },
  });
}

interface Pooling {
  readonly filterSize: [number, number] | number;
  readonly strides: [number, number] | number;
  readonly pad: 'same' | 'valid' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** Of each window along one axis: how many of its elements lie inside the image. */
const inside = (windows: number, size: number, stride: number, before: number, length: number): number[] =>
  Array.from({ length: windows }, (_, i) => {
    const start = i * stride - before;
    return Math.min(start + size, length) - Math.max(start, 0);
  });
