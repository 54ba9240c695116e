/** Our side: the product's session on an exported network, controlled over stdin (see ../engine/contender.ts). */
import { readFileSync } from 'node:fs';
import { bindBuffers } from '../../../daemon/engine/compiled/buffers.js';
import { allocateVectors } from '../../../daemon/engine/compiled/vectors.js';
import { graphsOf } from '../../../daemon/engine/graphs/graphsOf.js';
import { kernelLevel, loadAddon } from '../../../daemon/engine/native/addon.js';
import { NativeGraph } from '../../../daemon/engine/native/nativeGraph.js';
import { layOutParameters } from '../../../daemon/engine/parameters.js';
import { openEngine } from '../../../daemon/engine/registry.js';
import { readModel } from '../../../daemon/model/files/readModel.js';
import type { GraphModel } from '../../../daemon/model/model.js';
import { type EngineBatch, engineBatch } from '../../zoo/batch.js';
import type { Trainer } from '../engine/stepProfile.js';
import { serveSteps } from '../engine/turns.js';

/** An exported network and one batch beside it, as files that every contender reads. */
export interface ExportedProblem {
  readonly name: string;
  readonly batch: number;
  readonly learningRate: number;
  readonly folder: string;
  readonly modelFile: string;
  readonly imagesFile: string;
  readonly labelsFile: string;
}

async function modelAndBatch(problem: ExportedProblem): Promise<{ model: GraphModel; given: EngineBatch }> {
  const model = (await readModel(problem.modelFile, { workspace: problem.folder })) as GraphModel;
  const floats = (file: string) => Float64Array.from(new Float32Array(new Uint8Array(readFileSync(file)).buffer));
  const { batch, imagesFile, labelsFile } = problem;
  return { model, given: engineBatch(model, { batch, inputs: [floats(imagesFile)], labels: floats(labelsFile) }) };
}

/** Serves commands until stdin ends. */
export const serve = (engine: string, threads: number): Promise<void> =>
  serveSteps<ExportedProblem>(engine, async (problem) => {
    const { model, given } = await modelAndBatch(problem);
    const session = await openEngine(engine, model, { ...given.spec, threads });
    const batches = {
      next(inputs: readonly Float32Array[], target: Float32Array) {
        inputs.forEach((input, i) => input.set(given.inputs[i]!));
        target.set(given.target);
      },
    };
    const settings = { learningRate: () => problem.learningRate, momentum: 0.9, nesterov: true, weightDecay: 0 };
    return async () => {
      let loss = NaN;
      await session.train({ batches, steps: 1, ...settings, onStep: (_, value) => (loss = value) });
      return loss;
    };
  });

/** The graph of a training step alone, without an update: for profiles. */
export async function trainerOf(problem: ExportedProblem, threads: number): Promise<Trainer> {
  const { model, given } = await modelAndBatch(problem);
  const graphs = await graphsOf(model, given.spec);
  const training = await graphs.training();
  const { parameters, size } = layOutParameters(graphs.parameters);
  const vectors = allocateVectors(size);
  const values = new Map(model.weights.map(({ name, data }) => [name, Float32Array.from(data)]));
  for (const { name, offset } of parameters) vectors.w.set(values.get(name)!, offset);
  const io = bindBuffers(training, parameters, vectors, values);
  given.inputs.forEach((input, i) => io.data[i]!.set(input));
  io.target.set(given.target);
  const found = loadAddon();
  if ('reason' in found) throw new Error(found.reason);
  const level = kernelLevel(found.addon);
  const graph = NativeGraph.create(found.addon, training, io.inputs, io.outputs, { threads, level });
  return {
    operations: graph.operations,
    seconds: () => graph.seconds(),
    step: async () => {
      graph.runNow();
      return io.loss[0]!;
    },
  };
}
