/** One network on native-cpu, on onnx-cpu and in float64: outputs, loss, gradients, and the weights after an LC iteration. */
import { applyHead } from '../../../daemon/engine/loss/tally.js';
import type { ModelGraphs } from '../../../daemon/engine/graphs/modelGraphs.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { UserError } from '../../../daemon/protocol/errors.js';
import { checkDerivatives } from './derivatives.js';
import { type EngineName, engineNames, isRefusal, type Opened, openEngine, refusalOf } from './engines.js';
import { distance, judge, type Judgement, norm } from './judge.js';
import { compress, requests, type Request, steps, train } from './lcIteration.js';
import { type Batch, batchesOf, directionsOf, modelOf, type Network } from './networks/network.js';
import { costOf, inferred, Oracle, type Start, statesOf } from './oracle.js';
import type { Verdict } from './verdict.js';

/** Costs (in units of `costOf`) up to which inference runs at all, and up to which float64 computes it without suspicion. */
const inferenceLimits = { run: 1.5e8, exact: 6e6, judged: 2e9 };
/** Up to which the training steps are computed in float64 without suspicion. */
const trainingLimit = 2e6;
/** Beyond this float32 has no room left. */
const overflow = 1e30;

interface Trial {
  readonly network: Network;
  readonly model: LayersModel;
  readonly engines: readonly Opened[];
  readonly oracle: Oracle;
  readonly start: Start;
  readonly judgement: Judgement;
  readonly refusals: string[];
  readonly stage: (name: string) => void;
}

const found = <T>(engines: readonly Opened[], values: readonly T[]): Partial<Record<EngineName, T>> =>
  Object.fromEntries(engines.map(({ name }, i) => [name, values[i]!]));

/** Runs `action` on each engine, telling which. */
async function onEach<T>(
  { engines, stage }: Trial,
  what: string,
  action: (engine: Opened) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (const engine of engines) {
    stage(`${engine.name}: ${what}`);
    results.push(await action(engine));
  }
  stage(`float64: ${what}`);
  return results;
}

/** Loss and gradient of one batch. @returns the gradient's norm, or null if the numbers are too large to compare. */
async function compareGradients(trial: Trial, batch: Batch): Promise<number | null> {
  const { network, engines, oracle, start, judgement } = trial;
  const results = await onEach(trial, 'gradient', ({ session }) => session.gradient(batch.inputs, batch.target));
  const at = oracle.interpreter(start, batch);
  const loss = at.value(oracle.loss);
  const gradient = oracle.gradient(at);
  const size = norm(gradient);
  if (!(Math.abs(loss[0]!) < overflow && size < overflow)) return null;
  const noisyRuns = new Map<number, ReturnType<Oracle['interpreter']>>();
  const noisy = (seed: number) => {
    if (!noisyRuns.has(seed)) noisyRuns.set(seed, oracle.interpreter(start, batch, seed));
    return noisyRuns.get(seed)!;
  };
  judge({ name: 'loss', found: found(engines, results.map((result) => [result.loss])), exact: loss, noisy: (seed) => noisy(seed).value(oracle.loss), floor: 1e-6 }, judgement); // prettier-ignore
  for (const { name, offset, size: n } of engines[0]!.session.parameters) {
    const part = <T extends Float32Array | Float64Array>(flat: T) => flat.subarray(offset, offset + n);
    judge(
      {
        name: `gradient of ${name.replace(/.*\//, '')}`,
        found: found(engines, results.map((result) => part(result.gradient))),
        exact: part(gradient),
        noisy: (seed) => part(oracle.gradient(noisy(seed))),
        floor: 1e-7 + 1e-6 * size * Math.sqrt(n / gradient.length),
      },
      judgement,
    ); // prettier-ignore
  }
  checkDerivatives(engines[0]!.session, oracle, at, directionsOf(network), (seed) => oracle.gradient(noisy(seed)), judgement); // prettier-ignore
  return size;
}

async function comparePredictions(trial: Trial, batch: Batch): Promise<void> {
  const { network, engines, start, judgement } = trial;
  const { session, graphs } = engines[0]!;
  // The inference batch is larger: its graph costs about a third of training's for each sample.
  const perSample = costOf(graphs[0]!, [trial.oracle.loss]) / network.batchSize;
  if (perSample * 512 > inferenceLimits.run) return;
  let results: Float32Array[];
  try {
    results = await onEach(trial, 'predict', (engine) => engine.session.predict(batch.inputs, network.batchSize));
  } catch (error) {
    // The inference graph is made when it is needed first: a session that opened may refuse it then.
    if (!isRefusal(error)) throw error;
    trial.refusals.push(refusalOf('inference on native', error));
    return;
  }
  const graph = graphs[1]!;
  const cost = costOf(graph);
  const suspicious = results.some((values) => distance(values, results[0]!) > 1e-5 * (norm(values) + 1));
  if (cost > (suspicious ? inferenceLimits.judged : inferenceLimits.exact)) return;
  const head = network.fromLogits ? 'none' : headOf(session);
  const exact = (noise?: number): ArrayLike<number> => {
    const output = inferred(session, graph, start, batch.inputs, noise).slice(0, results[0]!.length);
    applyHead(head, output as never, session.outputShape.at(-1) ?? 1);
    return output;
  };
  judge({ name: 'output', found: found(engines, results), exact: exact(), noisy: exact, floor: 1e-6 }, judgement);
}

