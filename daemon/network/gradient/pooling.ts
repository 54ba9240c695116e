import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import type { Node } from '../ir.js';
import type { Operations } from '../operations.js';
import { resizeWeights } from '../resizeWeights.js';
import { type GradientRule, single } from './rule.js';

/** Gradients of pooling and resizing of images. g stands for dy. */

/** Resizing is linear and separable: dx is the product of g with the weights of each axis. */
const resize = (linear: boolean): GradientRule =>
  single(({ make, x, y, dy }) => {
    const [batch, h, w, c] = x.shape as [number, number, number, number];
    const [oh, ow] = y.shape.slice(1, 3) as [number, number];
    if (!linear && oh % h === 0 && ow % w === 0 && y.attrs['alignCorners'] !== true) {
      // Every pixel was repeated, so dx is the sum over its block.
      const block = [oh / h, ow / w] as const;
      const attrs = { window: block, strides: block, pads: [0, 0, 0, 0] };
      const pooled = make.graph.add({ op: 'AvgPool', inputs: [dy], attrs, shape: [batch, h, w, c] });
      return make.mul(pooled, block[0] * block[1]);
    }
    const along = (images: Node, from: number, to: number) => {
      const rows = make.reshape(images, [sizeOf(images.shape) / to, to]);
      const weights = make.graph.constant(resizeWeights(y.attrs, from, to, linear), [to, from]);
      return make.reshape(make.matMul(rows, weights), images.shape.with(-1, from));
    };
    const narrow = along(make.transpose(dy, [0, 1, 3, 2]), w, ow);
    return make.transpose(along(make.transpose(narrow, [0, 3, 2, 1]), h, oh), [0, 3, 1, 2]);
  });

const pooled = (make: Operations, op: 'AvgPool' | 'AvgPoolGrad', dy: Node, { attrs, inputs }: Node): Node =>
  make.graph.add({ op, inputs: [dy], attrs, shape: inputs[0]!.shape });

/** This gradient moves g by the places of the maxima, which no operation returns. */
const maxPoolGrad: GradientRule = ({ y, inputs }) => {
  const refuse = () => {
    const where = y.layer === undefined ? 'the model' : `layer "${y.layer}"`;
    throw new UserError(
      'model-unsupported',
      `${where}: the gradient of max pooling cannot be differentiated once more`,
    );
  };
  return inputs.map(() => refuse);
};

export const poolingRules = {
  // If several values in a window are the maximum, the first takes g, as in TensorFlow.js and PyTorch.
  MaxPool: single(({ make, x, y, dy }) =>
    make.graph.add({ op: 'MaxPoolGrad', inputs: [dy, x, y], attrs: y.attrs, shape: x.shape }),
  ),
  // Each pixel of a window takes an equal share of g.
  AvgPool: single(({ make, y, dy }) => pooled(make, 'AvgPoolGrad', dy, y)),
  // The transpose of the transpose: the mean over each window, with the same count of pixels.
  AvgPoolGrad: single(({ make, y, dy }) => pooled(make, 'AvgPool', dy, y)),
  MaxPoolGrad: maxPoolGrad,
  ResizeNearest: resize(false),
  ResizeBilinear: resize(true),
} satisfies Record<string, GradientRule>;
