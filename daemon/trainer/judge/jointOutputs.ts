/** The outputs that a run trains along with the plan's own, and notes on untrained ones that share layers with it. */
import type { Dataset, OtherData } from '../../data/dataset.js';
import { withJointTargets } from '../../data/labels/jointTargets.js';
import type { EngineSession, JointOutput, SampleSource, SessionSpec } from '../../engine/engine.js';
import type { LayerSummary, Model } from '../../model/model.js';
import { outputsAlong, prunableWeightsOf, sharingOutputs, trainedLayers } from '../../model/layers/trainedLayers.js';
import { trainingSetup, type TrainingSetup } from '../../model/setup/trainingSetup.js';
import { UserError } from '../../protocol/errors.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { chanceLoss } from './chanceLoss.js';
import { isGiven, mapLabels } from '../dataMapping.js';

/** An output that may be trained along: its setup, or why it cannot be trained. */
type Candidate = { readonly output: string } & (
  { readonly setup: TrainingSetup; readonly weight: number } | { readonly reason: string }
);

const NO_LOSS = 'the file has no loss for it that is known here';

/** The outputs that a plan names, with their setups in the file. */
export function candidatesOf(model: Model, { jointly = [] }: Pick<ResolvedPlan, 'jointly'>): Candidate[] {
  return jointly.map((output) => {
    try {
      const setup = trainingSetup(model, output);
      return setup.inFile ? { output, setup, weight: setup.inFile.lossWeight } : { output, reason: NO_LOSS };
    } catch (error) {
      if (error instanceof UserError) return { output, reason: error.message };
      throw error;
    }
  });
}

export const setupsOf = (candidates: readonly Candidate[]): TrainingSetup[] =>
  candidates.flatMap((one) => ('setup' in one ? [one.setup] : []));

