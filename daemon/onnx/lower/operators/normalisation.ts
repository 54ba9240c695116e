import { broadcastShape, type Node } from '../../../network/ir.js';
import { ones } from '../../../network/products.js';
import { operand } from '../align.js';
import type { Call, Operator } from '../call.js';
import type { Lowering } from '../lowering.js';
import { originOf } from '../lowering.js';
import { dimsOf, naturalAxes, type Value } from '../values/value.js';
import { permutedLayout } from '../values/weightLayout.js';
import { lying } from './moving.js';
import { reshape } from './reshaping.js';

/** Normalisation by statistics of a batch, of samples, or of groups of channels. */

const op2 = (lowering: Lowering, op: 'Add' | 'Sub' | 'Multiply' | 'RealDiv' | 'Pow', a: Node, b: Node): Node =>
  lowering.add(op, [a, b], broadcastShape(a.shape, b.shape));
const op1 = (lowering: Lowering, op: 'Square' | 'Sqrt' | 'Rsqrt' | 'Abs', x: Node): Node => lowering.add(op, [x], x.shape); // prettier-ignore

/** Mean and population variance along axes. */
function moments(lowering: Lowering, x: Node, axes: readonly number[], keepDims: boolean) {
  const kept = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  const shape = keepDims ? kept : kept.filter((_, axis) => !axes.includes(axis));
  const mean = lowering.add('Mean', [x], shape, { axes, keepDims });
  const centred = op2(lowering, 'Sub', x, lowering.reshape(mean, kept));
  const variance = lowering.add('Mean', [op1(lowering, 'Square', centred)], shape, { axes, keepDims });
  return { mean, variance, centred };
}

/** (x - mean) / sqrt(variance + epsilon). */
function standardised(lowering: Lowering, centred: Node, variance: Node, epsilon: number) {
  const inverse = op1(lowering, 'Rsqrt', op2(lowering, 'Add', variance, lowering.scalar(epsilon)));
  return { y: op2(lowering, 'Multiply', centred, inverse), inverse };
}

/** A vector with one entry per channel; `use` gives its role in training. */
function perChannel({ lowering }: Call, value: Value, use: 'parameter' | 'state'): Node {
  if (value.kind !== 'weight') return lowering.natural(value);
  const isShared = use === 'state' && !lowering.plans && lowering.weights.record(value.name).asParameter > 0;
  // A file shares equal vectors. A statistic that is also a trained parameter would move with it, so it keeps the file's values.
  if (isShared) return lowering.constant(lowering.known(value)!);
  return lowering.weight(value, permutedLayout(value.dims, [0]), use);
}

/** momentum * old + (1 - momentum) * new. */
function movingAverage(call: Call, value: Value, old: Node, batch: Node, momentum: number): Node {
  const { lowering } = call;
  const kept = op2(lowering, 'Multiply', old, lowering.scalar(momentum));
  const next = op2(lowering, 'Add', kept, op2(lowering, 'Multiply', batch, lowering.scalar(1 - momentum)));
  const isState = value.kind === 'weight' && (lowering.plans || lowering.weights.record(value.name).asParameter === 0);
  if (isState) lowering.states.set(value.name, next);
  return next;
}

/**
 * Reads scale, bias, mean and variance of each channel. In a training pass mean and variance are the batch's, whatever mode the file was
 * exported in, and the statistics move, as in the training mode of PyTorch and Keras.
 */
const batchNormalization: Operator = (call) => {
  const { lowering } = call;
  if (call.opset < 9 && !call.flag('spatial', true)) throw call.refusal('normalises each place by itself (spatial = 0), which has no rule'); // prettier-ignore
  const vector = (index: number, use: 'parameter' | 'state') => perChannel(call, call.vector(index, call.channels()), use); // prettier-ignore
  const [scale, bias] = [vector(1, 'parameter'), vector(2, 'parameter')];
  const [oldMean, oldVariance] = [vector(3, 'state'), vector(4, 'state')];
  const x = lowering.image(call.input(0));
  const epsilon = call.float('epsilon', 1e-5);
  let [mean, variance] = [oldMean, oldVariance];
  const next: Node[] = [];
  if (lowering.training) {
    const batch = moments(lowering, x, naturalAxes(x.shape.length - 1), false);
    const momentum = call.float('momentum', 0.9);
    const moved = (index: number, batchValue: Node) => {
      const value = call.input(index);
      const known = value.kind === 'weight' ? lowering.states.get(value.name) : undefined;
      return movingAverage(call, value, known ?? (index === 3 ? oldMean : oldVariance), batchValue, momentum);
    };
    next.push(moved(3, batch.mean), moved(4, batch.variance));
    [mean, variance] = [batch.mean, batch.variance];
  }
  const shifted = op2(lowering, 'Add', variance, lowering.scalar(epsilon));
  const factor = op2(lowering, 'Multiply', op1(lowering, 'Rsqrt', shifted), scale);
  const y = op2(lowering, 'Add', op2(lowering, 'Multiply', op2(lowering, 'Sub', x, mean), factor), bias);
  const statistics = (next.length > 0 ? next : [oldMean, oldVariance]).map((node) => lowering.value(node));
  return [lowering.ofImage(y), ...statistics, ...statistics];
};

