/** Products of matrices and convolutions in float64: the loops of their definitions. */
import type { Node } from '../../../../daemon/network/ir.js';
import { broadcastStrides, type Compute, flag, numbers, sizeOf, type Values, walk } from './tensors.js';

/** out[M, N] += a[M, K] b[K, N], at offsets, by element strides of rows and columns. */
function addProduct(
  [m, n, k]: readonly [number, number, number],
  [a, aAt, aRow, aColumn]: readonly [Values, number, number, number],
  [b, bAt, bRow, bColumn]: readonly [Values, number, number, number],
  out: Values,
  outAt: number,
): void {
  for (let i = 0; i < m; i++)
    for (let l = 0; l < k; l++) {
      const factor = a[aAt + i * aRow + l * aColumn]!;
      if (factor === 0) continue;
      for (let j = 0; j < n; j++) out[outAt + i * n + j]! += factor * b[bAt + l * bRow + j * bColumn]!;
    }
}

const matMul: Compute = (node, [a, b]) => {
  const [p, q] = node.inputs as [Node, Node];
  const [transposeA, transposeB] = [flag(node, 'transposeA'), flag(node, 'transposeB')];
  const [m, n] = node.shape.slice(-2) as [number, number];
  const k = p.shape.at(transposeA ? -2 : -1)!;
  const out = new Float64Array(sizeOf(node.shape));
  const batch = node.shape.slice(0, -2);
  const strides = [p, q].map(({ shape }) => broadcastStrides(shape.slice(0, -2), batch));
  let at = 0;
  walk(batch, strides, ([x, y]) => {
    addProduct(
      [m, n, k],
      [a!, x! * m * k, transposeA ? 1 : k, transposeA ? m : 1],
      [b!, y! * k * n, transposeB ? 1 : n, transposeB ? k : 1],
      out,
      at,
    );
    at += m * n;
  });
  return out;
};

interface Geometry {
  readonly image: readonly number[];
  readonly out: readonly number[];
  readonly filter: readonly number[];
}

/**
 * Every pair of a pixel and the filter's place that meets it: offsets of their first channels in the image, the output and
 * the filter. Padding is left out.
 */
function slide(node: Node, { image, out, filter }: Geometry, visit: (x: number, y: number, w: number) => void): void {
  const [batch, height, width, channels] = image as [number, number, number, number];
  const [, rows, columns, outs] = out as [number, number, number, number];
  const [tall, wide, ...each] = filter as [number, number, number, number];
  const [down, right] = numbers(node, 'strides') as [number, number];
  const [dilateDown, dilateRight] = numbers(node, 'dilations') as [number, number];
  const [top, left] = numbers(node, 'pads') as [number, number];
  const step = sizeOf(each);
  for (let b = 0; b < batch; b++)
    for (let p = 0; p < rows; p++)
      for (let q = 0; q < columns; q++) {
        const y = ((b * rows + p) * columns + q) * outs;
        for (let i = 0; i < tall; i++) {
          const row = p * down + i * dilateDown - top;
          if (row < 0 || row >= height) continue;
          for (let j = 0; j < wide; j++) {
            const column = q * right + j * dilateRight - left;
            if (column < 0 || column >= width) continue;
            visit(((b * height + row) * width + column) * channels, y, (i * wide + j) * step);
          }
        }
      }
}

const conv2D: Compute = (node, [x, w]) => {
  const [image, filter] = node.inputs as [Node, Node];
  const [channels, outs] = filter.shape.slice(2) as [number, number];
  const out = new Float64Array(sizeOf(node.shape));
  slide(node, { image: image.shape, out: node.shape, filter: filter.shape }, (at, to, by) => {
    for (let c = 0; c < channels; c++) {
      const value = x![at + c]!;
      if (value === 0) continue;
      const row = by + c * outs;
      for (let f = 0; f < outs; f++) out[to + f]! += value * w![row + f]!;
    }
  });
  return out;
};

const conv2DInput: Compute = (node, [dy, w]) => {
  const [given, filter] = node.inputs as [Node, Node];
  const [channels, outs] = filter.shape.slice(2) as [number, number];
  const dx = new Float64Array(sizeOf(node.shape));
  slide(node, { image: node.shape, out: given.shape, filter: filter.shape }, (to, at, by) => {
    for (let c = 0; c < channels; c++) {
      const row = by + c * outs;
      let sum = 0;
      for (let f = 0; f < outs; f++) sum += dy![at + f]! * w![row + f]!;
      dx[to + c]! += sum;
    }
  });
  return dx;
};

const conv2DFilter: Compute = (node, [x, dy]) => {
  const [image, given] = node.inputs as [Node, Node];
  const [channels, outs] = node.shape.slice(2) as [number, number];
  const dw = new Float64Array(sizeOf(node.shape));
  slide(node, { image: image.shape, out: given.shape, filter: node.shape }, (at, from, to) => {
    for (let c = 0; c < channels; c++) {
      const value = x![at + c]!;
      if (value === 0) continue;
      const row = to + c * outs;
      for (let f = 0; f < outs; f++) dw[row + f]! += value * dy![from + f]!;
    }
  });
  return dw;
};

/** In a depthwise convolution every channel has `multiplier` outputs. */
const depthwise: Compute = (node, [x, w]) => {
  const [image, filter] = node.inputs as [Node, Node];
  const [channels, multiplier] = filter.shape.slice(2) as [number, number];
  const out = new Float64Array(sizeOf(node.shape));
  slide(node, { image: image.shape, out: node.shape, filter: filter.shape }, (at, to, by) => {
    for (let c = 0; c < channels; c++)
      for (let m = c * multiplier; m < (c + 1) * multiplier; m++) out[to + m]! += x![at + c]! * w![by + m]!;
  });
  return out;
};

const depthwiseInput: Compute = (node, [dy, w]) => {
  const [given, filter] = node.inputs as [Node, Node];
  const [channels, multiplier] = filter.shape.slice(2) as [number, number];
  const dx = new Float64Array(sizeOf(node.shape));
  slide(node, { image: node.shape, out: given.shape, filter: filter.shape }, (to, at, by) => {
    for (let c = 0; c < channels; c++)
      for (let m = c * multiplier; m < (c + 1) * multiplier; m++) dx[to + c]! += dy![at + m]! * w![by + m]!;
  });
  return dx;
};

const depthwiseFilter: Compute = (node, [x, dy]) => {
  const [image, given] = node.inputs as [Node, Node];
  const [channels, multiplier] = node.shape.slice(2) as [number, number];
  const dw = new Float64Array(sizeOf(node.shape));
  slide(node, { image: image.shape, out: given.shape, filter: node.shape }, (at, from, to) => {
    for (let c = 0; c < channels; c++)
      for (let m = c * multiplier; m < (c + 1) * multiplier; m++) dw[to + m]! += x![at + c]! * dy![from + m]!;
  });
  return dw;
};

export const products: Readonly<Record<string, Compute>> = {
  MatMul: matMul,
  Conv2D: conv2D,
  Conv2DBackpropInput: conv2DInput,
  Conv2DBackpropFilter: conv2DFilter,
  DepthwiseConv2D: depthwise,
  DepthwiseConv2DBackpropInput: depthwiseInput,
  DepthwiseConv2DBackpropFilter: depthwiseFilter,
};
