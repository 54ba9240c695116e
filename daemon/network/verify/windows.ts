import type { Node } from '../ir.js';
import { demand, list } from './rule.js';

/**
 * The number of windows along height and width of an image: floor((n + padding - reach) / stride) + 1. The reach is the extent of a window
 * with its dilations. Rows after the last whole window are left out, as in TensorFlow.js and ONNX.
 *
 * @param image, window [height, width]. @throws Broken if no window fits.
 */
export function windowsOf(
  node: Node,
  image: readonly number[],
  window: readonly number[],
  dilations: readonly number[] = [1, 1],
): number[] {
  const [strides, pads] = [list(node, 'strides'), list(node, 'pads')];
  return [0, 1].map((axis) => {
    const reach = (window[axis]! - 1) * dilations[axis]! + 1;
    const whole = image[axis]! + pads[axis]! + pads[axis + 2]!;
    demand(reach <= whole, () => `a window that reaches over ${reach} rows or columns must fit into the ${whole} of its padded image`); // prettier-ignore
    return Math.floor((whole - reach) / strides[axis]!) + 1;
  });
}

/** Height and width of an NHWC shape. */
export const imageOf = (shape: readonly number[]): readonly number[] => shape.slice(1, 3);
