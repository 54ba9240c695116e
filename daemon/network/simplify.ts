import { sumOfBlocks } from './blocks.js';
import type { GraphBuilder } from './builder.js';
import type { Node } from './ir.js';
import { binaryOps, sameShape, unaryOps } from './ir.js';
import {
  centredSum,
  ones,
  product,
  reassociate,
  scaled,
  type Spec,
  splatOf,
  spreadOf,
  sumBesideCentred,
  sumOfProduct,
  withoutSpread,
} from './products.js';
import { sizeOf } from '../protocol/shape.js';

type Rule = (graph: GraphBuilder, spec: Spec) => Node | undefined;

const isIdentity = (list: readonly number[], at: (i: number) => number) => list.every((v, i) => v === at(i));

const foldUnary: Partial<Record<string, (x: number) => number>> = {
  Abs: Math.abs,
  Exp: Math.exp,
  Log: Math.log,
  Neg: (x) => -x,
  Reciprocal: (x) => 1 / x,
  Rsqrt: (x) => 1 / Math.sqrt(x),
  Sqrt: Math.sqrt,
  Square: (x) => x * x,
};

const foldBinary: Partial<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Multiply: (a, b) => a * b,
  RealDiv: (a, b) => a / b,
  Maximum: Math.max,
  Minimum: Math.min,
  Pow: Math.pow,
};

/** [1, 1, C] broadcasts as [C] does. Without the leading ones, equal operands become equal nodes. */
function withoutLeadingOnes(graph: GraphBuilder, node: Node, rank: number): Node {
  if (node.shape[0] !== 1 || node.shape.length < 2 || node.shape.length > rank) return node;
  const from = node.shape.findIndex((n) => n !== 1);
  const shape = from < 0 ? [] : node.shape.slice(from);
  return graph.add({ op: 'Reshape', inputs: [node], shape });
}

/** Moves a reshape after an operation of two operands if the other is reshaped alike, is a scalar, or only lacks leading axes of length 1. */
function reshapeLater(graph: GraphBuilder, spec: Spec): Node | undefined {
  const [a, b] = spec.inputs as [Node, Node];
  const sourceOf = (node: Node) => (node.op === 'Reshape' && sameShape(node.shape, spec.shape) && !movesOnes(node) ? node.inputs[0]! : undefined); // prettier-ignore
  const [p, q] = [sourceOf(a), sourceOf(b)];
  const inFront = ({ shape }: Node, other: Node) =>
    other.shape.length <= shape.length && sameShape(spec.shape, [...ones(spec.shape.length - shape.length), ...shape]);
  let inputs: [Node, Node] | undefined;
  if (p && q) inputs = sameShape(p.shape, q.shape) ? [p, q] : undefined;
  else if (p && (b.shape.length === 0 || inFront(p, b))) inputs = [p, b];
  else if (q && (a.shape.length === 0 || inFront(q, a))) inputs = [a, q];
  if (!inputs) return undefined;
  const y = graph.add({ ...spec, inputs, shape: (p ?? q)!.shape });
  return graph.add({ op: 'Reshape', inputs: [y], shape: spec.shape, dtype: spec.dtype });
}

