import { Misfit } from '../../../network/misfit.js';
import type { Node, Op } from '../../../network/ir.js';
import { sizeOf } from '../../../protocol/shape.js';
import type { Call, Operator } from '../call.js';
import type { Lowering } from '../lowering.js';
import { originOf } from '../lowering.js';
import { cut } from './convolution.js';
import { heldSize } from '../values/numberTensor.js';
import { lying } from './moving.js';
import { type Windows, windowsOf } from './windows.js';

/** Pooling of sequences, images and volumes by windows, and over all places. */

/** Less than every value; not infinite, so that products with 0 stay 0. */
const lowest = -3e38;

const twoAxes = (list: readonly number[], fill: number): readonly number[] => (list.length === 1 ? [fill, ...list] : list); // prettier-ignore

const asImage = (lowering: Lowering, x: Node): Node =>
  x.shape.length === 3 ? lowering.reshape(x, [x.shape[0]!, 1, ...x.shape.slice(1)]) : x;

/** Pads an image, [batch, ...places, channels], with `value`. */
function surrounded(
  lowering: Lowering,
  x: Node,
  before: readonly number[],
  after: readonly number[],
  value: number,
): Node {
  if ([...before, ...after].every((n) => n === 0)) return x;
  const ends = (list: readonly number[]) => [0, ...list, 0];
  const shape = x.shape.map((n, i) => n + ends(before)[i]! + ends(after)[i]!);
  return lowering.add('Pad', [x], shape, { before: ends(before), after: ends(after), value });
}

/** The graph has an operation for windows without dilation. */
function pooled(lowering: Lowering, op: 'MaxPool' | 'AvgPool', x: Node, windows: Windows): Node {
  const [batch, channels] = [x.shape[0]!, x.shape.at(-1)!];
  const after = windows.after.map((n, i) => n + windows.beyond[i]!);
  const attrs = {
    window: twoAxes(windows.sizes, 1),
    strides: twoAxes(windows.strides, 1),
    pads: [...twoAxes(windows.before, 0), ...twoAxes(after, 0)],
  };
  const inner = [batch, ...twoAxes(windows.counts, 1), channels];
  const y = lowering.add(op, [asImage(lowering, x)], inner, attrs);
  return lowering.reshape(y, [batch, ...windows.counts, channels]);
}

/** Most places of a window: each becomes an operation of the graph. */
const mostPlaces = 1024;

/** The elements at each place of a window, read from a padded image. */
function seen(lowering: Lowering, x: Node, { sizes, strides, dilations, counts }: Windows): Node[] {
  if (sizeOf(sizes) > mostPlaces) throw new Misfit(`a window of [${sizes}] that is dilated, or padded wider than it is, has more than ${mostPlaces} places`); // prettier-ignore
  const [batch, channels] = [x.shape[0]!, x.shape.at(-1)!];
  return Array.from({ length: sizeOf(sizes) }, (_, flat) => {
    let rest = flat;
    const place = sizes.map((_, i) => {
      const step = sizeOf(sizes.slice(i + 1));
      const at = Math.floor(rest / step);
      rest %= step;
      return at * dilations[i]!;
    });
    const end = place.map((from, i) => from + (counts[i]! - 1) * strides[i]! + 1);
    return lowering.add('StridedSlice', [x], [batch, ...counts, channels], {
      begin: [0, ...place, 0],
      end: [batch, ...end, channels],
      strides: [1, ...strides, 1],
    });
  });
}

/** The graph's window operations need images, padding smaller than the window, and no dilation. */
const isPlain = ({ sizes, dilations, before, after, beyond }: Windows): boolean =>
  sizes.length < 3 && sizes.every((n, i) => dilations[i] === 1 && before[i]! < n && after[i]! + beyond[i]! < n);

function slid(call: Call): { x: Node; windows: Windows } {
  const rank = call.rank(0);
  if (rank < 3 || rank > 5) throw call.refusal(`pools an input of ${rank} axes; sequences (3), images (4) and volumes (5) have a rule`); // prettier-ignore
  const whole = call.lowering.image(call.input(0));
  const sizes = call.ints('kernel_shape', undefined);
  if (!sizes) throw call.refusal('has no kernel_shape');
  return cut(call.lowering, whole, windowsOf(call, whole.shape.slice(1, -1), sizes, call.flag('ceil_mode')));
}

const added = (a: readonly number[], b: readonly number[]): number[] => a.map((n, i) => n + b[i]!);
const none = (windows: Windows): Windows => {
  const zeros = windows.sizes.map(() => 0);
  return { ...windows, before: zeros, after: zeros, beyond: zeros };
};

