/** Measures how a run changed the outputs that it did not train but whose layers it trained. */
import type { OtherData } from '../../data/dataset.js';
import { openDataset } from '../../data/openDataset.js';
import { sampleSource } from '../../data/batches/sampleSource.js';
import { samplesAtOnce } from '../../data/batches/samplesAtOnce.js';
import type { SampleSource } from '../../engine/engine.js';
import { openEngine, type RegistryOptions } from '../../engine/registry.js';
import type { Model } from '../../model/model.js';
import { trainingSetup, type TrainingSetup } from '../../model/setup/trainingSetup.js';
import type { OtherOutput } from '../../protocol/events.js';
import { shortPercent, significant } from '../../protocol/format.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { sizeOf } from '../../protocol/shape.js';
import { evaluationOf } from './evaluations.js';

/** Most samples on which outputs are compared, if they are small: their inputs are kept. */
const SAMPLES = 1_000;
const BATCH = 100;

/**
 * How far outputs moved: the mean of |after - before|, as a share of the spread of `before` (the root of the mean variance of its values over the
 * samples). For an output without variance it is infinite, or 0 if it did not move.
 * @param before, after [samples, size] flat.
 */
export function movement(before: Float32Array, after: Float32Array, size: number): number {
  const samples = before.length / size;
  let change = 0;
  let variance = 0;
  for (let j = 0; j < size; j++) {
    let mean = 0;
    for (let i = j; i < before.length; i += size) mean += before[i]! / samples;
    for (let i = j; i < before.length; i += size) {
      variance += (before[i]! - mean) ** 2 / before.length;
      change += Math.abs(after[i]! - before[i]!) / before.length;
    }
  }
  return change === 0 ? 0 : change / Math.sqrt(variance);
}

interface Place {
  /** Path of the trained output. */
  readonly setup: TrainingSetup;
  /** As executed: the scale of its inputs is fixed. */
  readonly plan: ResolvedPlan;
  readonly workspace: string;
  readonly engines: RegistryOptions;
  /** With inputs of the data's size; from the file, and the run's result. */
  readonly before: Model;
  readonly after: Model;
  readonly inputShapes: readonly (readonly number[])[];
  readonly outputShape: readonly number[];
  /** Setup of the trained output. */
  readonly source: SampleSource;
}

/** The first samples' inputs. */
async function readInputs({
  source,
  inputShapes,
  outputShape,
}: Place): Promise<{ inputs: Float32Array[]; count: number }> {
  const count = Math.min(samplesAtOnce(inputShapes, SAMPLES), source.size);
  const most = Math.min(BATCH, count);
  const sizes = inputShapes.map(sizeOf);
  const inputs = sizes.map((size) => new Float32Array(count * size));
  const batch = sizes.map((size) => new Float32Array(most * size));
  const target = new Float32Array(most * sizeOf(outputShape));
  for (let start = 0; start < count; start += most) {
    const n = Math.min(most, count - start);
    await source.read(start, n, batch, target);
    batch.forEach((values, i) => inputs[i]!.set(values.subarray(0, n * sizes[i]!), start * sizes[i]!));
  }
  return { inputs, count };
}

/** Opens the data again, for the targets of other outputs: only some formats have any. */
async function dataOf(others: readonly TrainingSetup[], { setup, plan, workspace }: Place) {
  const named =
    /\.(npz|csv|tsv|parquet)$/i.test(plan.data.source) || ['npz', 'csv', 'parquet'].includes(plan.data.format ?? '');
  if (!named) return null;
  return openDataset(plan.data, { ...setup, others }, { workspace, seed: plan.seed, trusted: true });
}

/** The part of the data that has targets for an output; null if there is none. */
async function targetsOf(found: OtherData | undefined): Promise<SampleSource | null> {
  if (!found || 'reason' in found) return null;
  const { test, validation, train } = await found.open();
  return sampleSource([test, validation].find(({ size }) => size > 0) ?? train);
}

/** @throws UserError as opening the model for it does. */
async function measure(
  { output, loss, lossSettings, classification, fromLogits }: TrainingSetup,
  targets: SampleSource | null,
  place: Place,
  inputs: readonly Float32Array[],
  count: number,
): Promise<OtherOutput> {
  const spec = {
    loss,
    lossSettings,
    classification,
    fromLogits,
    batchSize: BATCH,
    purpose: 'inference' as const,
    seed: 0,
    output,
  };
  const of = async (model: Model) => {
    const session = await openEngine(place.plan.engine, model, spec, place.engines);
    try {
      return {
        values: await session.predict(inputs, count),
        evaluation: targets && evaluationOf(await session.evaluate(targets)),
      };
    } finally {
      await session.dispose();
    }
  };
  const [before, after] = [await of(place.before), await of(place.after)];
  const moved = movement(before.values, after.values, before.values.length / count);
  return {
    output,
    samples: count,
    moved: Number.isFinite(moved) ? moved : null,
    ...(before.evaluation && after.evaluation && { before: before.evaluation, after: after.evaluation }),
  };
}

/** Every output that shares trained layers with the trained one, before and after. @throws UserError as `measure`. */
export async function measureOthers(outputs: readonly string[], place: Place): Promise<OtherOutput[]> {
  if (outputs.length === 0) return [];
  const { inputs, count } = await readInputs(place);
  const setups = outputs.map((output) => trainingSetup(place.before, output));
  const dataset = await dataOf(setups, place);
  try {
    const measured: OtherOutput[] = [];
    for (const setup of setups) {
      const targets = await targetsOf(dataset?.others.get(setup.output));
      measured.push(await measure(setup, targets, place, inputs, count));
    }
    return measured;
  } finally {
    dataset?.close();
  }
}

const percent = (x: number | null): string => (x === null ? 'no number' : shortPercent(x));
const number = (x: number | null): string => (x === null ? 'no number' : significant(x));

/** One sentence for the user. @param trained path of the trained output. */
export function otherText({ output, samples, moved, before, after }: OtherOutput, trained: string): string {
  const far =
    moved === null ? 'it moved, where it did not vary before' : `its mean |change| is ${percent(moved)} of its spread`;
  const figures =
    before && after
      ? `its loss went from ${number(before.loss)} to ${number(after.loss)}, its error from ${percent(before.error)} to ${percent(after.error)}; ${far}`
      : `${far} (the data has no targets named after it)`;
  return `the output "${output}" shares layers with "${trained}" and was not trained: on ${samples} samples ${figures}`;
}
