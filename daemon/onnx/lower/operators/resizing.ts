import type { Node } from '../../../network/ir.js';
import { resizeWeights } from '../../../network/resizeWeights.js';
import { sizeOf } from '../../../protocol/shape.js';
import type { Call, Operator } from '../call.js';
import { originOf } from '../lowering.js';
import { dimsOf, isNatural, naturalAxes, type Value } from '../values/value.js';
import { heldSize } from '../values/numberTensor.js';
import { gathered, lying } from './moving.js';

/** Resizing, and moves between channels and places. Resizing is linear and separable: one matrix per axis. */

/** One axis that is resized. */
interface Axis {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  /** to / from, or the scale in the file. */
  readonly scale: number;
  /** For tf_crop_and_resize: the range of the axis, as fractions from 0 to 1. */
  readonly part: readonly [number, number];
}

interface Mode {
  readonly interpolation: string;
  readonly coordinates: string;
  readonly nearest: string;
  readonly cubic: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
  readonly extrapolation: number;
}

/** The position of pixel i of the result in the source. [ONNX Operators, Resize, coordinate_transformation_mode] */
function coordinate(call: Call, mode: Mode, { from, to, scale, part }: Axis, i: number): number {
  switch (mode.coordinates) {
    case 'half_pixel':
      return (i + 0.5) / scale - 0.5;
    case 'half_pixel_symmetric': {
      const adjustment = to / (scale * from);
      return (from / 2) * (1 - adjustment) + (i + 0.5) / scale - 0.5;
    }
    case 'pytorch_half_pixel':
      return to > 1 ? (i + 0.5) / scale - 0.5 : 0;
    case 'align_corners':
      return to === 1 ? 0 : (i * (from - 1)) / (to - 1);
    case 'asymmetric':
      return i / scale;
    case 'tf_half_pixel_for_nn':
      return (i + 0.5) / scale;
    case 'tf_crop_and_resize':
      return to > 1
        ? part[0] * (from - 1) + (i * (part[1] - part[0]) * (from - 1)) / (to - 1)
        : 0.5 * (part[0] + part[1]) * (from - 1);
    default:
      throw call.refusal(`has the coordinates "${mode.coordinates}", which have no rule`);
  }
}

function nearestOf(call: Call, mode: Mode, at: number): number {
  switch (mode.nearest) {
    case 'round_prefer_floor':
      return Math.ceil(at - 0.5);
    case 'round_prefer_ceil':
      return Math.floor(at + 0.5);
    case 'floor':
      return Math.floor(at);
    case 'ceil':
      return Math.ceil(at);
    default:
      throw call.refusal(`rounds by "${mode.nearest}", which has no rule`);
  }
}

/** The weight of a neighbour by its distance: a hat, or Keys' cubic (1981) with the file's coefficient. */
function kernelOf({ interpolation, cubic: a }: Mode): { reach: number; at: (distance: number) => number } {
  if (interpolation === 'linear') return { reach: 1, at: (d) => Math.max(0, 1 - Math.abs(d)) };
  return {
    reach: 2,
    at: (d) => {
      const x = Math.abs(d);
      if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
    },
  };
}

const isOutside = (mode: Mode, at: number, n: number): boolean => mode.coordinates === 'tf_crop_and_resize' && (at < 0 || at > n - 1); // prettier-ignore

/** The weight of each of `from` pixels in each of `to`, [to, from]. Neighbours beyond the edge are the edge. */
function weightsOf(call: Call, mode: Mode, axis: Axis): Float64Array {
  const { from, to, scale } = axis;
  const { reach, at: weight } = kernelOf(mode);
  const weights = new Float64Array(heldSize([to, from]));
  // When the axis shrinks, an antialiasing filter is as wide as the pixels of the result.
  const wide = mode.antialias && scale < 1 ? scale : 1;
  for (let i = 0; i < to; i++) {
    const at = coordinate(call, mode, axis, i);
    if (isOutside(mode, at, from)) continue;
    let total = 0;
    const row = weights.subarray(i * from, (i + 1) * from);
    for (let k = Math.ceil(at - reach / wide); k <= Math.floor(at + reach / wide); k++) {
      const inside = k >= 0 && k < from;
      if (!inside && (mode.excludeOutside || mode.antialias)) continue;
      const share = weight((k - at) * wide);
      total += share;
      row[Math.max(0, Math.min(from - 1, k))]! += share;
    }
    if (mode.excludeOutside || mode.antialias) for (let k = 0; k < from; k++) row[k]! /= total;
  }
  return weights;
}

