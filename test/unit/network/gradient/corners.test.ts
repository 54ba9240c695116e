import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradients } from '../../../../daemon/network/gradient/gradients.js';
import { GraphBuilder } from '../../../../daemon/network/builder.js';
import type { Node } from '../../../../daemon/network/ir.js';
import { Operations } from '../../../../daemon/network/operations.js';
import { Interpreter } from '../../../fuzz/engine/float64/interpreter.js';
import { onCpu } from '../../engine/compiled/tinyModels.js';

/** The gradients of the sum of what is built, by values of the inputs. */
function own(
  values: readonly (readonly number[])[],
  build: (make: Operations, xs: readonly Node[]) => Node,
): number[][] {
  const graph = new GraphBuilder();
  const make = new Operations(graph);
  const xs = values.map((list, index) => graph.input([list.length], { role: 'data', index }));
  const y = build(make, xs);
  const found = gradients(graph, make.reduce('Sum', y, [...y.shape.keys()]), xs);
  const at = new Interpreter({ inputs: [], outputs: [], nodes: [] }, new Map(xs.map((x, i) => [x, values[i]!])));
  return found.map((node, i) => (node ? [...at.value(node)] : values[i]!.map(() => 0)));
}

const expected = (values: readonly (readonly number[])[], f: (...xs: tf.Tensor[]) => tf.Tensor): number[][] =>
  tf
    .grads(f)(values.map((list) => tf.tensor1d([...list])))
    .map((g) => [...g.dataSync()]);

const corners = [-6, -1, -0, 0, 1, 6, 7];

type Case = [string, (make: Operations, x: Node) => Node, (x: tf.Tensor) => tf.Tensor];
const attributed = (op: 'LeakyRelu' | 'ClipByValue', attrs: Record<string, number>) => (make: Operations, x: Node) =>
  make.graph.add({ op, inputs: [x], attrs, shape: x.shape });

const unary: Case[] = [
  ['Abs', (make, x) => make.unary('Abs', x), (x) => tf.abs(x)],
  ['Relu', (make, x) => make.unary('Relu', x), (x) => tf.relu(x)],
  ['Relu6', (make, x) => make.unary('Relu6', x), (x) => tf.relu6(x)],
  ['Elu', (make, x) => make.unary('Elu', x), (x) => tf.elu(x)],
  ['Selu', (make, x) => make.unary('Selu', x), (x) => tf.selu(x)],
  ['LeakyRelu', attributed('LeakyRelu', { alpha: 0.25 }), (x) => tf.leakyRelu(x, 0.25)],
  ['ClipByValue', attributed('ClipByValue', { min: -1, max: 6 }), (x) => tf.clipByValue(x, -1, 6)],
  ['Sqrt of its magnitude', (make, x) => make.unary('Sqrt', make.unary('Abs', x)), (x) => tf.sqrt(tf.abs(x))],
  ['Square', (make, x) => make.unary('Square', x), (x) => tf.square(x)],
  ['Sigmoid', (make, x) => make.unary('Sigmoid', make.mul(x, 200)), (x) => tf.sigmoid(tf.mul(x, 200))],
  ['Softplus', (make, x) => make.unary('Softplus', make.mul(x, 200)), (x) => tf.softplus(tf.mul(x, 200))],
  ['Pow by 2.5', (make, x) => make.binary('Pow', make.unary('Relu', x), 2.5), (x) => tf.pow(tf.relu(x), 2.5)],
];

describe('where derivatives jump or end, gradients are those of TensorFlow.js', () => {
  beforeAll(onCpu);

  it.each(unary)('%s', (_name, build, f) => {
    const [found] = own([corners], (make, [x]) => build(make, x!));
    const [wanted] = expected([corners], f);
    found!.forEach((value, i) => expect(value, `at ${corners[i]}`).toBeCloseTo(wanted![i]!, 5));
  });

  it('Prelu at 0: alpha', () => {
    const values = [corners, corners.map((_, i) => i / 4)];
    const found = own(values, (make, [x, alpha]) => make.graph.add({ op: 'Prelu', inputs: [x!, alpha!], shape: x!.shape })); // prettier-ignore
    expected(values, (x, alpha) => tf.prelu(x, alpha)).forEach((list, k) => list.forEach((value, i) => expect(found[k]![i]).toBeCloseTo(value, 5))); // prettier-ignore
  });

  it.each(['Maximum', 'Minimum'] as const)('%s of equal numbers: the first takes it', (op) => {
    const values = [corners, corners];
    expect(own(values, (make, [a, b]) => make.binary(op, a!, b!))).toEqual([corners.map(() => 1), corners.map(() => 0)]); // prettier-ignore
    expect(expected(values, (a, b) => (op === 'Maximum' ? tf.maximum(a, b) : tf.minimum(a, b)))).toEqual([corners.map(() => 1), corners.map(() => 0)]); // prettier-ignore
  });
});

describe('where TensorFlow.js has none, or another than everyone', () => {
  it.each(['Max', 'Min'] as const)('%s: equal ones share it, as in TensorFlow and in PyTorch (amax)', (op) => {
    const sign = op === 'Max' ? 1 : -1;
    expect(own([[3, 1, 3, 3].map((v) => sign * v)], (make, [x]) => make.reduce(op, x!, [0]))).toEqual([[1 / 3, 0, 1 / 3, 1 / 3]]); // prettier-ignore
  });

  it('Prod with zeros: the product of the others, as in PyTorch', () => {
    const of = (values: number[]) => own([values], (make, [x]) => make.reduce('Prod', x!, [0]));
    expect(of([2, 0, 5])).toEqual([[0, 10, 0]]);
    expect(of([0, 0, 5])).toEqual([[0, 0, 0]]);
  });

  it('Pow by an exponent of 0 has the gradient 0, though its formula gives 0 times infinity', () => {
    expect(own([[0, 2], [0, 3]], (make, [a, b]) => make.binary('Pow', a!, b!))[0]).toEqual([0, 12]); // prettier-ignore
  });

  it('Pow has no gradient in its exponent if the base is not positive', () => {
    expect(own([[0, -2], [2, 2]], (make, [a, b]) => make.binary('Pow', a!, b!))[1]).toEqual([0, 0]); // prettier-ignore
  });
});