const binary: Rule = (graph, spec) => {
  const { op, shape, dtype } = spec;
  const [a, b] = spec.inputs as [Node, Node];
  const x = splatOf(a);
  const y = splatOf(b);
  if (x !== undefined && y !== undefined && foldBinary[op] && dtype === 'float32')
    return graph.constant(foldBinary[op](x, y), shape);
  const is = (node: Node) => sameShape(node.shape, shape);
  if (op === 'Add' && x === 0 && is(b)) return b;
  if ((op === 'Add' || op === 'Sub') && y === 0 && is(a)) return a;
  if (op === 'Sub' && x === 0 && is(b)) return graph.add({ ...spec, op: 'Neg', inputs: [b] });
  if (op === 'Multiply') {
    if (x === 0 || y === 0) return graph.constant(0, shape, dtype);
    if (x === 1 && is(b)) return b;
    if (y === 1 && is(a)) return a;
    if (x === -1 && is(b)) return graph.add({ ...spec, op: 'Neg', inputs: [b] });
    if (y === -1 && is(a)) return graph.add({ ...spec, op: 'Neg', inputs: [a] });
    if (a.op === 'Neg' && y !== undefined && dtype === 'float32')
      return graph.add({ ...spec, inputs: [a.inputs[0]!, graph.constant(-y, b.shape)] });
    // (p * c) * d = p * (c d): the gradients of a mean and of dropout make such chains.
    const c = splatOf(a.inputs[1]);
    if (
      a.op === 'Multiply' &&
      dtype === 'float32' &&
      c !== undefined &&
      y !== undefined &&
      sameShape(a.inputs[0]!.shape, shape)
    )
      return graph.add({ ...spec, inputs: [a.inputs[0]!, graph.constant(c * y, [])] });
  }
  if (op === 'RealDiv' && dtype === 'float32') {
    if (y === 1 && is(a)) return a;
    if (x === 0) return graph.constant(0, shape);
    if (y !== undefined && y !== 0)
      return graph.add({ ...spec, op: 'Multiply', inputs: [a, graph.constant(1 / y, is(a) ? [] : b.shape)] });
  }
  if (op === 'Pow' && y !== undefined && is(a)) {
    if (y === 1) return a;
    if (y === 2) return graph.add({ ...spec, op: 'Square', inputs: [a] });
    if (y === 0.5) return graph.add({ ...spec, op: 'Sqrt', inputs: [a] });
  }
  // For a commutative operation constants stand on the right and older nodes on the left, so that equal products become one node.
  const commutes = op === 'Multiply' || op === 'Add';
  if (commutes && y === undefined && (x !== undefined || (b.op !== 'Constant' && a.id > b.id)))
    return graph.add({ ...spec, inputs: [b, a] });
  if (op === 'Add' && dtype === 'float32') {
    const joined = sumOfBlocks(graph, spec);
    if (joined) return joined;
  }
  if (op === 'Multiply' && dtype === 'float32') {
    const spread = spreadOf(a);
    if (spread && y !== undefined)
      return product(graph, scaled(graph, spread.small, spread.factor * y), graph.constant(1, shape));
    const better = (is(a) && reassociate(graph, a, b)) || (is(b) && reassociate(graph, b, a));
    if (better) return better;
  }
  // At least one operand must keep the shape of the result.
  let p = withoutSpread(graph, a, b, shape);
  let q = withoutSpread(graph, b, p, shape);
  if (op === 'Multiply' && p !== a && dtype === 'float32') {
    const factors = product(graph, p, withoutSpread(graph, b, a, shape));
    if (!sameShape(factors.shape, shape)) return product(graph, factors, graph.constant(1, shape));
  }
  if (y !== undefined && b.shape.length > 0 && is(p)) q = graph.constant(y, [], b.dtype);
  else if (x !== undefined && a.shape.length > 0 && is(q)) p = graph.constant(x, [], a.dtype);
  if (is(p) && !is(q)) q = withoutLeadingOnes(graph, q, shape.length);
  else if (is(q) && !is(p)) p = withoutLeadingOnes(graph, p, shape.length);
  if (p !== a || q !== b) return graph.add({ ...spec, inputs: [p, q] });
  return reshapeLater(graph, spec);
};

/** A reshape that moves axes of length 1 serves a broadcast and stays next to it; leading ones do not matter. */
function movesOnes({ inputs, shape }: Node): boolean {
  const source = inputs[0]!.shape;
  const long = (dims: readonly number[]) => dims.filter((n) => n !== 1);
  const lead = shape.length - source.length;
  return sameShape(long(shape), long(source)) && !(lead > 0 && sameShape(shape, [...ones(lead), ...source]));
}

/** A reshape can follow an element-wise operation. This brings operations together that it separated, such as a product and its bias. */
const unary: Rule = (graph, { op, inputs, shape, dtype, attrs }) => {
  if (inputs[0]!.op === 'Reshape' && !movesOnes(inputs[0]!)) {
    const source = inputs[0]!.inputs[0]!;
    const y = graph.add({ op, inputs: [source], attrs, shape: source.shape, dtype });
    return graph.add({ op: 'Reshape', inputs: [y], shape });
  }
  const x = splatOf(inputs[0]);
  const fold = foldUnary[op];
  if (fold && x !== undefined && dtype === 'float32') return graph.constant(fold(x), shape);
  if (op === 'Neg' && inputs[0]!.op === 'Neg') return inputs[0]!.inputs[0];
  return undefined;
};

const reduce: Rule = (graph, spec) => {
  const { op, inputs, shape, attrs } = spec;
  const x = inputs[0]!;
  const axes = attrs['axes'] as readonly number[];
  if (axes.every((axis) => x.shape[axis] === 1)) return graph.add({ op: 'Reshape', inputs, shape });
  const later = x.op === 'Reshape' && attrs['keepDims'] !== true ? x.inputs[0]! : undefined;
  const lead = x.shape.length - (later?.shape.length ?? 0);
  if (later && lead > 0 && sameShape(x.shape, [...ones(lead), ...later.shape])) {
    const own = axes.filter((axis) => axis >= lead).map((axis) => axis - lead);
    const kept = later.shape.filter((_, axis) => !own.includes(axis));
    const sum = graph.add({ ...spec, inputs: [later], attrs: { ...attrs, axes: own }, shape: kept });
    return graph.add({ op: 'Reshape', inputs: [sum], shape });
  }
  if (op === 'Sum' && x.dtype === 'float32') {
    const simpler = centredSum(graph, spec) ?? sumOfProduct(graph, spec) ?? sumBesideCentred(graph, spec);
    if (simpler) return simpler;
  }
  const splat = splatOf(x);
  if (splat === undefined || x.dtype !== 'float32') return undefined;
  if (op === 'Sum') return graph.constant((splat * sizeOf(x.shape)) / sizeOf(shape), shape);
  if (op === 'Mean' || op === 'Max' || op === 'Min') return graph.constant(splat, shape);
  return undefined;
};

