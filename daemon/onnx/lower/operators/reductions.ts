import type { Node, Op } from '../../../network/ir.js';
import { sizeOf, stridesOf } from '../../../protocol/shape.js';
import type { Call, Operator } from '../call.js';
import type { Lowering } from '../lowering.js';
import { originOf } from '../lowering.js';
import { eachIndex, numbers, type NumberTensor } from '../values/numberTensor.js';
import { dimsOf, naturalAxes, type Value } from '../values/value.js';
import { lying } from './moving.js';

/** Operators along axes: sums and other reductions, places of extremes, cumulative sums, softmax. */

/** Axes are an attribute, or an input from opset 13 (ReduceSum) or 18 on; without any, all axes are reduced. */
function axesOf(call: Call): readonly number[] {
  const rank = call.rank(0);
  const given = call.wholes('axes', 1)?.map((axis) => call.axis(axis, rank)) ?? [];
  if (given.length > 0) return given;
  return call.flag('noop_with_empty_axes') ? [] : naturalAxes(rank);
}

/** Computes a reduction from nodes: `reduce` adds a reduction of the graph along the node's axes. */
type Reduction = (lowering: Lowering, x: Node, reduce: (op: Op, node: Node) => Node) => Node;

function reduced(call: Call, value: Value, axes: readonly number[], keep: boolean, compute: Reduction): Value {
  const { lowering } = call;
  const { node, order, shape } = lying(call, value);
  const own = order.flatMap((axis, i) => (axes.includes(axis) ? [i] : []));
  const ones = shape.map((n, i) => (own.includes(i) ? 1 : n));
  const reduce = (op: Op, x: Node) => lowering.add(op, [x], ones, { axes: own, keepDims: true });
  const whole = compute(lowering, node, reduce);
  if (keep) return lowering.value(whole, order, originOf([value]));
  const left = naturalAxes(order.length).filter((axis) => !axes.includes(axis));
  const rest = order.filter((axis) => !axes.includes(axis)).map((axis) => left.indexOf(axis));
  return lowering.value(lowering.reshape(whole, shape.filter((_, i) => !own.includes(i))), rest, originOf([value])); // prettier-ignore
}

/** The same reduction of known numbers. */
function reducedNumbers(
  x: NumberTensor,
  axes: readonly number[],
  keep: boolean,
  reduce: (values: number[]) => number,
): NumberTensor {
  const ones = x.dims.map((n, axis) => (axes.includes(axis) ? 1 : n));
  const strides = stridesOf(ones).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
  const groups: number[][] = Array.from({ length: sizeOf(ones) }, () => []);
  eachIndex(x.dims, (index, flat) => groups[strides.reduce((sum, stride, axis) => sum + stride * index[axis]!, 0)]!.push(x.data[flat]!)); // prettier-ignore
  return numbers(groups.map(reduce), keep ? ones : x.dims.filter((_, axis) => !axes.includes(axis)), x.dtype);
}

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** @param ofWhole whether whole numbers can be reduced without a cast */
function reduction(compute: Reduction, reduce: (values: number[]) => number, ofWhole = false): Operator {
  return (call) => {
    const axes = axesOf(call);
    const keep = call.flag('keepdims', true);
    const x = call.input(0);
    if (axes.length === 0) return x;
    if (x.kind === 'numbers') return reducedNumbers(x, axes, keep, reduce);
    return reduced(call, x, axes, keep, (lowering, node, make) => {
      if (node.dtype === 'float32' || ofWhole) return compute(lowering, node, make);
      return lowering.cast(compute(lowering, lowering.cast(node, 'float32'), make), node.dtype);
    });
  };
}

const simple = (op: Op): Reduction => (_, x, reduce) => reduce(op, x); // prettier-ignore
const square = (lowering: Lowering, x: Node): Node => lowering.add('Square', [x], x.shape);
const of = (lowering: Lowering, op: Op, x: Node): Node => lowering.add(op, [x], x.shape);

/** log(sum(exp(x))). The largest x is subtracted first, so that nothing overflows. */
const logSumExp: Reduction = (lowering, x, reduce) => {
  const largest = reduce('Max', x);
  const shifted = lowering.add('Sub', [x, largest], x.shape);
  return lowering.add('Add', [of(lowering, 'Log', reduce('Sum', of(lowering, 'Exp', shifted))), largest], largest.shape); // prettier-ignore
};

