import { createRandom } from '../lc/random.js';
import type { EngineSession, SessionSpec } from './engine.js';

/** One batch of made-up data that suits the model: numbers in [0, 1), targets one-hot. */
function madeUpBatch({ inputShapes, outputShape }: EngineSession, batchSize: number) {
  const random = createRandom(1);
  const size = (shape: readonly number[]) => shape.reduce((product, n) => product * n, batchSize);
  const inputs = inputShapes.map((shape) => Float32Array.from({ length: size(shape) }, () => random.next()));
  const target = new Float32Array(size(outputShape));
  const width = outputShape.at(-1) ?? 1;
  for (let row = 0; row < target.length; row += width) target[row + random.below(width)] = 1;
  return { inputs, target };
}

export interface TrialResult {
  readonly samplesPerSecond: number;
  readonly loss: number;
  readonly gradient: Float32Array;
  /** Inference on the same batch. */
  readonly output: Float32Array;
}

/** The best of what fits: a small model takes dozens of steps, and the user waits for the first point. */
const budgetMs = 150;

type Batch = ReturnType<typeof madeUpBatch>;

/** Samples a second of the fastest of the gradient steps that fit into `milliseconds`, at least one. */
async function bestRate(
  session: EngineSession,
  batchSize: number,
  { inputs, target }: Batch,
  milliseconds: number,
): Promise<number> {
  const randomState = session.getRandomState();
  let best = Infinity;
  const start = performance.now();
  do {
    const before = performance.now();
    await session.gradient(inputs, target);
    best = Math.min(best, performance.now() - before);
  } while (performance.now() - start < milliseconds);
  session.setRandomState(randomState);
  return (1000 * batchSize) / best;
}

/** Times gradient steps of the user's own model for a moment; what it leaves behind (the generator's state) is put back. */
export async function tryEngine(session: EngineSession, { batchSize }: SessionSpec): Promise<TrialResult> {
  const batch = madeUpBatch(session, batchSize);
  const randomState = session.getRandomState();
  const { loss, gradient } = await session.gradient(batch.inputs, batch.target);
  session.setRandomState(randomState);
  const samplesPerSecond = await bestRate(session, batchSize, batch, budgetMs);
  const output = await session.predict(batch.inputs, batchSize);
  return { samplesPerSecond, loss, gradient, output };
}

const rematches = 4;
const rematchMs = 50;
/** Slower than this share of the other in the first trial is slower. */
const close = 1 / 3;

/**
 * The rates of two tried engines after a rematch, in turns, where the first one lost by little: a large model takes a step or
 * two in a trial, and on a busy machine either may have been put aside meanwhile.
 *
 * @param rates of the trials; the best of all is returned.
 */
export async function rematch(
  [first, second]: readonly [EngineSession, EngineSession],
  { batchSize }: SessionSpec,
  rates: readonly [number, number],
): Promise<readonly [number, number]> {
  let [own, other] = rates;
  if (own > other || own < close * other) return rates;
  const batch = madeUpBatch(first, batchSize);
  for (let i = 0; i < rematches && own <= other; i++) {
    own = Math.max(own, await bestRate(first, batchSize, batch, rematchMs));
    other = Math.max(other, await bestRate(second, batchSize, batch, rematchMs));
  }
  return [own, other];
}

/** Float32 in another order of summation, or TF32 on a GPU, stays far below this; a wrong kernel does not. */
const tolerance = 0.02;

const relativeGap = (a: Float32Array, b: Float32Array): number => {
  let [gap, norm] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    gap += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(gap / Math.max(norm, 1e-30));
};

/**
 * Why an engine's numbers are not those of the reference, or null. Gradients are compared only where both engines draw
 * the same dropout masks.
 */
export function disagreement(result: TrialResult, reference: TrialResult, sameNoise: boolean): string | null {
  const output = relativeGap(result.output, reference.output);
  if (!(output < tolerance)) return `its outputs differ by ${(100 * output).toPrecision(2)}% from the reference check`;
  if (!sameNoise) return null;
  const gradient = relativeGap(result.gradient, reference.gradient);
  return gradient < tolerance ? null : `its gradients differ by ${(100 * gradient).toPrecision(2)}% from the reference check`; // prettier-ignore
}
