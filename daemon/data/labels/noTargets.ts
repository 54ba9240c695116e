/** Data without labels: nothing is read in their place, and nothing can be measured against them. */
import type { RawDataset, RawPart } from '../rawDataset.js';

/** Targets that were never given are NaN, which surfaces in every loss that is computed from them. */
const nothing = {
  write: (_indices: Uint32Array, _from: number, _count: number, target: Float32Array): void => void target.fill(NaN),
};

/** As fitted to any output. @param where the data's name in messages. */
export const noTargets = (where: string) => ({
  encodings: [{ order: 'stored' as const, text: 'no labels', classOf: new Map<number, number>(), note: null }],
  where,
  read: () => ({ train: nothing, test: nothing }),
  countClasses: () => null,
});

const withoutTargets = ({ name, inputs }: RawPart): RawPart => ({
  name,
  inputs,
  targets: { kind: 'none', where: name },
});

/** The inputs of data that has labels in memory. */
export const inputsAlone = (raw: RawDataset): RawDataset => ({
  ...raw,
  ...(raw.fields && { fields: { ...raw.fields, labels: [] } }),
  train: withoutTargets(raw.train),
  ...(raw.test && { test: withoutTargets(raw.test) }),
});
