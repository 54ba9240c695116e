import { type Node } from '../../network/ir.js';
import { Unsupported } from './units.js';
import { sizeOf } from '../../protocol/shape.js';

/** A product of matrices as the kernel takes it: some of the same sizes, one after the other. */
export interface Products {
  /** [m, k] x [k, n], each side as it lies, or turned. */
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Where each one's matrices begin in their tensors, in floats. */
  readonly offsets: readonly { readonly a: number; readonly b: number; readonly c: number }[];
}

/** More than this many products of a batch are too many operations of a program. */
const mostProducts = 65_536;

/**
 * The products of a MatMul. Where all rows of A meet one matrix B they are one product; else there is one for each place on
 * the leading axes, which broadcast as in NumPy.
 *
 * @throws Unsupported
 */
export function productsOf(node: Node): Products {
  const [a, b] = node.inputs as [Node, Node];
  const { transposeA, transposeB } = node.attrs as { transposeA: boolean; transposeB: boolean };
  const [rows, inner] = a.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [inner, rows] : [rows, inner];
  const n = transposeB ? b.shape.at(-2)! : b.shape.at(-1)!;
  const settings = { n, k, transposeA, transposeB };
  const [leadA, leadB, lead] = [a, b, node].map(({ shape }) => shape.slice(0, -2)) as [number[], number[], number[]];
  if (sizeOf(leadB) === 1 && (!transposeA || sizeOf(leadA) === 1))
    return { ...settings, m: transposeA ? m : sizeOf(a.shape) / k, offsets: [{ a: 0, b: 0, c: 0 }] };
  if (sizeOf(lead) > mostProducts) throw new Unsupported(node, `: more than ${mostProducts} products`);
  const [ofA, ofB] = [leadingOffsets(lead, leadA), leadingOffsets(lead, leadB)];
  const offsets = ofA.map((matrix, i) => ({ a: matrix * m * k, b: ofB[i]! * k * n, c: i * m * n }));
  return { ...settings, m, offsets };
}

/** Which of a tensor's matrices is read at each place of the leading axes, in order. */
function leadingOffsets(lead: readonly number[], own: readonly number[]): number[] {
  const aligned = [...new Array<number>(lead.length - own.length).fill(1), ...own];
  return lead.reduce<number[]>(
    (places, size, axis) =>
      places.flatMap((place) =>
        Array.from({ length: size }, (_, i) => place * aligned[axis]! + (aligned[axis] === 1 ? 0 : i)),
      ),
    [0],
  );
}