const maxPool: Operator = (call) => {
  const { lowering } = call;
  const { x, windows } = slid(call);
  const origin = originOf([call.input(0)]);
  if (x.dtype !== 'float32') throw call.refusal('pools whole numbers, which has no rule');
  if (isPlain(windows)) return lowering.ofImage(pooled(lowering, 'MaxPool', x, windows), origin);
  const padded = surrounded(lowering, x, windows.before, added(windows.after, windows.beyond), lowest);
  const y = seen(lowering, padded, windows).reduce((a, b) => lowering.add('Maximum', [a, b], a.shape));
  return lowering.ofImage(y, origin);
};

/** Sums over windows; padding is 0. */
function sums(lowering: Lowering, x: Node, windows: Windows): Node {
  const padded = surrounded(lowering, x, windows.before, added(windows.after, windows.beyond), 0);
  return seen(lowering, padded, windows).reduce((a, b) => lowering.add('Add', [a, b], a.shape));
}

/** The number of places that each window has inside the image (and its padding, if that counts), as [...counts, 1]. */
function placesSeen(lowering: Lowering, places: readonly number[], windows: Windows, padding: boolean): Node {
  const { sizes, strides, dilations, before, after, counts } = windows;
  heldSize([...counts, sizeOf(sizes)]);
  const along = counts.map((count, i) =>
    Array.from({ length: count }, (_, k) => {
      const start = k * strides[i]! - before[i]!;
      const [low, high] = padding ? [-before[i]!, places[i]! + after[i]!] : [0, places[i]!];
      const at = Array.from({ length: sizes[i]! }, (_, j) => start + j * dilations[i]!);
      return at.filter((place) => place >= low && place < high).length;
    }),
  );
  const all = along.reduce((products, axis) => products.flatMap((n) => axis.map((m) => n * m)), [1]);
  return lowering.builder.constant(Float32Array.from(all), [...counts, 1]);
}

const averagePool: Operator = (call) => {
  const { lowering } = call;
  const { x, windows } = slid(call);
  const origin = originOf([call.input(0)]);
  const padding = call.flag('count_include_pad');
  if (isPlain(windows)) {
    if (!padding) return lowering.ofImage(pooled(lowering, 'AvgPool', x, windows), origin);
    const zeros = windows.sizes.map(() => 0);
    const whole = surrounded(lowering, x, windows.before, windows.after, 0);
    return lowering.ofImage(pooled(lowering, 'AvgPool', whole, { ...windows, before: zeros, after: zeros }), origin);
  }
  const total = sums(lowering, x, windows);
  const counts = placesSeen(lowering, x.shape.slice(1, -1), windows, padding);
  return lowering.ofImage(lowering.add('RealDiv', [total, counts], total.shape), origin);
};

/** The p-th root of sums of powers. */
function rootOf(lowering: Lowering, total: Node, p: number): Node {
  if (p === 1) return total;
  return p === 2 ? lowering.add('Sqrt', [total], total.shape) : lowering.add('Pow', [total, lowering.scalar(1 / p)], total.shape); // prettier-ignore
}

/** |x| to the power of p. */
function powerOf(lowering: Lowering, x: Node, p: number): Node {
  if (p === 2) return lowering.add('Square', [x], x.shape);
  const size = lowering.add('Abs', [x], x.shape);
  return p === 1 ? size : lowering.add('Pow', [size, lowering.scalar(p)], x.shape);
}

const lpPool: Operator = (call) => {
  const { lowering } = call;
  const { x, windows } = slid(call);
  const p = call.float('p', 2);
  const powers = powerOf(lowering, x, p);
  if (!isPlain(windows)) return lowering.ofImage(rootOf(lowering, sums(lowering, powers, windows), p));
  const whole = surrounded(lowering, powers, windows.before, added(windows.after, windows.beyond), 0);
  const mean = pooled(lowering, 'AvgPool', whole, none(windows));
  const total = lowering.add('Multiply', [mean, lowering.scalar(sizeOf(windows.sizes))], mean.shape);
  return lowering.ofImage(rootOf(lowering, total, p));
};

/** Reduces all places, in any layout, to the size 1. */
function overPlaces(call: Call, op: Op, before = (x: Node): Node => x, after = (x: Node): Node => x) {
  call.channels();
  const { node, order, shape, as } = lying(call, call.input(0));
  const axes = order.flatMap((axis, i) => (axis >= 2 ? [i] : []));
  const kept = shape.map((n, i) => (axes.includes(i) ? 1 : n));
  return as(after(call.lowering.add(op, [before(node)], kept, { axes, keepDims: true })));
}

const globalLpPool: Operator = (call) => {
  const p = call.float('p', 2);
  const { lowering } = call;
  return overPlaces(call, 'Sum', (x) => powerOf(lowering, x, p), (x) => rootOf(lowering, x, p)); // prettier-ignore
};

export const poolingOperators: Readonly<Record<string, Operator>> = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  LpPool: lpPool,
  GlobalMaxPool: (call) => overPlaces(call, 'Max'),
  GlobalAveragePool: (call) => overPlaces(call, 'Mean'),
  GlobalLpPool: globalLpPool,
};
