/** The data of a plan as its run will read it, with the cost of training on it here. Nothing is trained. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Dataset } from '../data/dataset.js';
import { openDataset } from '../data/openDataset.js';
import type { EngineSession, SessionSpec } from '../engine/engine.js';
import { openEngine } from '../engine/registry.js';
import { madeUpBatch, trainingPace } from '../engine/trial.js';
import { trialBatch } from '../engine/trialSize.js';
import { buildArchitecture } from '../model/setup/architectures.js';
import { frontEndOf } from '../model/frontEnds/frontEndOf.js';
import type { LayerSummary, Model } from '../model/model.js';
import { readModel } from '../model/files/readModel.js';
import { setupByData } from '../model/setup/setupByData.js';
import { summarizeModel } from '../model/summarize.js';
import { asideNote, frozenNote, trainedLayers } from '../model/layers/trainedLayers.js';
import { trainingSetup, type TrainingSetup } from '../model/setup/trainingSetup.js';
import { resolveInside } from '../files/workspacePath.js';
import { plannedTime, proposeTimes, type MeasuredPace } from '../plan/proposeTimes.js';
import type { TimeProposal } from '../protocol/dataChoice.js';
import { UserError } from '../protocol/errors.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { fitToData } from '../trainer/batchSize/fitToData.js';
import {
  candidatesOf,
  joinOutputs,
  jointSpec,
  labelsAlong,
  setupsOf,
  type Joining,
} from '../trainer/judge/jointOutputs.js';
import { isOpen, mapByReference } from '../trainer/dataMapping.js';
import { LIMITS } from './limits.js';

export interface PlanData {
  readonly dataset: Dataset;
  /** One entry for each of the model's inputs, in its order. */
  readonly inputNames: readonly string[];
  /** Findings about the model, the data and how it is read; one sentence each. */
  readonly notes: readonly string[];
  /** The proposed one first; empty if they were not requested, or no engine could be timed. */
  readonly times: readonly TimeProposal[];
  /** Duration of a run of the plan itself; null if `times` is empty. */
  readonly planned: TimeProposal | null;
  close(): void;
}

interface Options {
  readonly workspace: string;
  /** Most images of folders that are read; default: all. */
  readonly sample?: number;
  /** Also times training steps, for `times`. */
  readonly timed: boolean;
  /** Is called with the timed session before it is closed; not called if none could be timed. */
  readonly ask?: (asked: Timed) => Promise<void>;
}

/** A timed session and its data. */
export interface Timed {
  readonly session: EngineSession;
  /** With the label mapping and input scale that the reference's answers chose. */
  readonly dataset: Dataset;
  readonly setup: TrainingSetup;
  /** With the defaults that depend on the data and the memory. */
  readonly plan: ResolvedPlan;
  readonly model: Model;
  /** As the plan trains them. */
  readonly layers: readonly LayerSummary[];
  readonly pace: MeasuredPace;
}

/** What trying a plan's first steps has found out. `notes` ends with the reason where nothing could be timed. */
export type Tried = Pick<PlanData, 'times' | 'planned' | 'notes'>;

/**
 * Times steps of a plan on some of its data, for those who ask what its run would take.
 * @param ask asked of the session that was timed; not called where none could be.
 * @throws as `openPlanData`.
 */
export async function tryPlan(plan: ResolvedPlan, workspace: string, ask?: Options['ask']): Promise<Tried> {
  const large = await tooLarge(plan, workspace);
  if (large !== null) return { times: [], planned: null, notes: [large] };
  const options = { workspace, sample: LIMITS.triedImages, timed: true, ...(ask && { ask }) };
  const { times, planned, notes, close } = await openPlanData(plan, options);
  close();
  return { times, planned, notes };
}

/** Why the plan's data is not opened to try a step on it; null: it can be. */
async function tooLarge({ data }: ResolvedPlan, workspace: string): Promise<string | null> {
  const { size } = await stat(resolve(workspace, data.source)).catch(() => ({ size: 0 }));
  return size > LIMITS.triedData ? 'the data is too large to try' : null;
}

/**
 * @returns the data set, which the caller closes. Answers that need an engine are notes if no engine works.
 * @throws UserError of every kind that reading the model and opening the data can.
 */