/** Of equal extremes it takes the first, or the last with `select_last_index`. */
function argument(op: 'ArgMax' | 'ArgMin'): Operator {
  return (call) => {
    const { lowering } = call;
    const rank = call.rank(0);
    const axis = call.axis(call.int('axis', 0), rank);
    const x = lowering.natural(call.input(0));
    const last = call.flag('select_last_index');
    const seen = last ? lowering.add('Reverse', [x], x.shape, { axes: [axis] }) : x;
    const shape = x.shape.toSpliced(axis, 1);
    let found = lowering.add(op, [seen], shape, { axis }, 'int32');
    if (last) found = lowering.add('Sub', [lowering.scalar(x.shape[axis]! - 1, 'int32'), found], shape);
    return lowering.value(call.flag('keepdims', true) ? lowering.reshape(found, x.shape.with(axis, 1)) : found, undefined, originOf([call.input(0)])); // prettier-ignore
  };
}

const cumSum: Operator = (call) => {
  const { node, order, as } = lying(call, call.input(0));
  const axis = call.axis(call.scalar(1, 'its axis'), call.rank(0));
  const attrs = { axis: order.indexOf(axis), exclusive: call.flag('exclusive'), reverse: call.flag('reverse') };
  return as(call.lowering.add('Cumsum', [node], node.shape, attrs));
};

/** Works along one axis; before opset 13 along all axes from `axis` on, flattened. */
function softmax(op: 'Softmax' | 'LogSoftmax'): Operator {
  return (call) => {
    const { lowering } = call;
    const x = call.input(0);
    const dims = dimsOf(x);
    const rank = dims.length;
    const flattens = call.opset < 13;
    const axis = call.axis(call.int('axis', flattens ? 1 : -1), rank);
    // Axes of length 1 add nothing to the flattened ones.
    const long = naturalAxes(rank).slice(flattens ? axis : axis, flattens ? rank : axis + 1).filter((i) => dims[i] !== 1); // prettier-ignore
    if (long.length > 1) {
      const node = lowering.natural(x);
      const rows = lowering.reshape(node, [sizeOf(dims.slice(0, axis)), sizeOf(dims.slice(axis))]); // prettier-ignore
      return lowering.value(lowering.reshape(lowering.add(op, [rows], rows.shape), dims), undefined, originOf([x]));
    }
    const over = long[0] ?? axis;
    const { order } = lying(call, x);
    const moved = [...order.filter((i) => i !== over), over];
    const node = lowering.inOrder(x, moved);
    return lowering.value(lowering.add(op, [node], node.shape), moved, originOf([x]));
  };
}

export const reductionOperators: Readonly<Record<string, Operator>> = {
  ReduceSum: reduction(simple('Sum'), total, true),
  ReduceMean: reduction(simple('Mean'), (values) => total(values) / values.length),
  ReduceMax: reduction(simple('Max'), (values) => Math.max(...values), true),
  ReduceMin: reduction(simple('Min'), (values) => Math.min(...values), true),
  ReduceProd: reduction(simple('Prod'), (values) => [1, ...values].reduce((product, value) => product * value), true),
  ReduceL1: reduction((lowering, x, reduce) => reduce('Sum', of(lowering, 'Abs', x)), (values) => total(values.map(Math.abs))), // prettier-ignore
  ReduceL2: reduction((lowering, x, reduce) => of(lowering, 'Sqrt', reduce('Sum', square(lowering, x))), (values) => Math.hypot(...values)), // prettier-ignore
  ReduceLogSum: reduction((lowering, x, reduce) => of(lowering, 'Log', reduce('Sum', x)), (values) => Math.log(total(values))), // prettier-ignore
  ReduceLogSumExp: reduction(logSumExp, (values) => Math.log(total(values.map(Math.exp)))),
  ReduceSumSquare: reduction((lowering, x, reduce) => reduce('Sum', square(lowering, x)), (values) => total(values.map((v) => v * v))), // prettier-ignore
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  CumSum: cumSum,
  Softmax: softmax('Softmax'),
  LogSoftmax: softmax('LogSoftmax'),
};
