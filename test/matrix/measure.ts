/** Measures the distance of an engine from the reference. */
import type { BatchStream, EngineProvider, EngineSession, SessionSpec } from '../../daemon/engine/engine.js';
import type { LayersModel } from '../../daemon/model/model.js';
import { trainingSetup } from '../../daemon/model/setup/trainingSetup.js';
import { BATCH, inputsOf, sizeOf, some, values, weightValues, type Case } from './network.js';

const OUTPUTS = 2e-5;
const GRADIENTS = 5e-4;

/** The largest difference, relative to the largest expected value (to 1 if that is smaller). */
export function far(found: ArrayLike<number>, expected: readonly number[]): number {
  if (found.length !== expected.length) return Infinity;
  const size = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  // NaN is far, too.
  return expected.reduce((most, value, i) => {
    const distance = Math.abs(found[i]! - value) / size;
    return distance <= most ? most : Number.isNaN(distance) ? Infinity : distance;
  }, 0);
}

const words = (what: string, distance: number): string => `${what} off by ${distance.toPrecision(2)}`;

/** The errors of the gradient of `case_` at `target`; an empty list if there are none. */
export async function wrongGradients(session: EngineSession, model: LayersModel, case_: Case, target: Float32Array): Promise<string[]> {
  const { loss, gradient } = await session.gradient(inputsOf(case_), target);
  const wrong: string[] = [];
  const distance = far([loss], [case_.loss!]);
  if (!(distance < OUTPUTS)) wrong.push(words('loss', distance));
  const trained = new Map(session.parameters.map((parameter) => [parameter.name, parameter]));
  const known = model.weights.filter(({ name }) => trained.has(name));
  const files = case_.weights.filter(({ trainable }) => trainable);
  if (known.length !== files.length) return [`${known.length} weights are trained, not ${files.length}`];
  const largest = Math.max(...case_.gradients!.flat().map(Math.abs), 1e-3);
  for (const [i, { name, data, shape }] of known.entries()) {
    const { offset } = trained.get(name)!;
    const file = files[i]!;
    if (sizeOf(shape) !== sizeOf(file.shape)) return [`${name} has another shape than ${file.path}`];
    const stored = weightValues(file);
    // Weights before hard_sigmoid are scaled when the file is read, and their gradients by the inverse.
    const found = some(data.length, 24).map((k) => (gradient[offset + k]! * data[k]!) / stored[k]! / largest);
    const off = far(found, case_.gradients![i]!.map((value) => value / largest));
    if (!(off < GRADIENTS)) wrong.push(words(`gradient of ${name}`, off));
  }
  return wrong;
} // prettier-ignore

/** Moving averages after one step that changes no weight. */
async function wrongAverages(session: EngineSession, inputs: readonly Float32Array[], target: Float32Array, expected: readonly number[]): Promise<string[]> {
  const batches: BatchStream = {
    next(into, wanted) {
      into.forEach((values, i) => values.set(inputs[i]!));
      wanted.set(target);
    },
  };
  await session.train({ batches, steps: 1, learningRate: () => 0, momentum: 0, nesterov: false, weightDecay: 0 });
  const distance = far(await session.getState(), expected);
  return distance < OUTPUTS ? [] : [words('moving averages', distance)];
} // prettier-ignore

export interface LossCase extends Case {
  readonly target?: readonly number[];
  readonly error?: number;
}

/** The errors of a loss on one engine: its value, its gradients, the share of wrong answers. @throws errors of opening and computing. */
export async function wrongLoss(provider: EngineProvider, model: LayersModel, case_: LossCase): Promise<string[]> {
  const { loss, lossSettings, fromLogits, classification } = trainingSetup(model);
  const session = await provider.open(model, {
    loss,
    lossSettings,
    fromLogits,
    classification,
    batchSize: BATCH,
    seed: 1,
  });
  try {
    const target = Float32Array.from(case_.target!);
    const wrong = await wrongGradients(session, model, case_, target);
    const inputs = inputsOf(case_);
    const evaluated = await session.evaluate({
      size: BATCH,
      read(start, count, into, wanted) {
        into.forEach((values, i) =>
          values.set(inputs[i]!.subarray((start * values.length) / BATCH, ((start + count) * values.length) / BATCH)),
        );
        wanted.set(target.subarray((start * target.length) / BATCH, ((start + count) * target.length) / BATCH));
      },
    });
    const distance = far([evaluated.loss], [case_.loss!]);
    if (!(distance < OUTPUTS)) wrong.push(words('evaluated loss', distance));
    if (case_.error !== undefined && Math.abs(evaluated.error - case_.error) > 1e-6)
      wrong.push(`error is ${evaluated.error}, not ${case_.error}`);
    return wrong;
  } finally {
    await session.dispose();
  }
}

export const regression: SessionSpec = { loss: 'meanSquaredError', classification: false, batchSize: BATCH, seed: 1 };

export type LayerCase = Case & { readonly output: readonly number[]; readonly averages?: readonly number[] };

/** The errors of a layer on one engine. @throws errors of opening and computing. */
export async function wrongLayer(provider: EngineProvider, model: LayersModel, case_: LayerCase): Promise<string[]> {
  const purpose = case_.gradients ? 'training' : 'inference';
  const session = await provider.open(model, { ...regression, purpose });
  try {
    const outputs = await session.predict(inputsOf(case_), BATCH);
    const distance = far(
      some(outputs.length, 48).map((i) => outputs[i]!),
      case_.output,
    );
    const wrong = distance < OUTPUTS ? [] : [words('outputs', distance)];
    if (!case_.gradients) return wrong;
    const target = values(BATCH * sizeOf(session.outputShape), 99);
    wrong.push(...(await wrongGradients(session, model, case_, target)));
    if (case_.averages) wrong.push(...(await wrongAverages(session, inputsOf(case_), target, case_.averages)));
    return wrong;
  } finally {
    await session.dispose();
  }
}
