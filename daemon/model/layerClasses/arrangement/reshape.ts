/** Reshape, Permute and RepeatVector. */
import { layer, required } from '../../keras3/arguments.js';
import { integers, positive, targetShape } from '../../keras3/values.js';
import { field, numberAt, type Json } from '../../layers/layerConfig.js';
import { sizeOf, type Dim } from '../../layers/shape.js';
import type { LayerClass, Left } from '../layerClass.js';
import { stretched } from '../rules/forward.js';
import { on } from '../rules/shapes.js';

/** Sizes that the config leaves open stay open. */
function resizeTarget(config: Json, { output }: Left): void {
  const key = config['target_shape'] === undefined ? 'targetShape' : 'target_shape';
  config[key] = (config[key] as unknown[]).map((dim, i) => (typeof dim === 'number' && dim >= 0 ? output[i]!.length : dim)); // prettier-ignore
}

export const ARRANGEMENT = {
  Reshape: {
    shape: on(null, (config, input) => {
      const target = field(config, 'target_shape');
      if (!Array.isArray(target)) return null;
      const wanted = (target as unknown[]).map((dim): Dim => (typeof dim === 'number' && dim >= 0 ? dim : null));
      const total = sizeOf(input);
      const known = sizeOf(wanted.map((dim) => dim ?? 1))!;
      const open = wanted.filter((dim) => dim === null).length;
      if (total === null || open > 1) return wanted;
      if (open === 0) return known === total ? wanted : null;
      return known > 0 && total % known === 0 ? wanted.map((dim) => dim ?? total / known) : null;
    }),
    forward: (op, _config, [x], _weights, { shape }) => op.reshape(x!, [x!.shape[0]!, ...shape]),
    resize: resizeTarget,
    onInput: 'moves',
    keras: layer({ target_shape: required(targetShape) }),
  },
  Permute: {
    shape: on(null, (config, input) => {
      const dims = field(config, 'dims');
      if (!Array.isArray(dims) || dims.length !== input.length) return null;
      const shape = (dims as unknown[]).map((dim) => (typeof dim === 'number' ? input[dim - 1] : undefined));
      return shape.some((dim) => dim === undefined) ? null : (shape as Dim[]);
    }),
    forward: (op, config, [x]) => op.transpose(x!, [0, ...(field(config, 'dims') as number[])]),
    onInput: 'moves',
    keras: layer({ dims: required(integers) }),
  },
  RepeatVector: {
    shape: on(1, (config, input) => [numberAt(config, 'n'), input[0]!]),
    forward(op, _config, [x], _weights, { shape }) {
      const [batch, size] = x!.shape as [number, number];
      return op.reshape(stretched(op, op.reshape(x!, [batch, 1, 1, size]), shape[0]!, 1), [batch, ...shape]);
    },
    onInput: 'moves',
    keras: layer({ n: required(positive) }),
  },
} satisfies Record<string, LayerClass>;
