/** The user's own sample, answered by the reference and by the pruned network of a run. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { loadDecoder, toGrey } from '../../data/images/decodeImage.js';
import { inputsShown } from '../../data/inputs/inputsShown.js';
import { inputPreview } from '../../data/preview.js';
import { applyHead } from '../../engine/loss/tally.js';
import { openEngine } from '../../engine/registry.js';
import type { InputScale } from '../../model/setup/inputScale.js';
import { frontEndOf } from '../../model/frontEnds/frontEndOf.js';
import type { Model } from '../../model/model.js';
import { trainingSetup } from '../../model/setup/trainingSetup.js';
import { UserError } from '../../protocol/errors.js';
import type { InputForm, TriedAnswer, TriedSample, WhatChanged } from '../../protocol/whatChanged.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { sizeOf } from '../../protocol/shape.js';
import { readRunPlan } from '../../trainer/process/runFolder.js';
import { readReference, readRunModel, readRunScales } from '../../trainer/runModels.js';
import { openChanged, type ChangedOf } from './changed.js';

/** Most answers returned. */
const ANSWERS = 10;
/** Data whose values stay below is not stored as bytes. */
const BYTES_ABOVE = 2;

/** The user's sample as stored values, one row for each input. */
interface Stored {
  readonly inputs: readonly Float32Array[];
  readonly notes: readonly string[];
}

/**
 * @returns the answers of both networks. The data itself is opened only if what changed was never computed for this run.
 * @throws UserError('usage'
 * 'data-invalid') if the sample does not fit the network.
 */
export async function trySample(
  folder: string,
  { workspace, point, sample }: ChangedOf & { readonly sample: TriedSample },
): Promise<TriedAnswer> {
  const changed = await openChanged(folder, { workspace, point });
  const { inputs: stored, notes } = await readSample(sample, changed.form, workspace);
  const scales = await readRunScales(folder, point);
  const inputs = changed.form.map(({ name }, i) =>
    scaled(
      stored[i]!,
      scales.find((one) => one.name === name),
    ),
  );
  const plan = await readRunPlan(folder);
  const answer = async (model: Model) => answerOf(await predict(model, plan, changed.form, inputs, workspace), changed);
  const reference = await readReference(folder, workspace);
  return {
    inputs: inputsShown(changed.form.map(({ name, shape }, i) => inputPreview(name, shape, inputs[i]!, 1))),
    reference: reference && (await answer(reference)),
    pruned: await answer(await readRunModel(folder, point)),
    notes: reference ? [...notes] : [...notes, 'The reference is no longer where the run had it.'],
  };
}

async function readSample(sample: TriedSample, form: readonly InputForm[], workspace: string): Promise<Stored> {
  if (sample.kind === 'values') return { inputs: checked(sample.inputs, form), notes: [] };
  const [input, ...others] = form;
  if (!input?.image || others.length > 0)
    throw new UserError('usage', 'this network takes no single image; type a row of values instead');
  const [name, bytes] =
    sample.kind === 'file'
      ? [basename(sample.file), await readImage(sample.file)]
      : [sample.name, Buffer.from(sample.data, 'base64')];
  const [height, width, channels] = input.image;
  const { data } = await loadDecoder(workspace)(name, bytes, { width, height });
  const pixels = channels === 1 ? toGrey(data) : data;
  const [low, high] = input.stored;
  if (high > BYTES_ABOVE) return { inputs: [Float32Array.from(pixels)], notes: [] };
  // Data stored as fractions was made from such bytes by another program.
  const values = Float32Array.from(pixels, (pixel) => low + (pixel / 255) * (high - low));
  return { inputs: [values], notes: [`The pixels were brought from 0 to 255 to the data's own range, ${low} to ${high}.`] };
} // prettier-ignore

const readImage = (file: string): Promise<Buffer> =>
  readFile(file).catch((error: Error) => {
    throw new UserError('data-missing', `${file} cannot be read: ${error.message}`, { file });
  });

/** @throws UserError('usage') naming the input, and how many values it takes. */
function checked(rows: readonly (readonly number[])[], form: readonly InputForm[]): Float32Array[] {
  if (rows.length !== form.length)
    throw new UserError('usage', `the network has ${form.length} inputs, the sample has ${rows.length}`);
  return form.map(({ name, shape }, i) => {
    const [size, given] = [sizeOf(shape), rows[i]!.length];
    if (given !== size)
      throw new UserError('usage', `the input "${name}" takes ${size} values, the sample has ${given}`, {
        field: name,
      });
    return Float32Array.from(rows[i]!);
  });
}

/** Converts stored values to the networks' inputs: see InputScale. */
function scaled(values: Float32Array, scale: InputScale | undefined): Float32Array {
  if (!scale) return values;
  const at = (of: InputScale['scale'], i: number) => (typeof of === 'number' ? of : of[i % of.length]!);
  return values.map((value, i) => value * at(scale.scale, i) + at(scale.shift, i));
}

async function predict(
  model: Model,
  plan: ResolvedPlan,
  form: readonly InputForm[],
  inputs: readonly Float32Array[],
  workspace: string,
): Promise<Float32Array> {
  const output = plan.output ?? undefined;
  const { loss, lossSettings, classification } = trainingSetup(model, output);
  const sized = frontEndOf(model).withInputSizes(form.map(({ shape }) => shape));
  const spec = { loss, lossSettings, classification, batchSize: 1, purpose: 'inference' as const, seed: plan.seed };
  const session = await openEngine(plan.engine, sized, { ...spec, ...(output !== undefined && { output }) }, { folders: [workspace] }); // prettier-ignore
  try {
    return await session.predict(inputs, 1);
  } finally {
    await session.dispose();
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** An output in words. @param output of one sample, as the network returns it. */
export function answerOf(output: Float32Array, changed: Pick<WhatChanged, 'positions' | 'head' | 'result' | 'classNames'>): TriedAnswer['pruned'] {
  const { positions, head, result, classNames } = changed;
  const values = output.slice();
  const width = values.length / positions;
  applyHead(head, values, width);
  const nameOf = (i: number) => classNames?.[i] ?? String(i);
  if (result.kind === 'numbers')
    return {
      unit: 'number',
      answers: [...values.subarray(0, ANSWERS)].map((value, i) => ({ name: result.outputs[i]?.name ?? String(i), value: finite(value) })),
    };
  const best = (shares: readonly { name: string; value: number }[]): TriedAnswer['pruned'] => ({
    unit: 'share',
    answers: [...shares].sort((a, b) => b.value - a.value).slice(0, ANSWERS).map(({ name, value }) => ({ name, value: finite(value) })),
  });
  const yesNo = result.kind === 'classes' && width === 1;
  const [no, yes] = result.kind === 'classes' ? result.classes.map(({ name }) => name) : [];
  if (positions > 1) {
    // One answer for each position: counts them.
    const counts = new Map<string, number>();
    for (let row = 0; row < positions; row++) {
      const own = values.subarray(row * width, (row + 1) * width);
      const name = yesNo ? (own[0]! > 0.5 ? yes! : no!) : nameOf(own.indexOf(Math.max(...own)));
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return best([...counts].map(([name, count]) => ({ name, value: count / positions })));
  }
  if (yesNo) return best([{ name: yes!, value: values[0]! }, { name: no!, value: 1 - values[0]! }]);
  return best([...values].map((value, i) => ({ name: nameOf(i), value })));
} // prettier-ignore
