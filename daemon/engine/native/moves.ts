import type { Node } from '../../network/ir.js';
import { sizeOf, stridesOf } from '../../protocol/shape.js';
import { moveRank } from './layout.js';
import { operation } from './operands.js';
import type { Place } from './places.js';
import { dot } from './strided.js';

/** One copy of a Move operation (runtime.h): of a block of an input into a block of the node's tensor. */
export interface Block {
  /** Which input. */
  readonly input: number;
  readonly shape: readonly number[];
  /** In floats, by axis; what they start from. */
  readonly inStrides: readonly number[];
  readonly outStrides: readonly number[];
  readonly inOffset: number;
  readonly outOffset: number;
}

/** Operations that only move numbers; null for others. */
export const movingOps = [
  'Transpose',
  'Slice',
  'StridedSlice',
  'Concat',
  'Pad',
  'Tile',
  'Reverse',
  'ResizeNearest',
] as const;

/** The blocks that fill a node's tensor: in all of it, but for Pad, whose rest has its value. */
export function blocksOf(node: Node): Block[] {
  const attrs = node.attrs as Record<string, readonly number[]>;
  const out = stridesOf(node.shape);
  const [first] = node.inputs as [Node];
  const strides = stridesOf(first.shape);
  const zeros = out.map(() => 0);
  const block = (more: Partial<Block>): Block =>
    merged({ input: 0, shape: node.shape, inStrides: strides, outStrides: out, inOffset: 0, outOffset: 0, ...more });
  switch (node.op) {
    case 'Transpose':
      return [block({ inStrides: attrs['perm']!.map((axis) => strides[axis]!) })];
    case 'Slice':
      return [block({ inOffset: dot(attrs['begin']!, strides) })];
    case 'StridedSlice': {
      const steps = attrs['strides']!;
      // Axes may be left out of the result's shape: those are of one element.
      if (steps.length !== node.shape.length) return [];
      return [block({ inStrides: strides.map((s, i) => s * steps[i]!), inOffset: dot(attrs['begin']!, strides) })];
    }
    case 'Pad':
      return [block({ shape: first.shape, outOffset: dot(attrs['before']!, out) })];
    case 'Reverse': {
      const turned = (axis: number) => attrs['axes']!.includes(axis);
      return [
        block({
          inStrides: strides.map((s, axis) => (turned(axis) ? -s : s)),
          inOffset: strides.reduce((sum, s, axis) => sum + (turned(axis) ? s * (first.shape[axis]! - 1) : 0), 0),
        }),
      ];
    }
    case 'Tile': {
      const reps = attrs['reps']!;
      return [
        block({
          shape: first.shape.flatMap((n, axis) => [reps[axis]!, n]),
          inStrides: strides.flatMap((s) => [0, s]),
          outStrides: out.flatMap((s, axis) => [s * first.shape[axis]!, s]),
        }),
      ];
    }
    case 'ResizeNearest': {
      const [batch, h, w, c] = first.shape as [number, number, number, number];
      const [tall, wide] = [node.shape[1]! / h, node.shape[2]! / w];
      // By whole factors every pixel is repeated, wherever pixels are thought to be.
      if (!Number.isInteger(tall) || !Number.isInteger(wide) || node.attrs['alignCorners'] === true) return [];
      const [image, row, column, channel] = strides as [number, number, number, number];
      const [outImage, outRow, outColumn] = out as [number, number, number];
      return [
        block({
          shape: [batch, h, tall, w, wide, c],
          inStrides: [image, row, 0, column, 0, channel],
          outStrides: [outImage, tall * outRow, outRow, wide * outColumn, outColumn, channel],
        }),
      ];
    }
    case 'Concat': {
      const axis = node.attrs['axis'] as number;
      let at = 0;
      return node.inputs.map((input, i) => {
        const before = at;
        at += input.shape[axis]!;
        const outOffset = dot(zeros.with(axis, before), out);
        return block({ input: i, shape: input.shape, inStrides: stridesOf(input.shape), outOffset });
      });
    }
    default:
      return [];
  }
}

/** The same block on as few axes as can be: those of one element left out, neighbours joined where both sides are one run. */
export function merged(block: Block): Block {
  const axes: { n: number; from: number; to: number }[] = [];
  block.shape.forEach((n, i) => {
    const [from, to] = [block.inStrides[i]!, block.outStrides[i]!];
    const last = axes.at(-1);
    if (n === 1) return;
    if (last?.from === n * from && last.to === n * to) Object.assign(last, { n: last.n * n, from, to });
    else axes.push({ n, from, to });
  });
  return {
    ...block,
    shape: axes.map(({ n }) => n),
    inStrides: axes.map(({ from }) => from),
    outStrides: axes.map(({ to }) => to),
  };
}

/** No copy: what goes with a fill. */
export const nothing: Block = { input: 0, shape: [0], inStrides: [0], outStrides: [0], inOffset: 0, outOffset: 0 };

/** What a node takes, in order; a fill comes before the blocks of Pad. */
export function movesOf(node: Node): (Block & { readonly fill: number })[] {
  const blocks = blocksOf(node).map((block) => ({ ...block, fill: 0 }));
  const [first] = blocks;
  if (node.op !== 'Pad' || !first) return blocks;
  return [{ ...nothing, fill: sizeOf(node.shape) }, first];
}

/**
 * The words of a Move; or, of no block, of a fill with `value`. Threads share out the first two of the kernel's axes, which
 * are the first two that there are.
 *
 * @param from, to where the tensors begin.
 */
export function moveWords(
  from: Place | undefined,
  to: Place,
  { shape, inStrides, outStrides, inOffset, outOffset }: Block,
  fill = 0,
  value = 0,
): number[] {
  const onAllAxes = (values: readonly number[], filler: number) => {
    const first = values.length > 2 ? values.slice(0, 2) : [];
    const rest = values.slice(first.length);
    return [...first, ...new Array<number>(moveRank - values.length).fill(filler), ...rest];
  };
  return operation('move', {
    x: from && { buffer: from.buffer, offset: from.offset + inOffset },
    y: { buffer: to.buffer, offset: to.offset + outOffset },
    fill,
    value,
    shape: onAllAxes(shape, 1),
    in: onAllAxes(inStrides, 0),
    out: onAllAxes(outStrides, 0),
  });
}

/** The copy of a whole tensor. */
export const wholeBlock = (shape: readonly number[]): Block =>
  merged({ input: 0, shape: [sizeOf(shape)], inStrides: [1], outStrides: [1], inOffset: 0, outOffset: 0 });
