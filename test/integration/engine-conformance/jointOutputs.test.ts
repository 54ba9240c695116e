/** Several outputs trained at once: the joint loss and its gradient of every engine against float64 loops. */
import { afterAll, describe, expect, it } from 'vitest';
import { compiledProvider } from '../../../daemon/engine/compiled/provider.js';
import { directProviders } from '../../../daemon/engine/direct/providers.js';
import type { EngineProvider, EngineSession, SessionSpec } from '../../../daemon/engine/engine.js';
import { nativeProvider } from '../../../daemon/engine/native/provider.js';
import { createRandom } from '../../../daemon/lc/random.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { compare } from '../../../daemon/engine/agreement.js';
import { madeUpBatch } from '../../../daemon/engine/trial.js';
import { scaled, standIn } from '../../unit/engine/standIns.js';

const random = createRandom(5);
const normals = (size: number) => Float32Array.from({ length: size }, () => random.normal());
const call = (...from: string[]) => [from.map((name) => [name, 0, 0, {}])];
const dense = (name: string, units: number, activation: string, from: string) => ({
  class_name: 'Dense',
  name,
  config: { name, units, activation, use_bias: false },
  inbound_nodes: call(from),
});

const [IN, TRUNK, CLASSES, BATCH] = [4, 5, 3, 6];

/** x -> trunk -> cls (softmax), reg (linear), and after: a sigmoid of cls, whose activation it therefore needs. */
const model: LayersModel = {
  kind: 'layers',
  format: 'tfjs-layers',
  path: 'joint',
  topology: {
    class_name: 'Functional',
    config: {
      name: 'm',
      layers: [
        {
          class_name: 'InputLayer',
          name: 'x',
          config: { name: 'x', batch_input_shape: [null, IN] },
          inbound_nodes: [],
        },
        dense('trunk', TRUNK, 'tanh', 'x'),
        dense('cls', CLASSES, 'softmax', 'trunk'),
        dense('reg', 2, 'linear', 'trunk'),
        dense('after', 1, 'sigmoid', 'cls'),
      ],
      input_layers: [['x', 0, 0]],
      output_layers: ['cls', 'reg', 'after'].map((name) => [name, 0, 0]),
    },
  },
  weights: [
    { name: 'trunk/kernel', shape: [IN, TRUNK] },
    { name: 'cls/kernel', shape: [TRUNK, CLASSES] },
    { name: 'reg/kernel', shape: [TRUNK, 2] },
    { name: 'after/kernel', shape: [CLASSES, 1] },
  ].map((one) => ({ ...one, dtype: 'float32', data: normals(one.shape.reduce((a, b) => a * b)) })),
  notes: [],
};

const x = normals(BATCH * IN);
const cls = new Float32Array(BATCH * CLASSES);
for (let i = 0; i < BATCH; i++) cls[i * CLASSES + random.below(CLASSES)] = 1;
const reg = normals(BATCH * 2);
const after = Float32Array.from({ length: BATCH }, () => random.below(2));

const SMOOTHING = 0.1;
const DELTA = 0.5;
const CLASS_WEIGHTS = [2, 1, 0.5];
const both: Omit<SessionSpec, 'batchSize' | 'seed'> = {
  output: 'reg',
  loss: 'huber',
  lossSettings: { delta: DELTA },
  lossWeight: 0.7,
  jointly: [{ output: 'cls', loss: 'categoricalCrossentropy', lossSettings: { labelSmoothing: SMOOTHING }, weight: 3 }],
};
const three: typeof both = {
  output: 'cls',
  loss: 'categoricalCrossentropy',
  classWeights: CLASS_WEIGHTS,
  jointly: [
    { output: 'reg', loss: 'meanSquaredError', weight: 0.25 },
    { output: 'after', loss: 'binaryCrossentropy', weight: 1 },
  ],
};

type Weights = ReadonlyMap<string, Float64Array>;

function product(values: Float64Array, inputs: number, kernel: Float64Array): Float64Array {
  const units = kernel.length / inputs;
  return Float64Array.from({ length: (values.length / inputs) * units }, (_, at) => {
    let sum = 0;
    for (let i = 0; i < inputs; i++)
      sum += values[Math.floor(at / units) * inputs + i]! * kernel[i * units + (at % units)]!;
    return sum;
  });
}

