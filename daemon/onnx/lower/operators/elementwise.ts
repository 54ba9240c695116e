import { type DType, inverse, type Node, type Op } from '../../../network/ir.js';
import { aligned, inBatch } from '../align.js';
import type { Call, Operator } from '../call.js';
import { type Lowering, originOf } from '../lowering.js';
import { combined, type NumberTensor } from '../values/numberTensor.js';
import { dimsOf, type NodeValue, type Value } from '../values/value.js';

/** Operations on each element, or on elements in the same place of tensors that broadcast. */

/** Computes a value element by element from nodes in one layout. */
export type ElementRule = (lowering: Lowering, nodes: readonly Node[], shape: readonly number[], call: Call) => Node;

const isKnown = (value: Value): value is NumberTensor => value.kind === 'numbers';

/**
 * @param compute for known operands: returns what the nodes would compute
 * @param dtype of that result, by the operands' type
 */
export function elementwise(
  rule: ElementRule,
  compute?: (call: Call) => (...values: number[]) => number,
  dtype: (operands: DType) => DType = (operands) => operands,
  variadic = false,
): Operator {
  return (call) => {
    const values = inBatch(call, variadic ? [call.input(0), ...call.inputs.slice(1)] : [call.input(0)]);
    if (compute && values.every(isKnown)) return combined(values, dtype(values.at(-1)!.dtype), compute(call));
    return computed(call, values, rule);
  };
}

/** The result of a rule on operands that were brought into one layout. */
export function computed(call: Call, values: readonly Value[], rule: ElementRule): NodeValue {
  const { lowering } = call;
  const { nodes, order, shape } = aligned(lowering, values);
  return { kind: 'node', node: rule(lowering, nodes, shape, call), axes: inverse(order), origin: originOf(values) };
}

/** A weight of one number, or of one axis that is applied to the data itself, is a constant of the network and not trained. */
export function withoutConstants(call: Call, values: readonly Value[]): readonly Value[] {
  return values.map((value, i) => {
    if (value.kind !== 'weight') return value;
    const single = value.dims.every((n) => n === 1);
    const vector = value.dims.filter((n) => n > 1).length <= 1;
    const others = values.filter((_, j) => j !== i);
    const onData = others.some((other) => other.kind === 'node' && other.origin !== 'weighted');
    const isBias = call.node.op === 'Add' && others.some((other) => dimsOf(other).at(-1) === 1 && isProduct(other));
    return (single && !isBias) || (vector && onData) ? call.lowering.known(value)! : value;
  });
}

/** Whether it is a product with a kernel, to which a bias is added. */
function isProduct(value: Value): boolean {
  let node = value.kind === 'node' ? value.node : undefined;
  while (node?.op === 'Reshape') node = node.inputs[0];
  return node?.op === 'MatMul' || node?.op === 'Conv2D' || node?.op === 'DepthwiseConv2D';
}

const toTruth = (): DType => 'bool';

function binary(op: Op, compute: (a: number, b: number) => number, truth = false): Operator {
  const rule: ElementRule = (lowering, nodes, shape) => lowering.add(op, nodes, shape, {}, truth ? 'bool' : nodes[0]!.dtype); // prettier-ignore
  return (call) => {
    const values = inBatch(call, withoutConstants(call, call.operands(2)));
    if (values.every(isKnown)) return combined(values, truth ? 'bool' : values[0]!.dtype, compute);
    return computed(call, values, rule);
  };
}

/** Division of whole numbers truncates. */
const divide: Operator = (call) => {
  const values = inBatch(call, withoutConstants(call, call.operands(2)));
  if (values.every(isKnown)) {
    const { dtype } = values[0]!;
    return combined(values, dtype, dtype === 'int32' ? (a, b) => Math.trunc(a / b) : (a, b) => a / b);
  }
  return computed(call, values, (lowering, nodes, shape) => {
    if (nodes[0]!.dtype === 'float32') return lowering.add('RealDiv', nodes, shape);
    const floats = nodes.map((node) => lowering.cast(node, 'float32'));
    return lowering.cast(lowering.add('RealDiv', floats, shape), 'int32');
  });
};

