import type { Preprocess } from './preprocess.js';
import { forEachChunk, type SampleStore } from './sampleStore.js';

/** What the stored values of the inputs look like: pixels, numbers within [0, 1] or [-1, 1], or any others. */
export type ValueRange = 'pixels' | 'unit' | 'signed' | 'other';

/** The range of all inputs over some rows. */
export async function valueRange(inputs: readonly SampleStore[], rows: Uint32Array): Promise<ValueRange> {
  const all = async (test: (store: SampleStore) => Promise<boolean>): Promise<boolean> => {
    for (const store of inputs) if (!(await test(store))) return false;
    return true;
  };
  if (await all((store) => every(store, rows, (v) => v >= 0 && v <= 1))) return 'unit';
  if (await all((store) => every(store, rows, (v) => v >= -1 && v <= 1))) return 'signed';
  return (await all((store) => arePixels(store, rows))) ? 'pixels' : 'other';
}

/**
 * The scale used where nothing is stated and no reference can judge: values within [-1, 1] as they are; x/255 for pixels
 * (bytes, or many whole numbers in 0 to 255); z-scores for every other number.
 */
export function defaultScale(range: ValueRange): Preprocess['scale'] {
  return range === 'pixels' ? 'unit' : range === 'other' ? 'standard' : 'none';
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

/**
 * The candidates for scale "auto", most common first; `mean` other than "none" is the user's own choice and is kept.
 * @param images whether a sample has channels of its own, to take means over.
 */
export function scaleCandidates(mean: Preprocess['mean'], range: ValueRange, images: boolean): Preprocess[] {
  // Pixels that somebody has scaled already, for a model that wants them otherwise.
  const again: Preprocess['scale'][] = range === 'unit' ? ['signed', 255] : range === 'signed' ? ['unsigned'] : [];
  const scales: Preprocess['scale'][] = ['unit', 'none', 'symmetric', 'standard', ...again];
  if (mean !== 'none') return scales.filter((scale) => scale !== 'standard').map((scale) => ({ scale, mean }));
  return [
    ...scales.map((scale) => ({ scale, mean })),
    { scale: 'unit', mean: 'image' },
    ...(images
      ? ([
          { scale: 'unit', mean: 'channel' },
          { scale: 'none', mean: 'channel' },
          { scale: 'standard', mean: 'channel' },
        ] as const)
      : []),
  ];
}
