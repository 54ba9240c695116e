/** Operations that only move values, and look-ups by index, in float64. */
import { type Compute, number, numbers, sizeOf, stridesOf, type Values, walk } from './tensors.js';

/** Values read at a start and by strides, one for each index of the node's shape. */
function read(shape: readonly number[], x: Values, strides: readonly number[], start = 0): Values {
  const out = new Float64Array(sizeOf(shape));
  let i = 0;
  walk(shape, [strides], ([at]) => (out[i++] = x[at!]!), [start]);
  return out;
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

const concat: Compute = (node, inputs) => {
  const axis = number(node, 'axis');
  const inner = sizeOf(node.shape.slice(axis + 1));
  const row = node.shape[axis]! * inner;
  const out = new Float64Array(sizeOf(node.shape));
  let at = 0;
  inputs.forEach((values, k) => {
    const part = node.inputs[k]!.shape[axis]! * inner;
    for (let i = 0; i < values.length / part; i++) out.set(values.subarray(i * part, (i + 1) * part), i * row + at);
    at += part;
  });
  return out;
};

const pad: Compute = (node, [x]) => {
  const out = new Float64Array(sizeOf(node.shape)).fill(number(node, 'value'));
  const strides = stridesOf(node.shape);
  let i = 0;
  walk(node.inputs[0]!.shape, [strides], ([at]) => (out[at!] = x![i++]!), [dot(numbers(node, 'before'), strides)]);
  return out;
};

const mirrorPad: Compute = (node, [x]) => {
  const { shape } = node.inputs[0]!;
  const strides = stridesOf(shape);
  const own = stridesOf(node.shape);
  const border = node.attrs['mode'] === 'reflect' ? 0 : 1;
  const before = numbers(node, 'before');
  return new Float64Array(sizeOf(node.shape)).map(
    (_, i) =>
      x![
        node.shape.reduce((sum, n, axis) => {
          let place = (Math.floor(i / own[axis]!) % n) - before[axis]!;
          if (place < 0) place = -place - border;
          if (place >= shape[axis]!) place = 2 * shape[axis]! - 2 - place + border;
          return sum + place * strides[axis]!;
        }, 0)
      ]!,
  );
};

const tile: Compute = (node, [x]) => {
  const { shape } = node.inputs[0]!;
  const [strides, own] = [stridesOf(shape), stridesOf(node.shape)];
  return new Float64Array(sizeOf(node.shape)).map(
    (_, i) =>
    x![node.shape.reduce((sum, n, axis) => sum + ((Math.floor(i / own[axis]!) % n) % shape[axis]!) * strides[axis]!, 0)]!, // prettier-ignore
  );
};

const reverse: Compute = (node, [x]) => {
  const turned = (axis: number) => numbers(node, 'axes').includes(axis);
  const strides = stridesOf(node.shape);
  const start = strides.reduce((sum, s, axis) => sum + (turned(axis) ? s * (node.shape[axis]! - 1) : 0), 0);
  return read(node.shape, x!, strides.map((s, axis) => (turned(axis) ? -s : s)), start); // prettier-ignore
};

const gather: Compute = (node, [x, indices]) => {
  const { shape } = node.inputs[0]!;
  const axis = number(node, 'axis');
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const out = new Float64Array(sizeOf(node.shape));
  let at = 0;
  for (let o = 0; o < outer; o++)
    for (const index of indices!) {
      const from = (o * shape[axis]! + index) * inner;
      out.set(x!.subarray(from, from + inner), at);
      at += inner;
    }
  return out;
};

const segmentSum: Compute = (node, [x, ids]) => {
  const columns = sizeOf(node.shape.slice(1));
  const out = new Float64Array(sizeOf(node.shape));
  ids!.forEach((id, row) => {
    for (let j = 0; j < columns; j++) out[id * columns + j]! += x![row * columns + j]!;
  });
  return out;
};

const oneHot: Compute = (node, [indices]) => {
  const depth = node.shape.at(-1)!;
  const out = new Float64Array(sizeOf(node.shape)).fill(number(node, 'offValue'));
  indices!.forEach((index, i) => {
    if (index >= 0 && index < depth) out[i * depth + index] = number(node, 'onValue');
  });
  return out;
};

export const moves: Readonly<Record<string, Compute>> = {
  Reshape: (_, [x]) => x!,
  Transpose: (node, [x]) => {
    const strides = stridesOf(node.inputs[0]!.shape);
    return read(node.shape, x!, numbers(node, 'perm').map((axis) => strides[axis]!)); // prettier-ignore
  },
  Slice: (node, [x]) => {
    const strides = stridesOf(node.inputs[0]!.shape);
    return read(node.shape, x!, strides, dot(numbers(node, 'begin'), strides));
  },
  StridedSlice: (node, [x]) => {
    const strides = stridesOf(node.inputs[0]!.shape);
    const steps = numbers(node, 'strides');
    return read(node.shape, x!, strides.map((s, axis) => s * steps[axis]!), dot(numbers(node, 'begin'), strides)); // prettier-ignore
  },
  Concat: concat,
  Pad: pad,
  MirrorPad: mirrorPad,
  Tile: tile,
  Reverse: reverse,
  Gather: gather,
  SegmentSum: segmentSum,
  OneHot: oneHot,
};
