import { type Node } from '../../network/ir.js';
import { sizeOf, stridesOf } from '../../protocol/shape.js';
import { leadRank } from './layout.js';
import { reshaped, type Strided, stridedOf } from './strided.js';

/** A batch of products of matrices, as the kernel takes it. */
export interface Products {
  /** [m, k] x [k, n], each side as it lies, or transposed. */
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Floats from one row to the next, of each matrix as it lies. */
  readonly rowA: number;
  readonly rowB: number;
  readonly rowC: number;
  /** Leading axes, and floats from one place on them to the next. */
  readonly lead: readonly number[];
  readonly leadA: readonly number[];
  readonly leadB: readonly number[];
  readonly leadC: readonly number[];
}

/** The products of a MatMul with the tensors that they read, from an offset on. */
export interface ReadProducts {
  readonly sizes: Products;
  readonly a: { readonly base: Node; readonly offset: number };
  readonly b: { readonly base: Node; readonly offset: number };
}

/**
 * The products of a MatMul whose result goes to a tensor of the given strides. Where all rows of A meet one matrix B they are
 * one product. Factors are read where they lie: a transpose or a slice before a product costs nothing, if it leaves rows.
 *
 * @param isStored what factors are read from, and not from what that reads.
 * @param strides of the result's axes; those of a dense tensor if not given.
 * @param columns whether the result may lie in columns.
 * @returns undefined where there are too many leading axes, or the result has no rows.
 */
export function productsOf(
  node: Node,
  isStored: (node: Node) => boolean,
  strides = stridesOf(node.shape),
  columns = true,
): ReadProducts | undefined {
  const factors = (matrixOf: (factor: Node, transpose: boolean) => Matrix) => {
    const [a, b] = node.inputs as [Node, Node];
    const { transposeA, transposeB } = node.attrs as { transposeA: boolean; transposeB: boolean };
    return productsOfMatrices(node, strides, columns, matrixOf(a, transposeA), matrixOf(b, transposeB));
  };
  // A view may have more leading axes than what is made of it.
  return factors((factor, transpose) => viewedMatrix(factor, transpose, isStored)) ?? factors(denseMatrix);
}

function productsOfMatrices(
  node: Node,
  strides: readonly number[],
  inColumns: boolean,
  left: Matrix,
  right: Matrix,
): ReadProducts | undefined {
  const result = matrixIn({ base: node, offset: 0, shape: node.shape, strides }, false);
  // What lies in columns is the product of the transposed factors, in rows: C' = B' A'.
  if (result?.transposed && !inColumns) return undefined;
  if (result?.transposed) return productsInRows(node.shape, strides, turned(result), turned(right), turned(left));
  return result && productsInRows(node.shape, strides, result, left, right);
}

const turned = ({ view, rows, columns, transposed, row }: Matrix): Matrix => ({ view, rows: columns, columns: rows, transposed: !transposed, row }); // prettier-ignore

function productsInRows(
  shape: readonly number[],
  strides: readonly number[],
  result: Matrix,
  left: Matrix,
  right: Matrix,
): ReadProducts | undefined {
  const leadShape = shape.slice(0, -2);
  const [n, k] = [result.columns, left.columns];
  const each = leadShape.map((size, axis) => ({
    size,
    a: leadStride(left.view, leadShape, axis),
    b: leadStride(right.view, leadShape, axis),
    c: strides[axis]!,
  }));
  const axes = merged(each.filter(({ size }) => size > 1));
  let [m, rowA, rowC] = [result.rows, left.row, result.row];
  const last = axes.at(-1);
  // Rows of A that go on in the next matrix, with one matrix B for all.
  if (last?.b === 0 && !left.transposed) {
    const [stepA, stepC] = m === 1 ? [last.a, last.c] : [rowA, rowC];
    if (last.a === m * stepA && last.c === m * stepC && stepA >= k && stepC >= n) {
      [m, rowA, rowC] = [m * last.size, stepA, stepC];
      axes.pop();
    }
  }
  if (axes.length > leadRank) return undefined;
  const rest = new Array<number>(leadRank - axes.length);
  const sizes = {
    ...{ m, n, k, rowA, rowB: right.row, rowC },
    transposeA: left.transposed,
    transposeB: right.transposed,
    lead: [...rest.fill(1), ...axes.map(({ size }) => size)],
    leadA: [...rest.fill(0), ...axes.map((axis) => axis.a)],
    leadB: [...rest.fill(0), ...axes.map((axis) => axis.b)],
    leadC: [...rest.fill(0), ...axes.map((axis) => axis.c)],
  };
  return { sizes, a: left.view, b: right.view };
}

/** How many products there are. */
export const countOf = ({ lead }: Products): number => sizeOf(lead);

/** The strides that make a MatMul's result the input of a transpose, written as that gives it; undefined where none do. */
export function stridesThrough(result: Node, transpose: Node): number[] | undefined {
  const given = transpose.inputs[0]!;
  const perm = transpose.attrs['perm'] as readonly number[];
  const out = stridesOf(transpose.shape);
  const view = { base: transpose, offset: 0, shape: given.shape, strides: given.shape.map((_, axis) => out[perm.indexOf(axis)]!) }; // prettier-ignore
  const strides = reshaped(view, result.shape)?.strides;
  return strides && [...strides];
}

interface Matrix {
  readonly view: Strided;
  /** Of the matrix that is multiplied. */
  readonly rows: number;
  readonly columns: number;
  /** Whether it lies transposed; floats from one row to the next as it lies. */
  readonly transposed: boolean;
  readonly row: number;
}

const denseMatrix = (factor: Node, transpose: boolean): Matrix =>
  matrixIn({ base: factor, offset: 0, shape: factor.shape, strides: stridesOf(factor.shape) }, transpose)!;

const viewedMatrix = (factor: Node, transpose: boolean, isStored: (node: Node) => boolean): Matrix =>
  matrixIn(stridedOf(factor, isStored), transpose) ?? denseMatrix(factor, transpose);

/** The last two axes of a view as a matrix in rows, or in columns; undefined where its numbers are not side by side. */
function matrixIn(view: Strided, transpose: boolean): Matrix | undefined {
  const [p, q] = view.shape.slice(-2) as [number, number];
  const [down, along] = view.strides.slice(-2) as [number, number];
  const [rows, columns] = transpose ? [q, p] : [p, q];
  const lies = (count: number, width: number, row: number, step: number) =>
    (step === 1 || width === 1) && (row >= width || count === 1) ? { row: count === 1 ? width : row } : undefined;
  const inRows = lies(p, q, down, along);
  if (inRows) return { view, rows, columns, transposed: transpose, ...inRows };
  const inColumns = lies(q, p, along, down);
  return inColumns && { view, rows, columns, transposed: !transpose, ...inColumns };
}

/** Floats between places on a leading axis of the result: 0 where the tensor has one matrix for all of them. */
function leadStride({ shape, strides }: Strided, lead: readonly number[], axis: number): number {
  const own = axis - lead.length + shape.length - 2;
  return own < 0 || shape[own] === 1 ? 0 : strides[own]!;
}

interface Axis {
  readonly size: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** Neighbours joined that are one run in all three tensors. */
function merged(axes: readonly Axis[]): Axis[] {
  const result: Axis[] = [];
  for (const axis of axes) {
    const last = result.at(-1);
    const follows = last && (['a', 'b', 'c'] as const).every((side) => last[side] === axis.size * axis[side]);
    if (follows) result.splice(-1, 1, { ...axis, size: last.size * axis.size });
    else result.push(axis);
  }
  return result;
}
