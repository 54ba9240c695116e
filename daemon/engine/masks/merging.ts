/** Merges of masked tensors (Keras 3.15, keras/src/layers/merging). Masks have all axes but the last one of their tensors. */
import type * as Core from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { refuse } from './refuse.js';

type Tensor = Core.Tensor;
export type Mask = Tensor | null;
type Layer = layers.Layer;

/** Keras aligns masks with the wrong axes if ranks differ. */
function refuseOtherRanks(layer: Layer, inputs: readonly Tensor[], masks: readonly Mask[]): void {
  const fits = inputs.every((x, i) => x.rank === inputs[0]!.rank && (!masks[i] || masks[i].rank === x.rank - 1));
  if (!fits) refuse(layer, 'merges masked tensors of different numbers of axes; reshape them before the mask');
}

/** A step counts if it does in any input; if an input has no mask, the output has none. */
export function mergedMask(tf: typeof Core, layer: Layer, inputs: readonly Tensor[], masks: readonly Mask[]): Mask {
  if (masks.some((mask) => mask === null)) return null;
  refuseOtherRanks(layer, inputs, masks);
  return (masks as Tensor[]).reduce((a, b) => tf.maximum(a, b));
}

/** Concatenates masks along a time axis; along the last axis a step counts if it does in any input. */
export function concatenatedMask(
  tf: typeof Core,
  layer: Layer,
  inputs: readonly Tensor[],
  masks: readonly Mask[],
): Mask {
  if (masks.every((mask) => mask === null)) return null;
  refuseOtherRanks(layer, inputs, masks);
  const { axis } = layer as unknown as { axis: number };
  const { rank } = inputs[0]!;
  const from = axis < 0 ? axis + rank : axis;
  // Every step of an input without a mask counts.
  if (from === rank - 1) return mergedMask(tf, layer, inputs, masks);
  return tf.concat(inputs.map((x, i) => masks[i] ?? tf.ones(x.shape.slice(0, -1))), from); // prettier-ignore
}

const broadcast = (tf: typeof Core, mask: Mask): Mask => mask && tf.expandDims(mask, -1);
/** x where the mask is 1, else `other`. */
const where = (tf: typeof Core, mask: Tensor, x: Tensor, other: Tensor): Tensor =>
  tf.add(tf.mul(mask, x), tf.mul(tf.sub(1, mask), other));

/** The product of the unmasked values; 0 if there are none and every input has a mask. */
export function maskedProduct(
  tf: typeof Core,
  layer: Layer,
  inputs: readonly Tensor[],
  masks: readonly Mask[],
): Tensor {
  refuseOtherRanks(layer, inputs, masks);
  const factors = inputs.map((x, i) => {
    const mask = broadcast(tf, masks[i]!);
    return mask ? tf.add(tf.mul(mask, x), tf.sub(1, mask)) : x;
  });
  const product = factors.reduce((a, b) => tf.mul(a, b));
  const counts = broadcast(tf, mergedMask(tf, layer, inputs, masks));
  return counts ? tf.mul(product, counts) : product;
}

/** The maximum, or minimum, of the unmasked values. */
export function maskedExtreme(
  tf: typeof Core,
  layer: Layer,
  inputs: readonly Tensor[],
  masks: readonly Mask[],
  extreme: (a: Tensor, b: Tensor) => Tensor,
): Tensor {
  refuseOtherRanks(layer, inputs, masks);
  let output = inputs[0]!;
  let counts = broadcast(tf, masks[0]!);
  inputs.slice(1).forEach((input, i) => {
    const mask = broadcast(tf, masks[i + 1]!);
    const x = mask ? where(tf, mask, input, output) : input;
    const before = counts ? where(tf, counts, output, x) : output;
    counts = mask && counts ? tf.maximum(counts, mask) : null;
    output = extreme(before, x);
  });
  return output;
}
