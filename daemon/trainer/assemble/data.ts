/** Opens the data of a plan for its model, and determines what of the model is trained on it. */
import type { Dataset } from '../../data/dataset.js';
import { openDataset } from '../../data/openDataset.js';
import { asideNote, frozenNote, trainedLayers } from '../../model/layers/trainedLayers.js';
import type { Model } from '../../model/model.js';
import { frontEndOf } from '../../model/frontEnds/frontEndOf.js';
import { setupByData } from '../../model/setup/setupByData.js';
import { trainingSetup, type TrainingSetup } from '../../model/setup/trainingSetup.js';
import { summarizeModel } from '../../model/summarize.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { candidatesOf, joinOutputs, openAlong, setupsOf, type Joining } from '../judge/jointOutputs.js';
import type { Timing } from '../log/timing.js';
import { unchanged } from './unchanged.js';

export interface OpenedData {
  readonly setup: TrainingSetup;
  /** With the default label mapping; also of every output that is trained along. */
  readonly dataset: Dataset;
  readonly along: readonly Dataset[];
  readonly dataHash: string;
  /** Its `plan` replaces the given one. */
  readonly joining: Joining;
  /** The model with the data's sizes in place of open ones. */
  readonly sized: Model;
  /** The same with its trained layers marked, and the list of them. */
  readonly trained: Model;
  readonly layers: ReturnType<typeof trainedLayers>;
  readonly notes: readonly string[];
}

/** @throws UserError for errors of the data, or of the plan for it. */
export async function openData(
  plan: ResolvedPlan,
  model: Model,
  workspace: string,
  timing: Timing,
): Promise<OpenedData> {
  const candidates = candidatesOf(model, plan);
  const { setup, opened } = await setupByData(trainingSetup(model, plan.output ?? undefined), (requirements) => {
    const wanted = { ...requirements, others: setupsOf(candidates) };
    return openDataset(plan.data, wanted, { workspace, seed: plan.seed, trusted: true });
  });
  const dataHash = unchanged('data', plan.dataHash, opened.hash);
  timing.mark('data');
  // The result keeps its open sizes; what is computed has those of the data.
  const sized = frontEndOf(model).withInputSizes(opened.inputShapes);
  const summary = summarizeModel(sized);
  const joining = joinOutputs(plan, setup, summary, candidates, opened.others);
  const along = await openAlong(joining.outputs, opened);
  const layers = trainedLayers(summary, joining.plan);
  const trained = frontEndOf(sized).withTrainedLayers(layers);
  const notes = [frozenNote(summary, joining.plan), asideNote(summary, joining.plan)].filter((note) => note !== null);
  return {
    setup,
    dataset: opened,
    along,
    dataHash,
    joining,
    sized,
    trained,
    layers,
    notes: [...notes, ...joining.notes],
  };
}