const floorMod = (a: number, b: number): number => a - b * Math.floor(a / b);

/** fmod = 0: the result has the sign of the divisor, as in Python; fmod = 1: of the dividend, as in C. */
const mod: Operator = (call) => {
  const likeC = call.flag('fmod');
  const values = call.operands(2);
  if (values.every(isKnown)) return combined(values, values[0]!.dtype, likeC ? (a, b) => a % b : floorMod);
  return computed(call, values, (lowering, nodes, shape) => {
    const { dtype } = nodes[0]!;
    const [a, b] = nodes.map((node) => lowering.cast(node, 'float32')) as [Node, Node];
    const abs = (node: Node) => lowering.add('Abs', [node], node.shape);
    const rest = likeC
      ? lowering.add('Multiply', [lowering.add('Sign', [a], a.shape), lowering.add('Mod', [abs(a), abs(b)], shape)], shape) // prettier-ignore
      : lowering.add('Mod', [a, b], shape);
    return lowering.cast(rest, dtype);
  });
};

/** The result has the base's type. */
const power: Operator = (call) => {
  const values = inBatch(call, withoutConstants(call, call.operands(2)));
  if (values.every(isKnown)) return combined(values, values[0]!.dtype, Math.pow);
  return computed(call, values, (lowering, [a, b], shape) => {
    if (a!.dtype === b!.dtype && a!.dtype === 'float32') return lowering.add('Pow', [a!, b!], shape);
    const floats = [a!, b!].map((node) => lowering.cast(node, 'float32'));
    return lowering.cast(lowering.add('Pow', floats, shape), a!.dtype);
  });
};

/** Combines one or more operands, two at a time. */
function variadic(op: Op, compute: (...values: number[]) => number, mean = false): Operator {
  return elementwise(
    (lowering, nodes, shape, call) => {
      const total = nodes.reduce((a, b) => {
        const both = aligned(lowering, [lowering.value(a), lowering.value(b)]);
        return lowering.add(op, [a, b], both.shape);
      });
      if (!mean || call.inputs.length === 1) return total;
      return lowering.add('RealDiv', [total, lowering.scalar(call.inputs.length)], shape);
    },
    () => compute,
    undefined,
    true,
  );
}

const sum = (...values: number[]): number => values.reduce((a, b) => a + b, 0);

const where: Operator = (call) => {
  const values = inBatch(call, call.operands(3));
  if (values.every(isKnown)) return combined(values, values[1]!.dtype, (c, t, e) => (c ? t! : e!));
  return computed(call, values, (lowering, nodes, shape) => lowering.add('Select', nodes, shape, {}, nodes[1]!.dtype));
};

export const elementwiseOperators: Readonly<Record<string, Operator>> = {
  Add: binary('Add', (a, b) => a + b),
  Sub: binary('Sub', (a, b) => a - b),
  Mul: binary('Multiply', (a, b) => a * b),
  Div: divide,
  Mod: mod,
  Pow: power,
  Equal: binary('Equal', (a, b) => Number(a === b), true),
  Greater: binary('Greater', (a, b) => Number(a > b), true),
  GreaterOrEqual: binary('GreaterEqual', (a, b) => Number(a >= b), true),
  Less: binary('Less', (a, b) => Number(a < b), true),
  LessOrEqual: binary('LessEqual', (a, b) => Number(a <= b), true),
  And: binary('LogicalAnd', (a, b) => a & b, true),
  Or: binary('LogicalOr', (a, b) => a | b, true),
  Xor: binary('LogicalXor', (a, b) => a ^ b, true),
  Max: variadic('Maximum', Math.max),
  Min: variadic('Minimum', Math.min),
  Sum: variadic('Add', sum),
  Mean: variadic('Add', (...values) => sum(...values) / values.length, true),
  Where: where,
  // A comparison has no gradient and needs none: bools cut their readers off from the operands.
  Not: elementwise((lowering, [x], shape) => lowering.add('LogicalNot', [x!], shape), () => (x) => Number(!x), toTruth), // prettier-ignore
};
