/** Our side: one engine's executor on a training graph, controlled over stdin (see ../engine/contender.ts). */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { bindBuffers } from '../../../daemon/engine/compiled/buffers.js';
import { onnxExecutor } from '../../../daemon/engine/compiled/onnxGraph.js';
import { allocateVectors } from '../../../daemon/engine/compiled/vectors.js';
import { kernelLevel, loadAddon } from '../../../daemon/engine/native/addon.js';
import type { Operation } from '../../../daemon/engine/native/cost.js';
import { NativeGraph } from '../../../daemon/engine/native/nativeGraph.js';
import { layOutParameters } from '../../../daemon/engine/parameters.js';
import { updateSegments } from '../../../daemon/engine/update/segments.js';
import { createUpdate } from '../../../daemon/engine/update/update.js';
import type { Command } from '../engine/contender.js';
import { sizesOf, trainingOf } from './networks.js';
import type { TransformerProblem } from './problem.js';

/** A network ready for training, with its own weights. */
export interface Trainer {
  readonly operations: readonly Operation[];
  /** Seconds of each operation in the last step, if the engine measures them. */
  seconds(): readonly number[];
  /** One step of SGD. @returns the loss before it. */
  step(): Promise<number>;
}

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
export async function serve(engine: string, threads: number): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const problem = JSON.parse((await lines.next()).value as string) as TransformerProblem;
  const trainer = await trainerOf(engine, problem, threads);
  const answer = (value: object) => writeSync(1, `${JSON.stringify(value)}\n`);
  answer({ about: `${engine}, Node ${process.version}` });
  for await (const line of { [Symbol.asyncIterator]: () => lines }) {
    const command = JSON.parse(line) as Command;
    const steps = 'steps' in command ? command.steps : 0;
    const losses: number[] = [];
    const [seconds, cpuSeconds]: [number[], number[]] = [[], []];
    for (let i = 0; i < steps; i++) {
      const [start, before] = [performance.now(), process.cpuUsage()];
      losses.push(await trainer.step());
      seconds.push((performance.now() - start) / 1000);
      const { user, system } = process.cpuUsage(before);
      cpuSeconds.push((user + system) / 1e6);
    }
    answer({ losses, seconds, cpuSeconds, memory: process.resourceUsage().maxRSS / 1024 });
  }
}