/** The head that the session takes off for its loss. */
const headOf = (session: Opened['session']) => (session as unknown as { traced: ModelGraphs }).traced.outputs[0]!.head;

async function compareTraining(
  trial: Trial,
  name: string,
  from: Float32Array,
  request: Request,
  batches: readonly Batch[],
): Promise<Float32Array | null> {
  // prettier-ignore
  const { model, engines, oracle, start, judgement } = trial;
  const results = await onEach(trial, name, async ({ session }) => {
    session.setRandomState(start.randomState);
    const initial = new Float32Array([...start.states.values()].flatMap((values) => Array.from(values)));
    await session.setState(initial);
    return train(session, from, request, batches);
  });
  const finite = results.flatMap((result) => result ?? []);
  if (finite.length < results.length) {
    if (finite.length > 0) judgement.differ.push(`${name}: the loss is finite on one engine only`);
    return null;
  }
  const moved = distance(finite[0]!.weights, from);
  const suspicious = finite.some(({ weights }) => distance(weights, finite[0]!.weights) > 1e-5 * moved + 1e-6 * norm(from)); // prettier-ignore
  if (!suspicious && steps * costOf(oracle.training) > trainingLimit) return finite[0]!.weights;
  const exact = (noise?: number) => oracle.train({ ...start, weights: from }, request, batches, noise);
  const end = exact();
  // The error is relative to the movement of the weights: their starting values are irrelevant.
  const change = (weights: ArrayLike<number>) => Float64Array.from(weights, (w, i) => w - from[i]!);
  judge({ name: `weights after ${name}`, found: found(engines, finite.map(({ weights }) => change(weights))), exact: change(end.weights), noisy: (seed) => change(exact(100 * seed).weights), floor: 1e-6 * norm(from) + 1e-6 }, judgement); // prettier-ignore
  const flat = ({ states }: Start) => [...states.values()].flatMap((values) => Array.from(values));
  if (start.states.size > 0)
    judge({ name: `states after ${name}`, found: found(engines, finite.map(({ state }) => [...statesOf(engines[0]!.session, model, state).values()].flatMap((values) => Array.from(values)))), exact: flat(end), noisy: (seed) => flat(exact(100 * seed)), floor: 1e-6 }, judgement); // prettier-ignore
  if (request.mask?.keep.some((keep, i) => keep === 0 && finite.some(({ weights }) => weights[i] !== 0)))
    judgement.differ.push(`${name}: a masked weight is not 0`);
  return finite[0]!.weights;
}

async function compareAll(trial: Trial): Promise<boolean> {
  const { network, engines, start } = trial;
  const { session } = engines[0]!;
  const next = batchesOf(network, session.inputShapes, session.outputShape);
  const batch = next();
  const scale = await compareGradients(trial, batch);
  if (scale === null) return false;
  await comparePredictions(trial, batch);
  const from = Float32Array.from(start.weights);
  const batches = Array.from({ length: steps }, next);
  const { l } = requests(network, session, compress(session, from), scale);
  const after = await compareTraining(trial, 'the L step', from, l, batches);
  if (!after) return true;
  const theta = compress(session, after);
  const { mask } = requests(network, session, theta, scale);
  await compareTraining(trial, 'retraining', theta, mask, batches);
  return true;
}

/** @param stage is called before each step, so that a crash report names the step. */
export async function compareEngines(network: Network, stage: (name: string) => void): Promise<Verdict> {
  const begun = performance.now();
  const judgement: Judgement = { differ: [], notes: new Set() };
  const refusals: string[] = [];
  const engines: Opened[] = [];
  const verdict = (kind: Verdict['kind'], what?: string): Verdict => ({
    seed: network.seed,
    kind,
    ...(what ? { what } : {}),
    refusals,
    notes: [...judgement.notes],
    milliseconds: Math.round(performance.now() - begun),
  });
  try {
    const model = modelOf(network);
    for (const name of engineNames) {
      stage(`${name}: open`);
      const opened = await openEngine(name, model, network);
      if ('session' in opened) engines.push(opened);
      else refusals.push(opened.refused);
      // What cannot be traced cannot be traced again.
      if ('refused' in opened && opened.refused.startsWith('trace')) break;
    }
    if (engines.length === 0) return verdict('refused');
    const { session, graphs } = engines[0]!;
    const start: Start = {
      weights: await session.getWeights(),
      states: statesOf(session, model, await session.getState()),
      randomState: session.getRandomState(),
    };
    const trial: Trial = {
      network,
      model,
      engines,
      oracle: new Oracle(session, graphs[0]!),
      start,
      judgement,
      refusals,
      stage,
    };
    const compared = await compareAll(trial);
    for (const { faults } of engines) judgement.differ.push(...faults);
    const [first, ...rest] = judgement.differ;
    if (first) return verdict('differ', rest.length > 0 ? `${first}; and ${rest.length} more` : first);
    if (!compared) return verdict('overflow');
    return verdict(refusals.length > 0 ? 'refused' : 'agree');
  } catch (error) {
    const { message, stack } = error as Error;
    const known = error instanceof UserError;
    return verdict(
      'crash',
      known ? `${error.code}: ${message}` : (stack ?? message).split('\n').slice(0, 4).join(' | '),
    );
  } finally {
    // A session whose inference graph was refused rejects again.
    for (const { session } of engines) await session.dispose().catch(() => undefined);
  }
}
