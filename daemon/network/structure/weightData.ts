/** Values of tensors computed from weights and constants alone: a kernel that is cut in parts, the scale of a BatchNorm. */
import type { Node } from '../ir.js';
import { sizeOf, stridesOf } from '../../protocol/shape.js';
import { scalarOf } from './scalars.js';

type Data = ArrayLike<number>;

/** Reads an element of `data` for each index of `shape`, by strides. */
function read(data: Data, shape: readonly number[], strides: readonly number[], start: number): Float64Array {
  const out = new Float64Array(sizeOf(shape));
  const index = new Int32Array(shape.length);
  let from = start;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

const list = (node: Node, name: string): readonly number[] => node.attrs[name] as readonly number[];

function concat(node: Node, given: readonly Data[]): Float64Array {
  const axis = node.attrs['axis'] as number;
  const inner = sizeOf(node.shape.slice(axis + 1));
  const row = node.shape[axis]! * inner;
  const out = new Float64Array(sizeOf(node.shape));
  let at = 0;
  node.inputs.forEach(({ shape }, k) => {
    const part = shape[axis]! * inner;
    for (let i = 0; i < given[k]!.length; i++) out[Math.floor(i / part) * row + at + (i % part)] = given[k]![i]!;
    at += part;
  });
  return out;
}

function elementwise(node: Node, given: readonly Data[]): Float64Array | null {
  const f = scalarOf(node);
  if (!f) return null;
  const spread = given.map((data, k) => {
    const { shape } = node.inputs[k]!;
    const lead = node.shape.length - shape.length;
    const own = stridesOf(shape);
    return read(data, node.shape, node.shape.map((_, axis) => (axis < lead || shape[axis - lead] === 1 ? 0 : own[axis - lead]!)), 0); // prettier-ignore
  });
  return Float64Array.from({ length: sizeOf(node.shape) }, (_, i) => f(...spread.map((data) => data[i]!)));
}

/** The data of an operation that moves elements or computes element by element; null for any other. */
export function dataOf(node: Node, given: readonly Data[]): Data | null {
  const [x] = given as [Data];
  const own = stridesOf(node.inputs[0]!.shape);
  switch (node.op) {
    case 'Reshape':
      return x;
    case 'Transpose':
      return read(x, node.shape, list(node, 'perm').map((axis) => own[axis]!), 0); // prettier-ignore
    case 'Slice':
      return read(x, node.shape, own, list(node, 'begin').reduce((sum, from, axis) => sum + from * own[axis]!, 0)); // prettier-ignore
    case 'StridedSlice': {
      const start = list(node, 'begin').reduce((sum, from, axis) => sum + from * own[axis]!, 0);
      return read(x, node.shape, list(node, 'strides').map((stride, axis) => stride * own[axis]!), start); // prettier-ignore
    }
    case 'Concat':
      return concat(node, given);
    default:
      return elementwise(node, given);
  }
}