/** Normalises over all axes from `axis` on. Scale and bias broadcast. */
const layerNormalization: Operator = (call) => {
  const { lowering } = call;
  const rank = call.rank(0);
  const first = call.axis(call.int('axis', -1), rank);
  const { node: x, order, as } = lying(call, call.input(0));
  const axes = order.flatMap((axis, i) => (axis >= first ? [i] : []));
  const { mean, variance, centred } = moments(lowering, x, axes, true);
  const { y, inverse } = standardised(lowering, centred, variance, call.float('epsilon', 1e-5));
  const bias = call.optional(2);
  const scaled = op2(lowering, 'Multiply', y, operand(lowering, call.input(1), order));
  const result = bias ? op2(lowering, 'Add', scaled, operand(lowering, bias, order)) : scaled;
  return [as(result), as(mean), as(inverse)];
};

/** Reshapes a vector of channels to [1, C, 1...] for any rank. */
function spread(call: Call, index: number): Value {
  const channels = call.channels();
  return reshape(call, call.vector(index, channels), [1, channels, ...ones(call.rank(0) - 2)]);
}

/** Normalises each channel of each sample. */
const instanceNormalization: Operator = (call) => {
  const { lowering } = call;
  const { node: x, order, as } = lying(call, call.input(0));
  const axes = order.flatMap((axis, i) => (axis >= 2 ? [i] : []));
  const { variance, centred } = moments(lowering, x, axes, true);
  const { y } = standardised(lowering, centred, variance, call.float('epsilon', 1e-5));
  const vector = (index: number) => operand(lowering, spread(call, index), order);
  return as(op2(lowering, 'Add', op2(lowering, 'Multiply', y, vector(1)), vector(2)));
};

/** Normalises groups of channels of each sample. Before opset 21 scale and bias are per group, from 21 on per channel. */
const groupNormalization: Operator = (call) => {
  const { lowering } = call;
  const value = call.input(0);
  const dims = dimsOf(value);
  const [groups, channels] = [call.int('num_groups', 0), call.channels()];
  if (groups < 1 || channels % groups !== 0) throw call.refusal(`cannot make ${groups} groups of ${channels} channels`);
  const each = channels / groups;
  const { node: x, order, as } = lying(call, reshape(call, value, [dims[0]!, groups, each, ...dims.slice(2)]));
  const axes = order.flatMap((axis, i) => (axis >= 2 ? [i] : []));
  const { variance, centred } = moments(lowering, x, axes, true);
  const { y } = standardised(lowering, centred, variance, call.float('epsilon', 1e-5));
  const vector = (index: number) => {
    const given = call.input(index);
    const perGroup = dimsOf(given)[0] === groups && each > 1;
    const whole = perGroup ? [1, groups, 1] : [1, groups, each];
    return operand(lowering, reshape(call, given, [...whole, ...ones(dims.length - 2)]), order);
  };
  const result = op2(lowering, 'Add', op2(lowering, 'Multiply', y, vector(1)), vector(2));
  return reshape(call, as(result), dims);
};

/** x / (bias + alpha / size * sum of squares of near channels)^beta. */
const lrn: Operator = (call) => {
  const { lowering } = call;
  const size = call.int('size', 1);
  call.channels();
  if (size < 1 || size > 1024) throw call.refusal(`sums over ${size} channels; 1 to 1024 have a rule`);
  const { node: x, order, as } = lying(call, call.input(0));
  const channel = order.indexOf(1);
  const before = Math.floor((size - 1) / 2);
  const ends = (n: number) => x.shape.map((_, i) => (i === channel ? n : 0));
  const squares = op1(lowering, 'Square', x);
  const padded = lowering.add('Pad', [squares], x.shape.with(channel, x.shape[channel]! + size - 1), { before: ends(before), after: ends(size - 1 - before), value: 0 }); // prettier-ignore
  const near = Array.from({ length: size }, (_, k) => lowering.add('Slice', [padded], x.shape, { begin: ends(k) }));
  const sum = near.reduce((a, b) => op2(lowering, 'Add', a, b));
  const scaled = op2(lowering, 'Multiply', sum, lowering.scalar(call.float('alpha', 1e-4) / size));
  const base = op2(lowering, 'Add', scaled, lowering.scalar(call.float('bias', 1)));
  return as(op2(lowering, 'RealDiv', x, op2(lowering, 'Pow', base, lowering.scalar(call.float('beta', 0.75)))));
};

/** x divided by its norm of order 1 or 2 along an axis. */
const lpNormalization: Operator = (call) => {
  const { lowering } = call;
  const { node: x, order, as } = lying(call, call.input(0));
  const axis = order.indexOf(call.axis(call.int('axis', -1), order.length));
  const p = call.int('p', 2);
  if (p !== 1 && p !== 2) throw call.refusal(`divides by a norm of order ${p}, which has no rule`);
  const powers = op1(lowering, p === 1 ? 'Abs' : 'Square', x);
  const sum = lowering.add('Sum', [powers], x.shape.with(axis, 1), { axes: [axis], keepDims: true });
  return as(op2(lowering, 'RealDiv', x, p === 1 ? sum : op1(lowering, 'Sqrt', sum)));
};

/** Normalises by mean and deviation along axes; the specification adds 1e-9 to the deviation. */
const meanVarianceNormalization: Operator = (call) => {
  const { lowering } = call;
  const rank = call.rank(0);
  const given = call.ints('axes', [0, 2, 3]).map((axis) => call.axis(axis, rank));
  const { node: x, order, as } = lying(call, call.input(0));
  const axes = order.flatMap((axis, i) => (given.includes(axis) ? [i] : []));
  const { variance, centred } = moments(lowering, x, axes, true);
  const deviation = op2(lowering, 'Add', op1(lowering, 'Sqrt', variance), lowering.scalar(1e-9));
  return { ...as(op2(lowering, 'RealDiv', centred, deviation)), origin: originOf([call.input(0)]) };
};

export const normalisationOperators: Readonly<Record<string, Operator>> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  LRN: lrn,
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
};