export async function openPlanData(plan: ResolvedPlan, { workspace, sample, timed, ask }: Options): Promise<PlanData> {
  const model =
    'path' in plan.model
      ? await readModel(await resolveInside(workspace, workspace, plan.model.path), { workspace })
      : buildArchitecture(plan.model.architecture, plan.seed);
  const candidates = candidatesOf(model, plan);
  const { setup, opened } = await setupByData(trainingSetup(model, plan.output ?? undefined), (requirements) => {
    const wanted = { ...requirements, others: setupsOf(candidates) };
    const options = { workspace, seed: plan.seed, trusted: true, ...(sample !== undefined && { sample }) };
    return openDataset(plan.data, wanted, options);
  });
  try {
    const sized = frontEndOf(model).withInputSizes(opened.inputShapes);
    const layers = summarizeModel(sized);
    const joining = joinOutputs(plan, setup, layers, candidates, opened.others);
    const untrained = [frozenNote, asideNote].map((note) => note(layers, joining.plan)).filter((note) => note !== null);
    const asked = await askEngine(joining, setup, opened, { model: sized, layers, workspace, timed, ask });
    const open = (spec: SessionSpec) => openEngine(plan.engine, sized, spec, { folders: [workspace] });
    const along = await labelsAlong(joining.outputs, asked.dataset, plan, open).catch(fail(UNREAD));
    const read = [...asked.notes, ...along.notes];
    const notes = [...asked.dataset.notes, ...setup.notes, ...untrained, ...joining.notes, ...read];
    const { inputNames } = setup;
    const { dataset, times, planned } = asked;
    return { dataset, inputNames, notes, times, planned, close: () => opened.close() };
  } catch (error) {
    opened.close();
    throw error;
  }
}

const UNREAD = 'Not asked of the model how to read the data';

/** An unanswered question, as a note. */
const fail = (what: string) => (error: unknown) => {
  if (!(error instanceof UserError)) throw error;
  return { notes: [`${what}: ${error.message}`] };
};

interface Asked extends Pick<Options, 'workspace' | 'timed'> {
  readonly ask: Options['ask'];
  /** With inputs of the data's size. */
  readonly model: Model;
  readonly layers: readonly LayerSummary[];
}

/** Answers that need the model: how to read the data, and how long training on it takes. */
async function askEngine(
  joining: Joining,
  setup: TrainingSetup,
  opened: Dataset,
  { model, layers, workspace, timed, ask }: Asked,
): Promise<Pick<PlanData, 'dataset' | 'notes' | 'times' | 'planned'>> {
  const { plan } = joining;
  const asksMapping = isOpen(plan, opened);
  const ownLayers = trainedLayers(layers, plan);
  const trained = frontEndOf(model).withTrainedLayers(ownLayers);
  const spec = {
    loss: setup.loss,
    lossSettings: setup.lossSettings,
    fromLogits: setup.fromLogits,
    classification: setup.classification,
    seed: plan.seed,
    ...(plan.output !== null && { output: plan.output }),
  };
  const use = async <T>(
    purpose: 'training' | 'inference',
    batchSize: number,
    ask: (session: EngineSession) => Promise<T>,
  ) => {
    const training = purpose === 'training';
    const wanted = { ...spec, ...(training && jointSpec(joining, setup)), purpose, batchSize };
    const session = await openEngine(plan.engine, training ? trained : model, wanted, { folders: [workspace] });
    try {
      return await ask(session);
    } finally {
      await session.dispose();
    }
  };
  const read = async (session: EngineSession) =>
    asksMapping ? mapByReference(plan.data, opened, session, setup) : { dataset: opened, notes: [] };
  const failed = (what: string) => (error: unknown) => ({
    dataset: opened,
    ...fail(what)(error),
    times: [],
    planned: null,
  });
  if (!timed) {
    if (!asksMapping) return { dataset: opened, notes: [], times: [], planned: null };
    const asked = use('inference', 256, read);
    return asked.then(({ dataset, notes }) => ({ dataset, notes, times: [], planned: null }), failed(UNREAD));
  }
  const { train, held } = samplesOf(opened);
  const fitted = fitToData(plan, train).plan;
  const batchSize = Math.min(fitted.training.batchSize, trialBatch(trained, fitted.training.batchSize, false));
  if (batchSize < 1) return failed('Not timed')(new UserError('plan-invalid', 'not even one sample fits into memory'));
  const asked = use('training', batchSize, async (session) => {
    const { dataset, notes } = await read(session);
    const samplesPerSecond = await trainingPace(session, madeUpBatch(session, batchSize));
    const pace = { samplesPerSecond, train, held };
    await ask?.({ session, dataset, setup, plan: fitted, model, layers: ownLayers, pace });
    return { dataset, notes, times: proposeTimes(fitted, pace), planned: plannedTime(fitted, pace) };
  });
  return asked.catch(failed(asksMapping ? `${UNREAD}, and not timed` : 'Not timed'));
}

/** Samples to train on, and those held out, of the whole data. */
function samplesOf({ train, validation, test, testIsCut, available }: Dataset): { train: number; held: number } {
  const read = train.size + validation.size + (testIsCut ? test.size : 0);
  const share = (part: number) => Math.round((part / Math.max(1, read)) * available.train);
  return {
    train: Math.max(1, share(train.size)),
    held: share(validation.size) + (testIsCut ? share(test.size) : (available.test ?? 0)),
  };
}
