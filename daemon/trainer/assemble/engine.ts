/** Chooses the engine of a plan, and the label mapping and input scale by its answers. */
import { ShuffledBatches } from '../../data/batches/batches.js';
import type { Dataset } from '../../data/dataset.js';
import type { MappingChoice } from '../../data/mapping/chooseMapping.js';
import type { ChooseOptions, Considered } from '../../engine/choose.js';
import type { EngineSession, SessionSpec, Taught } from '../../engine/engine.js';
import { distillText } from '../../lc/distillation.js';
import { openEngine, type RegistryOptions } from '../../engine/registry.js';
import type { Model } from '../../model/model.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { fitPlan, microBatchOf } from '../batchSize/fitPlan.js';
import { jointPart, jointSpec, labelsAlong } from '../judge/jointOutputs.js';
import type { Timing } from '../log/timing.js';
import { answerBatch } from '../distill/ownAnswers.js';
import { taughtOf } from '../distill/teacher.js';
import { isGiven, isOpen, mapByReference } from '../dataMapping.js';
import type { AssembleOptions } from './assembled.js';
import type { OpenedData } from './data.js';
import { stateNames } from './flatWeights.js';
import { firstBatch, orderSeed } from './samples.js';

export interface OpenedEngine {
  /** The plan with batches and epochs fixed. */
  readonly plan: ResolvedPlan;
  readonly session: EngineSession;
  /** The model of the plan's reference. */
  readonly batchSize: number;
  /** Opens another session of the same engine. @param taught with the plan's distillation. */
  open(batchSize: number, taught?: boolean): Promise<EngineSession>;
  /** Opens the model for inference on the same engine, to teach; absent if the plan has no distillation. */
  readonly teacher?: { readonly taught: Taught; open(): Promise<EngineSession> };
  /** Names of the session's state, in order. */
  readonly names: readonly string[];
  /** With the chosen label mapping and input scale. */
  readonly dataset: Dataset;
  readonly along: readonly Dataset[];
  /** One sentence each: decisions, how the data is read, and problems of the engine. */
  readonly notes: readonly string[];
  readonly mapping: readonly string[];
  readonly doubts: readonly string[];
}

