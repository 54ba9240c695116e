/** For every operation: nodes that ir.ts allows, and nodes that break one of its rules, with part of the message. */
import type { DType, Node, Op } from '../../../daemon/network/ir.js';
import {
  type OpCase,
  argumentCase,
  b,
  binaryCases,
  constant,
  cumsum,
  depthwise,
  f,
  hot,
  i,
  matMul,
  maxPool,
  maxPoolGrad,
  mirror,
  node,
  pad,
  plain,
  pooling,
  poolingCase,
  pools,
  reductionCase,
  resizeCase,
  softmaxCase,
  strided,
  unaryCases,
} from './verifyNodes.js';

export const opCases: Readonly<Record<Op, OpCase>> = {
  ...unaryCases,
  ...binaryCases,
  Input: {
    valid: [f(2, 3), f()],
    broken: [
      [/must be float32/, node('Input', [], [2], {}, 'int32')],
      [/must have 0 inputs/, node('Input', [f(2)], [2])],
      [/dimensions must be whole numbers/, f(2, -1)],
      [/dimensions must be whole numbers/, f(2.5)],
    ],
  },
  Constant: {
    valid: [
      constant(2.5, [3], 'float32'),
      constant(Float32Array.of(1, 2), [2], 'float32'),
      constant(Int32Array.of(-1, 2), [1, 2], 'int32'),
      constant(Int32Array.of(0, 1), [2], 'bool'),
      constant(-7, [2], 'int32'),
      constant(1, [], 'bool'),
    ],
    broken: [
      [/must have values/, node('Constant', [], [2])],
      [/must have 3 values; it has 2/, constant(Float32Array.of(1, 2), [3], 'float32')],
      [/must be a Float32Array/, constant(Int32Array.of(1, 2), [2], 'float32')],
      [/must be a Int32Array/, constant(Float32Array.of(1, 2), [2], 'int32')],
      [/must be one of int32; it is 1.5/, constant(1.5, [2], 'int32')],
      [/must be one of int32/, constant(2 ** 31, [2], 'int32')],
      [/must be one of bool; it is 2/, constant(2, [2], 'bool')],
      [/must be 0 or 1/, constant(Int32Array.of(1, 2), [2], 'bool')],
    ],
  },
  LeakyRelu: {
    valid: [node('LeakyRelu', [f(2)], [2], { alpha: 0.2 })],
    broken: [
      [/"alpha" must be a number/, node('LeakyRelu', [f(2)], [2], { alpha: NaN })],
      [/"alpha" must be a number/, node('LeakyRelu', [f(2)], [2])],
    ],
  },
  ClipByValue: {
    valid: [
      node('ClipByValue', [f(2)], [2], { min: 0, max: 6 }),
      node('ClipByValue', [f(2)], [2], { min: 0, max: Infinity }),
    ],
    broken: [
      [/must not be above/, node('ClipByValue', [f(2)], [2], { min: 2, max: 1 })],
      [/"max" must be a number/, node('ClipByValue', [f(2)], [2], { min: 2 })],
    ],
  },
  Step: {
    valid: [node('Step', [f(2)], [2], { alpha: 0 }), node('Step', [f(2)], [2], { alpha: 0.1 })],
    broken: [[/its inputs must be float32/, node('Step', [i(2)], [2], { alpha: 0 }, 'int32')]],
  },
  Cast: {
    valid: [node('Cast', [f(2)], [2], {}, 'int32'), node('Cast', [i(2)], [2], {}, 'bool'), node('Cast', [b(2)], [2])],
    broken: [
      [/result must be float32 or int32 or bool/, node('Cast', [f(2)], [2], {}, 'string' as DType)],
      [/its shape must be/, node('Cast', [f(2)], [1, 2], {}, 'int32')],
    ],
  },
  EluGrad: {
    valid: [node('EluGrad', [f(2, 3), f(2, 3)], [2, 3])],
    broken: [[/must have the shape \[2,3\]/, node('EluGrad', [f(2, 3), f(3)], [2, 3])]],
  },
  Select: {
    valid: [node('Select', [b(2, 1), f(2, 3), f(3)], [2, 3]), node('Select', [b(2), i(2), i(2)], [2], {}, 'int32')],
    broken: [
      [/input 0 must be bool/, node('Select', [f(2), f(2), f(2)], [2])],
      [/input 2 must be int32/, node('Select', [b(2), i(2), f(2)], [2], {}, 'int32')],
      [/result must be int32/, node('Select', [b(2), i(2), i(2)], [2])],
      [/do not broadcast/, node('Select', [b(3), f(2), f(2)], [2])],
    ],
  },
  Prelu: {
    valid: [node('Prelu', [f(2, 3), f(3)], [2, 3]), node('Prelu', [f(2, 4, 4, 3), f(1, 1, 3)], [2, 4, 4, 3])],
    broken: [
      [/must broadcast to the shape of x/, node('Prelu', [f(3), f(2, 3)], [2, 3])],
      [/do not broadcast/, node('Prelu', [f(2, 3), f(2)], [2, 3])],
    ],
  },
  Softmax: softmaxCase('Softmax'),
  LogSoftmax: softmaxCase('LogSoftmax'),
  MatMul: {
    valid: [
      matMul(f(2, 3), f(3, 4), false, false, [2, 4]),
      matMul(f(3, 2), f(4, 3), true, true, [2, 4]),
      matMul(f(5, 2, 3), f(3, 4), false, false, [5, 2, 4]),
      matMul(f(5, 1, 2, 3), f(6, 4, 3), false, true, [5, 6, 2, 4]),
    ],
    broken: [
      [/must be of one length/, matMul(f(2, 3), f(4, 3), false, false, [2, 3])],
      [/must be of one length/, matMul(f(2, 3), f(3, 4), true, false, [3, 4])],
      [/must be matrices/, matMul(f(3), f(3, 4), false, false, [4])],
      [/do not broadcast/, matMul(f(5, 2, 3), f(6, 3, 4), false, false, [5, 2, 4])],
      [/its shape must be \[2,4\]/, matMul(f(2, 3), f(3, 4), false, false, [4, 2])],
    ],
  },
  Sum: reductionCase('Sum', true),
  Mean: reductionCase('Mean', false),
  Max: reductionCase('Max', true),
  Min: reductionCase('Min', true),
  Prod: reductionCase('Prod', true),
  ArgMax: argumentCase('ArgMax'),
  ArgMin: argumentCase('ArgMin'),
  Reshape: {
    valid: [node('Reshape', [f(2, 3)], [6]), node('Reshape', [b(1)], [], {}, 'bool')],
    broken: [[/equally many elements/, node('Reshape', [f(2, 3)], [5])]],
  },
  Transpose: {
    valid: [node('Transpose', [f(2, 3, 4)], [4, 2, 3], { perm: [2, 0, 1] })],
    broken: [
      [/every axis of its input once/, node('Transpose', [f(2, 2)], [2, 2], { perm: [0, 0] })],
      [/every axis of its input once/, node('Transpose', [f(2, 2)], [2, 2], { perm: [0, 2] })],
      [/an entry for each/, node('Transpose', [f(2, 3)], [2], { perm: [0] })],
      [/its shape must be \[4,2,3\]/, node('Transpose', [f(2, 3, 4)], [3, 4, 2], { perm: [2, 0, 1] })],
    ],
  },
  Slice: {
    valid: [node('Slice', [f(4, 5)], [2, 3], { begin: [2, 2] }), node('Slice', [f(4, 5)], [4, 5], { begin: [0, 0] })],
    broken: [
      [/must lie within/, node('Slice', [f(4, 5)], [3, 3], { begin: [2, 2] })],
      [/must lie within/, node('Slice', [f(4, 5)], [2], { begin: [2, 2] })],
      [/an entry for each/, node('Slice', [f(4, 5)], [2, 3], { begin: [2] })],
      [/whole numbers from 0/, node('Slice', [f(4, 5)], [2, 3], { begin: [-2, 2] })],
    ],
  },
  StridedSlice: {
    valid: [strided(f(7, 5), [1, 0], [7, 5], [2, 3], [3, 2]), strided(b(7), [0], [7], [7], [1])],
    broken: [
      [/its shape must be \[3,2\]/, strided(f(7, 5), [1, 0], [7, 5], [2, 3], [3, 1])],
      [/a range within/, strided(f(7), [0], [8], [1], [8])],
      [/a range within/, strided(f(7), [3], [2], [1], [1])],
      [/"strides" must be a list of whole numbers from 1/, strided(f(7), [0], [7], [0], [7])],
      [/an entry for each/, strided(f(7, 5), [1], [7], [1], [6])],
    ],
  },
  Concat: {
    valid: [
      node('Concat', [f(2, 3), f(2, 1), f(2, 2)], [2, 6], { axis: 1 }),
      node('Concat', [b(2), b(1)], [3], { axis: 0 }, 'bool'),
    ],
    broken: [
      [/one shape but for axis 1/, node('Concat', [f(2, 3), f(3, 3)], [2, 6], { axis: 1 })],
      [/one shape but for axis 0/, node('Concat', [f(2, 3), f(2)], [4, 3], { axis: 0 })],
      [/below the rank/, node('Concat', [f(2), f(2)], [4], { axis: 1 })],
      [/its shape must be \[4,3\]/, node('Concat', [f(2, 3), f(2, 3)], [5, 3], { axis: 0 })],
      [/at least one input/, node('Concat', [], [4], { axis: 0 })],
      [/of one type/, node('Concat', [f(2), i(2)], [4], { axis: 0 })],
    ],
  },
  Pad: {
    valid: [pad(f(2, 3), [1, 0], [0, 2], [3, 5], -3e38), pad(i(2), [1], [0], [3], 7), pad(b(2), [1], [1], [4], 1)],
    broken: [
      [/its shape must be \[3,5\]/, pad(f(2, 3), [1, 0], [0, 2], [3, 4])],
      [/an entry for each/, pad(f(2, 3), [1], [0], [3, 3])],
      [/whole numbers from 0/, pad(f(3), [-1], [0], [2])],
      [/"value" must be a number/, pad(f(3), [1], [0], [4], 'zero')],
    ],
  },
  MirrorPad: {
    valid: [mirror(f(3, 4), [2, 0], [1, 3], 'reflect', [6, 7]), mirror(f(3), [3], [3], 'symmetric', [9])],
    broken: [
      [/not be longer/, mirror(f(3), [3], [0], 'reflect', [6])],
      [/not be longer/, mirror(f(3), [0], [4], 'symmetric', [7])],
      [/"reflect" or "symmetric"/, mirror(f(3), [1], [0], 'wrap', [4])],
      [/its shape must be/, mirror(f(3), [1], [0], 'reflect', [5])],
    ],
  },
  Tile: {
    valid: [node('Tile', [f(2, 3)], [4, 3], { reps: [2, 1] })],
    broken: [
      [/its shape must be/, node('Tile', [f(2, 3)], [2, 3], { reps: [2, 1] })],
      [/whole numbers from 1/, node('Tile', [f(2)], [2], { reps: [0] })],
      [/an entry for each/, node('Tile', [f(2, 3)], [4, 3], { reps: [2] })],
    ],
  },
  Reverse: {
    valid: [node('Reverse', [f(2, 3)], [2, 3], { axes: [0, 1] }), node('Reverse', [b(3)], [3], { axes: [0] }, 'bool')],
    broken: [
      [/below the rank/, node('Reverse', [f(2, 3)], [2, 3], { axes: [2] })],
      [/sorted, each once/, node('Reverse', [f(2, 3)], [2, 3], { axes: [1, 0] })],
    ],
  },
  Gather: {
    valid: [
      node('Gather', [f(4, 3), i(2, 5)], [2, 5, 3], { axis: 0 }),
      node('Gather', [i(4, 3), i()], [4], { axis: 1 }, 'int32'),
    ],
    broken: [
      [/input 1 must be int32/, node('Gather', [f(4, 3), f(2)], [2, 3], { axis: 0 })],
      [/its shape must be \[2,5,3\]/, node('Gather', [f(4, 3), i(2, 5)], [10, 3], { axis: 0 })],
      [/below the rank/, node('Gather', [f(4, 3), i(2)], [4, 3, 2], { axis: 2 })],
    ],
  },
  SegmentSum: {
    valid: [node('SegmentSum', [f(5, 3), i(5)], [4, 3]), node('SegmentSum', [f(5), i(5)], [2])],
    broken: [
      [/one id for each row/, node('SegmentSum', [f(5, 3), i(4)], [4, 3])],
      [/must have rank 1/, node('SegmentSum', [f(5, 3), i(5, 1)], [4, 3])],
      [/its shape must be/, node('SegmentSum', [f(5, 3), i(5)], [4, 2])],
      [/input 1 must be int32/, node('SegmentSum', [f(5, 3), f(5)], [4, 3])],
    ],
  },
  OneHot: {
    valid: [
      node('OneHot', [i(2, 3)], [2, 3, 4], hot),
      node('OneHot', [i()], [4], { onValue: 5, offValue: -1 }, 'int32'),
    ],
    broken: [
      [/must be int32/, node('OneHot', [f(2)], [2, 3], hot)],
      [/its shape must be/, node('OneHot', [i(2, 3)], [2, 4], hot)],
      [/"onValue" must be a number/, node('OneHot', [i(2)], [2, 3], { offValue: 0 })],
    ],
  },
  Cumsum: {
    valid: [cumsum(f(2, 3), 1), cumsum(i(3), 0)],
    broken: [
      [/below the rank/, cumsum(f(2, 3), 2)],
      [/must be float32 or int32/, cumsum(b(3), 0)],
    ],
  },
  Conv2D: plain.forward,
  Conv2DBackpropInput: plain.input,
  Conv2DBackpropFilter: plain.filter,
  DepthwiseConv2D: depthwise.forward,
  DepthwiseConv2DBackpropInput: depthwise.input,
  DepthwiseConv2DBackpropFilter: depthwise.filter,
  MaxPool: poolingCase((x, y, attrs) => maxPool(f(...x), y, attrs)),
  AvgPool: poolingCase((x, y, attrs) => node('AvgPool', [f(...x)], y, attrs)),
  AvgPoolGrad: poolingCase((x, y, attrs) => node('AvgPoolGrad', [f(...y)], x, attrs)),
  MaxPoolGrad: {
    valid: pools.map(([shape, y, attrs]) => {
      const x = f(...shape);
      return maxPoolGrad(x, maxPool(x, y, attrs), attrs);
    }),
    broken: pools.slice(0, 1).flatMap(([shape, pooled, attrs]): [RegExp, Node][] => {
      const x = f(...shape);
      const y = maxPool(x, pooled, attrs);
      const other = pooling([2, 2], [2, 2], [0, 0, 1, 0]);
      return [
        [/by the same windows/, maxPoolGrad(x, f(...pooled), attrs)],
        [/by the same windows/, maxPoolGrad(f(...shape), y, attrs)],
        [/by the same windows/, maxPoolGrad(x, maxPool(x, pooled, other), attrs)],
        [/input 0 must have the shape/, maxPoolGrad(x, y, attrs, f(2, 3, 3, 3))],
        [/input 1 must have the shape/, maxPoolGrad(x, y, attrs, f(...pooled), [2, 7, 4, 3])],
        [/smaller than its window/, maxPoolGrad(x, y, pooling([2, 2], [2, 2], [2, 0, 0, 0]))],
      ];
    }),
  },
  ResizeNearest: resizeCase('ResizeNearest'),
  ResizeBilinear: resizeCase('ResizeBilinear'),
};
