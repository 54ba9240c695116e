import { sizeOf } from '../../protocol/shape.js';
import { inverse, type Node } from '../ir.js';
import type { Operations } from '../operations.js';
import { flag, type GradientRule, list, none, number, single } from './rule.js';

/** Gradients of the operations along axes: reductions, cumulative sums, softmax. g stands for dy. */

/** A reduction's result, or its gradient, with an axis of length 1 in place of each reduced axis. */
const kept = (make: Operations, reduced: Node, x: Node, axes: readonly number[]): Node =>
  make.reshape(reduced, x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n))); // prettier-ignore

/** dx = g at the largest (smallest) element; several of them take equal shares, as in TensorFlow and PyTorch's amax. */
const extreme = single(({ make, x, y, dy }) => {
  const axes = list(y, 'axes');
  const equal = make.cast(make.binary('Equal', x, kept(make, y, x, axes)), 'float32');
  const share = make.div(kept(make, dy, x, axes), make.reduce('Sum', equal, axes, true));
  return make.mul(equal, share);
});

/** For [outer, n, inner]: the product of all elements before each place along the middle axis, by doubling: log2(n) products. */
function productsBefore(make: Operations, x: Node): Node {
  const [outer, n, inner] = x.shape as [number, number, number];
  // The shift by one makes place i start with the element before it, and place 0 with 1.
  const shifted = (rows: Node, by: number) =>
    make.slice(make.pad(rows, [0, by, 0], [0, 0, 0], 1), [0, 0, 0], [outer, n, inner]);
  let products = shifted(x, 1);
  for (let span = 1; span < n; span *= 2) products = make.mul(products, shifted(products, span));
  return products;
}

/** dx_i = g times the product of all other elements: of those before and of those after, so that zeros do no harm. */
const product = single(({ make, x, y, dy }) => {
  const axes = list(y, 'axes');
  if (axes.length === 0) return dy;
  const others = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
  const perm = [...others, ...axes];
  const moved = make.transpose(x, perm);
  const outer = sizeOf(others.map((axis) => x.shape[axis]!));
  const rows = make.reshape(moved, [outer, sizeOf(x.shape) / outer, 1]);
  const before = productsBefore(make, rows);
  const behind = make.reverse(productsBefore(make, make.reverse(rows, [1])), [1]);
  const back = make.reshape(make.mul(before, behind), moved.shape);
  const slopes = make.transpose(back, inverse(perm)); // prettier-ignore
  return make.mul(slopes, kept(make, dy, x, axes));
});

export const reductionRules = {
  // dx = g everywhere
  Sum: single(({ make, x, y, dy }) => make.spread(kept(make, dy, x, list(y, 'axes')), x.shape)),
  // dx = g / n everywhere
  Mean: single(({ make, x, y, dy }) => make.spread(make.mul(kept(make, dy, x, list(y, 'axes')), sizeOf(y.shape) / sizeOf(x.shape)), x.shape)), // prettier-ignore
  Max: extreme,
  Min: extreme,
  Prod: product,
  ArgMax: none,
  ArgMin: none,
  // dx_i = sum of g_j over the sums y_j that contain x_i: the same sum from the other end
  Cumsum: single(({ make, y, dy }) => {
    const attrs = { axis: number(y, 'axis'), exclusive: flag(y, 'exclusive'), reverse: !flag(y, 'reverse') };
    return make.graph.add({ op: 'Cumsum', inputs: [dy], attrs, shape: dy.shape });
  }),
  // dx = g y - y sum(g y)
  Softmax: single(({ make, y, dy }) => {
    const weighted = make.mul(dy, y);
    return make.sub(weighted, make.mul(make.reduce('Sum', weighted, [y.shape.length - 1], true), y));
  }),
  // dx = g - exp(y) sum(g)
  LogSoftmax: single(({ make, y, dy }) =>
    make.sub(dy, make.mul(make.reduce('Sum', dy, [y.shape.length - 1], true), make.unary('Exp', y))),
  ),
} satisfies Record<string, GradientRule>;
