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

/** The letters of two operands by what their product does with them; `alone` are summed before it. */
interface ProductLetters {
  readonly alone: readonly [left: string[], right: string[]];
  readonly batch: string[];
  readonly contracted: string[];
  readonly rows: string[];
  readonly columns: string[];
}

function lettersOf(left: string, right: string, output: string): ProductLetters {
  const isAlone = (other: string) => (one: string) => !other.includes(one) && !output.includes(one);
  const shared = [...left].filter((one) => right.includes(one));
  return {
    alone: [[...left].filter(isAlone(right)), [...right].filter(isAlone(left))],
    batch: shared.filter((one) => output.includes(one)),
    contracted: shared.filter((one) => !output.includes(one)),
    rows: [...left].filter((one) => !right.includes(one) && output.includes(one)),
    columns: [...right].filter((one) => !left.includes(one) && output.includes(one)),
  };
}

/** The steps of a product by an equation, in one vocabulary or the other. */
interface Steps<T> {
  readonly sum: (x: T, axes: number[]) => T;
  readonly transpose: (x: T, axes: number[]) => T;
  readonly reshape: (x: T, shape: number[]) => T;
  readonly matMul: (a: T, b: T) => T;
}

/** a b by an equation with a letter for every axis, as one batched matrix product. */
function product<T extends { readonly shape: readonly number[] }>({ sum, transpose, reshape, matMul }: Steps<T>, a: T, b: T, left: string, right: string, output: string): T {
  const { alone, batch, contracted, rows, columns } = lettersOf(left, right, output);
  const size = (one: string): number => (left.includes(one) ? a.shape[left.indexOf(one)]! : b.shape[right.indexOf(one)]!);
  const matrix = (x: T, own: string, summed: string[], ...groups: string[][]): T => {
    const kept = [...own].filter((one) => !summed.includes(one));
    const rest = summed.length > 0 ? sum(x, summed.map((one) => own.indexOf(one))) : x;
    const [first, ...others] = groups.map((group) => group.map(size)) as [number[], ...number[][]];
    return reshape(transpose(rest, groups.flat().map((one) => kept.indexOf(one))), [...first, ...others.map(sizeOf)]);
  };
  const y = matMul(matrix(a, left, alone[0], batch, rows, contracted), matrix(b, right, alone[1], batch, contracted, columns));
  const made = [...batch, ...rows, ...columns];
  return transpose(reshape(y, made.map(size)), [...output].map((one) => made.indexOf(one)));
} // prettier-ignore

const tensorSteps = (tf: typeof Core): Steps<Tensor> => ({
  sum: (x, axes) => tf.sum(x, axes),
  transpose: (x, axes) => tf.transpose(x, axes),
  reshape: (x, shape) => tf.reshape(x, shape),
  matMul: (a, b) => tf.matMul(a, b),
});
const nodeSteps = (op: Operations): Steps<Node> => ({
  sum: (x, axes) => op.reduce('Sum', x, axes),
  transpose: (x, axes) => op.transpose(x, axes),
  reshape: (x, shape) => op.reshape(x, shape),
  matMul: (a, b) => op.matMul(a, b),
});

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
      return completed(op, config, product(nodeSteps(op), x!, weight!, input, letters, output), bias);
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
      const y = product(tensorSteps(tf), x!, weight!, input, letters, output);
      return activate(tf, config, bias ? tf.add(y, bias) : y);
    },
  },
} satisfies Record<string, LayerClass>; // prettier-ignore
