import type { Preprocess } from './preprocess.js';
import { forEachChunk, type SampleStore } from '../batches/sampleStore.js';

/** Kind of the inputs' stored values: pixels, numbers within [0, 1] or [-1, 1], or any others. */
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
 * The scale used if nothing is stated and there is no reference: values within [-1, 1] as they are; x/255 for pixels (bytes, or many whole numbers in
 * 0 to 255); z-scores for all other numbers.
 */
export function defaultScale(range: ValueRange): Preprocess['scale'] {
  return range === 'pixels' ? 'unit' : range === 'other' ? 'standard' : 'none';
}

/** With fewer whole numbers per sample they are columns of a table, not a picture. */
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

/** Scales of one factor and offset for all values, simplest first: those that a model may have been trained on, given the stored values. */
const SCALES: Readonly<Record<ValueRange, readonly Preprocess['scale'][]>> = {
  pixels: ['unit', 'none', 'symmetric', 'standard'],
  // Pixels that are scaled already, for a model that needs another scale.
  unit: ['none', 'signed', 255, 'standard'],
  signed: ['none', 'unsigned', 'standard'],
  other: ['none', 'standard', 'unit', 'symmetric'],
};

/**
 * The candidates for scale "auto", simplest and most common first: ties between them go to the first. `mean` other than "none" is the user's own
 * choice and is kept.
 * @param images whether a sample has channels, over which means can be taken.
 */
export function scaleCandidates(mean: Preprocess['mean'], range: ValueRange, images: boolean): Preprocess[] {
  const scales = SCALES[range];
  if (mean !== 'none') return scales.filter((scale) => scale !== 'standard').map((scale) => ({ scale, mean }));
  const plain = range === 'pixels' ? 'unit' : 'none';
  return [
    ...scales.map((scale) => ({ scale, mean })),
    { scale: plain, mean: 'image' },
    ...(images
      ? [
          { scale: plain, mean: 'channel' } as const,
          ...(plain === 'none' ? [] : [{ scale: 'none', mean: 'channel' } as const]),
          { scale: 'standard', mean: 'channel' } as const,
        ]
      : []),
  ];
}
