/** Tries one engine on one batch: its numbers and its speed. All changes are undone. */
import { createRandom } from '../lc/random.js';
import type { EngineSession, Purpose, SampleSource } from './engine.js';
import { sizeOf } from '../protocol/shape.js';

/** One training batch: a flat tensor per model input and per jointly trained output, and the targets. */
export interface Batch {
  readonly inputs: readonly Float32Array[];
  readonly target: Float32Array;
  /** Samples in it; the session is compiled for exactly as many. */
  readonly size: number;
}

/** An engine's results on a batch. */
export interface Numbers {
  /** Inference, of `predict`. */
  readonly output: Float32Array;
  /** The loss of inference; null if it is not requested. Always present with jointly trained outputs, because `output` is of one. */
  readonly evaluated: number | null;
  /** Of a training step; null if the session is for inference. */
  readonly step: {
    readonly loss: number;
    readonly gradient: Float32Array;
    /** The step drew dropout masks or noise: the state of the generator moved on. */
    readonly drew: boolean;
  } | null;
}

/** One batch of made-up data that fits the model: numbers in [0, 1), targets one-hot. */
export function madeUpBatch({ inputShapes, outputShape, jointShapes }: EngineSession, size: number): Batch {
  const random = createRandom(1);
  const inputs = inputShapes.map((shape) => Float32Array.from({ length: size * sizeOf(shape) }, () => random.next()));
  const oneHot = (shape: readonly number[]) => {
    const target = new Float32Array(size * sizeOf(shape));
    const width = shape.at(-1) ?? 1;
    for (let row = 0; row < target.length; row += width) target[row + random.below(width)] = 1;
    return target;
  };
  const target = oneHot(outputShape);
  return { inputs: [...inputs, ...jointShapes.map(oneHot)], target, size };
}

const sourceOf = ({ inputs, target, size }: Batch): SampleSource => ({
  size,
  read(start, count, into, targets) {
    const part = (values: Float32Array) => {
      const width = values.length / size;
      return values.subarray(start * width, (start + count) * width);
    };
    inputs.forEach((values, i) => into[i]!.set(part(values)));
    targets.set(part(target));
  },
});

/** @throws the engine's error, including that of opening a graph late. */
export async function numbersOf(
  session: EngineSession,
  batch: Batch,
  purpose: Purpose,
  inferenceLoss = false,
): Promise<Numbers> {
  let step: Numbers['step'] = null;
  if (purpose === 'training') {
    const before = session.getRandomState();
    const { loss, gradient } = await session.gradient(batch.inputs, batch.target);
    step = { loss, gradient, drew: String(session.getRandomState()) !== String(before) };
    session.setRandomState(before);
  }
  const output = await session.predict(batch.inputs, batch.size);
  const evaluated =
    inferenceLoss || session.jointShapes.length > 0 ? (await session.evaluate(sourceOf(batch))).loss : null;
  return { output, evaluated, step };
}

/** Samples a second, and the steps that were timed for it. */
interface Timed {
  readonly rate: number;
  readonly steps: number;
}

/** Samples a second of the fastest of the steps (or predictions) that fit into `milliseconds`, at least one. */
async function bestRate(session: EngineSession, batch: Batch, purpose: Purpose, milliseconds: number): Promise<Timed> {
  const randomState = session.getRandomState();
  const run = () =>
    purpose === 'training' ? session.gradient(batch.inputs, batch.target) : session.predict(batch.inputs, batch.size);
  let best = Infinity;
  let steps = 0;
  const start = performance.now();
  do {
    const before = performance.now();
    await run();
    steps++;
    best = Math.min(best, performance.now() - before);
  } while (performance.now() - start < milliseconds);
  session.setRandomState(randomState);
  return { rate: (1000 * batch.size) / best, steps };
}

/** The fastest of several: a small model takes dozens of steps, and the user waits for the first point. */
const trialMs = 150;
/** A first look, which is all where the engines clearly differ: several steps of either, and one is several times as fast. */
const glanceMs = 30;
const severalSteps = 3;
const severalTimes = 3;

/** What a guess of a run's time is made from: as long as a person does not mind to wait. */
const paceMs = 250;

/** Samples a second of training steps in a row, all that slows them included: what a run gets, where `trialRates` are what engines can do. */
export async function trainingPace(session: EngineSession, batch: Batch): Promise<number> {
  const randomState = session.getRandomState();
  const step = () => session.gradient(batch.inputs, batch.target);
  // The first one includes opening graphs late.
  await step();
  const start = performance.now();
  let steps = 0;
  do {
    await step();
    steps++;
  } while (performance.now() - start < paceMs);
  const seconds = (performance.now() - start) / 1000;
  session.setRandomState(randomState);
  return (steps * batch.size) / seconds;
}

const rematches = 4;
const rematchMs = 50;
/** An engine below this share of the other's rate in the first trial counts as slower. */
const close = 1 / 3;
/** Engines hardly differ so much: another process must have suspended one of them. */
const absurd = 30;

/**
 * Samples a second of two engines on the same batch: after a first look where one of them is clearly faster, else after a
 * whole trial of both, timed again where that decides nothing: once where they are thirtyfold apart, and in turns where the
 * first one lost by little. A large model takes a step or two in a trial, and on a busy machine either may have been put aside
 * meanwhile.
 *
 * @param known of the second engine, from its trial against another one. @returns the best of all that was timed.
 */
export async function trialRates(
  sessions: readonly [EngineSession, EngineSession],
  batch: Batch,
  purpose: Purpose,
  known?: number,
): Promise<readonly [number, number]> {
  const [first, second] = sessions;
  const glance = (session: EngineSession) => bestRate(session, batch, purpose, glanceMs);
  const seen = known === undefined ? await glance(second) : { rate: known, steps: Infinity };
  const one = await glance(first);
  let [own, other] = [one.rate, seen.rate];
  const more = async (milliseconds: number, both: boolean) => {
    own = Math.max(own, (await bestRate(first, batch, purpose, milliseconds)).rate);
    if (both) other = Math.max(other, (await bestRate(second, batch, purpose, milliseconds)).rate);
  };
  const isAbsurd = () => own > absurd * other || other > absurd * own;
  const isClear = own > severalTimes * other || other > severalTimes * own;
  if (isClear && !isAbsurd() && Math.min(one.steps, seen.steps) >= severalSteps) return [own, other];
  await more(trialMs - glanceMs, known === undefined);
  if (isAbsurd()) await more(trialMs, true);
  if (own < close * other) return [own, other];
  for (let i = 0; i < rematches && own <= other; i++) await more(rematchMs, true);
  return [own, other];
}
