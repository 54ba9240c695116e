/** Chooses the label mapping and the input scale that the plan leaves open, by the answers of the trained model. */
import { chooseMapping, type MappingChoice, type Reference } from '../data/mapping/chooseMapping.js';
import type { Dataset, Part, Split } from '../data/dataset.js';
import type { AnswerForm } from '../data/mapping/mappingFigures.js';
import { describePreprocess, type AffineMap } from '../data/mapping/preprocess.js';
import { identityIndices } from '../data/batches/sampleStore.js';
import { tallyBatch } from '../engine/loss/tally.js';
import type { EngineSession, SessionSpec } from '../engine/engine.js';
import { createRandom } from '../lc/random.js';
import { absorbedHead } from '../model/setup/loss.js';
import { isIdentity, type InputScale } from '../model/setup/inputScale.js';
import { frontEndOf } from '../model/frontEnds/frontEndOf.js';
import type { Model } from '../model/model.js';
import type { ResolvedData, ResolvedPlan } from '../protocol/resolvedPlan.js';
import { sizeOf } from '../protocol/shape.js';

/** Most samples that decide: fewer if they or their answers are large. */
const SAMPLES = 2_000;
const INPUT_VALUES = 1 << 27;
const OUTPUT_VALUES = 1 << 21;
/** Samples that are computed at once for label mappings. */
const LABEL_BATCH = 128;
/** The choice does not depend on the seed of a run. */
const MAPPING_SEED = 0;
/** Stream of the run's seed: see createRandom. */
const SUBSET_STREAM = 7;

/** `size` of a split's samples, drawn by the seed, in the split's order. */
export function drawSamples(split: Split, size: number, seed: number): Uint32Array {
  const indices = identityIndices(split.size);
  if (split.size <= size) return indices;
  createRandom(seed, SUBSET_STREAM).shuffle(indices);
  return indices.slice(0, size).sort();
}

type Spec = Pick<SessionSpec, 'loss' | 'lossSettings' | 'fromLogits' | 'classification'>;

/** The form of the outputs, as far as a choice can be judged by them. */
function formOf({ loss, fromLogits = false, classification }: Spec, width: number): AnswerForm {
  const scale = fromLogits ? 'logits' : 'probabilities';
  if (loss === 'categoricalCrossentropy' || loss === 'sparseCategoricalCrossentropy')
    return { kind: 'classes', scale, width };
  if (loss === 'binaryCrossentropy') return { kind: 'yes-no', scale, width };
  if (classification !== true) return { kind: 'numbers', scale: 'neither', width };
  return { kind: width > 1 ? 'classes' : 'yes-no', scale: 'neither', width };
}

/** The loss of the same share for every class on one row; Infinity for numbers, and for several yes/no answers. */
function chanceOf({ loss, lossSettings }: Spec, { kind, width }: AnswerForm, size: number): number {
  if (kind === 'numbers' || (kind === 'yes-no' && size > 1)) return Infinity;
  const target = new Float32Array(width);
  target[0] = 1;
  const tally = { loss: 0, wrong: 0, rows: 0 };
  tallyBatch(tally, loss, 'none', new Float32Array(width).fill(kind === 'classes' ? 1 / width : 0.5), target, 1, width, lossSettings); // prettier-ignore
  return tally.loss;
}

/** Positions of the samples in a part that decide. @param share of the part, at most. */
export function judgedSamples(dataset: Dataset, part: Part, share = 1): Uint32Array {
  const values = (shapes: readonly (readonly number[])[]) => shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  const fitting = Math.min(INPUT_VALUES / values(dataset.inputShapes), OUTPUT_VALUES / values([dataset.targetShape]));
  const most = Math.min(SAMPLES, Math.ceil(share * part.size), Math.max(32, Math.floor(fitting)));
  return drawSamples(part, most, MAPPING_SEED);
}

type Answering = Pick<EngineSession, 'predict' | 'outputMask' | 'outputShape'>;

