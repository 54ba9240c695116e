/** Every layer class on WebGPU: which operations have no kernel there, and whether the rest computes what the CPU does. */
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, it } from 'vitest';
import { onnxExecutor } from '../../daemon/engine/compiled/onnxGraph.js';
import { CompiledSession } from '../../daemon/engine/compiled/session.js';
import type { Loss } from '../../daemon/engine/engine.js';
import { emitOnnx } from '../../daemon/engine/graph/onnx/emit.js';
import { gpuOnnx } from '../../daemon/engine/graph/onnx/emitter.js';
import { traceModel } from '../../daemon/engine/trace/traceModel.js';
import {
  cases,
  chain,
  head,
  untrainableInTensorFlow,
  wrongInTensorFlow,
  type Case,
} from '../unit/engine/compiled/layerCases.js';
import { normals, onCpu, targets, toModel } from '../unit/engine/compiled/tinyModels.js';

const ort = await import('onnxruntime-node').then((module) => module.default);
const batch = 3;
const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, batch);

/** The largest difference, relative to 1 + the largest magnitude; NaN if any is. */
const gap = (actual: Float32Array, expected: Float32Array): number => {
  expect(actual.length).toBe(expected.length);
  const scale = expected.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
  return expected.reduce((worst, v, i) => Math.max(worst, Math.abs(actual[i]! - v) / scale), 0);
};

const embedding: Case = ['Embedding', [4], () => [tfl.layers.embedding({ inputDim: 7, outputDim: 3 }), ...head()]];

describe('layers on WebGPU', () => {
  beforeEach(onCpu);
  it.each([...cases, ...wrongInTensorFlow, ...untrainableInTensorFlow, embedding])(
    '%s: no operation falls back to the CPU, and the numbers are those of the CPU',
    async (name, inputShape, build, loss: Loss = 'meanSquaredError') => {
      const layersModel = chain(inputShape, build());
      const model = toModel(layersModel);
      const spec = { loss, batchSize: batch, seed: 1 };
      const { training, inference } = await traceModel(model, spec);
      for (const graph of [training, inference]) {
        const options = {
          executionProviders: ['webgpu'],
          logSeverityLevel: 4 as const,
          extra: { session: { disable_cpu_ep_fallback: '1' } },
        };
        await (await ort.InferenceSession.create(emitOnnx(graph, gpuOnnx).bytes, options)).release();
      }
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
