import { broadcastShape, sameShape } from '../../../network/ir.js';
import { sizeOf } from '../../../protocol/shape.js';
import type { Call, Operator } from '../call.js';
import { list, numbers, permuted, reshaped as reshapedNumbers, broadcastTo } from '../values/numberTensor.js';
import { dimsOf, inverse, isNatural, naturalAxes, type Value } from '../values/value.js';

/** Operators that say a tensor's shape or change it, without changing the order of its elements. */

/** Runs of axes of two shapes that hold the same elements: [6, 4] and [2, 3, 4] have two. undefined: of empty tensors. */
function blocks(from: readonly number[], to: readonly number[]): { from: number[]; to: number[] }[] | undefined {
  if (sizeOf(from) === 0) return undefined;
  const found: { from: number[]; to: number[] }[] = [];
  let [i, j] = [0, 0];
  while (i < from.length && j < to.length) {
    const block = { from: [i], to: [j] };
    let [a, b] = [from[i++]!, to[j++]!];
    while (a !== b) {
      if (a < b) {
        block.from.push(i);
        a *= from[i++]!;
      } else {
        block.to.push(j);
        b *= to[j++]!;
      }
    }
    found.push(block);
  }
  // What is left has the length 1.
  const last = found.at(-1) ?? { from: [], to: [] };
  if (found.length === 0) found.push(last);
  while (i < from.length) last.from.push(i++);
  while (j < to.length) last.to.push(j++);
  return found;
}

/**
 * The order of the new axes in which the elements can stay where they are, though the old axes lie in `order`; undefined: they
 * have to move.
 */
function orderAfter(from: readonly number[], to: readonly number[], order: readonly number[]): number[] | undefined {
  const found = blocks(from, to);
  if (!found) return undefined;
  const long = order.filter((axis) => from[axis] !== 1);
  for (const block of found) {
    const own = block.from.filter((axis) => from[axis] !== 1);
    const start = long.indexOf(own[0]!);
    if (!own.every((axis, i) => long[start + i] === axis)) return undefined;
  }
  const blockOf = (axis: number) => found.find((block) => block.from.includes(axis))!;
  // A block stands where its first long axis does.
  const places = [...new Set([...long.map(blockOf), ...found])];
  const result = places.flatMap((block) => block.to);
  return result.length === to.length ? result : undefined;
}

/** A value in another shape of as many elements. @throws RangeError where it has another size */
export function reshape(call: Call, value: Value, to: readonly number[]): Value {
  const from = dimsOf(value);
  if (sameShape(from, to)) return value;
  if (value.kind === 'numbers') return reshapedNumbers(value, to);
  const { lowering } = call;
  if (sizeOf(from) !== sizeOf(to)) throw call.refusal(`cannot make [${to}] of [${from}]`);
  if (value.kind === 'node' && !isNatural(value.axes)) {
    const order = orderAfter(from, to, inverse(value.axes));
    if (order) {
      const node = lowering.reshape(value.node, order.map((axis) => to[axis]!)); // prettier-ignore
      return lowering.value(node, order, value.origin);
    }
  }
  const node = lowering.reshape(lowering.natural(value), to);
  return lowering.value(node, naturalAxes(to.length), value.kind === 'node' ? value.origin : 'weighted');
}

/** The shape that a target asks for: 0 copies a size, one -1 is what is left. */
function resolved(from: readonly number[], target: readonly number[], allowZero: boolean): number[] | undefined {
  const dims = target.map((n, i) => (n === 0 && !allowZero ? (from[i] ?? 0) : n));
  const open = dims.indexOf(-1);
  const known = sizeOf(dims.filter((n) => n !== -1));
  if (open >= 0) dims[open] = known === 0 ? 0 : sizeOf(from) / known;
  return dims.every(Number.isInteger) && sizeOf(dims) === sizeOf(from) ? dims : undefined;
}

/** A shape that was written for another batch: the axis that holds the first axis of samples grows with it. */
function forBatch(call: Call, now: readonly number[]): readonly number[] | undefined {
  const { written } = call;
  if (!written || written.input.length !== now.length) return undefined;
  const axis = now.findIndex((n, i) => n !== written.input[i]);
  if (axis < 0) return written.output;
  const before = sizeOf(written.input.slice(0, axis));
  let product = 1;
  for (const [i, n] of written.output.entries()) {
    product *= n;
    // A batch of one is a factor 1: the first axis that starts where it stands takes it.
    const starts = call.lowering.fileBatch === 1 && sizeOf(written.output.slice(0, i)) === before;
    if (product > before || starts)
      return written.output.with(i, (n * now[axis]!) / written.input[axis]!);
  }
  return undefined;
}

