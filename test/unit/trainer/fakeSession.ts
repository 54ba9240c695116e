/**
 * Softmax regression with a bias, in plain float32 loops that follow the engine contract: the loops under test cannot distinguish it
 * from an engine, and its L step can be checked by hand. "Dropout" draws from a seeded generator, so that its state matters.
 */
import type {
  EngineSession,
  EvaluateOptions,
  Parameter,
  SampleSource,
  TrainRequest,
} from '../../../daemon/engine/engine.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { UserError } from '../../../daemon/protocol/errors.js';

export interface FakeOptions {
  readonly inputs: number;
  readonly classes: number;
  readonly batchSize: number;
  readonly seed: number;
  /** Fails as an engine does when its loss is not finite, above this learning rate. */
  readonly divergesAbove?: number;
  /** Called before every step. */
  readonly onStep?: () => void;
}

/** The sizes of a session's samples, and which rows of its outputs count. */
export const shaped = (
  inputShapes: number[][],
  outputShape: number[],
  maskOf: (inputs: readonly Float32Array[], count: number) => Float32Array | null = () => null,
): Pick<EngineSession, 'inputShapes' | 'outputShape' | 'outputMask'> => ({
  inputShapes,
  outputShape,
  outputMask: async (inputs, count) => maskOf(inputs, count),
});

export interface FakeSession extends EngineSession {
  disposed: boolean;
}

const softmax = (z: Float64Array): void => {
  const top = Math.max(...z);
  let sum = 0;
  for (let k = 0; k < z.length; k++) sum += z[k] = Math.exp(z[k]! - top);
  for (let k = 0; k < z.length; k++) z[k]! /= sum;
};

export function fakeSession({
  inputs: d,
  classes,
  batchSize,
  seed,
  divergesAbove = Infinity,
  onStep,
}: FakeOptions): FakeSession {
  const kernel = d * classes;
  const size = kernel + classes;
  const w = new Float32Array(size);
  const velocity = new Float32Array(size);
  // A running mean of the inputs: what BatchNorm's moving averages are to a network.
  const state = new Float32Array(d);
  const init = createRandom(seed, 3);
  for (let i = 0; i < kernel; i++) w[i] = 0.1 * init.normal();
  const random = createRandom(seed, 1);
  const parameters: Parameter[] = [
    { name: 'fc/kernel', layer: 'fc', shape: [d, classes], offset: 0, size: kernel, prunable: true },
    { name: 'fc/bias', layer: 'fc', shape: [classes], offset: kernel, size: classes, prunable: false },
  ];

  const forward = (x: Float32Array, n: number, dropped: Uint8Array | null): Float64Array => {
    const z = new Float64Array(classes);
    for (let k = 0; k < classes; k++) z[k] = w[kernel + k]!;
    for (let i = 0; i < d; i++) {
      if (dropped?.[i]) continue;
      for (let k = 0; k < classes; k++) z[k]! += x[n * d + i]! * w[i * classes + k]!;
    }
    softmax(z);
    return z;
  };

  const gradientOf = (x: Float32Array, y: Float32Array, dropped: Uint8Array | null) => {
    const gradient = new Float32Array(size);
    let loss = 0;
    for (let n = 0; n < batchSize; n++) {
      const p = forward(x, n, dropped);
      for (let k = 0; k < classes; k++) {
        const t = y[n * classes + k]!;
        if (t > 0) loss -= (t * Math.log(Math.max(p[k]!, 1e-12))) / batchSize;
        const delta = (p[k]! - t) / batchSize;
        gradient[kernel + k]! += delta;
        for (let i = 0; i < d; i++) if (!dropped?.[i]) gradient[i * classes + k]! += delta * x[n * d + i]!;
      }
    }
    return { loss, gradient };
  };

  const session: FakeSession = {
    disposed: false,
    info: { id: 'fake', name: 'Fake', device: 'test' },
    parameters,
    size,
    prunableSize: kernel,
    inputShapes: [[d]],
    outputShape: [classes],
    jointShapes: [],
    getWeights: async () => w.slice(),
    setWeights: async (values) => w.set(values),
    getState: async () => state.slice(),
    setState: async (values) => state.set(values),
    getVelocity: async () => velocity.slice(),
    setVelocity: async (values) => velocity.set(values),
    getRandomState: () => random.state,
    setRandomState: (values) => random.restore(values),
    async train(request: TrainRequest) {
      const { penalty, mask, momentum, nesterov, weightDecay } = request;
      const x = new Float32Array(batchSize * d);
      const y = new Float32Array(batchSize * classes);
      let sum = 0;
      for (let step = 0; step < request.steps; step++) {
        onStep?.();
        await request.batches.next([x], y);
        const dropped = Uint8Array.from({ length: d }, () => Number(random.next() < 0.1));
        for (let n = 0; n < batchSize; n++)
          for (let i = 0; i < d; i++) state[i] = 0.99 * state[i]! + 0.01 * x[n * d + i]!;
        const { loss, gradient } = gradientOf(x, y, dropped);
        const rate = request.learningRate(step);
        if (rate > divergesAbove || !Number.isFinite(loss)) throw new UserError('diverged', `the loss became NaN`);
        for (let i = 0; i < kernel; i++) gradient[i]! += weightDecay * w[i]!;
        for (const { start, end } of penalty?.ranges ?? []) {
          for (let i = start; i < end; i++) gradient[i]! += penalty!.mu * (w[i]! - penalty!.target[i]!);
        }
        for (let i = 0; i < size; i++) {
          const g = gradient[i]!;
          velocity[i] = momentum * velocity[i]! - rate * g;
          w[i]! += nesterov ? momentum * velocity[i]! - rate * g : velocity[i]!;
        }
        for (const { start, end } of mask?.ranges ?? []) {
          for (let i = start; i < end; i++) if (!mask!.keep[i]) w[i] = velocity[i] = 0;
        }
        sum += loss;
        request.onStep?.(step, loss);
        // As an engine does, lets others run between steps.
        await new Promise((resolve) => setImmediate(resolve));
      }
      return { steps: request.steps, meanLoss: sum / request.steps, aborted: false };
    },
    async evaluate(source: SampleSource, options: EvaluateOptions = {}) {
      const x = new Float32Array(source.size * d);
      const y = new Float32Array(source.size * classes);
      await source.read(0, source.size, [x], y);
      const values = new Float32Array(source.size * classes);
      let loss = 0;
      let wrong = 0;
      for (let n = 0; n < source.size; n++) {
        const p = forward(x, n, null);
        const label = y.subarray(n * classes, (n + 1) * classes).indexOf(1);
        loss -= Math.log(Math.max(p[label]!, 1e-12)) / source.size;
        wrong += Number(p.indexOf(Math.max(...p)) !== label);
        values.set(p, n * classes);
      }
      options.onBatch?.({ start: 0, samples: source.size, values, head: 'none', target: y, mask: null });
      return { loss, error: wrong / source.size, samples: source.size };
    },
    outputMask: async () => null,
    async predict([x], count) {
      return Float32Array.from(Array.from({ length: count }, (_, n) => [...forward(x!, n, null)]).flat());
    },
    gradient: async ([x], y) => gradientOf(x!, y, null),
    async dispose() {
      session.disposed = true;
    },
  };
  return session;
}
