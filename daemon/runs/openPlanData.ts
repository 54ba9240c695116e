/** The data of a plan as its run will read it, with what training on it costs here. Nothing is trained. */
import type { Dataset } from '../data/dataset.js';
import { openDataset } from '../data/openDataset.js';
import type { EngineSession, SessionSpec } from '../engine/engine.js';
import { openEngine } from '../engine/registry.js';
import { madeUpBatch, trainingPace } from '../engine/trial.js';
import { trialBatch } from '../engine/trialSize.js';
import { buildArchitecture } from '../model/architectures.js';
import { withInputSizes } from '../model/inputSizes.js';
import type { Model } from '../model/model.js';
import { readModel } from '../model/readModel.js';
import { setupByData } from '../model/setupByData.js';
import { summarizeModel } from '../model/summarize.js';
import { asideNote, frozenNote, trainedLayers, withTrainedLayers } from '../model/trainedLayers.js';
import { trainingSetup, type TrainingSetup } from '../model/trainingSetup.js';
import { resolveInside } from '../model/workspacePath.js';
import { proposeTimes } from '../plan/proposeTimes.js';
import type { TimeProposal } from '../protocol/dataChoice.js';
import { UserError } from '../protocol/errors.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { fitToData } from '../trainer/batchSize/fitToData.js';
import { isOpen, readByReference } from '../trainer/reading.js';

export interface PlanData {
  readonly model: Model;
  readonly dataset: Dataset;
  /** What was found of the model, the data and how it is read; one sentence each. */
  readonly notes: readonly string[];
  /** The proposed one first; empty where they were not asked for, or no engine could be timed. */
  readonly times: readonly TimeProposal[];
  close(): void;
}

interface Options {
  readonly workspace: string;
  /** Images of folders that are read, at most; by default all. */
  readonly sample?: number;
  /** Also times training steps, for `times`. */
  readonly timed: boolean;
}

/**
 * @returns the data set, to be closed. What no engine can say of it is a note.
 * @throws UserError of every kind that reading the model and opening the data can.
 */
export async function openPlanData(plan: ResolvedPlan, { workspace, sample, timed }: Options): Promise<PlanData> {
  const model =
    'path' in plan.model
      ? await readModel(await resolveInside(workspace, workspace, plan.model.path), { workspace })
      : buildArchitecture(plan.model.architecture, plan.seed);
  const { setup, opened } = await setupByData(trainingSetup(model, plan.output ?? undefined), (requirements) =>
    openDataset(plan.data, requirements, {
      workspace,
      seed: plan.seed,
      trusted: true,
      ...(sample !== undefined && { sample }),
    }),
  );
  try {
    const layers = summarizeModel(model);
    const untrained = [frozenNote(layers, plan), asideNote(layers, plan)].filter((note) => note !== null);
    const asked = await askEngine(plan, model, setup, opened, { workspace, timed });
    const notes = [...asked.dataset.notes, ...setup.notes, ...untrained, ...asked.notes];
    return { model, dataset: asked.dataset, notes, times: asked.times, close: () => opened.close() };
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** What only the model can say: how the data is to be read, and how long training on it takes. */
async function askEngine(
  plan: ResolvedPlan,
  model: Model,
  setup: TrainingSetup,
  opened: Dataset,
  { workspace, timed }: Pick<Options, 'workspace' | 'timed'>,
): Promise<Pick<PlanData, 'dataset' | 'notes' | 'times'>> {
  const asksReading = isOpen(plan, opened);
  const sized = withInputSizes(model, opened.inputShapes);
  const trained = withTrainedLayers(sized, trainedLayers(summarizeModel(sized), plan));
  const spec = {
    loss: setup.loss,
    lossSettings: setup.lossSettings,
    fromLogits: setup.fromLogits,
    classification: setup.classification,
    seed: plan.seed,
    ...(plan.output !== null && { output: plan.output }),
  };
  const use = async <T>(
    more: Pick<SessionSpec, 'batchSize' | 'purpose'>,
    ask: (session: EngineSession) => Promise<T>,
  ) => {
    const session = await openEngine(plan.engine, more.purpose === 'training' ? trained : sized, { ...spec, ...more }, { folders: [workspace] }); // prettier-ignore
    try {
      return await ask(session);
    } finally {
      await session.dispose();
    }
  };
  const read = async (session: EngineSession) =>
    asksReading ? readByReference(plan.data, opened, session, setup) : { dataset: opened, notes: [] };
  const fail = (what: string) => (error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    return { dataset: opened, notes: [`${what}: ${error.message}`], times: [] };
  };
  const unread = 'Not asked of the model how to read the data';
  if (!timed) {
    if (!asksReading) return { dataset: opened, notes: [], times: [] };
    const asked = use({ batchSize: 256, purpose: 'inference' }, read);
    return asked.then(({ dataset, notes }) => ({ dataset, notes, times: [] }), fail(unread));
  }
  const { train, held } = samplesOf(opened);
  const fitted = fitToData(plan, train).plan;
  const batchSize = Math.min(fitted.training.batchSize, trialBatch(trained, fitted.training.batchSize, false));
  if (batchSize < 1) return fail('Not timed')(new UserError('plan-invalid', 'not even one sample fits into memory'));
  const asked = use({ batchSize, purpose: 'training' }, async (session) => {
    const { dataset, notes } = await read(session);
    const samplesPerSecond = await trainingPace(session, madeUpBatch(session, batchSize));
    return { dataset, notes, times: proposeTimes(fitted, { samplesPerSecond, train, held }) };
  });
  return asked.catch(fail(`${asksReading ? `${unread}, and not timed` : 'Not timed'}`));
}

/** Samples to train on, and those held out, of all that there are. */
function samplesOf({ train, validation, test, testIsCut, available }: Dataset): { train: number; held: number } {
  const read = train.size + validation.size + (testIsCut ? test.size : 0);
  const share = (part: number) => Math.round((part / Math.max(1, read)) * available.train);
  return {
    train: Math.max(1, share(train.size)),
    held: share(validation.size) + (testIsCut ? share(test.size) : (available.test ?? 0)),
  };
}
