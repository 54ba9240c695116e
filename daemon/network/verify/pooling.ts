import type { Node } from '../ir.js';
import { sameShape } from '../ir.js';
import { demand, flag, inputRank, inputShape, kinds, list, real, type Rule } from './rule.js';
import { imageOf, windowsOf } from './windows.js';

/** Rules of pooling and resizing of images. */

/** The shape of an image after pooling. */
function pooledShape(node: Node, image: readonly number[]): number[] {
  demand(image.length === 4, () => `the image must have rank 4; its shape is [${image}]`);
  const [window, pads] = [list(node, 'window'), list(node, 'pads')];
  // This gives every window a pixel of the image: the first window reaches past the padding, and the last begins before it.
  for (const side of [0, 1, 2, 3])
    demand(
      pads[side]! < window[side % 2]!,
      () => `its padding, [${pads}], must be smaller than its window, [${window}]`,
    );
  return [image[0]!, ...windowsOf(node, imageOf(image), window), image[3]!];
}

const pooling = (arity: number, shape: Rule['shape']): Rule => ({
  arity,
  attrs: { window: kinds.pair, strides: kinds.pair, pads: kinds.pads },
  types: real,
  shape,
});

const pool = pooling(1, (node) => pooledShape(node, node.inputs[0]!.shape));

const resize: Rule = {
  arity: 1,
  attrs: { alignCorners: kinds.flag, halfPixelCenters: kinds.flag },
  types: real,
  shape: (node) => {
    inputRank(node, 0, 4);
    const both = flag(node, 'alignCorners') && flag(node, 'halfPixelCenters');
    demand(!both, () => 'at most one of "alignCorners" and "halfPixelCenters" must be true');
    demand(node.shape.length === 4, () => `its result must have rank 4; its shape is [${node.shape}]`);
    const [batch, , , channels] = node.inputs[0]!.shape;
    return [batch!, ...imageOf(node.shape), channels!];
  },
};

export const poolingRules = {
  MaxPool: pool,
  AvgPool: pool,

  MaxPoolGrad: pooling(3, (node) => {
    const [, x, y] = node.inputs as [Node, Node, Node];
    const pooled = pooledShape(node, node.shape);
    inputShape(node, 0, pooled, 'that of the pooled image');
    inputShape(node, 1, node.shape, 'that of the result');
    // An executor may keep the places of the maxima when it computes y, and use them here instead of x.
    const same = ['window', 'strides', 'pads'].every((name) => sameShape(list(node, name), (y.attrs[name] ?? []) as readonly number[])); // prettier-ignore
    demand(y.op === 'MaxPool' && y.inputs[0] === x && same, () => 'input 2 must be the MaxPool of input 1 by the same windows'); // prettier-ignore
    return node.shape;
  }),

  AvgPoolGrad: pooling(1, (node) => {
    inputShape(node, 0, pooledShape(node, node.shape), 'that of the pooled image');
    return node.shape;
  }),

  ResizeNearest: resize,
  ResizeBilinear: resize,
} satisfies Record<string, Rule>;