/** The places of the neighbours of each pixel of the result. */
const placesOf = (call: Call, mode: Mode, axis: Axis): number[] =>
  naturalAxes(heldSize([axis.to])).map((i) => {
    const at = coordinate(call, mode, axis, i);
    return isOutside(mode, at, axis.from) ? -1 : Math.max(0, Math.min(axis.from - 1, nearestOf(call, mode, at)));
  });

/** The product with a matrix along one axis. */
function along(call: Call, x: Value, { axis, from, to }: Axis, weights: Float64Array): Value {
  const { lowering } = call;
  const { order } = lying(call, x);
  const moved = [...order.filter((i) => i !== axis), axis];
  const node = lowering.inOrder(x, moved);
  const rows = lowering.reshape(node, [sizeOf(node.shape) / from, from]);
  const matrix = lowering.builder.constant(Float32Array.from(weights), [to, from]);
  const y = lowering.add('MatMul', [rows, matrix], [rows.shape[0]!, to], { transposeA: false, transposeB: true });
  return lowering.value(lowering.reshape(y, node.shape.with(-1, to)), moved, originOf([x]));
}

const isClose = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => Array.from(a).every((v, i) => Math.abs(v - b[i]!) < 1e-6); // prettier-ignore

/** Height and width of images are resized by an operation of the graph, if it has the file's rule. */
function byOperation(
  call: Call,
  x: Value,
  axes: readonly Axis[],
  matrices: readonly Float64Array[],
  linear: boolean,
): Value | undefined {
  const dims = dimsOf(x);
  if (dims.length !== 4 || axes.some(({ axis }) => axis < 2)) return undefined;
  for (const attrs of [
    { alignCorners: false, halfPixelCenters: true },
    { alignCorners: false, halfPixelCenters: false },
    { alignCorners: true, halfPixelCenters: false },
  ]) {
    if (!axes.every(({ from, to }, i) => isClose(matrices[i]!, resizeWeights(attrs, from, to, linear)))) continue;
    const { lowering } = call;
    const image = lowering.image(x);
    const sizes = [2, 3].map((axis) => axes.find((one) => one.axis === axis)?.to ?? dims[axis]!);
    // The same rule must leave an axis unchanged that keeps its size.
    const kept = [2, 3].filter((axis) => !axes.some((one) => one.axis === axis));
    if (kept.some((axis) => !isClose(resizeWeights(attrs, dims[axis]!, dims[axis]!, linear), identity(dims[axis]!)))) continue; // prettier-ignore
    const shape = [image.shape[0]!, ...sizes, image.shape[3]!];
    const y = lowering.add(linear ? 'ResizeBilinear' : 'ResizeNearest', [image], shape, attrs);
    return lowering.ofImage(y, originOf([x]));
  }
  return undefined;
}

const identity = (n: number): Float64Array => Float64Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));

/** [to, from] with a one at each place. */
const selecting = (places: readonly number[], from: number): Float64Array => {
  const matrix = new Float64Array(heldSize([places.length, from]));
  places.forEach((place, i) => (matrix[i * from + place] = 1));
  return matrix;
};

function resized(call: Call, x: Value, mode: Mode, axes: readonly Axis[]): Value {
  if (axes.length === 0) return x;
  if (mode.interpolation === 'nearest') {
    const places = axes.map((axis) => placesOf(call, mode, axis));
    if (places.flat().some((place) => place < 0)) throw call.refusal('takes pixels from outside the image, which has no rule'); // prettier-ignore
    const matrices = places.map((list, i) => selecting(list, axes[i]!.from));
    const whole = byOperation(call, x, axes, matrices, false);
    return whole ?? axes.reduce((value, { axis }, i) => gathered(call, value, axis, places[i]!), x);
  }
  if (mode.interpolation !== 'linear' && mode.interpolation !== 'cubic') throw call.refusal(`interpolates by "${mode.interpolation}", which has no rule`); // prettier-ignore
  const outside = axes.some((axis) => naturalAxes(axis.to).some((i) => isOutside(mode, coordinate(call, mode, axis, i), axis.from))); // prettier-ignore
  if (outside && mode.extrapolation !== 0) throw call.refusal('takes pixels from outside the image, which has no rule');
  const matrices = axes.map((axis) => weightsOf(call, mode, axis));
  const whole = mode.interpolation === 'linear' ? byOperation(call, x, axes, matrices, true) : undefined;
  return whole ?? axes.reduce((value, axis, i) => along(call, value, axis, matrices[i]!), x);
}