export interface Joining {
  /** Its `jointly` are the outputs that are trained along; its tasks exclude layers that no trained output depends on. */
  readonly plan: ResolvedPlan;
  readonly outputs: readonly { readonly setup: TrainingSetup; readonly weight: number }[];
  /** Factor of the plan's own output in the joint loss. */
  readonly lossWeight: number;
  /** Outputs that share trained layers but are not trained. */
  readonly measured: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Chooses the outputs that are trained along: those that the plan names and the data has targets for.
 * @param layers of the file's model. @param others of the data set.
 * @throws UserError('run-invalid') if the data of a resumed run has fewer; UserError('plan-invalid') if a task is left without layers.
 */
export function joinOutputs(
  plan: ResolvedPlan,
  own: TrainingSetup,
  layers: readonly LayerSummary[],
  candidates: readonly Candidate[],
  others: ReadonlyMap<string, OtherData>,
): Joining {
  const { jointly: named = [], ...alone } = plan;
  const reasons = new Map<string, string>();
  for (const one of candidates) {
    const found = 'reason' in one ? one : others.get(one.output);
    if (!found) reasons.set(one.output, 'the data has no targets named after it');
    else if ('reason' in found) reasons.set(one.output, found.reason);
  }
  const along = outputsAlong(
    layers,
    plan,
    named.filter((output) => !reasons.has(output)),
  );
  const narrowed: ResolvedPlan = along.length > 0 ? { ...alone, jointly: along } : alone;
  const trained = trainedLayers(layers, narrowed);
  if (plan.dataHash !== null && along.length < named.length) {
    const [output, reason = ''] = [...reasons][0] ?? [named.find((one) => !along.includes(one))];
    throw new UserError('run-invalid', `this run trains the output "${output}", too, and cannot any more: ${reason}; restore the data, or start a new run`); // prettier-ignore
  }
  const outputs = candidates.flatMap((one) => ('setup' in one && along.includes(one.output) ? [one] : []));
  const measured = sharingOutputs(trained, [own.output, ...along]);
  const inFile = own.inFile?.lossWeight ?? 1;
  const lossWeight = inFile === 0 ? 1 : inFile;
  const notes: string[] = [];
  if (outputs.length > 0) {
    const list = [{ setup: own, weight: lossWeight }, ...outputs].map(
      ({ setup, weight }) => `"${setup.output}" (loss weight ${weight})`,
    );
    notes.push(`${list.length} outputs are trained together, by the file's losses: ${list.join(', ')}. The loss is their weighted sum; the error is that of "${own.output}" alone, and the run is judged by it; "otherOutputs": "measure" in the plan trains "${own.output}" alone`); // prettier-ignore
    if (inFile === 0)
      notes.push(`the file's loss weight of "${own.output}" is 0: as it is the output of the plan, it has 1`);
    for (const { setup } of outputs)
      for (const note of setup.notes) if (!own.notes.includes(note)) notes.push(`output "${setup.output}": ${note}`);
  }
  for (const output of measured) {
    const reason = reasons.get(output) ?? untrainedReason(layers, output);
    notes.push(`the output "${output}", which shares layers with "${own.output}", is not trained (${reason}): how it changes is measured at the end`); // prettier-ignore
  }
  return {
    plan: outputs.length === named.length ? narrowed : withoutLayers(narrowed, plan, layers, trained, reasons),
    outputs,
    lossWeight,
    measured,
    notes,
  };
}

function untrainedReason(layers: readonly LayerSummary[], output: string): string {
  const weight = layers.find((layer) => layer.outputs)?.outputs?.find(({ name }) => name === output)?.lossWeight;
  if (weight === undefined) return NO_LOSS;
  return weight === 0 ? "the file's loss weight of it is 0" : 'the plan measures it only';
}

/** A plan whose tasks exclude the layers that only an untrained output depends on. */
function withoutLayers(
  narrowed: ResolvedPlan,
  planned: ResolvedPlan,
  layers: readonly LayerSummary[],
  trained: readonly LayerSummary[],
  reasons: ReadonlyMap<string, string>,
): ResolvedPlan {
  const prunable = (list: readonly LayerSummary[]) =>
    new Set(list.filter((layer) => prunableWeightsOf(layer) > 0).map(({ name }) => name));
  const [before, now] = [prunable(trainedLayers(layers, planned)), prunable(trained)];
  const isLeft = (layer: string) => now.has(layer) || !before.has(layer);
  const tasks = narrowed.tasks.map((task) => {
    const left = task.layers.filter(isLeft);
    if (left.length === 0) {
      const why = [...reasons].map(([output, reason]) => `"${output}" is not trained (${reason})`).join('; ');
      throw new UserError('plan-invalid', `task "${task.name}": nothing that is trained depends on its layers: the output ${why}`, { field: 'tasks' }); // prettier-ignore
    }
    const { layers: byLayer, ...budget } = task.budget;
    const bounds = byLayer && Object.fromEntries(Object.entries(byLayer).filter(([layer]) => isLeft(layer)));
    return { ...task, layers: left, budget: { ...budget, ...(bounds && { layers: bounds }) } };
  });
  return { ...narrowed, tasks };
}

/** Their specification for a session. */
export const jointSpec = ({ outputs, lossWeight }: Pick<Joining, 'outputs' | 'lossWeight'>, own: TrainingSetup) =>
  outputs.length === 0
    ? {}
    : {
        output: own.output,
        lossWeight,
        jointly: outputs.map(({ setup, weight }): JointOutput => {
          const { output, loss, lossSettings, classification, fromLogits } = setup;
          return { output, loss, lossSettings, classification, fromLogits, weight };
        }),
      };

/** The data of each of them, with the default label mapping. @param dataset in which each was found. */
export const openAlong = (outputs: Joining['outputs'], { others }: Dataset): Promise<Dataset[]> =>
  Promise.all(
    outputs.map(({ setup }) => {
      const found = others.get(setup.output)!;
      if ('reason' in found) throw new UserError('data-invalid', found.reason);
      return found.open();
    }),
  );

/**
 * The same with the label mapping of the plan's model's own answers, if that is open; no note if it is not, or the run trains the model.
 * @param dataset with the chosen input scale. @param open opens the model for one of the outputs.
 */
export async function labelsAlong(
  outputs: Joining['outputs'],
  dataset: Dataset,
  plan: Pick<ResolvedPlan, 'model' | 'reference'>,
  open: (spec: SessionSpec) => Promise<EngineSession>,
): Promise<{ readonly datasets: Dataset[]; readonly notes: readonly string[] }> {
  const datasets = await openAlong(outputs, dataset);
  const notes: string[] = [];
  if (!isGiven(plan)) return { datasets, notes };
  for (const [i, { setup }] of outputs.entries()) {
    if (datasets[i]!.encodings.length < 2) continue;
    const choice = await mapLabels(datasets[i]!, setup, open);
    datasets[i] = choice.dataset;
    notes.push(...choice.notes.map((note) => `Output "${setup.output}": ${note}`));
  }
  return { datasets, notes };
}

export type PartName = 'train' | 'validation' | 'test';

/** A part with the targets of all trained outputs. */
export const jointPart = (dataset: Dataset, along: readonly Dataset[], part: PartName) =>
  withJointTargets(
    dataset[part],
    along.map((one) => one[part]),
    dataset.inputShapes.length,
  );

/** An output's loss, and samples with its targets. */
interface Chance {
  readonly setup: Pick<TrainingSetup, 'loss' | 'outputShape'> & Partial<Pick<TrainingSetup, 'lossSettings'>>;
  readonly weight: number;
  readonly source: SampleSource;
}

/**
 * The loss of constant answers, of all outputs together; null if that of one is not known.
 * @param outputs as the session has them, its own first.
 */
export async function jointChanceLoss(
  outputs: readonly Chance[],
  session: Pick<EngineSession, 'inputShapes' | 'outputMask'>,
): Promise<number | null> {
  let sum = 0;
  for (const [i, { setup, weight, source }] of outputs.entries()) {
    const outputMask: EngineSession['outputMask'] = (inputs, count) => session.outputMask(inputs, count, i);
    const { inputShapes } = session;
    const one = await chanceLoss(
      source,
      { inputShapes, outputShape: setup.outputShape, outputMask },
      setup.loss,
      setup.lossSettings,
    );
    if (one === null) return null;
    sum += weight * one;
  }
  return sum;
}
