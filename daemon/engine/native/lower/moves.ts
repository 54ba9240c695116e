import { type Node } from '../../../network/ir.js';
import { blocksOf } from '../moves.js';
import { moveRank } from '../layout.js';
import { addConstant, addOf, addView, type Lowering } from './rule.js';

/** The mirror images of both ends joined to a tensor, one axis after the other. */
export const addMirrors: Lowering = (node, add) => {
  const [before, after] = [node.attrs['before'], node.attrs['after']] as [number[], number[]];
  // "reflect" leaves the edge out.
  const edge = node.attrs['mode'] === 'reflect' ? 1 : 0;
  return node.inputs[0]!.shape.reduce<Node>((x, n, axis) => {
    const mirror = (from: number, size: number): Node[] => {
      if (size === 0) return [];
      const shape = x.shape.with(axis, size);
      const begin = shape.map((_, i) => (i === axis ? from : 0));
      return [addOf('Reverse', [addOf('Slice', [x], shape, add, { begin })], shape, add, { axes: [axis] })];
    };
    const [left, right] = [before[axis]!, after[axis]!];
    if (left + right === 0) return x;
    const parts = [...mirror(edge, left), x, ...mirror(n - edge - right, right)];
    return addOf('Concat', parts, x.shape.with(axis, left + n + right), add, { axis });
  }, node.inputs[0]!);
};

/** Repetition along so many axes that one copy has not enough, in two: of the first axes last. */
export const addTiles: Lowering = (node, add) => {
  const [block] = blocksOf(node);
  if (block!.shape.length <= moveRank) return add(node);
  const reps = node.attrs['reps'] as readonly number[];
  const half = Math.ceil(reps.length / 2);
  const inner = reps.map((n, axis) => (axis < half ? 1 : n));
  const [x] = node.inputs as [Node];
  const tiled = addTiles({ ...node, attrs: { reps: inner }, shape: x.shape.map((n, axis) => n * inner[axis]!) }, add);
  return addTiles({ ...node, inputs: [tiled], attrs: { reps: reps.map((n, axis) => (axis < half ? n : 1)) } }, add);
};

/** Whether an index is a place's own number. */
export const addOneHot: Lowering = (node, add) => {
  const [ids] = node.inputs as [Node];
  const depth = node.shape.at(-1)!;
  const { onValue, offValue } = node.attrs as { onValue: number; offValue: number };
  const places = addConstant(ids, Int32Array.from({ length: depth }, (_, i) => i), [depth], add); // prettier-ignore
  const column = addView(ids, [...ids.shape, 1], add);
  const equals = add({ ...node, op: 'Equal', dtype: 'bool', inputs: [column, places], attrs: {} });
  const values = [onValue, offValue].map((value) => addConstant(node, value, [], add));
  return add({ ...node, op: 'Select', inputs: [equals, ...values], attrs: {} });
};
