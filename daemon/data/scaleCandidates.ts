import type { Dataset } from './dataset.js';
import { describePreprocess, type Preprocess } from './preprocess.js';
import { forEachChunk, type SampleStore } from './sampleStore.js';

/**
 * The scale used where nothing is stated and no reference can judge: x/255 for bytes (images); floats within [-1, 1] as
 * they are; z-scores for every other number.
 */
export async function defaultPreprocess(inputs: readonly SampleStore[], rows: Uint32Array): Promise<Preprocess> {
  for (const store of inputs) {
    if (await withinOne(store, rows)) continue;
    return { scale: inputs.every((input) => input.bytes) ? 'unit' : 'standard', mean: 'none' };
  }
  return { scale: 'none', mean: 'none' };
}

/** Whether every value lies in [-1, 1]. */
async function withinOne(store: SampleStore, rows: Uint32Array): Promise<boolean> {
  let within = true;
  await forEachChunk(store, rows, (values, _start, count) => {
    within = !values.subarray(0, count * store.width).some((value) => value > 1 || value < -1);
    return within;
  });
  return within;
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

export interface ScaleChoice {
  readonly dataset: Dataset;
  readonly preprocess: Preprocess;
  /** Every candidate with the reference's loss, best first; a loss that is not finite ranks last. */
  readonly figures: readonly { readonly preprocess: Preprocess; readonly loss: number }[];
  /** One sentence with the figures, for the user. */
  readonly note: string;
}

/**
 * Chooses the preprocessing under which the reference model has the lowest loss. Loss, not accuracy: raw and x/255 inputs
 * are within a point of accuracy on most digit models.
 * @param evaluate the reference's mean loss on (part of) the given data set's training split.
 */
export async function chooseScale(
  dataset: Dataset,
  evaluate: (candidate: Dataset) => Promise<number>,
): Promise<ScaleChoice> {
  const tried: { preprocess: Preprocess; loss: number; dataset: Dataset }[] = [];
  for (const preprocess of scaleCandidates(dataset.preprocess.mean)) {
    const candidate = await dataset.withPreprocess(preprocess);
    tried.push({ preprocess, loss: await evaluate(candidate), dataset: candidate });
  }
  const rank = (loss: number) => (Number.isFinite(loss) ? loss : Infinity);
  // sort is stable: of equal losses the more common preprocessing wins.
  tried.sort((a, b) => (rank(a.loss) === rank(b.loss) ? 0 : rank(a.loss) - rank(b.loss)));
  const best = tried[0]!;
  const text = tried
    .map(({ preprocess, loss }) => `${describePreprocess(preprocess)}: ${loss.toPrecision(3)}`)
    .join('; ');
  return {
    dataset: best.dataset,
    preprocess: best.preprocess,
    figures: tried.map(({ preprocess, loss }) => ({ preprocess, loss })),
    note: `Input scale chosen by the reference's loss: ${describePreprocess(best.preprocess)} (${text}).`,
  };
}