const rules: Partial<Record<string, Rule>> = {
  ...Object.fromEntries(unaryOps.map((op) => [op, unary])),
  ...Object.fromEntries(binaryOps.map((op) => [op, binary])),
  ...Object.fromEntries(['Sum', 'Mean', 'Max', 'Min', 'Prod'].map((op) => [op, reduce])),
  Cast: (graph, { inputs, shape, dtype }) => {
    const x = inputs[0]!;
    if (x.dtype === dtype) return x;
    if (typeof x.constant === 'number')
      return graph.constant(
        dtype === 'int32' ? Math.trunc(x.constant) : dtype === 'bool' ? Number(x.constant !== 0) : x.constant,
        shape,
        dtype,
      );
    return undefined;
  },
  Reshape: (graph, { inputs, shape, dtype }) => {
    const x = inputs[0]!;
    if (sameShape(x.shape, shape)) return x;
    if (x.op === 'Reshape') return graph.add({ op: 'Reshape', inputs: x.inputs, shape, dtype });
    if (x.constant !== undefined) return graph.constant(x.constant, shape, dtype);
    return undefined;
  },
  Transpose: (graph, { inputs, shape, attrs, dtype }) => {
    const x = inputs[0]!;
    const perm = attrs['perm'] as readonly number[];
    if (isIdentity(perm, (i) => i)) return x;
    if (typeof x.constant === 'number') return graph.constant(x.constant, shape, dtype);
    // Moving only axes of length 1 moves no element.
    const long = perm.filter((axis) => x.shape[axis] !== 1);
    if (long.every((axis, i) => i === 0 || long[i - 1]! < axis)) return graph.add({ op: 'Reshape', inputs, shape });
    if (x.op === 'Transpose') {
      const inner = x.attrs['perm'] as readonly number[];
      return graph.add({ op: 'Transpose', inputs: x.inputs, shape, attrs: { perm: perm.map((i) => inner[i]!) } });
    }
    return undefined;
  },
  Tile: (graph, { inputs, shape, attrs, dtype }) => {
    const x = inputs[0]!;
    if ((attrs['reps'] as readonly number[]).every((r) => r === 1)) return x;
    return typeof x.constant === 'number' ? graph.constant(x.constant, shape, dtype) : undefined;
  },
  Slice: (graph, { inputs, shape, dtype }) => {
    const x = inputs[0]!;
    if (sameShape(x.shape, shape)) return x;
    return typeof x.constant === 'number' ? graph.constant(x.constant, shape, dtype) : undefined;
  },
  Concat: (_, { inputs }) => (inputs.length === 1 ? inputs[0] : undefined),
  Pad: (graph, { inputs, shape }) => (sameShape(inputs[0]!.shape, shape) ? inputs[0] : undefined),
  Reverse: (_, { inputs, attrs }) =>
    (attrs['axes'] as readonly number[]).every((axis) => inputs[0]!.shape[axis] === 1) ? inputs[0] : undefined,
  Select: (graph, { inputs, shape }) => {
    if (inputs[1] === inputs[2] && sameShape(inputs[1]!.shape, shape)) return inputs[1];
    const condition = splatOf(inputs[0]);
    const chosen = condition === undefined ? undefined : inputs[condition ? 1 : 2]!;
    return chosen && sameShape(chosen.shape, shape) ? chosen : undefined;
  },
  MatMul: (graph, spec) => {
    const { attrs } = spec;
    const [a, b] = spec.inputs as [Node, Node];
    if (splatOf(a) === 0 || splatOf(b) === 0) return graph.constant(0, spec.shape);
    // A product has a flag for a transposed factor.
    const flipped = (node: Node) => {
      const perm = node.op === 'Transpose' ? (node.attrs['perm'] as readonly number[]) : [];
      const n = perm.length;
      return n >= 2 && isIdentity(perm, (i) => (i < n - 2 ? i : 2 * n - 3 - i)) ? node.inputs[0]! : undefined;
    };
    const [p, q] = [flipped(a), flipped(b)];
    if (!p && !q) return undefined;
    return graph.add({
      ...spec,
      inputs: [p ?? a, q ?? b],
      attrs: { transposeA: !!attrs['transposeA'] !== !!p, transposeB: !!attrs['transposeB'] !== !!q },
    });
  },
};

/** A simpler node of equal value for `spec`, or undefined if there is none. */
export function simplify(graph: GraphBuilder, spec: Spec): Node | undefined {
  return rules[spec.op]?.(graph, spec);
}
