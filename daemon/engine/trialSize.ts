import type { Model } from '../model/model.js';
import { summarizeModel } from '../model/summarize.js';
import type { SessionSpec } from './engine.js';
import { sizeOf } from '../protocol/shape.js';

/** Of the memory that is free, so much at most is for a trial. */
const share = 0.5;
/** A trial's activations stay below this even where more is free: filling memory takes time. Bytes. */
const enough = 2 ** 30;
/** Two engines are open at a time. */
const engines = 2;
/** Tensors of a layer's size that a step keeps: the output, its gradient, and one that an activation or a layout makes. */
const copies = 3;
/** Vectors of all weights: weights, velocity, gradient, target, and those that a comparison makes. */
const vectors = 7;
/** Forward, and the gradients of inputs and weights. */
const passes = 3;
/** Floating-point operations of one step: what plain JavaScript does in some ten seconds, and compiled code in a few. */
const patience = { slow: 2e9, compiled: 5e10 } as const;

/** What a training step takes, estimated from the layers' shapes before anything is opened. */
export interface StepCost {
  /** Bytes of activations, per sample. */
  readonly perSample: number;
  /** Bytes that do not depend on the batch. */
  readonly fixed: number;
  /** Floating-point operations, per sample. */
  readonly flops: number;
}

export function stepCost(model: Model): StepCost {
  let [elements, weights, flops] = [0, 0, 0];
  for (const layer of summarizeModel(model)) {
    const output = sizeOf((layer.outputShape ?? []).map((n) => n ?? 1));
    // What a kernel makes at all its places: more than the output where a recurrent layer gives the last step only.
    const made = layer.weights.reduce((sum, { shape, flopsPerWeight = 0 }) => sum + ((shape.at(-1) ?? 1) * flopsPerWeight) / 2, 0); // prettier-ignore
    elements += Math.max(output, made);
    weights += layer.params;
    flops += layer.flops;
  }
  return { perSample: 4 * copies * elements, fixed: 4 * vectors * weights, flops: passes * flops };
}

/**
 * The largest batch that two engines can be tried on side by side without taking more than half of the memory that is free, or
 * more than seconds. Of compiled engines a single step of a single sample may take what it takes: the run does nothing else.
 *
 * @param batchSize what the session is for; the answer is no larger.
 * @param slow whether one of them is plain JavaScript.
 * @param free bytes; by default what the process may still take.
 * @returns samples; 0 where not even one fits.
 */
export function trialBatch(model: Model, batchSize: number, slow: boolean, free = process.availableMemory()): number {
  const { perSample, fixed, flops } = stepCost(model);
  const room = Math.min(share * free - engines * fixed, enough);
  const byMemory = Math.floor(room / (engines * Math.max(1, perSample)));
  const byTime = Math.floor(patience[slow ? 'slow' : 'compiled'] / Math.max(1, flops));
  return Math.max(0, Math.min(batchSize, byMemory, slow ? byTime : Math.max(1, byTime)));
}

/** The spec of a trial: `size` samples at once. */
export function trialSpec(spec: SessionSpec, size: number): SessionSpec {
  if (size === spec.batchSize) return spec;
  const { microBatch: _, ...rest } = spec;
  return { ...rest, batchSize: size };
}
