/** What operations cost: FLOPs, 2 for each multiply-add of products and convolutions. Everything else counts as free. */
import { sizeOf } from '../protocol/shape.js';
import type { Node } from './ir.js';

/** Multiply-adds of one node, by its operation. */
const rules: Partial<Record<Node['op'], (node: Node) => number>> = {
  // [..., M, K] x [..., K, N]: K for each element of the result.
  MatMul({ inputs: [a], attrs, shape }) {
    const k = a!.shape.at(attrs['transposeA'] === true ? -2 : -1)!;
    return sizeOf(shape) * k;
  },
  // A filter [height, width, channels, filters] at each place: height * width * channels for each element.
  Conv2D: ({ inputs: [, filter], shape }) => sizeOf(shape) * sizeOf(filter!.shape.slice(0, 3)),
  // Each element of dy meets every weight of its filter.
  Conv2DBackpropInput: ({ inputs: [dy, filter] }) => sizeOf(dy!.shape) * sizeOf(filter!.shape.slice(0, 3)),
  Conv2DBackpropFilter: ({ inputs: [, dy], shape }) => sizeOf(dy!.shape) * sizeOf(shape.slice(0, 3)),
  DepthwiseConv2D: ({ inputs: [, filter], shape }) => sizeOf(shape) * sizeOf(filter!.shape.slice(0, 2)),
  DepthwiseConv2DBackpropInput: ({ inputs: [dy, filter] }) => sizeOf(dy!.shape) * sizeOf(filter!.shape.slice(0, 2)),
  DepthwiseConv2DBackpropFilter: ({ inputs: [, dy], shape }) => sizeOf(dy!.shape) * sizeOf(shape.slice(0, 2)),
};

/** FLOPs of one node, for the whole batch. */
export const flopsOf = (node: Node): number => 2 * (rules[node.op]?.(node) ?? 0);
