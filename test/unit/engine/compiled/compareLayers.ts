/** A model of layers on TensorFlow.js and on the compiled executors: losses, gradients, states and outputs compared. */
import * as tfl from '@tensorflow/tfjs-layers';
import { expect } from 'vitest';
import { onnxExecutor } from '../../../../daemon/engine/compiled/onnxGraph.js';
import type { CreateExecutor } from '../../../../daemon/engine/compiled/executor.js';
import { CompiledSession } from '../../../../daemon/engine/compiled/session.js';
import type { Loss } from '../../../../daemon/engine/engine.js';
import { loadAddon } from '../../../../daemon/engine/native/addon.js';
import { NativeGraph } from '../../../../daemon/engine/native/nativeGraph.js';
import { Unsupported } from '../../../../daemon/engine/native/units.js';
import { normals, onCpu, reference, targets, toModel } from './tinyModels.js';

export const L = tfl.layers;
export const info = { id: 'onnx-cpu', name: 'compiled', device: 'CPU' };
export const runtime = { provider: 'cpu', threads: 1 } as const;
export const batch = 3;

export const found = loadAddon();
export const native =
  'addon' in found
    ? async (...[graph, inputs, outputs]: Parameters<CreateExecutor>) =>
        NativeGraph.create(found.addon, graph, inputs, outputs, { threads: 2, level: found.addon.levels()[0]! })
    : null;
/** Tests whose networks have no native kernel for something: that something. */
export const notNative: string[] = [];
export const notForNative = (error: unknown): undefined => {
  if (!(error instanceof Unsupported)) throw error;
  notNative.push(`${expect.getState().currentTestName!.split(' > ').at(-1)}: ${/for (\w+)/.exec(error.message)![1]}`);
};
export const executors: CreateExecutor[] = [onnxExecutor(runtime), ...(native ? [native] : [])];

export const gap = (a: Float32Array, b: Float32Array) => {
  let worst = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return worst;
};
export const largest = (a: Float32Array) => a.reduce((m, v) => Math.max(m, Math.abs(v)), 0);

/** The derivative along a random direction, by central differences of the compiled loss itself (float32). */
export async function finiteDifferences(
  session: CompiledSession,
  inputs: Float32Array[],
  target: Float32Array,
  gradient: Float32Array,
  randomState?: readonly number[],
) {
  const w = await session.getWeights();
  const d = normals(w.length, 77);
  const epsilon = 2 ** -9;
  const lossAt = async (t: number) => {
    await session.setWeights(w.map((v, i) => v + t * d[i]!));
    if (randomState) session.setRandomState(randomState);
    return (await session.gradient(inputs, target)).loss;
  };
  const numeric = ((await lossAt(epsilon)) - (await lossAt(-epsilon))) / (2 * epsilon);
  await session.setWeights(w);
  const analytic = gradient.reduce((sum, g, i) => sum + g * d[i]!, 0);
  const scale = Math.hypot(...gradient) * Math.sqrt(1 + w.length / 100);
  expect(Math.abs(numeric - analytic), `along a direction: ${numeric} and ${analytic}`).toBeLessThan(
    0.02 * scale + 1e-3,
  );
}

export async function compare(
  layersModel: tfl.LayersModel,
  loss: Loss,
  { seed = 5, integers = 0, gradients = true } = {},
) {
  const model = toModel(layersModel);
  const outputShape = layersModel.outputs[0]!.shape.slice(1) as number[];
  const sizes = layersModel.inputs.map(({ shape }) => (shape.slice(1) as number[]).reduce((a, b) => a * b, batch));
  const inputs = sizes.map((size, i) =>
    integers ? normals(size, seed + i).map((v) => Math.floor(Math.abs(v * 7)) % integers) : normals(size, seed + i),
  );
  const size = outputShape.reduce((a, b) => a * b, batch);
  const target = targets(loss, size, outputShape.at(-1)!, seed + 9);
  await onCpu();
  const expected = reference(layersModel, model, inputs, target, loss, batch);
  const spec = { loss, batchSize: batch, seed: 1 };
  const sessions = [await CompiledSession.open(info, model, spec, onnxExecutor(runtime))];
  const other = native ? await CompiledSession.open(info, model, spec, native).catch(notForNative) : undefined;
  if (other) sessions.push(other);
  for (const session of sessions) await compareSession(session);

  async function compareSession(session: CompiledSession) {
    try {
      const { loss: value, gradient } = await session.gradient(inputs, target);
      expect(Math.abs(value - expected.loss)).toBeLessThan(2e-6 * (1 + Math.abs(expected.loss)));
      expect(new Set(session.parameters.map(({ name }) => name))).toEqual(new Set(expected.gradients.keys()));
      for (const { name, offset, size: n } of session.parameters) {
        const want = expected.gradients.get(name)!;
        const tolerance = 1e-5 * (1 + largest(want));
        if (gradients) expect(gap(gradient.subarray(offset, offset + n), want), name).toBeLessThan(tolerance);
      }
      // The inference batch is larger than 3: rows beyond are padding.
      await finiteDifferences(session, inputs, target, gradient);
      const output = await session.predict(inputs, batch);
      expect(gap(output, expected.output)).toBeLessThan(1e-5 * (1 + largest(expected.output)));
      const frozen = { learningRate: () => 0, momentum: 0, nesterov: false, weightDecay: 0 };
      const batches = {
        next: (into: readonly Float32Array[], y: Float32Array) => {
          inputs.forEach((values, i) => into[i]!.set(values));
          y.set(target);
        },
      };
      await session.train({ batches, steps: 1, ...frozen });
      const states = layersModel.nonTrainableWeights
        .map((weight) => [...expected.states.get(weight.originalName)!])
        .flat();
      expect(gap(await session.getState(), Float32Array.from(states))).toBeLessThan(1e-5);
    } finally {
      await session.dispose();
    }
  }
}
