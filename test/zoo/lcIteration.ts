/** One LC iteration on a file as the product runs it, and the file that it writes, in onnxruntime. */
import { rmSync } from 'node:fs';
import type { EngineSession } from '../../daemon/engine/engine.js';
import { openEngine } from '../../daemon/engine/registry.js';
import { openOnnx } from '../../daemon/export/runOnnx.js';
import { cStep } from '../../daemon/lc/cStep.js';
import { l0Constraint } from '../../daemon/lc/projections/l0.js';
import { writeGraph } from '../../daemon/model/graph/writeGraph.js';
import type { GraphModel } from '../../daemon/model/model.js';
import { withWeights } from '../../daemon/model/weights.js';
import { sizeOf } from '../../daemon/protocol/shape.js';
import type { EngineBatch } from './batch.js';
import { relativeError } from './forward.js';

const steps = 3;
/** Of the prunable weights. */
const kept = 0.1;

/** A session's weights and states by their names. */
function byName({ network }: GraphModel, { parameters }: EngineSession, weights: Float32Array, state: Float32Array) {
  const values = new Map(parameters.map(({ name, offset, size }) => [name, weights.slice(offset, offset + size)]));
  let at = 0;
  for (const { name, shape, trainable } of network.weights)
    if (!trainable) values.set(name, state.slice(at, (at += sizeOf(shape))));
  return values;
}

/**
 * An L step of three batches towards the projection of the weights, and the C step behind it. The file with either's weights is
 * written, and its output in onnxruntime compared with the engine's.
 * @returns the relative error of that output.
 * @throws Error where another number of weights stays.
 */
export async function lcIteration(model: GraphModel, { spec, inputs, target }: EngineBatch, path: string): Promise<number> {
  const session = await openEngine('native-cpu', model, spec);
  try {
    const { prunableSize } = session;
    const allowed = Math.ceil(kept * prunableSize);
    const ranges = [{ start: 0, end: prunableSize }];
    const project = (weights: Float32Array): Float32Array => {
      const theta = weights.slice();
      cStep([{ name: 'all', ranges, compression: l0Constraint(allowed, prunableSize) }], weights, null, 1, theta);
      return theta;
    };
    const { gradient } = await session.gradient(inputs, target);
    const rate = 0.01 / Math.max(1, Math.sqrt(gradient.reduce((sum, x) => sum + x * x, 0)));
    const batches = {
      next(buffers: readonly Float32Array[], wanted: Float32Array) {
        buffers.forEach((buffer, i) => buffer.set(inputs[i]!));
        wanted.set(target);
      },
    };
    const before = await session.getWeights();
    await session.train({ batches, steps, learningRate: () => rate, momentum: 0.9, nesterov: false, weightDecay: 0, penalty: { mu: 1e-3, target: project(before), ranges } });
    const weights = await session.getWeights();
    if (weights.every((x, i) => x === before[i])) throw new Error('the L step changed no weight');
    const theta = project(weights);
    const nonzero = theta.subarray(0, prunableSize).reduce((n, x) => n + Number(x !== 0), 0);
    if (nonzero !== allowed) throw new Error(`${nonzero} weights stay, not ${allowed}`);
    const state = await session.getState();
    let error = 0;
    // What the L step gives, too: a network of random weights, cut, may answer alike to every sample.
    for (const values of [weights, theta]) {
      await session.setWeights(values);
      const found = await session.predict(inputs, spec.batchSize);
      await writeGraph(withWeights(model, byName(model, session, values, state)), path);
      const file = await openOnnx(path, model, model.network.inputs.map(({ shape }) => shape), 0);
      error = Math.max(error, relativeError([found], [await file.run(inputs, spec.batchSize)]));
      await file.release();
    }
    return error;
  } finally {
    await session.dispose();
    rmSync(path, { force: true });
  }
} // prettier-ignore
