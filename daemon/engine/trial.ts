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

/** Times gradient steps of the user's own model for a moment; what it leaves behind (the generator's state) is put back. */
export async function tryEngine(session: EngineSession, { batchSize }: SessionSpec): Promise<TrialResult> {
  const { inputs, target } = madeUpBatch(session, batchSize);
  const randomState = session.getRandomState();
  const { loss, gradient } = await session.gradient(inputs, target);
  session.setRandomState(randomState);
  let best = Infinity;
  const start = performance.now();
  do {
    const before = performance.now();
    await session.gradient(inputs, target);
    best = Math.min(best, performance.now() - before);
  } while (performance.now() - start < budgetMs);
  session.setRandomState(randomState);
  const output = await session.predict(inputs, batchSize);
  return { samplesPerSecond: (1000 * batchSize) / best, loss, gradient, output };
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
