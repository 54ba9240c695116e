/** Settings and operands that ONNX's operators do not allow: each is refused in a sentence, and none becomes another network. */
import { expect, test } from 'vitest';
import { networkOfOnnx } from '../../../../daemon/onnx/lower/onnxNetwork.js';
import { UserError } from '../../../../daemon/protocol/errors.js';
import { type NodeText, onnxOf, tensorOf } from './onnxOf.js';
import { inferenceGraph } from '../../../zoo/forward.js';
import type { OnnxTensor } from '../../../../daemon/onnx/file/onnxModel.js';

type Case = readonly [what: string, dims: readonly number[], op: string, inputs: readonly OnnxTensor[], attrs: NonNullable<NodeText['attrs']>, problem: RegExp]; // prettier-ignore

const ints = (name: string, ...values: number[]): OnnxTensor => tensorOf(name, [values.length], values, 'int64');
const one = (name: string, value: number): OnnxTensor => tensorOf(name, [], [value], 'int64');
const w = (...dims: number[]): OnnxTensor => tensorOf(`w${dims}`, dims);

const CASES: readonly Case[] = [
  ['fewer ends than starts', [5, 6], 'Slice', [ints('s', 0, 1), ints('e', 3), ints('a', 1, 2)], {}, /1 numbers as its "ends", not 2/],
  ['an axis that is cut twice', [5, 6], 'Slice', [ints('s', 0, 1), ints('e', 3, 3), ints('a', 1, -2)], {}, /cuts an axis twice/],
  ['a part of a negative size', [5], 'Split', [ints('p', 7, -2)], { axis: 1 }, /cannot|splits an axis of 5|numbers as its "split"/],
  ['pads for fewer axes', [3, 4], 'Pad', [ints('p', 0, 1, 0, 1)], {}, /4 numbers as its "pads", not 6/],
  ['pads that are no whole numbers', [3], 'Pad', [tensorOf('p', [4], [0, 0.5, 0, 0.5])], {}, /whole numbers as its "pads"/],
  ['repeats for fewer axes', [3, 4], 'Tile', [ints('r', 1, 2)], {}, /2 numbers as its "repeats", not 3/],
  ['a negative count of repeats', [3], 'Tile', [ints('r', 1, -2)], {}, /cannot be repeated/],
  ['two sizes that are open', [4], 'Reshape', [ints('s', -1, -1, -1)], {}, /cannot make/],
  ['sizes whose signs cancel', [4], 'Reshape', [ints('s', 2, -2, -2)], {}, /cannot make/],
  ['an axis that is added twice', [4], 'Unsqueeze', [ints('a', 1, -3)], {}, /adds an axis twice/],
  ['the diagonal of a volume', [3, 4], 'EyeLike', [], {}, /must have 2 axes/],
  ['places that are no whole numbers', [5], 'Gather', [tensorOf('i', [2], [0.5, 1])], { axis: 1 }, /no whole numbers/],
  ['a place outside of the axis', [4], 'GatherElements', [tensorOf('i', [1, 2], [0, 4], 'int64')], { axis: 1 }, /entry 4 of an axis of 4/],
  ['places of another rank', [4], 'GatherElements', [ints('i', 0, 1)], { axis: 1 }, /must have 2 axes/],
  ['places of more axes than there are', [4], 'GatherND', [tensorOf('i', [1, 3], [0, 1, 1], 'int64')], {}, /has places of shape \[1,3\]/],
  ['more updates than places', [4], 'ScatterElements', [tensorOf('i', [1, 2], [0, 1], 'int64'), w(1, 3)], { axis: 1 }, /puts \[1,3\] at places of \[1,2\]/],
  ['triangles of a list', [], 'Trilu', [], {}, /takes triangles/],
  ['scales for fewer axes', [3, 4, 4], 'Resize', [tensorOf('roi', [0]), tensorOf('s', [3], [1, 2, 2])], {}, /3 numbers for its scales, not 4/],
  ['a size of 0', [3, 4, 4], 'Resize', [tensorOf('roi', [0]), tensorOf('s', [0]), ints('z', 1, 3, 0, 4)], {}, /resizes to sizes of/],
  ['an axis that is resized twice', [3, 4, 4], 'Resize', [tensorOf('roi', [0]), tensorOf('s', [0]), ints('z', 8, 8)], { axes: [2, -2] }, /resizes an axis twice/],
  ['a size beyond any image', [1, 2, 2], 'Resize', [tensorOf('roi', [0]), tensorOf('s', [0]), ints('z', 1, 1, 2 ** 40, 2)], { mode: 'linear' }, /more than 4194304 numbers/],
  ['blocks that do not divide an image', [2, 5, 6], 'SpaceToDepth', [], { blocksize: 2 }, /do not divide/],
  ['blocks of a sequence', [4, 6], 'DepthToSpace', [], { blocksize: 2 }, /must have 4 axes/],
  ['blocks of no size', [4, 6, 6], 'DepthToSpace', [], {}, /blocks of 0/],
  ['channels of a list', [], 'LRN', [], { size: 3 }, /without channels/],
  ['places of a list', [], 'GlobalAveragePool', [], {}, /without channels/],
  ['groups of a negative count', [4, 3], 'GroupNormalization', [w(4), w(4)], { num_groups: -2 }, /cannot make -2 groups/],
  ['statistics of other channels', [3, 4], 'BatchNormalization', [w(1), w(3), w(3), w(3)], {}, /shape \[1\], not \[3\]/],
  ['a scale of other channels', [3, 4], 'InstanceNormalization', [w(4), w(4)], {}, /shape \[4\], not \[3\]/],
  ['a norm of order 3', [4], 'LpNormalization', [], { p: 3 }, /norm of order 3/],
  ['a term of another rank', [3, 4], 'Einsum', [w(4, 5)], { equation: 'ij,jk->ik' }, /term "ij" for an input of 3 axes/],
  ['a result from nowhere', [4], 'Einsum', [w(4, 5)], { equation: 'ij,jk->iz' }, /"z"/],
  ['a result twice', [4], 'Einsum', [w(4, 5)], { equation: 'ij,jk->ii' }, /"i" twice/],
  ['a filter of another rank', [3, 5, 6], 'Conv', [w(4, 3, 3)], {}, /must have 4 axes/],
  ['a bias of other channels', [3, 5, 6], 'Conv', [w(4, 3, 3, 3), w(1)], {}, /shape \[1\], not \[4\]/],
  ['padding by a word of its own', [3, 5, 6], 'Conv', [w(4, 3, 3, 3)], { auto_pad: 'SOME' }, /pads by "SOME"/],
  ['steps of 2^32', [3, 5, 6], 'MaxPool', [], { kernel_shape: [2, 2], strides: [2 ** 32, 1] }, /windows, strides or dilations of \[4294967296,1\]/],
  ['more groups than a graph holds', [4000, 4], 'Conv', [w(4000, 2, 1)], { group: 2000 }, /2000 groups; at most 1024/],
  ['pads for one axis', [3, 5, 6], 'ConvTranspose', [w(3, 4, 2, 2)], { pads: [1, 1] }, /pads of \[1,1\] for 2 axes/],
  ['an output of no size', [3, 5, 6], 'ConvTranspose', [w(3, 4, 2, 2)], { output_shape: [0, 6] }, /output of \[0,6\]/],
  ['an axis that a joined tensor lacks', [3, 4], 'Concat', [w(3, 4)], { axis: 2 }, /cannot join/],
  ['kernels of two axes', [3, 4], 'LSTM', [w(8, 4), w(8, 2)], {}, /must have 3 axes/],
  ['a bias of one part', [3, 4], 'LSTM', [w(1, 8, 4), w(1, 8, 2), w(1, 8)], {}, /input 3 of \[1,8\], not \[1,16\]/],
  ['a direction of its own', [3, 4], 'GRU', [w(1, 6, 4), w(1, 6, 2)], { direction: 'sideways' }, /direction "sideways"/],
  ['text that breaks a line', [3], 'Pad', [ints('p', 0, 1, 0, 1)], { mode: 'a\nb' }, /mode "a\\u000ab"/],
  ['a flag of 3', [3, 4], 'ReduceSum', [ints('a', 1)], { keepdims: 3 }, /3 as its "keepdims"/],
  ['a scale below 0', [4], 'Celu', [], { alpha: { float: -1 } }, /-1 as its "alpha"/],
  ['a limit below 0', [4], 'Shrink', [], { lambd: { float: -1 } }, /at least 0/],
  ['a limit that is no number', [4], 'Shrink', [], { lambd: { float: NaN } }, /holds NaN as its "lambd"/],
  ['a slope that is no number', [4], 'LeakyRelu', [], { alpha: { float: NaN } }, /holds NaN as its "alpha"/],
  ['no repeats', [3], 'Tile', [], {}, /has no repeats/],
  ['no place at all', [4], 'Slice', [ints('s', 3), ints('e', 3), ints('a', 1)], {}, /net.onnx: layer .* makes an empty tensor/],
  ['other units than it says', [3, 4], 'RNN', [w(1, 2, 4), w(1, 2, 2)], { hidden_size: 3 }, /kernels of 2 units, not of 3/],
]; // prettier-ignore