/** @throws UserError if no engine computes the model, or the training set is too small for the batch size. */
export async function openPlanEngine(
  given: ResolvedPlan,
  model: Model,
  data: OpenedData,
  engines: RegistryOptions,
  { purpose = 'training', comparedOn = [], free }: AssembleOptions,
  timing: Timing,
): Promise<OpenedEngine> {
  const { setup, joining, trained, dataset: opened } = data;
  let plan = given;
  let dataset = opened;
  const notes: string[] = [];
  const mapping: string[] = [];
  const output = plan.output ?? undefined;

  const taught = purpose === 'training' ? taughtOf(plan, setup) : undefined;

  const sessionSpec = (): Omit<SessionSpec, 'batchSize'> => ({
    loss: setup.loss,
    lossSettings: setup.lossSettings,
    classification: setup.classification,
    fromLogits: setup.fromLogits,
    purpose,
    seed: plan.seed,
    ...(output === undefined ? {} : { output }),
    ...jointSpec(joining, setup),
    ...(dataset.classWeights && { classWeights: dataset.classWeights }),
  });
  if (purpose === 'training') {
    const fitted = await fitPlan(
      plan,
      dataset.train.size,
      trained,
      { ...sessionSpec(), ...(taught && { taught }) },
      free,
    );
    plan = fitted.plan;
    notes.push(...fitted.notes);
    timing.mark('batch size');
    // A training set too small for the batch size is reported before the engine starts.
    for (const { batchSize } of [plan.reference, plan.training, plan.retrain])
      new ShuffledBatches(dataset.train, batchSize, 0);
  }
  const considered: Considered[] = [];
  const open = (engine: string, batchSize: number, options: ChooseOptions = {}, isTaught = false) => {
    const microBatch = microBatchOf(plan, batchSize);
    const more = { ...(microBatch !== undefined && { microBatch }), ...(isTaught && taught && { taught }) };
    const spec = { ...sessionSpec(), batchSize, ...more };
    return openEngine(engine, trained, spec, { ...engines, ...options });
  };
  const { batchSize } = plan.reference;
  /** The label mapping and input scale chosen by an engine's predictions, by its id. */
  const choices = new Map<string, MappingChoice>();
  const mappingBy = async (session: EngineSession) => {
    const { id } = session.info;
    const mapping = choices.get(id) ?? (await mapByReference(plan.data, opened, session, setup));
    choices.set(id, mapping);
    return mapping;
  };
  const isMappingOpen = isOpen(plan, dataset);
  let session = await open(plan.engine, batchSize, {
    report: (engine) => considered.push(engine),
    comparedOn,
    ...(purpose === 'training' && {
      async firstBatch(session: EngineSession, size: number) {
        const read = isMappingOpen ? (await mappingBy(session)).dataset : opened;
        const train = jointPart(read, data.along, 'train');
        const phase = plan.reference.epochs > 0 ? 'reference' : 'l-step';
        const batch = await firstBatch(new ShuffledBatches(train, size, orderSeed(plan, phase)), session, size);
        if (read.unlabelled) await answerBatch(batch, size, session, setup);
        return batch;
      },
    }),
  });
  const names = await stateNames(model, session);
  timing.mark('engine');
  notes.push(...passedOver(considered));

  if (!setup.classification)
    notes.push(
      'Errors of this regression are shares of the variance of the targets that it leaves unexplained, 1 - R^2: 0% is perfect, 100% as good as always answering the mean.',
    );
  if (isGiven(plan) && dataset.testIsCut)
    notes.push(
      'If the given model was trained on this data, the parts held out of it are no news to the model, and its errors there too low: "data": {"test": FILE} measures on data it has not seen.',
    );
  if (isMappingOpen) {
    const choice = await mappingBy(session);
    const weighed = dataset.classWeights;
    dataset = choice.dataset;
    mapping.push(...choice.notes);
    if (String(weighed) !== String(dataset.classWeights)) {
      // The weights belong to the classes, whose order has changed.
      await session.dispose();
      session = await open(session.info.id, batchSize);
    }
    timing.mark('input scale and classes');
  }
  if (taught) {
    plan = { ...plan, distill: taught };
    if (!dataset.unlabelled) notes.push(taughtNote(taught));
  }
  if (dataset.unlabelled) notes.push(UNLABELLED);
  const { id } = session.info;
  const readAlong = await labelsAlong(joining.outputs, dataset, plan, (spec) => openEngine(id, trained, spec, engines));
  notes.push(...readAlong.notes);
  const openTeacher = () => {
    const { jointly: _jointly, lossWeight: _weight, classWeights: _weights, ...alone } = sessionSpec();
    return openEngine(id, trained, { ...alone, purpose: 'inference', batchSize }, engines);
  };
  return {
    plan,
    session,
    batchSize,
    open: (size, isTaught) => open(id, size, {}, isTaught),
    ...(taught && { teacher: { taught, open: openTeacher } }),
    names,
    dataset,
    along: readAlong.datasets,
    notes,
    mapping,
    doubts: doubtsOf(considered),
  };
}

const taughtNote = (taught: Taught): string =>
  `From the first L step on, ${distillText(taught)}: the losses of batches are of that; losses and errors of evaluations are of the labels alone.`;

const UNLABELLED =
  'The data has no labels: the reference is all of the target, and every error is that against its own answers. How often they are right is not measured.';

const passedOver = (considered: readonly Considered[]): string[] =>
  considered.flatMap(({ name, available, chosen, reason }) =>
    available && !chosen ? [`${name} was passed over: ${reason}.`] : [],
  );

const doubtsOf = (considered: readonly Considered[]): string[] =>
  considered.flatMap(({ id, chosen, doubt }) => {
    if (!chosen || !doubt) return [];
    if (doubt.outcome === 'unknown') return `The numbers of the engine ${id} were not checked: ${doubt.reason}.`;
    return `WARNING: the engine ${id} computes other numbers than it should: ${doubt.reason}. The plan names it, so it is used all the same; "engine": "auto" would pass it over.`;
  });
