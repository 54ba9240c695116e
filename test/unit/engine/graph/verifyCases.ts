/** For every operation: nodes that ir.ts allows, and nodes that break one of its rules, with words of that rule. */
import {
  type Attributes,
  binaryOps,
  type DType,
  type Node,
  type Op,
  unaryOps,
} from '../../../../daemon/engine/graph/ir.js';

export interface OpCase {
  readonly valid: readonly Node[];
  readonly broken: readonly (readonly [rule: RegExp, node: Node])[];
}

let id = 0;
export const node = (op: Op, inputs: readonly Node[], shape: readonly number[], attrs: Attributes = {}, dtype: DType = 'float32'): Node => ({ id: id++, op, inputs, attrs, shape, dtype, layer: 'fc' }); // prettier-ignore
/** Inputs of each type. */
const f = (...shape: number[]): Node => node('Input', [], shape);
const cast = (dtype: DType, shape: number[]) => node('Cast', [f(...shape)], shape, {}, dtype);
const i = (...shape: number[]): Node => cast('int32', shape);
const b = (...shape: number[]): Node => cast('bool', shape);
export const constant = (values: NonNullable<Node['constant']>, shape: readonly number[], dtype: DType): Node => ({ ...node('Constant', [], shape, {}, dtype), constant: values }); // prettier-ignore

const unaryOfInt = new Set<Op>(['Abs', 'Neg', 'Relu', 'Sign', 'Square']);
const unaryCases = Object.fromEntries(
  unaryOps.map((op): [Op, OpCase] => {
    if (op === 'LogicalNot')
      return [op, { valid: [node(op, [b(2, 3)], [2, 3], {}, 'bool')], broken: [[/must be bool/, node(op, [f(2)], [2])]] }]; // prettier-ignore
    const dtype = op === 'IsNan' ? 'bool' : 'float32';
    const ints = unaryOfInt.has(op);
    const whole = node(op, [i(3)], [3], {}, 'int32');
    return [
      op,
      {
        valid: [node(op, [f(2, 3)], [2, 3], {}, dtype), node(op, [f()], [], {}, dtype), ...(ints ? [whole] : [])],
        broken: [
          [/its shape must be \[2,3\]/, node(op, [f(2, 3)], [3, 2], {}, dtype)],
          [/its inputs must be float32/, node(op, [b(2)], [2], {}, dtype)],
          ...(ints ? [] : [[/its inputs must be float32/, whole] as const]),
        ],
      },
    ];
  }),
) as Record<(typeof unaryOps)[number], OpCase>;

const comparisons = new Set<Op>(['Greater', 'GreaterEqual', 'Less', 'LessEqual']);
const equalities = new Set<Op>(['Equal', 'NotEqual']);
const binaryOfFloat = new Set<Op>(['Atan2', 'FloorDiv', 'Mod', 'RealDiv']);
const binaryCases = Object.fromEntries(
  binaryOps.map((op): [Op, OpCase] => {
    if (op.startsWith('Logical'))
      return [
        op,
        {
          valid: [node(op, [b(2, 3), b(3)], [2, 3], {}, 'bool')],
          broken: [[/must be bool/, node(op, [f(2), f(2)], [2], {}, 'bool')]],
        },
      ];
    const dtype = comparisons.has(op) || equalities.has(op) ? 'bool' : undefined;
    const result = (shape: number[], ...inputs: Node[]) => node(op, inputs, shape, {}, dtype ?? inputs[0]!.dtype);
    const ofBools = result([2], b(2), b(2));
    const ofInts = result([2], i(2), i(2));
    return [
      op,
      {
        valid: [
          result([2, 3], f(2, 3), f(3)),
          result([2, 4, 3], f(2, 1, 3), f(4, 1)),
          result([], f(), f()),
          ...(equalities.has(op) ? [ofBools] : []),
          ...(binaryOfFloat.has(op) ? [] : [ofInts]),
        ],
        broken: [
          [/do not broadcast/, result([2, 3], f(2, 3), f(2))],
          [/its shape must be \[2,3\]/, result([3], f(2, 3), f(3))],
          [/of one type/, result([2], f(2), i(2))],
          ...(equalities.has(op) ? [] : [[/its inputs must be float32/, ofBools] as const]),
          ...(binaryOfFloat.has(op) ? [[/its inputs must be float32/, ofInts] as const] : []),
        ],
      },
    ];
  }),
) as Record<(typeof binaryOps)[number], OpCase>;

