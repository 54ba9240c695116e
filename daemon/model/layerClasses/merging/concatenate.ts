import { layer, optional } from '../../keras3/arguments.js';
import { integer } from '../../keras3/values.js';
import { numberAt } from '../../layers/layerConfig.js';
import { axisWithoutBatch, type Dim, type Shape } from '../../layers/shape.js';
import type { LayerClass } from '../layerClass.js';

export const CONCATENATE = {
  Concatenate: {
    shape(config, inputs) {
      const first = inputs[0];
      if (!first || inputs.some((shape) => shape === null || shape.length !== first.length)) return [null];
      const axis = axisWithoutBatch(numberAt(config, 'axis') ?? -1, first.length);
      if (axis === null) return [null];
      const total = (inputs as Shape[]).reduce<Dim>(
        (sum, shape) => (sum === null || shape[axis] === null ? null : sum + shape[axis]!),
        0,
      );
      return [first.map((dim, i) => (i === axis ? total : dim))];
    },
    forward: (op, config, inputs) =>
      op.concat(inputs, axisWithoutBatch(numberAt(config, 'axis') ?? -1, inputs[0]!.shape.length - 1)! + 1),
    keras: layer({ axis: optional(integer) }),
  },
} satisfies Record<string, LayerClass>;