test.each(CASES)('%s', (_, dims, op, inputs, attrs, problem) => {
  const nodes: NodeText[] = [{ op, in: ['x', ...inputs.map(({ name }) => name)], out: 'y', attrs }];
  const opset = op === 'GroupNormalization' ? 21 : 17;
  const model = onnxOf({ x: ['N', ...dims] }, inputs, nodes, ['y'], opset);
  let refusal: unknown;
  try {
    networkOfOnnx(model, 'net.onnx');
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(UserError);
  const { message } = refusal as UserError;
  expect(message).toMatch(problem);
  expect(message.replace('holds NaN', '')).not.toMatch(/undefined|NaN|Invalid/);
});

test('limits of whole numbers that are no whole numbers', () => {
  const attrs = { min: { float: -0.5 }, max: { float: 0.5 } };
  const nodes: NodeText[] = [
    { op: 'Cast', in: ['x'], out: 'i', attrs: { to: 6 } },
    { op: 'Clip', name: 'between', in: ['i'], out: 'y', attrs },
  ];
  const open = () => networkOfOnnx(onnxOf({ x: ['N', 4] }, [], nodes, ['y'], 9), 'net.onnx');
  expect(open).toThrow(UserError);
  expect(open).toThrow(/net.onnx .*"between".* must be one of int32; it is -0.5/);
});

test('a range without end, and one of no number', () => {
  const range = (step: OnnxTensor) => {
    const nodes: NodeText[] = [
      { op: 'Range', in: ['a', 'b', 'c'], out: 'r' },
      { op: 'Add', in: ['x', 'r'], out: 'y' },
    ];
    const numbers = [one('a', 0), one('b', 4), { ...step, name: 'c' }];
    return () => networkOfOnnx(onnxOf({ x: ['N', 4] }, numbers, nodes, ['y']), 'net.onnx');
  };
  expect(range(one('c', 0))).toThrow(/step of 0/);
  expect(range(ints('c'))).toThrow(/one number/);
});

test('an output whose first axis only looks like the samples', () => {
  const nodes: NodeText[] = [{ op: 'Reshape', in: ['x', 's'], out: 'y' }];
  const network = networkOfOnnx(onnxOf({ x: ['N', 6] }, [ints('s', 2, 6)], nodes, ['y']), 'net.onnx');
  expect(() => inferenceGraph(network, 3)).toThrow(/net.onnx: Reshape "Reshape_0" cannot make \[2,6\] of \[3,6\]/);
});
