/** Our side of the benchmark: one engine on one problem, controlled over stdin (see contender.ts). */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { BatchStream, TrainRequest } from '../../../daemon/engine/engine.js';
import { openEngine } from '../../../daemon/engine/registry.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import type { Command } from './contender.js';
import type { Problem } from './problems.js';

const floats = (file: string): Float32Array => {
  const { buffer, byteOffset, byteLength } = readFileSync(file);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
};

/** Batches in the problem's order, from memory. */
export function batchesOf({ imagesFile, targetsFile, orderFile, samples, batch }: Problem): BatchStream {
  const images = floats(imagesFile);
  const targets = floats(targetsFile);
  const order = new Uint32Array(floats(orderFile).buffer);
  const [width, classes] = [images.length / samples, targets.length / samples];
  let at = 0;
  return {
    next(inputs, target, copyRows) {
      if (copyRows && at + batch <= samples) {
        copyRows(images, width, order, at, batch, inputs[0]!);
        copyRows(targets, classes, order, at, batch, target);
        at = (at + batch) % samples;
        return;
      }
      for (let i = 0; i < batch; i++, at = (at + 1) % samples) {
        const sample = order[at]!;
        inputs[0]!.set(images.subarray(sample * width, (sample + 1) * width), i * width);
        target.set(targets.subarray(sample * classes, (sample + 1) * classes), i * classes);
      }
    },
  };
}

/** The network with the problem's weights. */
export function modelOf(problem: Problem): LayersModel {
  const flat = floats(problem.weightsFile);
  return {
    kind: 'layers',
    format: 'tfjs-layers',
    path: problem.name,
    topology: problem.topology,
    weights: problem.weights.map(({ name, shape, offset }) => ({
      name,
      shape,
      dtype: 'float32',
      data: flat.slice(offset, offset + shape.reduce((a, b) => a * b, 1)),
    })),
    notes: [],
  };
}

/** Serves commands until stdin ends. @param threads for the engine. */
export async function serve(engine: string, threads: number): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const problem = JSON.parse((await lines.next()).value as string) as Problem;
  const model = modelOf(problem);
  const session = await openEngine(engine, model, {
    loss: 'categoricalCrossentropy',
    batchSize: problem.batch,
    seed: 1,
    threads,
  });
  const batches = batchesOf(problem);
  const train = (steps: number, more: Partial<TrainRequest> = {}) =>
    session.train({
      batches,
      steps,
      learningRate: () => problem.learningRate,
      momentum: 0.9,
      nesterov: true,
      weightDecay: 0,
      ...more,
    });
  const answer = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
  answer({ about: `${session.info.name}, ${session.info.device}, Node ${process.version}` });
  for await (const line of { [Symbol.asyncIterator]: () => lines }) {
    const command = JSON.parse(line) as Command;
    if (command.cmd === 'losses') {
      const losses: number[] = [];
      await train(command.steps, { onStep: (_, loss) => losses.push(loss) });
      answer({ losses });
    } else if (command.cmd === 'time') {
      const [start, before] = [performance.now(), process.cpuUsage()];
      await train(command.steps);
      const { user, system } = process.cpuUsage(before);
      answer({ seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 });
    }
  }
}
