import type { Node } from '../ir.js';
import { demand, inputRank, inputShape, kinds, list, real, type Rule } from './rule.js';
import { imageOf, windowsOf } from './windows.js';

/** Rules of convolutions: one relation between the shapes of image, filter and result, seen from each of the three. */

type Shape = readonly number[];

/** Channels of the result of a filter, [height, width, channels, filters] or [..., multiplier]. */
type Channels = (filter: Shape) => number;
const filters: Channels = (filter) => filter[3]!;
const multiplied: Channels = (filter) => filter[2]! * filter[3]!;

/** The shape of the result of a convolution of x. */
function resultOf(node: Node, x: Shape, filter: Shape, channels: Channels): number[] {
  demand(
    x.length === 4 && filter.length === 4,
    () => `image and filter must have rank 4; they are [${x}] and [${filter}]`,
  );
  demand(x[3] === filter[2], () => `the image, [${x}], must have as many channels as the filter, [${filter}], expects`);
  return [x[0]!, ...windowsOf(node, imageOf(x), filter, list(node, 'dilations')), channels(filter)];
}

const rule = (shape: Rule['shape']): Rule => ({
  arity: 2,
  attrs: { strides: kinds.pair, dilations: kinds.pair, pads: kinds.pads },
  types: real,
  shape: (node) => {
    inputRank(node, 0, 4);
    inputRank(node, 1, 4);
    return shape(node);
  },
});

const shapes = ({ inputs }: Node): readonly [Shape, Shape] => [inputs[0]!.shape, inputs[1]!.shape];

const forward = (channels: Channels) => rule((node) => resultOf(node, ...shapes(node), channels));

/** (dy, filter): the node has the image's shape. Strides that skip rows do not determine it. */
const backpropInput = (channels: Channels) =>
  rule((node) => {
    const result = resultOf(node, node.shape, node.inputs[1]!.shape, channels);
    inputShape(node, 0, result, 'that of the convolution of such an image');
    return node.shape;
  });

/** (x, dy): the node has the filter's shape. */
const backpropFilter = (channels: Channels) =>
  rule((node) => {
    const result = resultOf(node, node.inputs[0]!.shape, node.shape, channels);
    inputShape(node, 1, result, 'that of the convolution by such a filter');
    return node.shape;
  });

export const convolutionRules = {
  Conv2D: forward(filters),
  Conv2DBackpropInput: backpropInput(filters),
  Conv2DBackpropFilter: backpropFilter(filters),
  DepthwiseConv2D: forward(multiplied),
  DepthwiseConv2DBackpropInput: backpropInput(multiplied),
  DepthwiseConv2DBackpropFilter: backpropFilter(multiplied),
} satisfies Record<string, Rule>;