function answers(weights: Weights) {
  const trunk = product(Float64Array.from(x), IN, weights.get('trunk/kernel')!).map(Math.tanh);
  const probabilities = product(trunk, TRUNK, weights.get('cls/kernel')!);
  for (let row = 0; row < probabilities.length; row += CLASSES) {
    const part = probabilities.subarray(row, row + CLASSES);
    const sum = part.reduce((total, z) => total + Math.exp(z), 0);
    part.forEach((z, i) => (part[i] = Math.exp(z) / sum));
  }
  return {
    cls: probabilities,
    reg: product(trunk, TRUNK, weights.get('reg/kernel')!),
    after: product(probabilities, CLASSES, weights.get('after/kernel')!).map((z) => 1 / (1 + Math.exp(-z))),
  };
}

/** Each loss by its definition, without weights between them. */
function losses(weights: Weights) {
  const found = answers(weights);
  const entropy = (smoothing: number, classWeight: (k: number) => number) =>
    -found.cls.reduce((sum, p, i) => {
      const row = i - (i % CLASSES);
      const own = cls.subarray(row, row + CLASSES).indexOf(1);
      return sum + classWeight(own) * (cls[i]! * (1 - smoothing) + smoothing / CLASSES) * Math.log(p);
    }, 0) / BATCH;
  const residuals = found.reg.map((value, i) => Math.abs(value - reg[i]!));
  return {
    smoothed: entropy(SMOOTHING, () => 1),
    weighted: entropy(0, (k) => CLASS_WEIGHTS[k]!),
    entropy: entropy(0, () => 1),
    huber:
      residuals.reduce((sum, e) => sum + (e <= DELTA ? 0.5 * e * e : DELTA * (e - DELTA / 2)), 0) / residuals.length,
    squared: residuals.reduce((sum, e) => sum + e * e, 0) / residuals.length,
    binary:
      -found.after.reduce((sum, p, i) => sum + after[i]! * Math.log(p) + (1 - after[i]!) * Math.log(1 - p), 0) / BATCH,
  };
}
const jointOfBoth = (weights: Weights) => 0.7 * losses(weights).huber + 3 * losses(weights).smoothed;
const jointOfThree = (weights: Weights) => {
  const { weighted, squared, binary } = losses(weights);
  return weighted + 0.25 * squared + binary;
};

const engines: EngineProvider[] = [nativeProvider, compiledProvider('cpu'), directProviders([])[3]];
const open: EngineSession[] = [];
afterAll(async () => {
  for (const session of open) await session.dispose();
});

async function opened(engine: EngineProvider, spec: typeof both, more: Partial<SessionSpec> = {}) {
  const session = await engine.open(model, { ...spec, batchSize: BATCH, seed: 0, ...more });
  open.push(session);
  return session;
}

const named = ({ parameters }: EngineSession, flat: ArrayLike<number>): Weights =>
  new Map(
    parameters.map(({ name, offset, size }) => [
      name,
      Float64Array.from(Array.from(flat).slice(offset, offset + size)),
    ]),
  );

/** Central differences, in the order of the session's vector. */
function differences(session: EngineSession, flat: Float32Array, value: (weights: Weights) => number): number[] {
  const h = 1e-6;
  return Array.from(flat, (_, i) => {
    const at = (d: number) =>
      named(
        session,
        Array.from(flat, (w, j) => (i === j ? w + d : w)),
      );
    return (value(at(h)) - value(at(-h))) / (2 * h);
  });
}

const batches = (inputs: readonly Float32Array[], target: Float32Array) => ({
  next(buffers: readonly Float32Array[], into: Float32Array) {
    expect(buffers).toHaveLength(inputs.length);
    inputs.forEach((values, i) => buffers[i]!.set(values));
    into.set(target);
  },
});
const step = { learningRate: () => 0.1, momentum: 0.9, nesterov: true, weightDecay: 0 };

