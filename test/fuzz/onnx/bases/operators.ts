/** A small file for each rule of the lowering, with sizes that differ from one another. */
import {
  file,
  floats,
  list,
  one,
  oneFloat,
  positive,
  shaped,
  type Attributes,
  type Constant,
  type Line,
} from './write.js';

type Base = readonly [name: string, bytes: Uint8Array];

/** One node on x. */
const single = (op: string, dims: readonly number[], more: readonly (Constant | null)[] = [], attrs: Attributes = {}, opset = 17): Base => [op, file(dims, [{ op, in: ['x', ...more], attrs }], opset)]; // prettier-ignore
const several = (name: string, dims: readonly number[], lines: readonly Line[], opset = 17): Base => [name, file(dims, lines, opset)]; // prettier-ignore

const UNARY = ['Abs', 'Ceil', 'Exp', 'Floor', 'Neg', 'Relu', 'Round', 'Sigmoid', 'Sign', 'Atan', 'Cos', 'Sinh', 'Tanh', 'Erf', 'Softplus', 'Softsign', 'HardSwish', 'Mish'] as const; // prettier-ignore
const image = [3, 5, 6];

export const OPERATOR_BASES: readonly Base[] = [
  // Element by element.
  ...['Add', 'Sub', 'Mul', 'Div'].map((op) => single(op, [3, 4], [positive(3, 1)])),
  several('unary', [4], UNARY.map((op, i) => ({ op, in: [i === 0 ? 'x' : `v${i - 1}`] })), 18), // prettier-ignore
  several('positive', [4], [{ op: 'Abs', in: ['x'] }, { op: 'Sqrt', in: ['v0'] }, { op: 'Add', in: ['v1', oneFloat(1)] }, { op: 'Log', in: ['v2'] }, { op: 'Pow', in: ['v3', oneFloat(2)] }, { op: 'Reciprocal', in: ['v2'] }, { op: 'Sum', in: ['v4', 'v5', 'x'] }]), // prettier-ignore
  several('variadic', [4], [{ op: 'Max', in: ['x', floats(4), floats(1)] }, { op: 'Min', in: ['v0', floats(1, 4)] }, { op: 'Mean', in: ['v1', 'x', floats(4)] }]), // prettier-ignore
  several('logic', [4], [{ op: 'Greater', in: ['x', oneFloat(0)] }, { op: 'Less', in: ['x', floats(4)] }, { op: 'Equal', in: ['x', 'x'] }, { op: 'And', in: ['v0', 'v2'] }, { op: 'Or', in: ['v3', 'v1'] }, { op: 'Xor', in: ['v4', 'v0'] }, { op: 'Not', in: ['v5'] }, { op: 'Where', in: ['v6', 'x', floats(4)] }]), // prettier-ignore
  single('Mod', [4], [positive(4)], { fmod: 1 }),
  single('Clip', [4], [oneFloat(-0.5), oneFloat(0.5)]),
  single('Clip', [4], [], { min: { float: -0.5 }, max: { float: 0.5 } }, 9),
  single('PRelu', [3, 4], [floats(3, 1)]),
  several('alphas', [4], [{ op: 'LeakyRelu', in: ['x'], attrs: { alpha: { float: 0.1 } } }, { op: 'Elu', in: ['v0'], attrs: { alpha: { float: 2 } } }, { op: 'Celu', in: ['v1'], attrs: { alpha: { float: 2 } } }, { op: 'Selu', in: ['v2'] }, { op: 'ThresholdedRelu', in: ['v3'], attrs: { alpha: { float: 0.1 } } }, { op: 'HardSigmoid', in: ['v4'], attrs: { alpha: { float: 0.3 }, beta: { float: 0.4 } } }, { op: 'Shrink', in: ['v5'], attrs: { bias: { float: 0.1 }, lambd: { float: 0.2 } } }]), // prettier-ignore
  single('Gelu', [4], [], { approximate: 'tanh' }, 20),
  single('Dropout', [4], [oneFloat(0.5)]),
  several(
    'Cast',
    [4],
    [
      { op: 'Cast', in: ['x'], attrs: { to: 6 } },
      { op: 'Cast', in: ['v0'], attrs: { to: 1 } },
    ],
  ),
  // Products and windows.
  single('Gemm', [4], [floats(5, 4), floats(5)], { transB: 1, alpha: { float: 2 }, beta: { float: 0.5 } }),
  single('MatMul', [3, 4], [floats(4, 5)]),
  several('attention', [3, 4], [{ op: 'Transpose', in: ['x'], attrs: { perm: [0, 2, 1] } }, { op: 'MatMul', in: ['x', 'v0'] }, { op: 'Softmax', in: ['v1'], attrs: { axis: -1 } }, { op: 'MatMul', in: ['v2', 'x'] }]), // prettier-ignore
  single('Einsum', [3, 4], [floats(4, 5)], { equation: 'bij,jk->bik' }),
  single('Conv', image, [floats(4, 3, 3, 2), floats(4)], { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1], dilations: [1, 2] }), // prettier-ignore
  single('Conv', [4, 6], [floats(4, 2, 3)], { group: 2, auto_pad: 'SAME_UPPER' }),
  single('Conv', image, [floats(6, 1, 2, 2)], { group: 3 }),
  single('Conv', [2, 3, 4, 3], [floats(2, 2, 2, 2, 2)], {}),
  single('ConvTranspose', image, [floats(3, 4, 2, 3), floats(4)], { strides: [2, 2], output_padding: [1, 0], pads: [0, 1, 0, 1] }), // prettier-ignore
  single('MaxPool', image, [], { kernel_shape: [2, 3], strides: [2, 2], ceil_mode: 1, pads: [0, 1, 1, 1] }),
  single('MaxPool', [3, 8], [], { kernel_shape: [2], dilations: [2] }),
  single('AveragePool', image, [], { kernel_shape: [2, 3], strides: [1, 2], count_include_pad: 1, pads: [1, 1, 0, 1] }),
  single('LpPool', image, [], { kernel_shape: [2, 2], p: 3 }, 11),
  several('global', image, [{ op: 'GlobalMaxPool', in: ['x'] }, { op: 'GlobalAveragePool', in: ['x'] }, { op: 'GlobalLpPool', in: ['x'], attrs: { p: 2 } }, { op: 'Concat', in: ['v0', 'v1', 'v2'], attrs: { axis: 1 } }, { op: 'Flatten', in: ['v3'] }]), // prettier-ignore
  several('separable', image, [{ op: 'Conv', in: ['x', floats(3, 1, 3, 3)], attrs: { group: 3, pads: [1, 1, 1, 1] } }, { op: 'Conv', in: ['v0', floats(4, 3, 1, 1), floats(4)] }, { op: 'Relu', in: ['v1'] }, { op: 'GlobalAveragePool', in: ['v2'] }, { op: 'Flatten', in: ['v3'] }, { op: 'Gemm', in: ['v4', floats(4, 3), floats(3)] }]), // prettier-ignore
  several('residual', image, [{ op: 'Conv', in: ['x', floats(3, 3, 3, 3)], attrs: { pads: [1, 1, 1, 1] } }, { op: 'Add', in: ['v0', 'x'] }, { op: 'Split', in: ['v1', list(1, 2)], out: ['a', 'b'], attrs: { axis: 1 } }, { op: 'Concat', in: ['b', 'a'], attrs: { axis: 1 } }]), // prettier-ignore
  // Normalisation.
  single('BatchNormalization', image, [positive(3), floats(3), floats(3), positive(3)], { epsilon: { float: 0.001 } }),
  single('LayerNormalization', [3, 4], [floats(4), floats(4)], { axis: -1 }),
  single('InstanceNormalization', image, [floats(3), floats(3)], { epsilon: { float: 0.001 } }),
  single('GroupNormalization', [4, 3, 3], [floats(4), floats(4)], { num_groups: 2 }, 21),
  single('LRN', image, [], { size: 3, alpha: { float: 0.1 }, beta: { float: 0.7 } }),
  single('LpNormalization', [4], [], { axis: 1, p: 2 }),
  single('MeanVarianceNormalization', image, [], { axes: [0, 2, 3] }, 13),
  // Shapes and places.
  single('Reshape', [2, 6], [list(-1, 3, 4)]),
  single('Reshape', [2, 6], [list(0, 12)], { allowzero: 0 }),
  several('shapes', [2, 6], [{ op: 'Shape', in: ['x'] }, { op: 'Gather', in: ['v0', one(0)], attrs: { axis: 0 } }, { op: 'Unsqueeze', in: ['v1', list(0)] }, { op: 'Concat', in: ['v2', list(12)], attrs: { axis: 0 } }, { op: 'Reshape', in: ['x', 'v3'] }]), // prettier-ignore
  several('constant', [4], [{ op: 'ConstantOfShape', in: [list(4)] }, { op: 'Range', in: [oneFloat(0), oneFloat(4), oneFloat(1)] }, { op: 'Add', in: ['v0', 'v1'] }, { op: 'Add', in: ['x', 'v2'] }]), // prettier-ignore
  single('Flatten', [2, 3], [], { axis: 1 }),
  single('Squeeze', [1, 4], [list(1)]),
  single('Unsqueeze', [4], [list(1, -1)]),
  single('Transpose', [3, 4], [], { perm: [0, 2, 1] }),
  single('Expand', [1, 4], [list(1, 3, 4)]),
  single('Tile', [3, 4], [list(1, 2, 3)]),
  single('Slice', [5, 6], [list(1, 5), list(4, -9), list(1, 2), list(1, -2)]),
  single('Slice', [5, 6], [], { starts: [1], ends: [3], axes: [1] }, 9),
  single('Pad', [3, 4], [list(0, 1, 0, 0, 2, 1), oneFloat(0.5)]),
  single('Pad', [3, 4], [list(0, 1, 2, 0, 2, 1)], { mode: 'reflect' }),
  single('Gather', [5, 3], [list(0, 2, -1)], { axis: 1 }),
  several('embedding', [4], [{ op: 'Abs', in: ['x'] }, { op: 'Cast', in: ['v0'], attrs: { to: 7 } }, { op: 'Gather', in: [floats(6, 3), 'v1'] }, { op: 'ReduceMean', in: ['v2'], attrs: { axes: [1], keepdims: 0 } }]), // prettier-ignore
  several('GatherElements', [4], [{ op: 'GatherElements', in: [floats(1, 4), shaped(list(0, 1, 2, 0), 1, 4)], attrs: { axis: 1 } }, { op: 'Add', in: ['x', 'v0'] }]), // prettier-ignore
  several('GatherND', [2], [{ op: 'GatherND', in: [floats(4, 3), shaped(list(0, 1, 3, 2), 2, 2)] }, { op: 'Add', in: ['x', 'v0'] }]), // prettier-ignore
  several('ScatterND', [4], [{ op: 'Transpose', in: ['x'], attrs: { perm: [1, 0] } }, { op: 'Transpose', in: ['v0'] }, { op: 'ScatterElements', in: [floats(1, 4), shaped(list(1, 2), 1, 2), floats(1, 2)], attrs: { axis: 1 } }, { op: 'Add', in: ['v1', 'v2'] }]), // prettier-ignore
  single('Trilu', [3, 3], [one(0)], { upper: 1 }),
  several('OneHot', [4], [{ op: 'Abs', in: ['x'] }, { op: 'Cast', in: ['v0'], attrs: { to: 7 } }, { op: 'OneHot', in: ['v1', one(5), shaped({ ...floats(2), dims: [2] }, 2)], attrs: { axis: -1 } }]), // prettier-ignore
  single('DepthToSpace', [8, 2, 3], [], { blocksize: 2, mode: 'CRD' }),
  single('SpaceToDepth', [2, 4, 6], [], { blocksize: 2 }),
  single('Resize', image, [null, shaped({ ...floats(4), raw: new Uint8Array(Float32Array.of(1, 1, 2, 0.5).buffer) }, 4)], { mode: 'linear', coordinate_transformation_mode: 'half_pixel' }), // prettier-ignore
  single('Resize', image, [null, null, list(8, 4)], { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric', axes: [2, 3] }, 18), // prettier-ignore
  // Along axes.
  ...['ReduceSum', 'ReduceL2', 'ReduceLogSumExp'].map((op) => single(op, [3, 4], op === 'ReduceSum' ? [list(1)] : [], op === 'ReduceSum' ? { keepdims: 0 } : { axes: [1, -1], keepdims: 1 })), // prettier-ignore
  several('reductions', [3, 4], [{ op: 'ReduceMax', in: ['x'], attrs: { axes: [2] } }, { op: 'ReduceMin', in: ['x'], attrs: { axes: [2] } }, { op: 'ReduceProd', in: ['x'], attrs: { axes: [2] } }, { op: 'ReduceL1', in: ['x'], attrs: { axes: [2] } }, { op: 'ReduceSumSquare', in: ['x'], attrs: { axes: [2] } }, { op: 'Concat', in: ['v0', 'v1', 'v2', 'v3', 'v4'], attrs: { axis: -1 } }]), // prettier-ignore
  several('ArgMax', [3, 4], [{ op: 'ArgMax', in: ['x'], attrs: { axis: 2, keepdims: 0, select_last_index: 1 } }, { op: 'Cast', in: ['v0'], attrs: { to: 1 } }]), // prettier-ignore
  single('CumSum', [3, 4], [one(1)], { exclusive: 1, reverse: 1 }),
  single('Softmax', [3, 4], [], { axis: 1 }, 11),
  single('LogSoftmax', [3, 4], [], { axis: -1 }),
  several('LSTM', [3, 4], [{ op: 'Transpose', in: ['x'], attrs: { perm: [1, 0, 2] } }, { op: 'LSTM', in: ['v0', floats(1, 8, 4), floats(1, 8, 2), floats(1, 16)], out: ['s', 'h', 'c'], attrs: { hidden_size: 2 } }, { op: 'Squeeze', in: ['h', list(0)] }]), // prettier-ignore
  several('GRU', [3, 4], [{ op: 'Transpose', in: ['x'], attrs: { perm: [1, 0, 2] } }, { op: 'GRU', in: ['v0', floats(2, 6, 4), floats(2, 6, 2), floats(2, 12)], out: ['s', 'h'], attrs: { hidden_size: 2, direction: 'bidirectional', linear_before_reset: 1 } }, { op: 'Transpose', in: ['h'], attrs: { perm: [1, 0, 2] } }]), // prettier-ignore
  several('RNN', [3, 4], [{ op: 'Transpose', in: ['x'], attrs: { perm: [1, 0, 2] } }, { op: 'RNN', in: ['v0', floats(1, 2, 4), floats(1, 2, 2)], out: ['', 'h'], attrs: { hidden_size: 2 } }, { op: 'Squeeze', in: ['h', list(0)] }]), // prettier-ignore
];
