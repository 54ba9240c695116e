import { field } from '../layers/layerConfig.js';
import type { LayerClass } from './layerClass.js';
import { identity } from './rules/channels.js';

export const INPUT = {
  InputLayer: {
    shape(config) {
      const shape = field(config, 'batch_input_shape') ?? field(config, 'batch_shape');
      const sizes = Array.isArray(shape) ? (shape as unknown[]).slice(1) : null;
      return [sizes && sizes.map((dim) => (typeof dim === 'number' ? dim : null))];
    },
    // The model's own input, or the entry of a nested model.
    channels: (call, weights) => (call.inputs.length === 0 ? null : identity(call, weights)),
    inOrder: true,
    onInput: 'moves',
    sparse: 'nothing',
  },
} satisfies Record<string, LayerClass>;
