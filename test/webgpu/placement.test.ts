/** Whether every operation of every layer class has a kernel on WebGPU: nothing may go back to the CPU in the middle of a step. */
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, it } from 'vitest';
import { emitOnnx } from '../../daemon/onnx/emit/emit.js';
import { gpuOnnx, type OnnxTarget, wholeOnnx } from '../../daemon/onnx/emit/emitter.js';
import { traceModel } from '../../daemon/engine/trace/traceModel.js';
import { cases, chain, head, noisy, untrainableInTensorFlow, wrongInTensorFlow, type Case } from '../unit/engine/compiled/layerCases.js'; // prettier-ignore
import { onCpu, toModel } from '../unit/engine/compiled/tinyModels.js';

const ort = await import('onnxruntime-node').then((module) => module.default);
const embedding: Case = ['Embedding', [4], () => [tfl.layers.embedding({ inputDim: 7, outputDim: 3 }), ...head()]];

/** Opens the training and the inference graph on WebGPU alone. @throws where an operation would fall back. */
async function place([, inputShape, build, loss = 'meanSquaredError']: Case, target: OnnxTarget): Promise<void> {
  const { training, inference } = await traceModel(toModel(chain(inputShape, build())), { loss, batchSize: 3 });
  const options = {
    executionProviders: ['webgpu'],
    logSeverityLevel: 4 as const,
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  };
  for (const graph of [await training(), inference])
    await (await ort.InferenceSession.create(emitOnnx(graph, target).bytes, options)).release();
}

describe('no operation falls back to the CPU', () => {
  beforeEach(onCpu);
  const all: readonly Case[] = [...cases, ...wrongInTensorFlow, ...(untrainableInTensorFlow as unknown as Case[]), ...noisy, embedding]; // prettier-ignore
  it.each(all.map((one) => [one[0], one] as const))('%s', (_name, one) => place(one, gpuOnnx));

  it('a plain Selu does, so the check can fail', async () => {
    const selu = cases.find(([name]) => name === 'activation selu')!;
    await expect(place(selu, wholeOnnx)).rejects.toThrow(/CPU/);
  });
});
