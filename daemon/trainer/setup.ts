/** Assembles what the loops need from a plan: model, data, engine, tasks. */
import type { ReadingChoice } from '../data/reading/chooseReading.js';
import { openDataset } from '../data/openDataset.js';
import { ShuffledBatches } from '../data/batches/batches.js';
import { sampleSource } from '../data/batches/sampleSource.js';
import type { Dataset, Split } from '../data/dataset.js';
import type {
  EngineInfo,
  EngineProvider,
  EngineSession,
  Purpose,
  SampleSource,
  SessionSpec,
} from '../engine/engine.js';
import { fileFormatOf } from '../export/sparse/packageFormat.js';
import type { ChooseOptions, Considered } from '../engine/choose.js';
import { openEngine, prepareEngines } from '../engine/registry.js';
import { buildArchitecture } from '../model/setup/architectures.js';
import type { InputScale } from '../model/setup/inputScale.js';
import { withInputSizes } from '../model/setup/inputSizes.js';
import type { Model } from '../model/model.js';
import { readModel } from '../model/files/readModel.js';
import { summarizeModel } from '../model/summarize.js';
import { setupByData } from '../model/setup/setupByData.js';
import { asideNote, frozenNote, trainedLayers, withTrainedLayers } from '../model/layers/trainedLayers.js';
import { trainingSetup } from '../model/setup/trainingSetup.js';
import { hashModel } from '../model/weights.js';
import { resolveInside } from '../files/workspacePath.js';
import { UserError } from '../protocol/errors.js';
import type { OtherOutput } from '../protocol/events.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { sizeOf } from '../protocol/shape.js';
import { chanceError } from './judge/chance.js';
import { decisionNotes } from './judge/evaluations.js';
import { fitPlan, microBatchOf } from './batchSize/fitPlan.js';
import {
  candidatesOf,
  jointChanceLoss,
  jointPart,
  jointSpec,
  joinOutputs,
  labelsAlong,
  openAlong,
  setupsOf,
  type PartName,
} from './judge/jointOutputs.js';
import { prunableWeights } from './kept.js';
import { measureOthers } from './judge/otherOutputs.js';
import type { Batches, Run } from './run.js';
import { drawSamples, inputScalesOf, isGiven, isOpen, readByReference } from './reading.js';
import { createSessions } from './sessions.js';
import { startTiming } from './log/timing.js';
import { createTasks, prunedLayers } from './tasks.js';
import type { NamedInput } from './whatChanged/inputForms.js';

/** Training samples that theta is evaluated on. */
const SUBSET = 10_000;
/** What a kill costs at most. */
const CHECKPOINT_MS = 20_000;
/** Each training phase has its own data order. */
const ORDER_SEEDS: Record<string, number> = { reference: 0x1000_0000, 'l-step': 0, prune: 0, retrain: 0x2000_0000 };

const orderSeed = ({ seed }: ResolvedPlan, phase: string): number => (seed ^ ORDER_SEEDS[phase]!) >>> 0;

/** A run's context but for what the process around it provides. */
export type Parts = Pick<
  Run,
  | 'plan'
  | 'sessions'
  | 'batches'
  | 'sets'
  | 'tasks'
  | 'layers'
  | 'chanceError'
  | 'chanceLoss'
  | 'regression'
  | 'checkpointMs'
>;

/** All of a session's values, flat: its trainable weights, and its non-trainable state. */
export interface FlatWeights {
  readonly weights: Float32Array;
  readonly statistics: Float32Array;
}

/** What inputs and answers are called, and how they are read: for those who show them. */
export interface SampleFacts {
  readonly inputs: readonly NamedInput[];
  /** Names of the classes; null where there are none. */
  readonly classes: readonly string[] | null;
  /** Names of the target's values, as far as the data has them. */
  readonly outputs: readonly string[];
  readonly spec: Pick<SessionSpec, 'loss' | 'lossSettings' | 'classification' | 'fromLogits'>;
}

