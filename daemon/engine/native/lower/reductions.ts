import { type Node } from '../../../network/ir.js';
import { sizeOf } from '../../../protocol/shape.js';
import { reducesRows, sumsRows } from '../roles.js';
import { type Add, addConstant, addOf, addView, type Lowering } from './rule.js';

/** Axes of a reduction that do something, in runs of neighbours: axes of one element between them join two runs. */
function runsOf(node: Node): number[][] {
  const { shape } = node.inputs[0]!;
  const axes = (node.attrs['axes'] as readonly number[]).filter((axis) => shape[axis] !== 1);
  const runs: number[][] = [];
  for (const axis of axes) {
    const run = runs.at(-1);
    if (run && shape.slice(run.at(-1)! + 1, axis).every((n) => n === 1)) run.push(axis);
    else runs.push([axis]);
  }
  return runs;
}

/**
 * One run of axes after the other, from the last to the first, so that each one's axes keep their numbers; a mean of equal
 * parts' means is the mean. The last axes of a tensor are the columns of a matrix, which is reduced row by row.
 */
export const addReductions: Lowering = (node, add) => {
  if (node.op === 'Min') return addMinimum(node, add);
  if (sumsRows(node) || reducesRows(node)) return add(node);
  let result = node.inputs[0]!;
  for (const axes of runsOf(node).reverse()) {
    const { shape } = result;
    const kept = shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
    const [first, last] = [axes[0]!, axes.at(-1)!];
    const isLast = node.op !== 'Prod' && shape.slice(last + 1).every((n) => n === 1);
    result = isLast
      ? addView(addRows(node, addView(result, [sizeOf(shape.slice(0, first)), sizeOf(shape.slice(first))], add), add), kept, add)
      : add({ ...node, inputs: [result], attrs: { axes, keepDims: true }, shape: kept }); // prettier-ignore
  }
  return addView(result, node.shape, add);
};

/** Rows at least, where there are fewer and long ones: threads share them out. */
const fewRows = 16;
const longRow = 2 ** 14;

/** [rows, columns] to [rows]. A few long rows are cut into parts, which are reduced first. */
function addRows(node: Node, matrix: Node, add: Add): Node {
  const [rows, columns] = matrix.shape as [number, number];
  const reduce = (x: Node) =>
    add({ ...node, inputs: [x], attrs: { axes: [x.shape.length - 1], keepDims: false }, shape: x.shape.slice(0, -1) });
  const parts = rows < fewRows && columns >= longRow ? divisorOf(columns) : 1;
  return reduce(parts === 1 ? matrix : reduce(addView(matrix, [rows, parts, columns / parts], add)));
}

/** The largest number of equal parts, up to 256. */
function divisorOf(size: number): number {
  for (let parts = 256; parts > 1; parts--) if (size % parts === 0) return parts;
  return 1;
}

/** The least is the largest of what is turned round. */
const addMinimum: Lowering = (node, add) => {
  const [x] = node.inputs as [Node];
  const largest = addReductions({ ...node, op: 'Max', inputs: [addOf('Neg', [x], x.shape, add)] }, add);
  return addOf('Neg', [largest], node.shape, add);
};

/** The first place where an element equals the extreme: the least of those places' numbers. */
export const addArgument: Lowering = (node, add) => {
  const [x] = node.inputs as [Node];
  const axis = node.attrs['axis'] as number;
  const count = x.shape[axis]!;
  const kept = x.shape.with(axis, 1);
  const extreme = { ...node, dtype: x.dtype, op: node.op === 'ArgMax' ? ('Max' as const) : ('Min' as const) };
  const best = addReductions({ ...extreme, attrs: { axes: [axis], keepDims: true }, shape: kept }, add);
  const equals = add({ ...node, op: 'Equal', dtype: 'bool', inputs: [x, best], attrs: {}, shape: x.shape });
  const line = x.shape.map((n, i) => (i === axis ? n : 1));
  const places = addConstant(node, Int32Array.from({ length: count }, (_, i) => i), line, add); // prettier-ignore
  const chosen = add({ ...node, op: 'Select', inputs: [equals, places, addConstant(node, count - 1, [], add)], attrs: {}, shape: x.shape }); // prettier-ignore
  return addMinimum({ ...node, op: 'Min', inputs: [chosen], attrs: { axes: [axis], keepDims: false } }, add);
};

/** e^(x - max) over its sum; of LogSoftmax x - max less the logarithm of that: operations on rows, in one group. */
export const addSoftmax: Lowering = (node, add) => {
  const [x] = node.inputs as [Node];
  const { shape } = node;
  const rows = shape.with(-1, 1);
  const over = { axes: [shape.length - 1], keepDims: true };
  // Of one column there is nothing to reduce.
  if (shape.at(-1) === 1) {
    const zero = addOf('Sub', [x, x], shape, add);
    return node.op === 'LogSoftmax' ? zero : addOf('Exp', [zero], shape, add);
  }
  const shifted = addOf('Sub', [x, addOf('Max', [x], rows, add, over)], shape, add);
  const powers = addOf('Exp', [shifted], shape, add);
  const sum = addOf('Sum', [powers], rows, add, over);
  return node.op === 'LogSoftmax'
    ? addOf('Sub', [shifted, addOf('Log', [sum], rows, add)], shape, add)
    : addOf('Multiply', [powers, addOf('Reciprocal', [sum], rows, add)], shape, add);
};