describe.each(engines.map((engine) => [engine.id, engine] as const))('%s', (_, engine) => {
  it.each([
    ['two outputs, the second chosen', both, [x, cls], reg, jointOfBoth],
    ['three outputs, of which one reads another', three, [x, reg, after], cls, jointOfThree],
  ] as const)('%s: loss and gradient are those of the weighted sum', async (_name, spec, inputs, target, value) => {
    const session = await opened(engine, spec);
    const flat = await session.getWeights();
    const { loss, gradient } = await session.gradient(inputs, target);
    expect(loss).toBeCloseTo(value(named(session, flat)), 5);
    const expected = differences(session, flat, value);
    // Every weight influences it, so none is left out.
    expect(session.parameters.map(({ name }) => name)).toEqual(model.weights.map(({ name }) => name));
    expected.forEach((one, i) =>
      expect([i, Math.abs(gradient[i]! - one) < 2e-5 * (1 + Math.abs(one))]).toEqual([i, true]),
    );
  });

  it('evaluates to the weighted sum, with the loss and the error of each output', async () => {
    const session = await opened(engine, three, { purpose: 'inference', batchSize: 4 });
    const parts = [x, reg, after];
    const source = {
      size: BATCH,
      read(start: number, count: number, inputs: readonly Float32Array[], target: Float32Array) {
        expect(inputs).toHaveLength(parts.length);
        const rows = (values: Float32Array) => values.subarray((start * values.length) / BATCH, ((start + count) * values.length) / BATCH);
        parts.forEach((values, i) => inputs[i]!.set(rows(values)));
        target.set(rows(cls));
      },
    };
    const { loss, error, outputs } = await session.evaluate(source);
    const weights = named(session, await session.getWeights());
    const { entropy, squared, binary } = losses(weights);
    expect(loss).toBeCloseTo(entropy + 0.25 * squared + binary, 5);
    const found = answers(weights);
    const best = (values: ArrayLike<number>, row: number) => { const part = Array.from(values).slice(row * CLASSES, (row + 1) * CLASSES); return part.indexOf(Math.max(...part)); };
    const wrong = Array.from({ length: BATCH }, (_row, row) => best(found.cls, row) !== best(cls, row)).filter(Boolean).length;
    expect(error).toBeCloseTo(wrong / BATCH, 6);
    expect(outputs).toMatchObject([{ output: 'cls', weight: 1, error }, { output: 'reg', weight: 0.25 }, { output: 'after', weight: 1 }]);
    for (const [i, expected] of [entropy, squared, binary].entries()) expect(outputs![i]!.loss).toBeCloseTo(expected, 5);
    expect(outputs![2]!.error).toBeCloseTo(found.after.reduce((sum, p, i) => sum + Number(p > 0.5 !== after[i]! > 0.5), 0) / BATCH, 6);
    expect(await session.predict([x], BATCH)).toHaveLength(BATCH * CLASSES);
  }); // prettier-ignore

  it('a step in parts is that of the whole batch', async () => {
    const [whole, parts] = [await opened(engine, both), await opened(engine, both, { microBatch: 2 })];
    for (const session of [whole, parts]) await session.train({ ...step, batches: batches([x, cls], reg), steps: 3 });
    const [a, b] = [await whole.getWeights(), await parts.getWeights()];
    a.forEach((value, i) => expect(b[i]).toBeCloseTo(value, 5));
  });

  it('one output alone is trained as before: its gradient leaves the other heads alone', async () => {
    const { jointly: _jointly, lossWeight: _weight, ...alone } = both;
    const session = await opened(engine, alone);
    const { loss, gradient } = await session.gradient([x], reg);
    const weights = named(session, await session.getWeights());
    expect(loss).toBeCloseTo(losses(weights).huber, 5);
    const { offset, size } = session.parameters.find(({ name }) => name === 'cls/kernel')!;
    expect(gradient.subarray(offset, offset + size).every((value) => value === 0)).toBe(true);
  });

  it('refuses a batch without the targets of the other outputs', async () => {
    await expect((await opened(engine, both)).gradient([x], reg)).rejects.toThrow();
  });
});

it('the comparison of engines finds a wrong gradient of a jointly trained output', async () => {
  const [a, b] = [await opened(nativeProvider, three), await opened(compiledProvider('cpu'), three)];
  const reference = { traits: compiledProvider('cpu'), session: b };
  const batch = madeUpBatch(a, BATCH);
  expect(batch.inputs.map(({ length }) => length)).toEqual([BATCH * IN, BATCH * 2, BATCH]);
  const judged = (session: EngineSession) =>
    compare({ traits: nativeProvider, session }, reference, batch, 'training', 'here');
  expect(await judged(a)).toEqual({ outcome: 'agrees', reason: '' });
  const wrong = await opened(standIn({ step: scaled('after/kernel', 1.2) }, [], nativeProvider), three);
  expect(await judged(wrong)).toMatchObject({ outcome: 'differs', reason: expect.stringContaining('"after/kernel"') as unknown });
}); // prettier-ignore

it('three steps are the same on every engine', async () => {
  const results: Float32Array[] = [];
  for (const engine of engines) {
    const session = await opened(engine, three);
    await session.train({ ...step, batches: batches([x, reg, after], cls), steps: 3 });
    results.push(await session.getWeights());
  }
  for (const other of results.slice(1)) results[0]!.forEach((value, i) => expect(other[i]).toBeCloseTo(value, 4));
  expect(Array.from(results[0]!)).not.toEqual(model.weights.flatMap(({ data }) => Array.from(data)));
});
