import type { Model } from '../model/model.js';
import { summarizeModel } from '../model/summarize.js';
import type { SessionSpec } from './engine.js';
import { sizeOf } from '../protocol/shape.js';

/** Share of the free memory that a trial may use. */
const share = 0.5;
/** A trial's activations stay below this even if more memory is free, because filling memory takes time. Bytes. */
const enough = 2 ** 30;
/** Two engines are open at a time. */
const engines = 2;
/** Tensors of a layer's size that a step keeps: the output, its gradient, and one for an activation or a layout. */
const copies = 3;
/** Vectors of all weights: weights, velocity, gradient, target, and those of a comparison. */
const vectors = 7;
/** Forward, and the gradients of inputs and weights. */
const passes = 3;
/** Floating-point operations of one step: some ten seconds of plain JavaScript, and a few of compiled code. */
const patience = { slow: 2e9, compiled: 5e10 } as const;

/** Cost of a training step, estimated from the layers' shapes before an engine is opened. */
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
    // A kernel's output at all its positions: larger than the layer's if a recurrent layer returns only the last step.
    const made = layer.weights.reduce((sum, { shape, flopsPerWeight = 0 }) => sum + ((shape.at(-1) ?? 1) * flopsPerWeight) / 2, 0); // prettier-ignore
    elements += Math.max(output, made);
    weights += layer.params;
    flops += layer.flops;
  }
  return { perSample: 4 * copies * elements, fixed: 4 * vectors * weights, flops: passes * flops };
}

/**
 * The largest batch on which two engines can be tried side by side within half of the free memory and a few seconds. A single step of a single sample
 * on compiled engines has no limit: the run does nothing else.
 * @param batchSize of the session; the result is no larger.
 * @param slow whether one of them is plain JavaScript.
 * @param free bytes; default: what the process can still allocate.
 * @returns samples; 0 if not even one fits.
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
