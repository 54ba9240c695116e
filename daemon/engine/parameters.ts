/** The flat vector of a session: the position of each trainable weight. */
import { sizeOf } from '../protocol/shape.js';
import type { Parameter } from './engine.js';

type Named = Pick<Parameter, 'name' | 'layer' | 'shape' | 'prunable'>;

/** Trainable weights laid out one after the other, prunable ones first, else in the given order. */
export function layOutParameters<W extends Named>(
  weights: readonly W[],
): {
  readonly parameters: readonly (W & Parameter)[];
  readonly prunableSize: number;
  readonly size: number;
} {
  let size = 0;
  const place = (prunable: boolean) =>
    weights
      .filter((weight) => weight.prunable === prunable)
      .map((weight): W & Parameter => {
        const length = sizeOf(weight.shape);
        const parameter = { ...weight, offset: size, size: length };
        size += length;
        return parameter;
      });
  const kernels = place(true);
  const prunableSize = size;
  return { parameters: [...kernels, ...place(false)], prunableSize, size };
}
