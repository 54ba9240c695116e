import { layer, optional, weights } from '../../keras3/arguments.js';
import { axis } from '../../keras3/values.js';
import { field } from '../../layers/layerConfig.js';
import type { LayerClass } from '../layerClass.js';
import { same } from '../rules/shapes.js';
import { vector } from '../rules/weights.js';

export const PRELU = {
  PReLU: {
    shape: same,
    weights(config, input) {
      const shared = field(config, 'shared_axes');
      const axes = new Set(Array.isArray(shared) ? (shared as unknown[]) : typeof shared === 'number' ? [shared] : []);
      return [vector('alpha', ...(input ?? [null]).map((dim, i) => (axes.has(i + 1) ? 1 : dim)))];
    },
    forward: (op, _config, [x], { alpha }) => op.graph.add({ op: 'Prelu', inputs: [x!, alpha!], shape: x!.shape }),
    mask: 'pass',
    maskInTfjs: 'passes',
    asActivation: true,
    keras: layer({ shared_axes: optional(axis), ...weights('alpha') }),
  },
} satisfies Record<string, LayerClass>;