const reductionCase = (op: Op, ints: boolean): OpCase => {
  const of = (x: Node, axes: number[], keepDims: boolean, shape: number[]) => node(op, [x], shape, { axes, keepDims }, x.dtype); // prettier-ignore
  return {
    valid: [
      of(f(2, 3, 4), [0, 2], false, [3]),
      of(f(2, 3, 4), [1], true, [2, 1, 4]),
      of(f(2, 3), [0, 1], false, []),
      of(f(2, 3), [], false, [2, 3]),
      ...(ints ? [of(i(2, 3), [1], false, [2])] : []),
    ],
    broken: [
      [/sorted, each once/, of(f(2, 3, 4), [2, 0], false, [3])],
      [/sorted, each once/, of(f(2, 3, 4), [1, 1], false, [2, 4])],
      [/below the rank/, of(f(2, 3), [2], false, [2, 3])],
      [/its shape must be \[2,1\]/, of(f(2, 3), [1], true, [2])],
      [/its inputs must be/, of(b(2, 3), [1], false, [2])],
      ...(ints ? [] : [[/its inputs must be float32/, of(i(2, 3), [1], false, [2])] as const]),
    ],
  };
};

const argumentCase = (op: Op): OpCase => ({
  valid: [node(op, [f(2, 3)], [3], { axis: 0 }, 'int32'), node(op, [i(2, 3)], [2], { axis: 1 }, 'int32')],
  broken: [
    [/result must be int32/, node(op, [f(2, 3)], [3], { axis: 0 })],
    [/below the rank/, node(op, [f(2, 3)], [2, 3], { axis: 2 }, 'int32')],
    [/whole number from 0/, node(op, [f(2, 3)], [2], { axis: -1 }, 'int32')],
    [/must be float32 or int32/, node(op, [b(2, 3)], [2], { axis: 1 }, 'int32')],
  ],
});

const softmaxCase = (op: Op): OpCase => ({
  valid: [node(op, [f(3)], [3]), node(op, [f(2, 3, 4)], [2, 3, 4])],
  broken: [
    [/it is a scalar/, node(op, [f()], [])],
    [/must be float32/, node(op, [i(3)], [3], {}, 'int32')],
  ],
});

interface Sliding {
  readonly strides?: number[];
  readonly dilations?: number[];
  readonly pads?: number[];
}
const sliding = ({ strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0] }: Sliding): Attributes => ({ strides, dilations, pads }); // prettier-ignore

/** Image, filter and result of convolutions, and what they slide by. */
const geometries = (filters: number[]): [number[], number[], number[], Sliding][] => [
  [[2, 6, 7, 2], [3, 2, ...filters], [2, 4, 6, 6], {}],
  [[2, 8, 7, 2], [3, 2, ...filters], [2, 3, 3, 6], { strides: [2, 2] }],
  [[1, 5, 5, 2], [3, 3, ...filters], [1, 3, 4, 6], { dilations: [2, 1], pads: [1, 0, 1, 1] }],
  [[1, 7, 6, 2], [2, 2, ...filters], [1, 3, 3, 6], { strides: [3, 2], pads: [0, 0, 1, 1] }],
];

