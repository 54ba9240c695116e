import { sizeOf } from '../../protocol/shape.js';
import { inverse, type Node } from '../ir.js';
import type { Operations } from '../operations.js';
import { type GradientRule, list, number, single } from './rule.js';

/** Gradients of the operations that move elements: each moves g back, and sums it if an element went to several places. */

/** x as [before, n, behind] around an axis. */
const around = (make: Operations, x: Node, axis: number): Node =>
  make.reshape(x, [sizeOf(x.shape.slice(0, axis)), x.shape[axis]!, sizeOf(x.shape.slice(axis + 1))]);

/** Inserts zeros between neighbours along an axis: n elements, `stride` apart, over (n - 1) stride + 1 places. */
function apart(make: Operations, x: Node, axis: number, stride: number): Node {
  const [outer, n, inner] = around(make, x, axis).shape as [number, number, number];
  const long = (n - 1) * stride + 1;
  const single = make.reshape(x, [outer * n, 1, inner]);
  const spaced = make.reshape(make.pad(single, [0, 0, 0], [0, stride - 1, 0]), [outer, n * stride, inner]);
  return make.reshape(make.slice(spaced, [0, 0, 0], [outer, long, inner]), x.shape.with(axis, long));
}

/** g in the places that a strided slice read; zeros elsewhere. */
function putBack(
  make: Operations,
  dy: Node,
  begin: readonly number[],
  strides: readonly number[],
  shape: readonly number[],
): Node {
  let placed = dy;
  strides.forEach((stride, axis) => {
    if (stride > 1 && placed.shape[axis]! > 1) placed = apart(make, placed, axis, stride);
  });
  return make.pad(placed, begin, shape.map((n, axis) => n - begin[axis]! - placed.shape[axis]!)); // prettier-ignore
}

/** Along one axis: g of the image itself plus g of both mirror images, reversed. */
function mirrored(
  make: Operations,
  dy: Node,
  axis: number,
  n: number,
  before: number,
  after: number,
  edge: number,
): Node {
  if (before + after === 0) return dy;
  const whole = around(make, dy, axis);
  const [outer, , inner] = whole.shape as [number, number, number];
  const part = (begin: number, size: number) => make.slice(whole, [0, begin, 0], [outer, size, inner]);
  // Place p of the mirror image in front is a copy of element before - 1 - p + edge.
  const turned = (begin: number, size: number, at: number) =>
    make.pad(make.reverse(part(begin, size), [1]), [0, at, 0], [0, n - at - size, 0]);
  let sum = part(before, n);
  if (before > 0) sum = make.add(sum, turned(0, before, edge));
  if (after > 0) sum = make.add(sum, turned(before + n, after, n - after - edge));
  return make.reshape(sum, dy.shape.with(axis, n));
}

export const movementRules = {
  Reshape: single(({ make, x, dy }) => make.reshape(dy, x.shape)),
  Transpose: single(({ make, y, dy }) => {
    const perm = list(y, 'perm');
    return make.transpose(dy, inverse(perm)); // prettier-ignore
  }),
  Slice: single(({ make, x, y, dy }) => putBack(make, dy, list(y, 'begin'), [], x.shape)),
  StridedSlice: single(({ make, x, y, dy }) => putBack(make, dy, list(y, 'begin'), list(y, 'strides'), x.shape)),
  Concat: ({ make, inputs, y, dy }) => {
    const axis = number(y, 'axis');
    return inputs.map(({ shape }, i) => () => {
      const at = inputs.slice(0, i).reduce((sum, other) => sum + other.shape[axis]!, 0);
      return make.slice(dy, shape.map((_, k) => (k === axis ? at : 0)), shape); // prettier-ignore
    });
  },
  Pad: single(({ make, x, y, dy }) => make.slice(dy, list(y, 'before'), x.shape)),
  MirrorPad: single(({ make, x, y, dy }) => {
    const edge = y.attrs['mode'] === 'reflect' ? 1 : 0;
    return x.shape.reduce(
      (sum, n, axis) => mirrored(make, sum, axis, n, list(y, 'before')[axis]!, list(y, 'after')[axis]!, edge),
      dy,
    );
  }),
  // The sum over the copies.
  Tile: single(({ make, x, y, dy }) =>
    list(y, 'reps').reduce((sum, times, axis) => {
      if (times === 1) return sum;
      const [outer, , inner] = around(make, sum, axis).shape as [number, number, number];
      const copies = make.reshape(sum, [outer, times, x.shape[axis]! * inner]);
      return make.reshape(make.reduce('Sum', copies, [1]), sum.shape.with(axis, x.shape[axis]!));
    }, dy),
  ),
  Reverse: single(({ make, y, dy }) => make.reverse(dy, list(y, 'axes'))),
} satisfies Record<string, GradientRule>;
