import { broadcastShape, inverse, type Node } from '../../../network/ir.js';
import { inBatch } from '../align.js';
import type { Call, Operator } from '../call.js';
import { numbers } from '../values/numberTensor.js';
import { dimsOf, naturalAxes, type Value } from '../values/value.js';
import { permutedLayout } from '../values/weightLayout.js';

/** Matrix products. Kernels have the layout [in, out] in the network, whatever the file's is. */

/** A factor whose last two axes may be swapped; the product swaps them back. */
interface Factor {
  readonly node: Node;
  readonly transposed: boolean;
}

/** A value with swapped last axes is not transposed: the product has a flag for it. */
function factor({ lowering }: Call, value: Value, kernel: boolean): Factor {
  const dims = dimsOf(value);
  const order = naturalAxes(dims.length);
  const swapped = [...order.slice(0, -2), order.length - 1, order.length - 2];
  if (value.kind === 'weight') return { node: lowering.weight(value, permutedLayout(dims, order), kernel ? 'kernel' : 'parameter'), transposed: false }; // prettier-ignore
  const last = value.kind === 'node' && dims.length >= 2 && value.axes[dims.length - 2] === dims.length - 1;
  return { node: lowering.inOrder(value, last ? swapped : order), transposed: last };
}

/** Multiplies as NumPy does: vectors become matrices for the product, leading axes broadcast. */
const matMul: Operator = (call) => {
  const values = broadcastBatch(call);
  const rows = rowsTimesMatrix(call, values);
  if (rows) return rows;
  const [a, b] = values.map((value) => factor(call, value, true)) as [Factor, Factor];
  const [left, right] = [a.node.shape.length === 1, b.node.shape.length === 1];
  const p = left ? call.lowering.reshape(a.node, [1, a.node.shape[0]!]) : a.node;
  const q = right ? call.lowering.reshape(b.node, [b.node.shape[0]!, 1]) : b.node;
  const product = call.lowering.matMul(p, q, a.transposed, b.transposed);
  const shape = product.shape.filter((_, axis, { length }) => !(left && axis === length - 2) && !(right && axis === length - 1)); // prettier-ignore
  return call.lowering.value(call.lowering.reshape(product, shape));
};

/** Multiplies rows of any tensor with one matrix; the order of the other axes does not matter. */
function rowsTimesMatrix(call: Call, [a, b]: readonly Value[]): Value | undefined {
  const { lowering } = call;
  const { length: rank } = dimsOf(a!);
  if (a!.kind !== 'node' || rank < 3 || dimsOf(b!).length !== 2 || a!.axes.at(-1) !== rank - 1) return undefined;
  const matrix = factor(call, b!, true);
  const product = lowering.matMul(a!.node, matrix.node, false, matrix.transposed);
  return lowering.value(product, inverse(a!.axes));
}

/** Leading axes of one rank may hold the batch of the file's export. */
function broadcastBatch(call: Call): readonly Value[] {
  const values = [call.input(0), call.input(1)];
  const leading = values.map((value) => dimsOf(value).slice(0, -2));
  try {
    broadcastShape(leading[0]!, leading[1]!);
    return values;
  } catch {
    return leading[0]!.length === leading[1]!.length ? inBatch(call, values) : values;
  }
}

/** alpha A B + beta C. */
const gemm: Operator = (call) => {
  const { lowering } = call;
  const [a, b] = [call.input(0), call.input(1)];
  const [transA, transB] = [call.flag('transA'), call.flag('transB')];
  const [dimsA, dimsB] = [dimsOf(a), dimsOf(b)];
  if (dimsA.length !== 2 || dimsB.length !== 2) throw call.refusal(`multiplies [${dimsA}] and [${dimsB}]: both must be matrices`); // prettier-ignore
  const left = lowering.kernel(a, permutedLayout(dimsA, transA ? [1, 0] : [0, 1]));
  const right = lowering.kernel(b, permutedLayout(dimsB, transB ? [1, 0] : [0, 1]));
  const scaled = (node: Node, factor: number) =>
    factor === 1 ? node : lowering.add('Multiply', [node, lowering.scalar(factor)], node.shape);
  const product = scaled(lowering.matMul(left, right), call.float('alpha', 1));
  const beta = call.float('beta', 1);
  const given = call.optional(2);
  if (!given || beta === 0) return lowering.value(product);
  // A bias that the product broadcasts along its rows is [out].
  const [bias] = given.kind === 'numbers' ? [numbers(given.data, given.dims, 'float32')] : inBatch(call, [given]);
  const sum = lowering.add('Add', [product, scaled(lowering.natural(bias!), beta)], product.shape);
  return lowering.value(sum);
};

export const productOperators: Readonly<Record<string, Operator>> = { MatMul: matMul, Gemm: gemm };
