import type { Segment } from './rule.js';
import { sizeOf } from '../../protocol/shape.js';

const longAxes = (shape: readonly number[]): number[] => [...shape.keys()].filter((axis) => shape[axis]! > 1);

/** The smallest parts into which a Reshape falls: [2, 3, 4] to [6, 4] is (2, 3) to 6 and 4 to 4. */
export function segmentsOf(from: readonly number[], to: readonly number[]): Segment[] {
  const [ins, outs] = [longAxes(from), longAxes(to)];
  const segments: Segment[] = [];
  for (let [i, j] = [0, 0]; i < ins.length && j < outs.length;) {
    const segment = { ins: [ins[i]!], outs: [outs[j]!] };
    let [p, q] = [from[ins[i++]!]!, to[outs[j++]!]!];
    while (p !== q)
      if (p < q) {
        segment.ins.push(ins[i]!);
        p *= from[ins[i++]!]!;
      } else {
        segment.outs.push(outs[j]!);
        q *= to[outs[j++]!]!;
      }
    segments.push(segment);
  }
  return segments;
}

/** The index along one axis of several of each element of the segment. */
export function place(shape: readonly number[], axes: readonly number[], axis: number): (flat: number) => number {
  const inner = sizeOf(axes.slice(axes.indexOf(axis) + 1).map((later) => shape[later]!));
  const n = shape[axis]!;
  return (flat) => Math.floor(flat / inner) % n;
}
