import type { SessionSpec } from '../../daemon/engine/engine.js';
import type { GraphModel } from '../../daemon/model/model.js';
import { sizeOf } from '../../daemon/protocol/shape.js';
import type { Reference } from './reference.js';

/** A reference's batch as an engine takes it. */
export interface EngineBatch {
  readonly spec: SessionSpec;
  /** [batch, ...shape] of the network's inputs. */
  readonly inputs: readonly Float32Array[];
  /** One-hot, of the first output's shape. */
  readonly target: Float32Array;
}

/** The file's values, [batch, ...dims], in the network's order of axes. */
function asNetwork(shape: readonly number[], fileAxes: readonly number[] | undefined, values: Float64Array): Float32Array {
  if (!fileAxes) return Float32Array.from(values);
  const size = sizeOf(shape);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const moved = new Float32Array(values.length);
  let places = [0];
  for (const axis of fileAxes) places = places.flatMap((place) => Array.from({ length: shape[axis]! }, (_, i) => place + i * strides[axis]!)); // prettier-ignore
  for (let at = 0; at < values.length; at += size) places.forEach((place, i) => (moved[at + place] = values[at + i]!));
  return moved;
} // prettier-ignore

/** The cross-entropy of the softmax of the first output, whose classes lie along its last axis. */
export function engineBatch(
  { network }: GraphModel,
  reference: Pick<Reference, 'batch' | 'inputs' | 'labels'>,
): EngineBatch {
  const { batch, labels } = reference;
  const classes = network.outputs[0]!.shape.at(-1)!;
  const target = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => (target[row * classes + label] = 1));
  return {
    spec: { loss: 'categoricalCrossentropy', fromLogits: true, batchSize: batch, seed: 1, threads: 1 },
    inputs: network.inputs.map(({ shape, fileAxes }, i) => asNetwork(shape, fileAxes, reference.inputs[i]!)),
    target,
  };
}
