/**
 * Convolutions of large filters as products of matrices, which read their factors in panels: the pixels under each result are copied into a row
 * first. A filter's gradient sums over the whole batch in that product, and needs no sums of parts, each as large as the filter.
 */
import type { Node } from '../../network/ir.js';
import { geometry } from './geometry.js';
import { type Geometry, leadRank, parts } from './layout.js';
import { type Block, merged, moveWords, nothing } from './moves.js';
import { operation } from './operands.js';
import type { Place } from './places.js';
import type { Unit } from './units.js';
import { summedTilesPay, tilesPay } from './winograd.js';

/** What is computed: results, the gradient of the images, or that of the filter. */
export type Way = 'convolution' | 'inputGradient' | 'filterGradient';

/**
 * Filters of fewer weights stay in a core's cache while the direct way reads them. Of a gradient the product reads rows down a column, which lie far
 * apart: that pays if sums in parts would take 64 MB or more, or if pixels are rows as they lie, and few.
 */
const leastWeights: Readonly<Record<Way, number>> = {
  convolution: 2 ** 19,
  inputGradient: 2 ** 19,
  filterGradient: 2 ** 20,
};
const leastPlainWeights = 2 ** 15;
const mostPlainRows = 2048;
/** Rows that pay for the copies of a filter into panels. */
const leastRows = 128;
/** Floats of the rows, at most: 32 MB, less than the activations of a network that has so large filters. */
const mostUnfolded = 2 ** 23;
/** Floats between rows: keeps them off the same sets of a cache. */
const gap = 16;

/** The convolution of dy by the turned filter that is the input gradient of one with stride 1. */
function turned(g: Geometry): Geometry {
  const { h, w, c, oh, ow, f, kh, kw, dh, dw } = g;
  const [top, left] = [(kh - 1) * dh - g.top, (kw - 1) * dw - g.left];
  return { ...g, h: oh, w: ow, c: f, oh: h, ow: w, f: c, sh: 1, sw: 1, top, left };
}

/** The convolution whose pixels are copied into rows. */
const read = (g: Geometry, way: Way): Geometry => (way === 'inputGradient' ? turned(g) : g);
const taps = ({ kh, kw }: Geometry): number => kh * kw;
const rowsOf = ({ batch, oh, ow }: Geometry): number => batch * oh * ow;
/** Whether pixels are rows where they lie. */
const isPlain = (g: Geometry): boolean => taps(g) * g.sh * g.sw === 1 && g.top + g.left === 0 && g.oh === g.h && g.ow === g.w; // prettier-ignore
const paddedSides = (g: Geometry): [number, number] => [
  Math.max((g.oh - 1) * g.sh + (g.kh - 1) * g.dh + 1, g.top + g.h),
  Math.max((g.ow - 1) * g.sw + (g.kw - 1) * g.dw + 1, g.left + g.w),
];
const isPadded = (g: Geometry): boolean => {
  const [h, w] = paddedSides(g);
  return g.top + g.left > 0 || h > g.h || w > g.w;
};

/** A convolution, or one of its gradients, that is computed as a product. */
export interface Unfolding {
  readonly g: Geometry;
  readonly way: Way;
}

/** How a unit is unfolded; undefined if it is no convolution, or is faster in another way. @throws Unsupported */
export function unfolding(unit: Unit): Unfolding | undefined {
  if (unit.kind !== 'convolution' && unit.kind !== 'inputGradient' && unit.kind !== 'filterGradient') return undefined;
  const { kind: way, node } = unit;
  if ('pool' in unit && unit.pool) return undefined;
  const [first, second] = node.inputs as [Node, Node];
  if (way === 'convolution') return checked(geometry(node, first, second, node), way);
  return way === 'inputGradient' ? checked(geometry(node, node, second, first), way) : checked(geometry(node, first, node, second), way);
} // prettier-ignore

const checked = (g: Geometry, way: Way): Unfolding | undefined => {
  const tiled = way === 'filterGradient' ? summedTilesPay(g) : tilesPay(g);
  return !tiled && pays(g, way) ? { g, way } : undefined;
};

/** Whether a product is faster than the direct way, and takes little memory. */
function pays(g: Geometry, way: Way): boolean {
  const weights = taps(g) * g.c * g.f;
  const fewRows = way === 'filterGradient' && isPlain(g) && rowsOf(g) <= mostPlainRows;
  const least = fewRows ? leastPlainWeights : leastWeights[way];
  if (weights < least || (way === 'inputGradient' && g.sh * g.sw > 1)) return false;
  const from = read(g, way);
  const unfolded = isPlain(from) ? 0 : rowsOf(from) * (taps(from) * from.c + gap);
  // Sums in parts of 64 MB and more must not return with a larger batch: memory is estimated from small ones.
  if (way === 'filterGradient') return unfolded <= Math.max(mostUnfolded, parts * weights);
  return rowsOf(from) >= leastRows && unfolded <= mostUnfolded;
}

