/** Combines inputs and labels from NumPy arrays into a part of a data set. */
import { asTargets, sha256, type ArrayFile } from './arrayFile.js';
import { countText, invalidData } from '../dataError.js';
import type { RawPart, RawTargets } from '../rawDataset.js';

/** Labels from an array of numbers or of texts. */
export interface LabelArray {
  readonly name: string;
  readonly size: number;
  readonly hash: string;
  targets(): RawTargets | Promise<RawTargets>;
}

export const numberLabels = (array: ArrayFile): LabelArray => ({
  name: array.name,
  size: array.store.size,
  hash: array.hash,
  targets: () => asTargets(array),
});

export function requireEqualCounts(inputs: readonly ArrayFile[], labels: LabelArray): void {
  for (const input of inputs) {
    if (input.store.size === labels.size) continue;
    throw invalidData(
      labels.name,
      `${countText(labels.size)} labels, but ${input.name} has ${countText(input.store.size)} samples; the counts must be equal`,
      'labels',
    );
  }
}

export async function arraysToPart(
  name: string,
  inputs: readonly ArrayFile[],
  labels: LabelArray,
): Promise<{ part: RawPart; hash: string }> {
  requireEqualCounts(inputs, labels);
  return {
    part: { name, inputs: inputs.map((input) => input.store), targets: await labels.targets() },
    hash: sha256(...inputs.map((input) => input.hash), labels.hash),
  };
}
