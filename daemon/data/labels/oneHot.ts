import { forEachChunk, identityIndices } from '../batches/sampleStore.js';
import type { LabelTargets, GivenTargets } from '../rawDataset.js';
import { sizeOf } from '../../protocol/shape.js';

/**
 * Converts one-hot targets back to labels: for an output of as many classes as columns, or for a single yes/no output if there are two columns. null
 * if any sample does not have exactly one 1 among zeros, or the targets are something else.
 */
export async function oneHotLabels(
  targets: GivenTargets,
  outputShape: readonly number[],
): Promise<LabelTargets | null> {
  const width = targets.kind === 'values' ? targets.store.width : targets.positions;
  const outputs = sizeOf(outputShape);
  if (width < 2 || !(width === outputs || (outputs === 1 && width === 2))) return null;
  const { where } = targets;
  const names = targets.kind === 'values' ? targets.names : undefined;
  const labels: number[] = [];
  const take = (row: ArrayLike<number>, start: number): boolean => {
    let label = -1;
    for (let i = 0; i < width; i++) {
      const value = row[start + i]!;
      if (value === 0) continue;
      if (value !== 1 || label >= 0) return false;
      label = i;
    }
    labels.push(label);
    return label >= 0;
  };
  let all = true;
  if (targets.kind === 'labels') {
    for (let at = 0; at < targets.labels.length && all; at += width) all = take(targets.labels, at);
  } else {
    await forEachChunk(targets.store, identityIndices(targets.store.size), (rows, _start, count) => {
      for (let k = 0; k < count && all; k++) all = take(rows, k * width);
      return all;
    });
  }
  if (!all) return null;
  const known = names ?? Array.from({ length: width }, (_, i) => String(i));
  return { kind: 'labels', labels: Int32Array.from(labels), positions: 1, names: known, numbered: true, where };
}
