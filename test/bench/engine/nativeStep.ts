/** A training step of the native engine on one problem, without a session around it. */
import { bindBuffers } from '../../../daemon/engine/compiled/buffers.js';
import { allocateVectors } from '../../../daemon/engine/compiled/vectors.js';
import { kernelLevel, loadAddon } from '../../../daemon/engine/native/addon.js';
import { NativeGraph } from '../../../daemon/engine/native/nativeGraph.js';
import { layOutParameters } from '../../../daemon/engine/parameters.js';
import { traceModel } from '../../../daemon/engine/trace/traceModel.js';
import { updateSegments } from '../../../daemon/engine/update/segments.js';
import type { Problem } from './problems.js';
import { batchesOf, modelOf } from './worker.js';

/** Time of one step, in ms. */
export interface StepTimes {
  readonly copied: number;
  readonly updated: number;
  readonly whole: number;
}

/** Ready to run, with the problem's weights and data. @throws Error if the kernels do not run on this machine. */
export async function openNativeStep(problem: Problem, threads: number) {
  const found = loadAddon();
  if ('reason' in found) throw new Error(found.reason);
  const level = kernelLevel(found.addon);
  const model = modelOf(problem);
  const traced = await traceModel(model, { loss: 'categoricalCrossentropy', batchSize: problem.batch });
  const training = await traced.training();
  const { parameters, size } = layOutParameters(traced.parameters);
  const vectors = allocateVectors(size);
  const values = new Map(model.weights.map(({ name, data }) => [name, data]));
  for (const { name, offset } of parameters) vectors.w.set(values.get(name)!, offset);
  const fixed = new Map(traced.states.map(({ name }) => [name, Float32Array.from(values.get(name)!)]));
  const io = bindBuffers(training, parameters, vectors, fixed);
  const graph = NativeGraph.create(found.addon, training, io.inputs, io.outputs, { threads, level });
  const batches = batchesOf(problem);
  const update = graph.update(vectors.memory);
  const segments = updateSegments(size, size);
  const settings = { eta: problem.learningRate, momentum: 0.9, nesterov: true, weightDecay: 0, mu: 0 };
  async function step(): Promise<StepTimes> {
    const began = performance.now();
    await batches.next(io.data, io.target, graph.copyRows);
    const copied = performance.now();
    graph.runNow();
    const ran = performance.now();
    update.step(vectors.offsets, segments, settings);
    const ended = performance.now();
    return { copied: copied - began, updated: ended - ran, whole: ended - began };
  }
  const copiedValues = io.data.reduce((sum, { length }) => sum + length, 0);
  return { training, graph, level, weights: size, copiedValues, step };
}