/** The triple of a convolution: for each of image, filter and result a node that computes it from the other two. */
function convolutionCase(
  op: Op,
  filters: number[],
  build: (x: number[], filter: number[], y: number[], attrs: Attributes) => Node,
): OpCase {
  // prettier-ignore
  const [[x, filter, y]] = geometries(filters) as [[number[], number[], number[], Sliding]];
  const broken = (change: Partial<Record<'x' | 'filter' | 'y', number[]>>, attrs: Attributes = sliding({})) =>
    build(change.x ?? x, change.filter ?? filter, change.y ?? y, attrs);
  const shape = /must (have the shape|be) \[/;
  return {
    valid: geometries(filters).map(([image, by, to, attrs]) => build(image, by, to, sliding(attrs))),
    broken: [
      [/as many channels/, broken({ filter: filter.with(2, 3) })],
      [/rank 4/, broken({ x: x.slice(1) })],
      [/rank 4|shape must be/, broken({ filter: [...filter, 1] })],
      [shape, broken({ y: y.with(3, 5) })],
      [shape, broken({ y: y.with(1, 5) })],
      [shape, broken({ y: y.with(2, 5) })],
      [shape, broken({ y: y.with(0, 1) })],
      [/must fit into/, broken({}, sliding({ dilations: [3, 1] }))],
      [/"strides" must be two whole numbers from 1/, broken({}, sliding({ strides: [0, 1] }))],
      [/"dilations" must be two/, broken({}, sliding({ dilations: [1] }))],
      [/"pads" must be four whole numbers from 0/, broken({}, sliding({ pads: [0, 0, 0, -1] }))],
      [/"pads" must be four/, broken({}, sliding({ pads: [0, 0] }))],
      [/has no attribute "group"/, broken({}, { ...sliding({}), group: 2 })],
    ],
  };
}
const triple = (prefix: 'Conv2D' | 'DepthwiseConv2D', filters: number[]) => ({
  forward: convolutionCase(prefix, filters, (x, w, y, attrs) => node(prefix, [f(...x), f(...w)], y, attrs)),
  input: convolutionCase(prefix, filters, (x, w, y, attrs) => node(`${prefix}BackpropInput`, [f(...y), f(...w)], x, attrs)),
  filter: convolutionCase(prefix, filters, (x, w, y, attrs) => node(`${prefix}BackpropFilter`, [f(...x), f(...y)], w, attrs)),
}); // prettier-ignore
const plain = triple('Conv2D', [2, 6]);
const depthwise = triple('DepthwiseConv2D', [2, 3]);

const pooling = (window: number[], strides: number[], pads = [0, 0, 0, 0]): Attributes => ({ window, strides, pads });
const pools: [x: number[], y: number[], Attributes][] = [
  [[2, 6, 4, 3], [2, 3, 2, 3], pooling([2, 2], [2, 2])],
  [[1, 7, 5, 2], [1, 3, 2, 2], pooling([2, 2], [2, 2])],
  [[1, 5, 5, 2], [1, 3, 5, 2], pooling([3, 2], [2, 1], [1, 0, 1, 1])],
]; // prettier-ignore

function poolingCase(build: (x: number[], y: number[], attrs: Attributes) => Node): OpCase {
  return {
    valid: pools.map((pool) => build(...pool)),
    broken: [
      [/smaller than its window/, build([1, 4, 4, 1], [1, 6, 4, 1], pooling([2, 1], [1, 1], [2, 0, 1, 0]))],
      [/smaller than its window/, build([1, 4, 4, 1], [1, 4, 5, 1], pooling([1, 2], [1, 1], [0, 0, 0, 2]))],
      [/must fit into/, build([1, 4, 4, 1], [1, 1, 1, 1], pooling([5, 4], [1, 1]))],
      [/rank 4|must be \[/, build([4, 4, 1], [2, 2, 1], pooling([2, 2], [2, 2]))],
      [/must (have the shape|be) \[/, build([1, 5, 4, 1], [1, 3, 2, 1], pooling([2, 2], [2, 2]))],
      [/must (have the shape|be) \[/, build([1, 4, 4, 1], [1, 2, 2, 3], pooling([2, 2], [2, 2]))],
      [/"window" must be two/, build([1, 4, 4, 1], [1, 2, 2, 1], pooling([2], [2, 2]))],
    ],
  };
}
const maxPoolGrad = (x: Node, y: Node, attrs: Attributes, dy = f(...y.shape), shape = x.shape) =>
  node('MaxPoolGrad', [dy, x, y], shape, attrs);
const maxPool = (x: Node, y: number[], attrs: Attributes) => node('MaxPool', [x], y, attrs);

const resizeCase = (op: Op): OpCase => {
  const attrs = { alignCorners: false, halfPixelCenters: false };
  const resized = (shape: number[], more: Attributes = {}) => node(op, [f(2, 3, 4, 2)], shape, { ...attrs, ...more });
  return {
    valid: [resized([2, 6, 8, 2]), resized([2, 5, 4, 2], { alignCorners: true }), resized([2, 6, 8, 2], { halfPixelCenters: true })], // prettier-ignore
    broken: [
      [/its shape must be/, resized([2, 6, 8, 3])],
      [/its shape must be/, resized([1, 6, 8, 2])],
      [/rank 4/, resized([2, 6, 8])],
      [/at most one/, resized([2, 6, 8, 2], { alignCorners: true, halfPixelCenters: true })],
      [/must have rank 4/, node(op, [f(3, 4, 2)], [6, 8, 2], attrs)],
    ],
  };
};

const strided = (x: Node, begin: number[], end: number[], strides: number[], shape: number[]) => node('StridedSlice', [x], shape, { begin, end, strides }, x.dtype); // prettier-ignore
const pad = (x: Node, before: number[], after: number[], shape: number[], value: number | string = 0) => node('Pad', [x], shape, { before, after, value }, x.dtype); // prettier-ignore
const mirror = (x: Node, before: number[], after: number[], mode: string, shape: number[]) => node('MirrorPad', [x], shape, { before, after, mode }); // prettier-ignore
const matMul = (a: Node, c: Node, transposeA: boolean, transposeB: boolean, shape: number[]) => node('MatMul', [a, c], shape, { transposeA, transposeB }); // prettier-ignore
const cumsum = (x: Node, axis: number) => node('Cumsum', [x], x.shape, { axis, exclusive: false, reverse: true }, x.dtype); // prettier-ignore
const hot = { onValue: 1, offValue: 0 };

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
