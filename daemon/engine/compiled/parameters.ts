import type { Parameter } from '../engine.js';
import type { TracedWeight } from '../trace/traceModel.js';
import { sizeOf } from '../../protocol/shape.js';

/** By the weight's own name, the last segment: kernels of all layer kinds, and embeddings. */
const prunableName = /(^|[/_])(kernel|embeddings)$/;

/** Trainable weights laid out one after the other, prunable ones first, else in the model's order. */
export function layOutParameters(weights: readonly TracedWeight[]) {
  const split = (prunable: boolean) => weights.filter(({ name }) => prunableName.test(name) === prunable);
  let offset = 0;
  const place = (prunable: boolean) =>
    split(prunable).map(({ name, layer, shape }): Parameter => {
      const size = sizeOf(shape);
      const parameter = { name, layer, shape, offset, size, prunable };
      offset += size;
      return parameter;
    });
  const kernels = place(true);
  const prunableSize = offset;
  return { parameters: [...kernels, ...place(false)], prunableSize, size: offset };
}
