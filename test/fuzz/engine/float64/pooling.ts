/** Pooling and resizing in float64. Padding counts neither as value nor in the average. */
import type { Node } from '../../../../daemon/network/ir.js';
import { type Compute, flag, numbers, sizeOf } from './tensors.js';

type Shape4 = readonly [number, number, number, number];

/** Every window of one channel: where its result lies, and where its elements inside the image do, row by row. */
function windows(
  node: Node,
  image: Shape4,
  pooled: Shape4,
  visit: (y: number, places: readonly number[]) => void,
): void {
  const [batch, height, width, channels] = image;
  const [, rows, columns] = pooled;
  const [tall, wide] = numbers(node, 'window') as [number, number];
  const [down, right] = numbers(node, 'strides') as [number, number];
  const [top, left] = numbers(node, 'pads') as [number, number];
  for (let b = 0; b < batch; b++)
    for (let p = 0; p < rows; p++)
      for (let q = 0; q < columns; q++)
        for (let c = 0; c < channels; c++) {
          const places: number[] = [];
          for (let row = Math.max(p * down - top, 0); row < Math.min(p * down - top + tall, height); row++)
            for (
              let column = Math.max(q * right - left, 0);
              column < Math.min(q * right - left + wide, width);
              column++
            )
              places.push(((b * height + row) * width + column) * channels + c);
          visit(((b * rows + p) * columns + q) * channels + c, places);
        }
}

const shape4 = (node: Node): Shape4 => node.shape as unknown as Shape4;

const maxPool: Compute = (node, [x]) => {
  const out = new Float64Array(sizeOf(node.shape));
  windows(node, shape4(node.inputs[0]!), shape4(node), (y, places) => {
    out[y] = places.reduce((largest, place) => Math.max(largest, x![place]!), -Infinity);
  });
  return out;
};

const maxPoolGrad: Compute = (node, [dy, x]) => {
  const dx = new Float64Array(sizeOf(node.shape));
  windows(node, shape4(node), shape4(node.inputs[0]!), (y, places) => {
    if (places.length === 0) return;
    const first = places.reduce((best, place) => (x![place]! > x![best]! ? place : best));
    dx[first]! += dy![y]!;
  });
  return dx;
};

const averagePool: Compute = (node, [x]) => {
  const out = new Float64Array(sizeOf(node.shape));
  windows(node, shape4(node.inputs[0]!), shape4(node), (y, places) => {
    out[y] = places.reduce((sum, place) => sum + x![place]!, 0) / places.length;
  });
  return out;
};

const averagePoolGrad: Compute = (node, [dy]) => {
  const dx = new Float64Array(sizeOf(node.shape));
  windows(node, shape4(node), shape4(node.inputs[0]!), (y, places) => {
    for (const place of places) dx[place]! += dy![y]! / places.length;
  });
  return dx;
};

/** The position of each of `to` pixels among `from`, as in TensorFlow (core/kernels/image/image_resizer_state.h). */
function positions(node: Node, from: number, to: number, linear: boolean): number[] {
  const scale = flag(node, 'alignCorners') && to > 1 ? (from - 1) / (to - 1) : from / to;
  const half = flag(node, 'halfPixelCenters');
  return Array.from({ length: to }, (_, i) => (half ? scale * (i + 0.5) - (linear ? 0.5 : 0) : scale * i));
}

const resize =
  (linear: boolean): Compute =>
  (node, [x]) => {
    const [batch, height, width, channels] = shape4(node.inputs[0]!);
    const [, rows, columns] = shape4(node);
    const out = new Float64Array(sizeOf(node.shape));
    const round = flag(node, 'alignCorners') ? (v: number) => Math.floor(v + 0.5) : Math.floor;
    const inside = (v: number, n: number) => Math.min(Math.max(v, 0), n - 1);
    const [down, right] = [positions(node, height, rows, linear), positions(node, width, columns, linear)];
    const at = (b: number, row: number, column: number, c: number) =>
      x![((b * height + inside(row, height)) * width + inside(column, width)) * channels + c]!;
    let i = 0;
    for (let b = 0; b < batch; b++)
      for (const u of down)
        for (const v of right)
          for (let c = 0; c < channels; c++) {
            if (!linear) out[i++] = at(b, round(u), round(v), c);
            else {
              const [p, q] = [Math.floor(u), Math.floor(v)];
              const [s, t] = [u - p, v - q];
              const upper = (1 - t) * at(b, p, q, c) + t * at(b, p, q + 1, c);
              out[i++] = (1 - s) * upper + s * ((1 - t) * at(b, p + 1, q, c) + t * at(b, p + 1, q + 1, c));
            }
          }
    return out;
  };

export const pooling: Readonly<Record<string, Compute>> = {
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGrad,
  AvgPool: averagePool,
  AvgPoolGrad: averagePoolGrad,
  ResizeNearest: resize(false),
  ResizeBilinear: resize(true),
};
