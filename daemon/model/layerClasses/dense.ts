import { layer, linear as linearArguments, required } from '../keras3/arguments.js';
import { positive } from '../keras3/values.js';
import { numberAt } from '../layers/layerConfig.js';
import type { LayerClass } from './layerClass.js';
import { completed, resizes } from './rules/forward.js';
import { on } from './rules/shapes.js';
import { kernel, positions, withBias } from './rules/weights.js';

export const DENSE = {
  Dense: {
    shape: on(null, (config, input) =>
      input.length === 0 ? null : [...input.slice(0, -1), numberAt(config, 'units')],
    ),
    weights(config, input) {
      const units = numberAt(config, 'units');
      return [
        kernel('kernel', [input?.at(-1) ?? null, units], positions(input?.slice(0, -1) ?? [])),
        ...withBias(config, units),
      ];
    },
    initial: { kernel_initializer: {} },
    // Rows are not made one axis with the samples: each such Reshape is a choice between axes, and a model has many of these layers.
    forward(op, config, [x], { kernel: weight, bias }) {
      const attrs = { transposeA: false, transposeB: false };
      const shape = x!.shape.with(-1, weight!.shape[1]!);
      return completed(op, config, op.graph.add({ op: 'MatMul', inputs: [x!, weight!], attrs, shape }), bias);
    },
    resize: resizes('units'),
    mask: 'pass',
    maskInTfjs: 'passes',
    sparse: 'product',
    keras: layer({ units: required(positive), ...linearArguments('kernel') }),
  },
} satisfies Record<string, LayerClass>;
