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

/** @param labels null: the data has none. */
export async function arraysToPart(
  name: string,
  inputs: readonly ArrayFile[],
  labels: LabelArray | null,
): Promise<{ part: RawPart; hash: string }> {
  const stores = inputs.map((input) => input.store);
  const hashes = inputs.map((input) => input.hash);
  if (!labels)
    return { part: { name, inputs: stores, targets: { kind: 'none', where: name } }, hash: sha256(...hashes) };
  requireEqualCounts(inputs, labels);
  return {
    part: { name, inputs: stores, targets: await labels.targets() },
    hash: sha256(...hashes, labels.hash),
  };
}
