import { DATA_FORMAT, layer } from '../../keras3/arguments.js';
import { channelsFirst } from '../../layers/layerConfig.js';
import { sizeOf } from '../../layers/shape.js';
import type { LayerClass } from '../layerClass.js';
import { on } from '../rules/shapes.js';

export const FLATTEN = {
  Flatten: {
    shape: on(null, (_config, input) => [sizeOf(input)]),
    // With channels first Keras moves them to the end before it flattens.
    forward(op, config, [x], _weights, { shape }) {
      const moved = channelsFirst(config) && x!.shape.length > 2 ? [0, ...x!.shape.slice(2).map((_, i) => i + 2), 1] : null; // prettier-ignore
      return op.reshape(moved ? op.transpose(x!, moved) : x!, [x!.shape[0]!, ...shape]);
    },
    onInput: 'moves',
    sparse: 'nothing',
    keras: layer(DATA_FORMAT),
  },
} satisfies Record<string, LayerClass>;