/** What a convolution's operations do, in order. */
export function unfoldedSteps({ g, way }: Unfolding, bias: boolean): ('padding' | 'unfolding' | 'turning' | 'sum' | 'product')[] {
  const from = read(g, way);
  return [
    ...(isPadded(from) ? ['padding' as const, 'padding' as const] : []),
    ...(isPlain(from) ? [] : ['unfolding' as const]),
    ...(way === 'inputGradient' && taps(g) > 1 ? new Array<'turning'>(taps(g)).fill('turning') : []),
    ...(way === 'filterGradient' && bias ? ['sum' as const] : []),
    'product',
  ];
} // prettier-ignore

interface Operands {
  /** What is multiplied: images and filter, dy and filter, or images and dy. */
  readonly pixels: Place;
  readonly factor: Place;
  readonly result: Place;
  /** Of the results, or the sums of dy. */
  readonly bias: Place | undefined;
  readonly relu: boolean;
}

const at = ({ buffer, offset }: Place, more: number): Place => ({ buffer, offset: offset + more });

/** A matrix in rows. */
interface Rows {
  readonly place: Place;
  readonly row: number;
}

/** The images in rows of the numbers under each result, [taps][c]. */
function unfold(code: number[], g: Geometry, images: Place, temporary: (floats: number) => Place): Rows {
  if (isPlain(g)) return { place: images, row: g.c };
  const { batch, c, oh, ow, kh, kw, sh, sw, dh, dw } = g;
  const [h, w] = isPadded(g) ? paddedSides(g) : [g.h, g.w];
  let from = images;
  if (isPadded(g)) {
    from = temporary(batch * h * w * c);
    code.push(...moveWords(undefined, from, nothing, batch * h * w * c));
    const inside: Block = { input: 0, shape: [batch, g.h, g.w * c], inStrides: [g.h * g.w * c, g.w * c, 1], outStrides: [h * w * c, w * c, 1], inOffset: 0, outOffset: 0 }; // prettier-ignore
    code.push(...moveWords(images, at(from, (g.top * w + g.left) * c), merged(inside)));
  }
  const row = kh * kw * c + gap;
  const place = temporary(rowsOf(g) * row);
  const windows: Block = {
    input: 0,
    shape: [batch, oh, ow, kh, kw, c],
    inStrides: [h * w * c, sh * w * c, sw * c, dh * w * c, dw * c, 1],
    outStrides: [oh * ow * row, ow * row, row, kw * c, c, 1],
    inOffset: 0,
    outOffset: 0,
  };
  code.push(...moveWords(from, place, merged(windows)));
  return { place, row };
}

/** The filter as rows of [turned taps][f], one for each channel. */
function turn(code: number[], g: Geometry, filter: Place, temporary: (floats: number) => Place): Rows {
  const { c, f } = g;
  const count = taps(g);
  if (count === 1) return { place: filter, row: f };
  const row = count * f + gap;
  const place = temporary(c * row);
  for (let tap = 0; tap < count; tap++) {
    const block: Block = { input: 0, shape: [c, f], inStrides: [f, 1], outStrides: [row, 1], inOffset: 0, outOffset: 0 }; // prettier-ignore
    code.push(...moveWords(at(filter, tap * c * f), at(place, (count - 1 - tap) * f), block));
  }
  return { place, row };
}

/** Appends the operations of `unfoldedSteps`. @param temporary gives room until they are over. */
export function emitUnfolded(code: number[], { g, way }: Unfolding, operands: Operands, temporary: (floats: number) => Place): void {
  const { pixels, factor, result, bias, relu } = operands;
  const from = read(g, way);
  const a = unfold(code, from, pixels, temporary);
  const [rows, depth] = [rowsOf(from), taps(g) * from.c];
  const none = new Array<number>(leadRank).fill(0);
  const one = { lead: none.map(() => 1), leadA: none, leadB: none, leadC: none };
  const product = { a: a.place, rowA: a.row, c: result, transposeA: false, transposeB: false, bias: undefined, relu: false, ...one }; // prettier-ignore
  if (way === 'filterGradient') {
    if (bias) code.push(...operation('reduce', { x: factor, y: bias, outer: 1, middle: rows, inner: g.f, kind: 0, scale: 1 })); // prettier-ignore
    const sizes = { m: depth, n: g.f, k: rows, rowB: g.f, rowC: g.f, transposeA: true };
    code.push(...operation('gemm', { ...product, ...sizes, b: factor }));
  } else if (way === 'inputGradient') {
    const b = turn(code, g, factor, temporary);
    const sizes = { m: rows, n: g.c, k: depth, rowB: b.row, rowC: g.c, transposeB: true };
    code.push(...operation('gemm', { ...product, ...sizes, b: b.place }));
  } else code.push(...operation('gemm', { ...product, m: rows, n: g.f, k: depth, b: factor, rowB: g.f, rowC: g.f, bias, relu })); // prettier-ignore
} // prettier-ignore
