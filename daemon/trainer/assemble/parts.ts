/** The tasks of a plan, its batches and its evaluation sets. */
import { ShuffledBatches } from '../../data/batches/batches.js';
import { sampleSource } from '../../data/batches/sampleSource.js';
import { fileFormatOf } from '../../export/sparse/packageFormat.js';
import type { SampleSource } from '../../engine/engine.js';
import type { Model } from '../../model/model.js';
import { taughtBatches } from '../distill/taughtBatches.js';
import { answeredSource } from '../distill/ownAnswers.js';
import { Teacher } from '../distill/teacher.js';
import { chanceError } from '../judge/chance.js';
import { jointChanceLoss, jointPart, type PartName } from '../judge/jointOutputs.js';
import type { Batches } from '../run.js';
import { createSessions } from '../sessions.js';
import { createTasks, prunedLayers } from '../tasks.js';
import type { Parts } from './assembled.js';
import type { OpenedData } from './data.js';
import type { OpenedEngine } from './engine.js';
import { orderSeed, subset } from './samples.js';
import { LIMITS } from '../limits.js';

/** Number of training samples that theta is evaluated on. */
const SUBSET = 10_000;

/** @throws UserError if a budget of the plan is impossible. */
export async function createParts(
  model: Model,
  { setup, joining, layers }: OpenedData,
  { plan, session, batchSize, open, dataset, along, teacher: teaching }: OpenedEngine,
): Promise<Parts> {
  const streams = new Map<string, Batches>();
  const { unlabelled } = dataset;
  // The session has the weights of the model's file, which is the reference of a plan without labels.
  const measured = (source: SampleSource) => (unlabelled ? answeredSource(source, session, setup) : source);
  const part = async (name: PartName) =>
    dataset[name].size > 0 ? await measured(sampleSource(jointPart(dataset, along, name))) : null;
  const train = jointPart(dataset, along, 'train');
  const sets = {
    train: await measured(subset(train, SUBSET, plan.seed)),
    validation: await part('validation'),
    test: await part('test'),
  };
  // An output that is trained alone has no factor.
  const weight = along.length > 0 ? joining.lossWeight : 1;
  const own = { setup, weight, source: sets.train };
  const others = joining.outputs.map((one, i) => ({ ...one, source: subset(along[i]!.train, SUBSET, plan.seed) }));
  const chanceLoss = await jointChanceLoss([own, ...others], session);
  const teacher =
    teaching &&
    new Teacher({
      ...teaching,
      setup,
      train: dataset.train,
      chance: { all: chanceLoss, own: await jointChanceLoss([{ ...own, weight: 1 }], session), weight },
    });
  return {
    plan,
    sessions: createSessions(open, { session, batchSize }, teacher !== undefined),
    ...(teacher && { teacher }),
    batches(size, phase) {
      const key = `${phase} ${size}`;
      let stream = streams.get(key);
      if (!stream) {
        const seed = orderSeed(plan, phase);
        if (teacher && phase !== 'reference') stream = taughtBatches(train, size, seed, teacher);
        else {
          const batches = new ShuffledBatches(train, size, seed);
          stream = Object.assign(batches, { restore: batches.restore.bind(batches) as (state: unknown) => void });
        }
        streams.set(key, stream);
      }
      return stream;
    },
    sets,
    tasks: (budget) => createTasks(plan, layers, session.parameters, budget, fileFormatOf(model)),
    layers: prunedLayers(plan, layers, session.parameters),
    checkpointMs: LIMITS.checkpointInterval,
    chanceError: setup.classification ? await chanceError(sets.test ?? sets.validation ?? sets.train, session) : 1,
    chanceLoss,
    regression: !setup.classification,
    unlabelled,
  };
}