const reshapeTo: Operator = (call) => {
  const x = call.input(0);
  const from = dimsOf(x);
  const target = call.wholes('shape', 1) ?? [];
  const allowZero = call.flag('allowzero');
  const { written } = call;
  // The same numbers that gave the written shape: they are the file's, not computed for this batch.
  const literal = written && sameShape(resolved(written.input, target, allowZero) ?? [NaN], written.output);
  const to = (literal ? forBatch(call, from) : undefined) ?? resolved(from, target, allowZero);
  if (!to) throw call.refusal(`cannot make [${target}] of [${from}]`);
  return reshape(call, x, to);
};

const flatten: Operator = (call) => {
  const dims = dimsOf(call.input(0));
  const given = call.int('axis', 1);
  const axis = given === dims.length ? given : call.axis(given, Math.max(1, dims.length));
  return reshape(call, call.input(0), [sizeOf(dims.slice(0, axis)), sizeOf(dims.slice(axis))]);
};

const squeeze: Operator = (call) => {
  const dims = dimsOf(call.input(0));
  const axes = call.wholes('axes', 1)?.map((axis) => call.axis(axis, dims.length));
  const gone = axes ?? naturalAxes(dims.length).filter((axis) => dims[axis] === 1);
  if (gone.some((axis) => dims[axis] !== 1)) throw call.refusal(`cannot leave out the axes [${gone}] of [${dims}]`);
  return reshape(call, call.input(0), dims.filter((_, axis) => !gone.includes(axis))); // prettier-ignore
};

const unsqueeze: Operator = (call) => {
  const dims = dimsOf(call.input(0));
  const given = call.wholes('axes', 1) ?? [];
  const rank = dims.length + given.length;
  const axes = given.map((axis) => call.axis(axis, rank));
  const rest = [...dims];
  return reshape(call, call.input(0), naturalAxes(rank).map((axis) => (axes.includes(axis) ? 1 : rest.shift()!))); // prettier-ignore
};

/** From opset 15 on of some axes only. */
const shape: Operator = (call) => {
  const dims = dimsOf(call.input(0));
  const clip = (axis: number) => Math.max(0, Math.min(dims.length, axis < 0 ? axis + dims.length : axis));
  return list(dims.slice(clip(call.int('start', 0)), clip(call.int('end', dims.length))));
};

/** A permutation beside the tensor: no element moves before an operation needs it. */
const transpose: Operator = (call) => {
  const x = call.input(0);
  const perm = call.ints('perm', naturalAxes(dimsOf(x).length).reverse());
  if (!sameShape([...perm].sort((a, b) => a - b), naturalAxes(dimsOf(x).length))) throw call.refusal(`has no permutation of its axes: [${perm}]`); // prettier-ignore
  if (x.kind === 'numbers') return permuted(x, perm);
  const axes = perm.map((axis) => x.axes[axis]!);
  return x.kind === 'node' ? { ...x, axes } : { ...x, axes, dims: perm.map((axis) => x.dims[axis]!) };
};

/** Repeats a value to a shape that it broadcasts to. */
export function expanded(call: Call, x: Value, to: readonly number[]): Value {
  const from = dimsOf(x);
  if (sameShape(from, to)) return x;
  if (x.kind === 'numbers') return broadcastTo(x, to);
  const { lowering } = call;
  const lead = to.length - from.length;
  const whole = reshape(call, x, [...to.slice(0, lead).map(() => 1), ...from]);
  const order = whole.kind === 'node' ? inverse(whole.axes) : naturalAxes(to.length);
  const node = lowering.inOrder(whole, order);
  const reps = order.map((axis, i) => (node.shape[i] === 1 ? to[axis]! : 1));
  const tiled = lowering.add('Tile', [node], node.shape.map((n, i) => n * reps[i]!), { reps }); // prettier-ignore
  return lowering.value(tiled, order, whole.kind === 'node' ? whole.origin : 'weighted');
}

const expand: Operator = (call) => {
  const x = call.input(0);
  const from = dimsOf(x);
  const target = call.wholes('shape', 1) ?? [];
  const { written } = call;
  const lead = target.length - from.length;
  // A size of the batch that the file was written for, along an axis that now has the pass's.
  const own = target.map((n, i) => {
    const before = written?.input[i - lead];
    return before !== undefined && before === n && from[i - lead] !== before ? from[i - lead]! : n;
  });
  return expanded(call, x, broadcastShape(from, own));
};

export const reshapingOperators: Readonly<Record<string, Operator>> = {
  Reshape: reshapeTo,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Shape: shape,
  Size: (call) => numbers([sizeOf(dimsOf(call.input(0)))], [], 'int32'),
  Transpose: transpose,
  Expand: expand,
};
