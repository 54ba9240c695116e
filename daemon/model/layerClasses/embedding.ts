import { layer, optional, required, weights } from '../keras3/arguments.js';
import { flag, positive } from '../keras3/values.js';
import { field, numberAt } from '../layers/layerConfig.js';
import type { Dim } from '../layers/shape.js';
import type { LayerClass } from './layerClass.js';
import { resizes } from './rules/forward.js';
import { on } from './rules/shapes.js';
import { kernel } from './rules/weights.js';

export const EMBEDDING = {
  Embedding: {
    // Its table holds floats; an integer dtype is that of the tokens, and is not needed here.
    settle(config, note) {
      if (config.dtype !== 'int32') return;
      config.dtype = 'float32';
      note('the type of an Embedding became float32, that of its table');
    },
    shape: on(null, (config, input) => {
      const length = field(config, 'input_length');
      const lengths = length == null ? [] : Array.isArray(length) ? (length as unknown[]) : [length];
      const outer = input.map((dim, i): Dim => dim ?? (typeof lengths[i] === 'number' ? lengths[i] : null));
      return [...outer, numberAt(config, 'output_dim')];
    }),
    // A lookup needs no multiply-add. A unit is an entry of the vocabulary.
    weights: (config) => [
      { ...kernel('embeddings', [numberAt(config, 'input_dim'), numberAt(config, 'output_dim')], 0), unitAxes: [0, 1] },
    ],
    initial: { embeddings_initializer: {} },
    forward(op, _config, [x], { embeddings: table }) {
      const inputs = [table!, op.cast(x!, 'int32')];
      return op.graph.add({ op: 'Gather', inputs, attrs: { axis: 0 }, shape: [...x!.shape, table!.shape[1]!] });
    },
    resize: resizes('output_dim'),
    makesMask: (config) => config.mask_zero === true,
    maskInTfjs: 'passes',
    keras: layer({
      input_dim: required(positive),
      output_dim: required(positive),
      mask_zero: optional(flag),
      ...weights('embeddings'),
    }),
  },
} satisfies Record<string, LayerClass>;
