/** How the data is read where the plan leaves it open: asked of the model that is given. */
import { chooseReading, type Reference } from '../data/chooseReading.js';
import type { Dataset, Part, Split } from '../data/dataset.js';
import { identityIndices } from '../data/sampleStore.js';
import { tallyBatch } from '../engine/loss/tally.js';
import type { EngineSession, SessionSpec } from '../engine/engine.js';
import { createRandom } from '../lc/random.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';

/** Samples that choose the reading. */
const SAMPLES = 2_000;
/** Stream of the run's seed: see createRandom. */
const SUBSET_STREAM = 7;

/** `size` of a split's samples, drawn by the seed, in the split's order. */
export function drawSamples(split: Split, size: number, seed: number): Uint32Array {
  const indices = identityIndices(split.size);
  if (split.size <= size) return indices;
  createRandom(seed, SUBSET_STREAM).shuffle(indices);
  return indices.slice(0, size).sort();
}

/** The model of a session as what chooses a reading. @param part the samples it is judged on come from. */
export function referenceOf(
  session: Pick<EngineSession, 'predict' | 'outputShape'>,
  { loss, lossSettings, fromLogits = false }: Pick<SessionSpec, 'loss' | 'lossSettings' | 'fromLogits'>,
  part: (dataset: Dataset) => Part,
  seed: number,
): Reference {
  const size = session.outputShape.reduce((product, n) => product * n, 1);
  const width = session.outputShape.at(-1) ?? 1;
  const head = !fromLogits ? 'none' : loss === 'binaryCrossentropy' ? 'sigmoid' : 'softmax';
  const categorical = loss === 'categoricalCrossentropy' || loss === 'sparseCategoricalCrossentropy';
  return {
    chance: categorical ? Math.log(width) : loss === 'binaryCrossentropy' && size === 1 ? Math.log(2) : Infinity,
    samples(dataset) {
      const split = part(dataset);
      return { split, indices: drawSamples(split, SAMPLES, seed) };
    },
    async losses(inputs, count, targets) {
      const output = await session.predict(inputs, count);
      return targets.map((target) =>
        Array.from({ length: count }, (_, i) => {
          const tally = { loss: 0, wrong: 0, rows: 0 };
          const [from, to] = [i * size, (i + 1) * size];
          tallyBatch(
            tally,
            loss,
            head,
            output.subarray(from, to),
            target.subarray(from, to),
            size / width,
            width,
            lossSettings,
          );
          return tally.loss / tally.rows;
        }),
      );
    },
  };
}

/** Whether the reference is a trained model that the plan names, and not one that the plan trains. */
export const isGiven = ({ model, reference }: Pick<ResolvedPlan, 'model' | 'reference'>): boolean =>
  'path' in model && reference.epochs === 0;

/** What only a trained reference can tell; false where the plan says it all, or trains the reference itself. */
export function isOpen(plan: Pick<ResolvedPlan, 'data' | 'model' | 'reference'>, dataset: Dataset): boolean {
  return isGiven(plan) && (plan.data.scale === 'auto' || dataset.encodings.length > 1);
}

/** The reading of a plan's data by the loss of the model it gives, on the training part. */
export const readByReference = (
  plan: Pick<ResolvedPlan, 'data' | 'seed'>,
  dataset: Dataset,
  session: EngineSession,
  spec: Pick<SessionSpec, 'loss' | 'lossSettings' | 'fromLogits'>,
) =>
  chooseReading(
    dataset,
    { scale: plan.data.scale === 'auto' },
    referenceOf(session, spec, ({ train }) => train, plan.seed),
  );
