/** Nodes of every kind of operation, for the cases of the graph's verifier. */
import { type Attributes, binaryOps, type DType, type Node, type Op, unaryOps } from '../../../daemon/network/ir.js';

export interface OpCase {
  readonly valid: readonly Node[];
  readonly broken: readonly (readonly [rule: RegExp, node: Node])[];
}

let id = 0;
export const node = (op: Op, inputs: readonly Node[], shape: readonly number[], attrs: Attributes = {}, dtype: DType = 'float32'): Node => ({ id: id++, op, inputs, attrs, shape, dtype, layer: 'fc' }); // prettier-ignore
// prettier-ignore
/** Inputs of each type. */
export const f = (...shape: number[]): Node => node('Input', [], shape);
const cast = (dtype: DType, shape: number[]) => node('Cast', [f(...shape)], shape, {}, dtype);
export const i = (...shape: number[]): Node => cast('int32', shape);
export const b = (...shape: number[]): Node => cast('bool', shape);
export const constant = (values: NonNullable<Node['constant']>, shape: readonly number[], dtype: DType): Node => ({ ...node('Constant', [], shape, {}, dtype), constant: values }); // prettier-ignore

const unaryOfInt = new Set<Op>(['Abs', 'Neg', 'Relu', 'Sign', 'Square']);
export const unaryCases = Object.fromEntries(
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
export const binaryCases = Object.fromEntries(
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

export const reductionCase = (op: Op, ints: boolean): OpCase => {
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

export const argumentCase = (op: Op): OpCase => ({
  valid: [node(op, [f(2, 3)], [3], { axis: 0 }, 'int32'), node(op, [i(2, 3)], [2], { axis: 1 }, 'int32')],
  broken: [
    [/result must be int32/, node(op, [f(2, 3)], [3], { axis: 0 })],
    [/below the rank/, node(op, [f(2, 3)], [2, 3], { axis: 2 }, 'int32')],
    [/whole number from 0/, node(op, [f(2, 3)], [2], { axis: -1 }, 'int32')],
    [/must be float32 or int32/, node(op, [b(2, 3)], [2], { axis: 1 }, 'int32')],
  ],
});

export const softmaxCase = (op: Op): OpCase => ({
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
// prettier-ignore
export const plain = triple('Conv2D', [2, 6]);
export const depthwise = triple('DepthwiseConv2D', [2, 3]);

export const pooling = (window: number[], strides: number[], pads = [0, 0, 0, 0]): Attributes => ({
  window,
  strides,
  pads,
});
export const pools: [x: number[], y: number[], Attributes][] = [
  [[2, 6, 4, 3], [2, 3, 2, 3], pooling([2, 2], [2, 2])],
  [[1, 7, 5, 2], [1, 3, 2, 2], pooling([2, 2], [2, 2])],
  [[1, 5, 5, 2], [1, 3, 5, 2], pooling([3, 2], [2, 1], [1, 0, 1, 1])],
]; // prettier-ignore

export function poolingCase(build: (x: number[], y: number[], attrs: Attributes) => Node): OpCase {
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
export const maxPoolGrad = (x: Node, y: Node, attrs: Attributes, dy = f(...y.shape), shape = x.shape) =>
  node('MaxPoolGrad', [dy, x, y], shape, attrs);
export const maxPool = (x: Node, y: number[], attrs: Attributes) => node('MaxPool', [x], y, attrs);

export const resizeCase = (op: Op): OpCase => {
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

export const strided = (x: Node, begin: number[], end: number[], strides: number[], shape: number[]) => node('StridedSlice', [x], shape, { begin, end, strides }, x.dtype); // prettier-ignore
// prettier-ignore
export const pad = (x: Node, before: number[], after: number[], shape: number[], value: number | string = 0) => node('Pad', [x], shape, { before, after, value }, x.dtype); // prettier-ignore
// prettier-ignore
export const mirror = (x: Node, before: number[], after: number[], mode: string, shape: number[]) => node('MirrorPad', [x], shape, { before, after, mode }); // prettier-ignore
// prettier-ignore
export const matMul = (a: Node, c: Node, transposeA: boolean, transposeB: boolean, shape: number[]) => node('MatMul', [a, c], shape, { transposeA, transposeB }); // prettier-ignore
// prettier-ignore
export const cumsum = (x: Node, axis: number) => node('Cumsum', [x], x.shape, { axis, exclusive: false, reverse: true }, x.dtype); // prettier-ignore
// prettier-ignore
export const hot = { onValue: 1, offValue: 0 };
