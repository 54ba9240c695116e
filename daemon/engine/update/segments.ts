import type { Range } from '../engine.js';

/** Weights [start, end) with the same terms in the update. */
export interface Segment {
  readonly start: number;
  readonly end: number;
  /** Weight decay applies (prunable weights). */
  readonly decay: boolean;
  /** The penalty mu (w - target) applies. */
  readonly penalty: boolean;
  /** Where keep is 0 the weight and its velocity stay exactly 0. */
  readonly mask: boolean;
}

/**
 * Cuts the flat vector at every boundary, so that each piece is one branch-free kernel call.
 *
 * @param size all trainable weights; the segments cover [0, size) exactly, in order.
 * @param prunableSize weight decay applies to [0, prunableSize).
 * @param penalty, mask ranges in any order, within [0, size); empty ones are ignored.
 */
export function updateSegments(
  size: number,
  prunableSize: number,
  { penalty = [], mask = [] }: { penalty?: readonly Range[]; mask?: readonly Range[] } = {},
): Segment[] {
  const cuts = new Set([0, prunableSize, size]);
  for (const { start, end } of [...penalty, ...mask]) {
    if (!(start >= 0 && start <= end && end <= size))
      throw new RangeError(`range [${start}, ${end}) of ${size} weights`);
    cuts.add(start).add(end);
  }
  const bounds = [...cuts].sort((a, b) => a - b);
  const within = (ranges: readonly Range[], at: number) => ranges.some(({ start, end }) => start <= at && at < end);
  const segments: Segment[] = [];
  for (let i = 0; i + 1 < bounds.length; i++) {
    const start = bounds[i]!;
    const end = bounds[i + 1]!;
    const segment = {
      start,
      end,
      decay: start < prunableSize,
      penalty: within(penalty, start),
      mask: within(mask, start),
    };
    const last = segments.at(-1);
    const same = last?.decay === segment.decay && last.penalty === segment.penalty && last.mask === segment.mask;
    if (last && same) segments[segments.length - 1] = { ...last, end };
    else segments.push(segment);
  }
  return segments;
}
