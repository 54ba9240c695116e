/** Whether every layer class computes on WebGPU what it does on the CPU. Long on a software driver, which compiles each shader. */
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, it } from 'vitest';
import { onnxExecutor } from '../../daemon/engine/compiled/onnxGraph.js';
import { CompiledSession } from '../../daemon/engine/compiled/session.js';
import type { Loss } from '../../daemon/engine/engine.js';
import {
  cases,
  chain,
  head,
  untrainableInTensorFlow,
  wrongInTensorFlow,
  type Case,
} from '../unit/engine/compiled/layerCases.js';
import { normals, onCpu, targets, toModel } from '../unit/engine/compiled/tinyModels.js';

const batch = 3;
const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, batch);

/** The largest difference, relative to 1 + the largest magnitude; NaN if any is. */
const gap = (actual: Float32Array, expected: Float32Array): number => {
  expect(actual.length).toBe(expected.length);
  const scale = expected.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
  return expected.reduce((worst, v, i) => Math.max(worst, Math.abs(actual[i]! - v) / scale), 0);
};

const embedding: Case = ['Embedding', [4], () => [tfl.layers.embedding({ inputDim: 7, outputDim: 3 }), ...head()]];

describe('losses and gradients on WebGPU are those of the CPU', () => {
  beforeEach(onCpu);
  it.each([...cases, ...wrongInTensorFlow, ...untrainableInTensorFlow, embedding])(
    '%s',
    async (name, inputShape, build, loss: Loss = 'meanSquaredError') => {
      const layersModel = chain(inputShape, build());
      const model = toModel(layersModel);
      const spec = { loss, batchSize: batch, seed: 1 };
      const input = normals(sizeOf(inputShape), 5);
      if (name === 'Embedding') input.forEach((v, i) => (input[i] = Math.floor(Math.abs(7 * v)) % 7));
      const outputShape = layersModel.outputs[0]!.shape.slice(1) as number[];
      const target = targets(loss, sizeOf(outputShape), outputShape.at(-1)!, 14);
      const [cpu, gpu] = await Promise.all(
        (['cpu', 'webgpu'] as const).map(async (provider) => {
          const info = { id: provider, name: provider, device: provider };
          const session = await CompiledSession.open(info, model, spec, onnxExecutor({ provider, threads: 1 }));
          const result = await session.gradient([input], target);
          await session.dispose();
          return result;
        }),
      );
      expect(Math.abs(gpu!.loss - cpu!.loss)).toBeLessThan(1e-5 * (1 + Math.abs(cpu!.loss)));
      expect(gap(gpu!.gradient, cpu!.gradient)).toBeLessThan(1e-5);
    },
  );
});
