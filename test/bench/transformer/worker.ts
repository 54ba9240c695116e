/** Our side: one engine's executor on a training graph, controlled over stdin (see ../engine/contender.ts). */
import { bindBuffers } from '../../../daemon/engine/compiled/buffers.js';
import { onnxExecutor } from '../../../daemon/engine/compiled/onnxGraph.js';
import { allocateVectors } from '../../../daemon/engine/compiled/vectors.js';
import { kernelLevel, loadAddon } from '../../../daemon/engine/native/addon.js';
import { NativeGraph } from '../../../daemon/engine/native/nativeGraph.js';
import { layOutParameters } from '../../../daemon/engine/parameters.js';
import { updateSegments } from '../../../daemon/engine/update/segments.js';
import { createUpdate } from '../../../daemon/engine/update/update.js';
import type { Trainer } from '../engine/stepProfile.js';
import { serveSteps } from '../engine/turns.js';
import { sizesOf, trainingOf } from './networks.js';
import type { TransformerProblem } from './problem.js';

export async function trainerOf(engine: string, problem: TransformerProblem, threads: number): Promise<Trainer> {
  const training = trainingOf({ ...sizesOf[problem.name], batch: problem.batch });
  const named = training.weights.map(({ name, shape }) => ({ name, layer: name, shape, prunable: true }));
  const { parameters, size } = layOutParameters(named);
  const vectors = allocateVectors(size);
  parameters.forEach(({ offset }, i) => vectors.w.set(training.weights[i]!.values, offset));
  const io = bindBuffers(training.graph, parameters, vectors, new Map());
  io.data[0]!.set(training.data);
  io.target.set(training.target);
  const settings = { eta: problem.learningRate, momentum: 0.9, nesterov: true, weightDecay: 0, mu: 0 };
  const segments = updateSegments(size, size);
  if (engine === 'onnx-cpu') {
    const create = onnxExecutor({ provider: 'cpu', threads });
    const graph = await create(training.graph, io.inputs, io.outputs);
    const update = createUpdate(vectors.memory);
    const step = async () => {
      await graph.run();
      update.step(vectors.offsets, segments, settings);
      return io.loss[0]!;
    };
    return { operations: [], seconds: () => [], step };
  }
  const found = loadAddon();
  if ('reason' in found) throw new Error(found.reason);
  const level = kernelLevel(found.addon);
  const graph = NativeGraph.create(found.addon, training.graph, io.inputs, io.outputs, { threads, level });
  const update = graph.update(vectors.memory);
  const step = async () => {
    graph.runNow();
    update.step(vectors.offsets, segments, settings);
    return io.loss[0]!;
  };
  return { operations: graph.operations, seconds: () => graph.seconds(), step };
}

/** Serves commands until stdin ends. */
export const serve = (engine: string, threads: number): Promise<void> =>
  serveSteps<TransformerProblem>(engine, async (problem) => (await trainerOf(engine, problem, threads)).step);