export interface Assembled {
  readonly parts: Parts;
  /** The plan with the hashes of model and data, and the input scale and engine that were chosen. */
  readonly plan: ResolvedPlan;
  readonly model: Model;
  /** Of one sample, per input, as trained on: what the model may leave open. */
  readonly inputShapes: readonly (readonly number[])[];
  /** Of the inputs that are not taken as stored. */
  readonly inputScales: readonly InputScale[];
  readonly engine: EngineInfo;
  /** Trainable weights, and those the tasks cover. */
  readonly weights: number;
  readonly prunable: number;
  /** Names of the trainable weights. */
  readonly parameters: ReadonlySet<string>;
  /** One sentence each, for the user. */
  readonly notes: readonly string[];
  /** The same, of how the reference's answers had the data read: the scale of the inputs and the classes, with the figures. */
  readonly reading: readonly string[];
  /** The same, of the engine: what a comparison with the reference found amiss just now. */
  readonly doubts: readonly string[];
  /** Path of the trained output: of several that are trained together, the one whose error counts. */
  readonly output: string;
  /** What became of the outputs that were not trained, in a result. @throws UserError where they cannot be computed. */
  others(result: Model): Promise<OtherOutput[]>;
  readonly facts: SampleFacts;
  /** The values of a model with this one's weights by name, such as the run's reference or its result. @throws UserError('run-invalid'). */
  flatWeights(model: Pick<Model, 'weights' | 'path'>): FlatWeights;
  /** The model with these weights; `statistics` is a session's state. */
  withWeights(weights: Float32Array, statistics: Float32Array): ReadonlyMap<string, Float32Array>;
}

export interface AssembleOptions {
  readonly workspace: string;
  /** 'inference' where nothing will be trained. Default 'training'. */
  readonly purpose?: Purpose;
  /** Devices on which the run's engine was compared with the reference before: see ChooseOptions. */
  readonly comparedOn?: readonly string[];
  /** Bytes of memory that training may share; by default what the process may still take. */
  readonly free?: number;
  /** Engines in the order of `auto`; by default all there are. */
  readonly providers?: readonly EngineProvider[];
}

export type Assemble = (plan: ResolvedPlan, options: AssembleOptions) => Promise<Assembled>;

/** A fixed subset of a split, drawn by the seed, in the split's order. */
export function subset(split: Split, size: number, seed: number): SampleSource {
  if (split.size <= size) return sampleSource(split);
  const chosen = drawSamples(split, size, seed);
  return { size, read: (start, count, inputs, target) => split.gather(chosen, start, count, inputs, target) };
}

/** The first of the batches, of `size` samples each, in buffers of its own. */
async function firstBatch(batches: ShuffledBatches, session: EngineSession, size: number) {
  const { inputShapes, jointShapes, outputShape } = session;
  const buffer = (shape: readonly number[]) => new Float32Array(size * sizeOf(shape));
  const batch = { inputs: [...inputShapes, ...jointShapes].map(buffer), target: buffer(outputShape) };
  await batches.next(batch.inputs, batch.target);
  return batch;
}

/** Names of the session's non-trainable state, in order: the model's other weights, whose values it still has. */
async function stateNames(model: Model, session: EngineSession): Promise<string[]> {
  const trained = new Set(session.parameters.map(({ name }) => name));
  const others = model.weights.filter(({ name }) => !trained.has(name));
  const state = await session.getState();
  let at = 0;
  for (const { name, data } of others) {
    const same =
      at + data.length <= state.length && data.every((x, i) => Object.is(x, state[at + i]) || x === state[at + i]);
    if (!same)
      throw new UserError('engine-failed', `${session.info.name} lost the weight "${name}"; choose another engine`);
    at += data.length;
  }
  if (at !== state.length)
    throw new UserError('engine-failed', `${session.info.name} has state that is not in the model`);
  return others.map(({ name }) => name);
}

async function openModel(plan: ResolvedPlan, workspace: string): Promise<Model> {
  if ('architecture' in plan.model) return buildArchitecture(plan.model.architecture, plan.seed);
  return readModel(await resolveInside(workspace, workspace, plan.model.path), { workspace });
}

/** @throws UserError('run-invalid') where a resumed plan's model or data has changed since the run started. */
function unchanged(what: 'model' | 'data', before: string | null, now: string): string {
  if (before !== null && before !== now) {
    throw new UserError(
      'run-invalid',
      `the ${what} has changed since this run started; restore it, or start a new run`,
    );
  }
  return now;
}

