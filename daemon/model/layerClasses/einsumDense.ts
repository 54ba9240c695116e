/**
 * EinsumDense (keras.io/api/layers/core_layers/einsum_dense): the product of its input and a kernel by an einsum equation of two operands, plus a bias
 * along some axes.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type { Node } from '../../network/ir.js';
import type { Operations } from '../../network/operations.js';
import { layer, optional, required, weights } from '../keras3/arguments.js';
import { activation, anything, text } from '../keras3/values.js';
import { field, stringAt, type Json } from '../layers/layerConfig.js';
import type { Dim, Shape } from '../layers/shape.js';
import { sizeOf } from '../../protocol/shape.js';
import { activate } from './activations/ownActivations.js';
import type { LayerClass } from './layerClass.js';
import { completed } from './rules/forward.js';
import { kernel, positions, vector } from './rules/weights.js';

type Tensor = Core.Tensor;

/** An equation with a letter for every axis, and what follows from the config and the input. */
interface Einsum {
  readonly input: string;
  readonly kernel: string;
  readonly output: string;
  readonly kernelShape: Shape;
  /** Without the batch. */
  readonly outputShape: Shape;
  /** null: there is no bias. */
  readonly biasShape: Shape | null;
}

/** keras/src/layers/core/einsum_dense.py, _analyze_einsum_string. @param input without the batch. @returns null if they do not fit. */
function einsumOf(config: Json, input: Shape): Einsum | null {
  const match = /^(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?$/.exec(
    (stringAt(config, 'equation') ?? '').replaceAll(' ', ''),
  );
  if (!match) return null;
  const [, left, from, right, weight, leftOut, to, rightOut] = match as unknown as [string, string | undefined, string, string | undefined, string, string | undefined, string, string | undefined]; // prettier-ignore
  if (left !== leftOut || right !== rightOut || (left && right)) return null;
  const whole: Shape = [null, ...input];
  const elided = whole.length - from.length;
  if (elided < 0 || (elided > 0 && !left && !right)) return null;
  const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter((one) => !(from + weight + to).includes(one)); // prettier-ignore
  const others = letters.slice(0, elided).join('');
  const around = (own: string): string => (left ? others + own : own + others);
  const given = ([field(config, 'output_shape')].flat() as unknown[]).map((n): Dim => (typeof n === 'number' ? n : null)); // prettier-ignore
  const outputWhole: Shape = left
    ? [null, ...whole.slice(1, elided), ...given]
    : [null, ...given, ...whole.slice(whole.length - elided)];
  const [inputLetters, output] = [around(from), around(to)];
  if (outputWhole.length !== output.length) return null;
  const dimIn = (letter: string): Dim | undefined => whole[inputLetters.indexOf(letter)];
  const dimOf = (letter: string): Dim | undefined => outputWhole[output.indexOf(letter)] ?? dimIn(letter);
  const kernelShape = [...weight].map(dimOf);
  if (kernelShape.includes(undefined) || [...to].some((one) => !from.includes(one) && !weight.includes(one))) return null; // prettier-ignore
  const axes = stringAt(config, 'bias_axes') ?? '';
  const first = Math.min(...[...axes].map((one) => to.indexOf(one)));
  if (first < 0) return null;
  const biasShape = axes === '' ? null : [...[...to.slice(first)].map((one) => (axes.includes(one) ? (dimOf(one) ?? null) : 1)), ...(left ? [] : [...others].map(() => 1))]; // prettier-ignore
  const outputShape = [...output].slice(1).map((one) => dimOf(one) ?? null);
  return { input: inputLetters, kernel: weight, output, kernelShape: kernelShape as Shape, outputShape, biasShape };
}

/** The same as operations. */
function product(op: Operations, a: Node, b: Node, left: string, right: string, output: string): Node {
  const summed = (x: Node, own: string, other: string): [Node, string] => {
    const alone = [...own].filter((one) => !other.includes(one) && !output.includes(one));
    const kept = [...own].filter((one) => !alone.includes(one)).join('');
    return [alone.length > 0 ? op.reduce('Sum', x, alone.map((one) => own.indexOf(one)).sort((i, j) => i - j)) : x, kept]; // prettier-ignore
  };
  const [x, ofX] = summed(a, left, right);
  const [w, ofW] = summed(b, right, left);
  const { batch, contracted, rows, columns } = lettersOf(ofX, ofW, output);
  const sizes = (of: readonly string[]): number[] =>
    of.map((one) => (ofX.includes(one) ? x.shape[ofX.indexOf(one)]! : w.shape[ofW.indexOf(one)]!));
  const matrix = (t: Node, own: string, ...groups: string[][]): Node =>
    op.reshape(op.transpose(t, groups.flat().map((one) => own.indexOf(one))), [...sizes(groups[0]!), ...groups.slice(1).map((group) => sizeOf(sizes(group)))]); // prettier-ignore
  const made = [...batch, ...rows, ...columns];
  const y = op.matMul(matrix(x, ofX, batch, rows, contracted), matrix(w, ofW, batch, contracted, columns));
  return op.transpose(op.reshape(y, sizes(made)), [...output].map((one) => made.indexOf(one))); // prettier-ignore
}

/** The letters of two operands by what the product does with them. */
function lettersOf(left: string, right: string, output: string): Record<'batch' | 'contracted' | 'rows' | 'columns', string[]> {
  const shared = [...left].filter((one) => right.includes(one));
  return {
    batch: shared.filter((one) => output.includes(one)),
    contracted: shared.filter((one) => !output.includes(one)),
    rows: [...left].filter((one) => !shared.includes(one)),
    columns: [...right].filter((one) => !shared.includes(one)),
  };
} // prettier-ignore

/** a b by an equation with a letter for every axis, as one batched matrix product. */
export function einsum(tf: typeof Core, a: Tensor, b: Tensor, left: string, right: string, output: string): Tensor {
  const summed = (x: Tensor, own: string, other: string): [Tensor, string] => {
    const alone = [...own].filter((one) => !other.includes(one) && !output.includes(one));
    const kept = [...own].filter((one) => !alone.includes(one)).join('');
    return [alone.length > 0 ? tf.sum(x, alone.map((one) => own.indexOf(one))) : x, kept]; // prettier-ignore
  };
  const [x, ofX] = summed(a, left, right);
  const [w, ofW] = summed(b, right, left);
  const { batch, contracted, rows, columns } = lettersOf(ofX, ofW, output);
  const sizes = (of: readonly string[]): number[] =>
    of.map((one) => (ofX.includes(one) ? x.shape[ofX.indexOf(one)]! : w.shape[ofW.indexOf(one)]!));
  const matrix = (t: Tensor, own: string, ...groups: string[][]): Tensor =>
    tf.reshape(tf.transpose(t, groups.flat().map((one) => own.indexOf(one))), groups.map((group) => sizeOf(sizes(group)))); // prettier-ignore
  const product = tf.matMul(matrix(x, ofX, batch, rows, contracted), matrix(w, ofW, batch, contracted, columns));
  const made = [...batch, ...rows, ...columns];
  return tf.transpose(tf.reshape(product, sizes(made)), [...output].map((one) => made.indexOf(one))); // prettier-ignore
}

export const EINSUM_DENSE = {
  EinsumDense: {
    shape: (config, [input]) => [(input && einsumOf(config, input)?.outputShape) ?? null],
    weights(config, input) {
      const found = input && einsumOf(config, input);
      const open = stringAt(config, 'bias_axes') === null ? [] : [vector('bias', null)];
      if (!found) return [kernel('kernel', [null], 1), ...open];
      const kept = [...found.output].slice(1).filter((one) => !found.kernel.includes(one));
      const uses = positions(kept.map((one) => found.outputShape[found.output.indexOf(one) - 1]!));
      return [kernel('kernel', found.kernelShape, uses), ...(found.biasShape ? [vector('bias', ...found.biasShape)] : [])];
    },
    problem: (config, input) =>
      einsumOf(config, input) ? null : `has the equation ${stringAt(config, 'equation') ?? 'none'}, which an input of [${input.map((n) => n ?? '?').join(', ')}] does not fit`,
    keras: layer({
      equation: required(text),
      output_shape: required(anything),
      activation: optional(activation),
      bias_axes: optional(text),
      ...weights('kernel', 'bias'),
    }),
    forward(op, config, [x], { kernel: weight, bias }) {
      const { input, kernel: letters, output } = einsumOf(config, x!.shape.slice(1))!;
      return completed(op, config, product(op, x!, weight!, input, letters, output), bias);
    },
    // The sizes of the output without the batch, and without the axes that an ellipsis stands for.
    resize(config, { output }) {
      const given = [field(config, 'output_shape')].flat() as unknown[];
      const isBehind = stringAt(config, 'equation')!.replaceAll(' ', '').startsWith('...');
      const own = isBehind ? output.slice(output.length - given.length) : output;
      config[config['output_shape'] === undefined ? 'outputShape' : 'output_shape'] = given.map((n, i) => (typeof n === 'number' ? own[i]!.length : n)); // prettier-ignore
    },
    compute(tf, config, [x], { kernel: weight, bias }) {
      const { input, kernel: letters, output } = einsumOf(config, x!.shape.slice(1))!;
      const y = einsum(tf, x!, weight!, input, letters, output);
      return activate(tf, config, bias ? tf.add(y, bias) : y);
    },
  },
} satisfies Record<string, LayerClass>; // prettier-ignore
