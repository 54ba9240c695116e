import type { GraphBuilder, NodeSpec } from './builder.js';
import type { Node } from './ir.js';
import { binaryOps, sameShape, sizeOf, unaryOps } from './ir.js';

type Spec = Required<NodeSpec>;
type Rule = (graph: GraphBuilder, spec: Spec) => Node | undefined;

const splatOf = (node: Node | undefined): number | undefined =>
  typeof node?.constant === 'number' ? node.constant : undefined;

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

/** A tile that only stretches axes of length 1 is a broadcast: element-wise operations do it by themselves. */
function withoutBroadcastTile(node: Node, other: Node, out: readonly number[]): Node {
  if (node.op !== 'Tile' || !sameShape(other.shape, out)) return node;
  const [x] = node.inputs;
  const reps = node.attrs['reps'] as readonly number[];
  return reps.every((r, i) => r === 1 || x!.shape[i] === 1) ? x! : node;
}

/** [1, 1, C] broadcasts as [C] does: without the leading ones, equal operands become equal nodes. */
function withoutLeadingOnes(graph: GraphBuilder, node: Node, rank: number): Node {
  if (node.shape[0] !== 1 || node.shape.length < 2 || node.shape.length > rank) return node;
  const from = node.shape.findIndex((n) => n !== 1);
  const shape = from < 0 ? [] : node.shape.slice(from);
  return graph.add({ op: 'Reshape', inputs: [node], shape });
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
    // (p * c) * d = p * (c d), a chain that the gradient of a mean and of dropout makes.
    const c = splatOf(a.inputs[1]);
    if (a.op === 'Multiply' && c !== undefined && y !== undefined && sameShape(a.inputs[0]!.shape, shape))
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
  // Constants stand on the right of what commutes, and are scalars where the other side has the shape.
  if ((op === 'Multiply' || op === 'Add') && x !== undefined && y === undefined)
    return graph.add({ ...spec, inputs: [b, a] });
  let [p, q] = [withoutBroadcastTile(a, b, shape), withoutBroadcastTile(b, a, shape)];
  if (y !== undefined && b.shape.length > 0 && is(a)) q = graph.constant(y, [], b.dtype);
  if (x !== undefined && a.shape.length > 0 && is(b)) p = graph.constant(x, [], a.dtype);
  if (is(a) && !is(q)) q = withoutLeadingOnes(graph, q, shape.length);
  if (is(b) && !is(p)) p = withoutLeadingOnes(graph, p, shape.length);
  if (p !== a || q !== b) return graph.add({ ...spec, inputs: [p, q] });
  return undefined;
};

const unary: Rule = (graph, { op, inputs, shape, dtype }) => {
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
    const condition = splatOf(inputs[0]);
    const chosen = condition === undefined ? undefined : inputs[condition ? 1 : 2]!;
    return chosen && sameShape(chosen.shape, shape) ? chosen : undefined;
  },
  MatMul: (graph, spec) => {
    const { attrs } = spec;
    const [a, b] = spec.inputs as [Node, Node];
    // A transposed factor is a flag of the product.
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

/** A simpler node of equal value for `spec`, or undefined where it stands as it is. */
export function simplify(graph: GraphBuilder, spec: Spec): Node | undefined {
  return rules[spec.op]?.(graph, spec);
}
