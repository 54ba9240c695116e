import { field } from '../layers/layerConfig.js';
import type { LayerClass } from './layerClass.js';

export const INPUT = {
  InputLayer: {
    shape(config) {
      const shape = field(config, 'batch_input_shape') ?? field(config, 'batch_shape');
      const sizes = Array.isArray(shape) ? (shape as unknown[]).slice(1) : null;
      return [sizes && sizes.map((dim) => (typeof dim === 'number' ? dim : null))];
    },
    // The entry of a nested model; the model's own input has none.
    forward: (_op, _config, [x]) => x ?? null,
    onInput: 'moves',
    sparse: 'nothing',
  },
} satisfies Record<string, LayerClass>;