/** The reference for the choice, from a session's model. @param part which the deciding samples come from. */
export function referenceOf(session: Answering, spec: Spec, part: (dataset: Dataset) => Part, share = 1): Reference {
  const { loss, lossSettings, fromLogits = false } = spec;
  const size = sizeOf(session.outputShape);
  const width = session.outputShape.at(-1) ?? 1;
  const head = fromLogits ? absorbedHead(loss) : 'none';
  const form = formOf(spec, width);
  return {
    chance: chanceOf(spec, form, size),
    form,
    samples(dataset) {
      const split = part(dataset);
      return { split, indices: judgedSamples(dataset, split, share) };
    },
    predict: (inputs, count) => session.predict(inputs, count),
    outputMask: (inputs, count) => session.outputMask(inputs, count),
    losses(output, count, targets, mask = null) {
      const rows = size / width;
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
            rows,
            width,
            lossSettings,
            mask && Float32Array.from({ length: rows }, (_, row) => mask[i * rows + row]!),
          );
          return tally.loss / rows;
        }),
      );
    },
  };
}

/** Whether the reference is a trained model that the plan names, not one that the plan trains. */
export const isGiven = ({ model, reference }: Pick<ResolvedPlan, 'model' | 'reference'>): boolean =>
  'path' in model && reference.epochs === 0;

/** Without labels, no answer of the model is right or wrong. */
const isScaleOpen = ({ scale }: Pick<ResolvedData, 'scale'>, { range, unlabelled }: Dataset): boolean =>
  scale === 'auto' && range !== null && !unlabelled;

/** Whether the data leaves open what only a trained model can decide. */
export const isMappingOpen = (data: Pick<ResolvedData, 'scale'>, dataset: Dataset): boolean =>
  isScaleOpen(data, dataset) || dataset.encodings.length > 1;

/** The same for a plan: false if it fixes everything, or trains the reference itself. */
export const isOpen = (plan: Pick<ResolvedPlan, 'data' | 'model' | 'reference'>, dataset: Dataset): boolean =>
  isGiven(plan) && isMappingOpen(plan.data, dataset);

/** The part whose samples decide: not the one whose error is shown, unless there is no other. */
export const decidingPart = (dataset: Dataset): { readonly part: 'train' | 'test'; readonly share: number } =>
  dataset.wholeTest ? { part: 'test', share: 0.5 } : { part: 'train', share: 1 };

/**
 * Chooses label mapping and input scale by the answers of a trained model: on the training part; on half of the samples if all are to be evaluated. A
 * run, its preview, `sensitivity` and `evaluate` all use it.
 */
export function mapByReference(
  data: Pick<ResolvedData, 'scale'>,
  dataset: Dataset,
  session: Answering,
  spec: Spec,
): Promise<MappingChoice> {
  const { part, share } = decidingPart(dataset);
  const reference = referenceOf(session, spec, (one) => one[part], share);
  return chooseMapping(dataset, { scale: isScaleOpen(data, dataset) }, reference);
}

/** The label mapping of an output that is trained along, by its own answers; the inputs as in `dataset`. */
export async function mapLabels(
  dataset: Dataset,
  setup: Spec & { readonly output: string },
  open: (spec: SessionSpec) => Promise<EngineSession>,
): Promise<MappingChoice> {
  const { loss, lossSettings, classification, fromLogits, output } = setup;
  const own = { loss, ...(lossSettings && { lossSettings }), ...(fromLogits !== undefined && { fromLogits }) };
  const spec = { ...own, ...(classification !== undefined && { classification }), output };
  const session = await open({ ...spec, batchSize: LABEL_BATCH, purpose: 'inference', seed: MAPPING_SEED });
  try {
    return await mapByReference({ scale: 'none' }, dataset, session, setup);
  } finally {
    await session.dispose();
  }
}

/** How the inputs of a model are scaled, of those that are not taken as stored. */
export function inputScalesOf(model: Model, { maps, mapping }: Dataset): InputScale[] {
  const plain = (value: AffineMap['scale']) => (typeof value === 'number' ? value : [...value]);
  const inputs = frontEndOf(model).inputs();
  return maps
    .map(({ scale, shift }, i) => ({
      name: inputs[i]!.name,
      read: describePreprocess(mapping.preprocess),
      scale: plain(scale),
      shift: plain(shift),
    }))
    .filter((input) => !isIdentity(input));
}