const resize: Operator = (call) => {
  const x = call.input(0);
  const dims = dimsOf(x);
  const old = call.opset < 11;
  const given = call.ints('axes', naturalAxes(dims.length)).map((axis) => call.axis(axis, dims.length));
  const content = (index: number, what: string, count = given.length) => {
    const found = call.optionalKnown(index, what);
    if (!found || found.data.length === 0) return undefined;
    if (found.data.length !== count) throw call.refusal(`has ${found.data.length} numbers for ${what}, not ${count}`);
    return [...found.data];
  };
  const scales = call.floats('scales', undefined) ?? content(old ? 1 : 2, 'its scales');
  const sizes = old ? undefined : content(3, 'its sizes');
  const roi = old ? undefined : call.optional(1) && call.text('coordinate_transformation_mode', '') === 'tf_crop_and_resize' ? content(1, 'its part', 2 * given.length) : undefined; // prettier-ignore
  if (!scales && !sizes) throw call.refusal('has neither scales nor sizes');
  if (![...(scales ?? []), ...(sizes ?? [])].every((n) => n > 0 && n < Infinity)) throw call.refusal(`resizes to sizes of [${sizes ?? scales}]`); // prettier-ignore
  if (new Set(given).size < given.length) throw call.refusal(`resizes an axis twice: [${given}]`);
  if (scales && scales.length !== given.length)
    throw call.refusal(`has ${scales.length} scales for ${given.length} axes`);
  const policy = sizes ? call.text('keep_aspect_ratio_policy', 'stretch') : 'stretch';
  const ratios = sizes?.map((n, i) => n / dims[given[i]!]!);
  const common = policy === 'stretch' ? undefined : policy === 'not_larger' ? Math.min(...ratios!) : Math.max(...ratios!); // prettier-ignore
  const axes = given.flatMap((axis, i): Axis[] => {
    const from = dims[axis]!;
    const to = common !== undefined ? Math.floor(from * common + 0.5) : sizes ? sizes[i]! : Math.floor(from * scales![i]!); // prettier-ignore
    // Each axis has a matrix.
    heldSize([to, from]);
    const scale = common ?? (sizes ? to / from : scales![i]!);
    const part: [number, number] = [roi?.[i] ?? 0, roi?.[i + given.length] ?? 1];
    return to === from && scale === 1 && !roi ? [] : [{ axis, from, to, scale, part }];
  });
  const mode: Mode = {
    interpolation: call.text('mode', 'nearest'),
    coordinates: old ? 'asymmetric' : call.text('coordinate_transformation_mode', 'half_pixel'),
    nearest: old ? 'floor' : call.text('nearest_mode', 'round_prefer_floor'),
    cubic: call.float('cubic_coeff_a', -0.75),
    excludeOutside: call.flag('exclude_outside'),
    antialias: call.flag('antialias'),
    extrapolation: call.float('extrapolation_value', 0),
  };
  return resized(call, x, mode, axes);
};

/** Moves blocks of places to channels, or back; images keep channels last. */
function blocks(call: Call, split: (image: Node, b: number) => { shape: number[]; perm: number[]; result: number[] }) {
  const { lowering } = call;
  const b = call.int('blocksize', 0);
  const dims = call.shapeOfRank(0, 4);
  if (b < 1) throw call.refusal(`has blocks of ${b} places`);
  const image = lowering.image(call.input(0));
  const { shape, perm, result } = split(image, b);
  if (!shape.every(Number.isInteger)) throw call.refusal(`has blocks of ${b} places, which do not divide its input of [${dims}]`); // prettier-ignore
  const apart = lowering.reshape(image, shape);
  const moved = isNatural(perm) ? apart : lowering.transpose(apart, perm);
  return lowering.ofImage(lowering.reshape(moved, result), originOf([call.input(0)]));
}

const depthToSpace: Operator = (call) =>
  blocks(call, ({ shape: [n, h, w, c] }, b) => {
    const [N, H, W, deep] = [n!, h!, w!, c! / (b * b)];
    const isDcr = call.text('mode', 'DCR') === 'DCR';
    const shape = isDcr ? [N, H, W, b, b, deep] : [N, H, W, deep, b, b];
    return { shape, perm: isDcr ? [0, 1, 3, 2, 4, 5] : [0, 1, 4, 2, 5, 3], result: [N, H * b, W * b, deep] };
  });

const spaceToDepth: Operator = (call) =>
  blocks(call, ({ shape: [n, h, w, c] }, b) => {
    const [N, H, W, C] = [n!, h! / b, w! / b, c!];
    return { shape: [N, H, b, W, b, C], perm: [0, 1, 3, 2, 4, 5], result: [N, H, W, b * b * C] };
  });

export const resizingOperators: Readonly<Record<string, Operator>> = {
  Resize: resize,
  Upsample: resize,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
};
