import type { Node } from '../ir.js';
import { alike, allTypes, demand, inRange, kinds, list, number, perAxis, type Rule } from './rule.js';
import { sizeOf } from '../../protocol/shape.js';

/** Rules of the operations that move elements, of any type, without computing. */

const moving = (attrs: Rule['attrs'], shape: Rule['shape'], arity: Rule['arity'] = 1): Rule => ({
  arity,
  attrs,
  types: alike(allTypes),
  shape,
});

const shapeOfInput = (node: Node): readonly number[] => node.inputs[0]!.shape;

/** Each axis grows by one entry for every element of padding. */
function padded(node: Node): number[] {
  perAxis(node, 'before', 'after');
  const [before, after] = [list(node, 'before'), list(node, 'after')];
  return shapeOfInput(node).map((n, axis) => before[axis]! + n + after[axis]!);
}

export const movementRules = {
  Reshape: moving({}, (node) => {
    const from = shapeOfInput(node);
    demand(sizeOf(from) === sizeOf(node.shape), () => `[${from}] and [${node.shape}] must have equally many elements`);
    return node.shape;
  }),

  Transpose: moving({ perm: kinds.wholes }, (node) => {
    perAxis(node, 'perm');
    const perm = list(node, 'perm');
    const shape = shapeOfInput(node);
    const isPermutation = new Set(perm).size === perm.length && perm.every((axis) => axis < shape.length);
    demand(isPermutation, () => `"perm" must have every axis of its input once; it is [${perm}]`);
    return perm.map((axis) => shape[axis]!);
  }),

  Slice: moving({ begin: kinds.wholes }, (node) => {
    perAxis(node, 'begin');
    const begin = list(node, 'begin');
    const from = shapeOfInput(node);
    const inside = node.shape.length === from.length && node.shape.every((n, axis) => begin[axis]! + n <= from[axis]!);
    demand(inside, () => `[${node.shape}] from [${begin}] must lie within its input, [${from}]`);
    return node.shape;
  }),

  StridedSlice: moving({ begin: kinds.wholes, end: kinds.wholes, strides: kinds.positives }, (node) => {
    perAxis(node, 'begin', 'end', 'strides');
    const [begin, end, strides] = [list(node, 'begin'), list(node, 'end'), list(node, 'strides')];
    const from = shapeOfInput(node);
    const inside = from.every((n, axis) => begin[axis]! <= end[axis]! && end[axis]! <= n);
    demand(inside, () => `from [${begin}] to [${end}] must be a range within its input, [${from}]`);
    return strides.map((stride, axis) => Math.ceil((end[axis]! - begin[axis]!) / stride));
  }),

  Concat: moving(
    { axis: kinds.axis },
    (node) => {
      const axis = number(node, 'axis');
      inRange(node, axis);
      const first = shapeOfInput(node);
      const fits = ({ shape }: Node) => shape.length === first.length && shape.every((n, i) => i === axis || n === first[i]); // prettier-ignore
      const shapes = () => node.inputs.map(({ shape }) => `[${shape}]`).join(', ');
      demand(
        node.inputs.every(fits),
        () => `its inputs must have one shape but for axis ${axis}; they are ${shapes()}`,
      );
      return first.with(axis, node.inputs.reduce((sum, { shape }) => sum + shape[axis]!, 0)); // prettier-ignore
    },
    'many',
  ),

  Pad: moving({ before: kinds.wholes, after: kinds.wholes, value: kinds.number }, padded),

  MirrorPad: moving({ before: kinds.wholes, after: kinds.wholes, mode: kinds.mode }, (node) => {
    const shape = padded(node);
    // Without its edge a mirror image of n elements has n - 1.
    const edge = node.attrs['mode'] === 'reflect' ? 1 : 0;
    const most = shapeOfInput(node).map((n) => n - edge);
    const enough = ['before', 'after'].every((name) => list(node, name).every((n, axis) => n <= most[axis]!));
    demand(enough, () => `its padding must not be longer than the mirror image, [${most}]`);
    return shape;
  }),

  Tile: moving({ reps: kinds.positives }, (node) => {
    perAxis(node, 'reps');
    return shapeOfInput(node).map((n, axis) => n * list(node, 'reps')[axis]!);
  }),

  Reverse: moving({ axes: kinds.axes }, (node) => {
    inRange(node, list(node, 'axes').at(-1));
    return shapeOfInput(node);
  }),
} satisfies Record<string, Rule>;