/** @throws UserError of every kind that reading the model, opening the data and choosing an engine can. */
export const assemble: Assemble = async (written, options) => {
  const { workspace, purpose = 'training', comparedOn = [], providers } = options;
  let plan = written;
  const timing = startTiming();
  const engines = { folders: [workspace], ...(providers && { providers }) };
  // Whatever is wrong there is told when the engine is opened.
  prepareEngines(plan.engine, engines).catch(() => undefined);
  const model = await openModel(plan, workspace);
  const modelHash = unchanged('model', plan.modelHash, hashModel(model));
  const output = plan.output ?? undefined;
  timing.mark('model');
  const candidates = candidatesOf(model, plan);
  const { setup, opened } = await setupByData(trainingSetup(model, output), (requirements) => {
    const wanted = { ...requirements, others: setupsOf(candidates) };
    return openDataset(plan.data, wanted, { workspace, seed: plan.seed, trusted: true });
  });
  let dataset: Dataset = opened;
  const dataHash = unchanged('data', plan.dataHash, dataset.hash);
  timing.mark('data');
  const choiceNotes: string[] = [];
  const reading: string[] = [];
  // The result keeps its open sizes; what is computed has those of the data.
  const sized = withInputSizes(model, dataset.inputShapes);
  const summary = summarizeModel(sized);
  const joining = joinOutputs(plan, setup, summary, candidates, opened.others);
  plan = joining.plan;
  let along = await openAlong(joining.outputs, opened);
  const layers = trainedLayers(summary, plan);
  const trained = withTrainedLayers(sized, layers);
  for (const note of [frozenNote(summary, plan), asideNote(summary, plan)]) if (note !== null) choiceNotes.push(note);
  choiceNotes.push(...joining.notes);

  const sessionSpec = () => ({
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
    const fitted = await fitPlan(plan, dataset.train.size, trained, sessionSpec(), options.free);
    plan = fitted.plan;
    choiceNotes.push(...fitted.notes);
    timing.mark('batch size');
    // Too small a training set for the batch size is told before the engine starts.
    for (const { batchSize } of [plan.reference, plan.training, plan.retrain])
      new ShuffledBatches(dataset.train, batchSize, 0);
  }
  const considered: Considered[] = [];
  const open = (engine: string, batchSize: number, options: ChooseOptions = {}) => {
    const microBatch = microBatchOf(plan, batchSize);
    const spec = { ...sessionSpec(), batchSize, ...(microBatch !== undefined && { microBatch }) };
    return openEngine(engine, trained, spec, { ...engines, ...options });
  };
  const { batchSize } = plan.reference;
  /** The reading that an engine's predictions led to, by its id. */
  const readings = new Map<string, ReadingChoice>();
  const readingBy = async (session: EngineSession) => {
    const { id } = session.info;
    const reading = readings.get(id) ?? (await readByReference(plan.data, opened, session, setup));
    readings.set(id, reading);
    return reading;
  };
  const isReadingOpen = isOpen(plan, dataset);
  let session = await open(plan.engine, batchSize, {
    report: (engine) => considered.push(engine),
    comparedOn,
    ...(purpose === 'training' && {
      async firstBatch(session: EngineSession, size: number) {
        const read = isReadingOpen ? (await readingBy(session)).dataset : opened;
        const train = jointPart(read, along, 'train');
        const phase = plan.reference.epochs > 0 ? 'reference' : 'l-step';
        return firstBatch(new ShuffledBatches(train, size, orderSeed(plan, phase)), session, size);
      },
    }),
  });
  const names = await stateNames(model, session);
  timing.mark('engine');
  for (const { name, available, chosen, reason } of considered) {
    if (available && !chosen) choiceNotes.push(`${name} was passed over: ${reason}.`);
  }
  const doubts = considered.flatMap(({ id, chosen, doubt }) => {
    if (!chosen || !doubt) return [];
    if (doubt.outcome === 'unknown') return `The numbers of the engine ${id} were not checked: ${doubt.reason}.`;
    return `WARNING: the engine ${id} computes other numbers than it should: ${doubt.reason}. The plan names it, so it is used all the same; "engine": "auto" would pass it over.`;
  });

  if (!setup.classification)
    choiceNotes.push(
      'Errors of this regression are shares of the variance of the targets that it leaves unexplained, 1 - R^2: 0% is perfect, 100% as good as always answering the mean.',
    );
  if (isGiven(plan) && dataset.testIsCut)
    choiceNotes.push(
      'If the given model was trained on this data, the parts held out of it are no news to the model, and its errors there too low: "data": {"test": FILE} measures on data it has not seen.',
    );
  if (isReadingOpen) {
    const choice = await readingBy(session);
    const weighed = dataset.classWeights;
    dataset = choice.dataset;
    reading.push(...choice.notes);
    if (String(weighed) !== String(dataset.classWeights)) {
      // The weights belong to the classes, whose order is another now.
      await session.dispose();
      session = await open(session.info.id, batchSize);
    }
    timing.mark('input scale and classes');
  }
  const { id } = session.info;
  const readAlong = await labelsAlong(joining.outputs, dataset, plan, (spec) => openEngine(id, trained, spec, engines));
  along = readAlong.datasets;
  choiceNotes.push(...readAlong.notes);
  const {
    preprocess: { scale, mean },
    encoding: { order },
  } = dataset.reading;
  const data = { ...plan.data, scale, mean, classes: typeof order === 'string' ? order : [...order] };

  const streams = new Map<string, Batches>();
  const part = (name: PartName) => (dataset[name].size > 0 ? sampleSource(jointPart(dataset, along, name)) : null);
  const train = jointPart(dataset, along, 'train');
  const sets = { train: subset(train, SUBSET, plan.seed), validation: part('validation'), test: part('test') };
  const pruned = prunedLayers(plan, layers, session.parameters);
  const parts: Parts = {
    plan,
    sessions: createSessions((size) => open(session.info.id, size), { session, batchSize }),
    batches(size, phase) {
      const key = `${phase} ${size}`;
      let stream = streams.get(key);
      if (!stream) {
        const batches = new ShuffledBatches(train, size, orderSeed(plan, phase));
        stream = Object.assign(batches, { restore: batches.restore.bind(batches) as (state: unknown) => void });
        streams.set(key, stream);
      }
      return stream;
    },
    sets,
    tasks: (budget) => createTasks(plan, layers, session.parameters, budget, fileFormatOf(model)),
    layers: pruned,
    checkpointMs: CHECKPOINT_MS,
    chanceError: setup.classification ? await chanceError(sets.test ?? sets.validation ?? sets.train, session) : 1,
    chanceLoss: await jointChanceLoss(
      [
        { setup, weight: joining.lossWeight, source: sets.train },
        ...joining.outputs.map((one, i) => ({ ...one, source: subset(along[i]!.train, SUBSET, plan.seed) })),
      ],
      session,
    ),
    regression: !setup.classification,
  };
  const budgets = [...(plan.path?.budgets ?? []), null];
  const budgetNotes = new Set(budgets.flatMap((budget) => parts.tasks(budget).notes));
  timing.mark('budget');
  const { parameters, info } = session;
  console.error(`ready after ${timing.text()}`);
  return {
    parts,
    plan: { ...plan, engine: info.id, modelHash, dataHash, data },
    model,
    inputShapes: session.inputShapes,
    inputScales: inputScalesOf(model, dataset),
    engine: info,
    weights: session.size,
    prunable: prunableWeights(pruned),
    parameters: new Set(parameters.map(({ name }) => name)),
    // The data set is the one of the chosen scale by now: its notes do not speak of another.
    doubts,
    reading,
    output: setup.output,
    others: (result) =>
      measureOthers(joining.measured, {
        setup,
        plan: { ...plan, engine: info.id, data },
        workspace,
        engines,
        before: sized,
        after: withInputSizes(result, dataset.inputShapes),
        inputShapes: session.inputShapes,
        outputShape: session.outputShape,
        source: sets.test ?? sets.validation ?? sets.train,
      }),
    notes: [
      ...model.notes,
      ...setup.notes,
      ...dataset.notes,
      ...choiceNotes,
      ...decisionNotes(plan, sets),
      ...budgetNotes,
    ],
    facts: {
      inputs: session.inputShapes.map((shape, i) => ({
        name: setup.inputNames[i] ?? `input ${i + 1}`,
        shape,
        columns: dataset.fields?.kind === 'columns' ? (dataset.fields.inputs[i] ?? []) : [],
        map: dataset.maps[i] ?? { scale: 1, shift: 0 },
      })),
      classes: dataset.classes ?? null,
      outputs: dataset.fields?.labels ?? [],
      spec: {
        loss: setup.loss,
        lossSettings: setup.lossSettings,
        classification: setup.classification,
        fromLogits: setup.fromLogits,
      },
    },
    flatWeights({ weights, path }) {
      const byName = new Map(weights.map(({ name, data }) => [name, data]));
      const flat = (wanted: readonly { name: string; size: number }[]) => {
        const values = new Float32Array(wanted.reduce((sum, { size }) => sum + size, 0));
        let at = 0;
        for (const { name, size } of wanted) {
          const data = byName.get(name);
          if (data?.length !== size)
            throw new UserError('run-invalid', `${path} is not of this run: "${name}" is missing or of another size`, { file: path }); // prettier-ignore
          values.set(data, at);
          at += size;
        }
        return values;
      };
      const own = new Map(model.weights.map(({ name, data }) => [name, data.length]));
      const states = names.map((name) => ({ name, size: own.get(name)! }));
      return { weights: flat([...parameters].sort((a, b) => a.offset - b.offset)), statistics: flat(states) };
    },
    withWeights(weights, statistics) {
      const map = new Map(parameters.map(({ name, offset, size }) => [name, weights.slice(offset, offset + size)]));
      let at = 0;
      for (const name of names) {
        const { length } = model.weights.find((weight) => weight.name === name)!.data;
        map.set(name, statistics.slice(at, at + length));
        at += length;
      }
      return map;
    },
  };
};
