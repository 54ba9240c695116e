import { type Node, sameShape } from '../../network/ir.js';
import { stridesOf } from '../../protocol/shape.js';

/** A tensor's numbers in another order, or some of them, read where they lie. Offsets and strides are in floats. */
export interface Strided {
  readonly base: Node;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/**
 * A node as a view of what its transposes, slices and reshapes read, as far back as strides can say it.
 *
 * @param isStored nodes to go back no further than: what they read may be kept nowhere.
 */
export function stridedOf(node: Node, isStored: (node: Node) => boolean): Strided {
  const dense = { base: node, offset: 0, shape: node.shape, strides: stridesOf(node.shape) };
  if (isStored(node)) return dense;
  const [input] = node.inputs;
  switch (node.op) {
    case 'Reshape':
      return reshaped(stridedOf(input!, isStored), node.shape) ?? dense;
    case 'Cast':
      return node.dtype === 'float32' ? stridedOf(input!, isStored) : dense;
    case 'Transpose': {
      const view = stridedOf(input!, isStored);
      const perm = node.attrs['perm'] as readonly number[];
      return { ...view, shape: node.shape, strides: perm.map((axis) => view.strides[axis]!) };
    }
    case 'Slice': {
      const view = stridedOf(input!, isStored);
      const offset = view.offset + dot(node.attrs['begin'] as readonly number[], view.strides);
      return { ...view, offset, shape: node.shape };
    }
    default:
      return dense;
  }
}

/** The view in another shape; undefined where strides cannot say it. */
export function reshaped(view: Strided, shape: readonly number[]): Strided | undefined {
  if (sameShape(view.shape, shape)) return view;
  /** What can be one run in the new shape: axes whose strides follow from one another. */
  const runs: { size: number; stride: number }[] = [];
  view.shape.forEach((size, axis) => {
    const [stride, last] = [view.strides[axis]!, runs.at(-1)];
    if (size === 1) return;
    if (last?.stride === size * stride) runs.splice(-1, 1, { size: last.size * size, stride });
    else runs.push({ size, stride });
  });
  const strides = new Array<number>(shape.length).fill(0);
  let run = runs.pop();
  let done = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!;
    if (size === 1) continue;
    if (run && done === run.size) [run, done] = [runs.pop(), 1];
    if (!run || run.size % (done * size) !== 0) return undefined;
    strides[axis] = run.stride * done;
    done *= size;
  }
  return { ...view, shape, strides };
}
