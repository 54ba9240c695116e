import { type Node } from '../../../network/ir.js';
import { resizeWeights } from '../../../network/resizeWeights.js';
import { sizeOf } from '../../../protocol/shape.js';
import { addConstant, addOf, addView, type Lowering } from './rule.js';

/** Pixels of an image as products with the weights of each axis. */
export const addResizing: Lowering = (node, add) => {
  const image = node.inputs[0]!;
  const linear = node.op === 'ResizeBilinear';
  const turned = (x: Node, perm: readonly number[]) =>
    addOf('Transpose', [x], perm.map((axis) => x.shape[axis]!), add, { perm }); // prettier-ignore
  /** The last axis, resized. */
  const along = (x: Node, to: number) => {
    const from = x.shape.at(-1)!;
    const rows = sizeOf(x.shape) / from;
    const weights = addConstant(node, resizeWeights(node.attrs, from, to, linear), [to, from], add);
    const product = addOf('MatMul', [addView(x, [rows, from], add), weights], [rows, to], add, {
      transposeA: false,
      transposeB: true,
    });
    return addView(product, x.shape.with(-1, to), add);
  };
  const [, height, width] = node.shape;
  const wide = along(turned(image, [0, 1, 3, 2]), width!);
  return turned(along(turned(wide, [0, 3, 2, 1]), height!), [0, 3, 1, 2]);
};
