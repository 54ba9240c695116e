import type { Preprocess } from './preprocess.js';
import { forEachChunk, type SampleStore } from './sampleStore.js';

/**
 * The scale used where nothing is stated and no reference can judge: values within [-1, 1] as they are; x/255 for pixels
 * (bytes, or many whole numbers in 0 to 255); z-scores for every other number.
 */
export async function defaultPreprocess(inputs: readonly SampleStore[], rows: Uint32Array): Promise<Preprocess> {
  const all = async (test: (store: SampleStore) => Promise<boolean>): Promise<boolean> => {
    for (const store of inputs) if (!(await test(store))) return false;
    return true;
  };
  if (await all((store) => every(store, rows, (v) => v >= -1 && v <= 1))) return { scale: 'none', mean: 'none' };
  return { scale: (await all((store) => arePixels(store, rows))) ? 'unit' : 'standard', mean: 'none' };
}

/** Fewer whole numbers than this per sample are columns of a table, not a picture. */
const PICTURE_VALUES = 64;

async function arePixels(store: SampleStore, rows: Uint32Array): Promise<boolean> {
  if (store.bytes) return true;
  return store.width >= PICTURE_VALUES && every(store, rows, (v) => v >= 0 && v <= 255 && Number.isInteger(v));
}

async function every(store: SampleStore, rows: Uint32Array, test: (value: number) => boolean): Promise<boolean> {
  let holds = true;
  await forEachChunk(store, rows, (values, _start, count) => {
    holds = values.subarray(0, count * store.width).every(test);
    return holds;
  });
  return holds;
}

/** The candidates for scale "auto", most common first; `mean` other than "none" is the user's own choice and is kept. */
export function scaleCandidates(mean: Preprocess['mean']): Preprocess[] {
  const scales = ['unit', 'none', 'symmetric', 'standard'] as const;
  if (mean !== 'none') return scales.filter((scale) => scale !== 'standard').map((scale) => ({ scale, mean }));
  return [
    ...scales.map((scale) => ({ scale, mean })),
    { scale: 'unit', mean: 'image' },
    { scale: 'unit', mean: 'channel' },
    { scale: 'none', mean: 'channel' },
  ];
}
