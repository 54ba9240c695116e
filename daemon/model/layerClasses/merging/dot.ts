import { layer, optional, required } from '../../keras3/arguments.js';
import { axis, flag } from '../../keras3/values.js';
import { field } from '../../layers/layerConfig.js';
import { axisWithoutBatch } from '../../layers/shape.js';
import type { LayerClass } from '../layerClass.js';

export const DOT = {
  Dot: {
    shape(config, [a, b]) {
      if (!a || !b || a.length > 2 || b.length > 2) return [null];
      const axes = field(config, 'axes');
      const [axisA, axisB] = Array.isArray(axes) ? (axes as unknown[]) : [axes, axes];
      if (typeof axisA !== 'number' || typeof axisB !== 'number') return [null];
      const [i, j] = [axisWithoutBatch(axisA, a.length), axisWithoutBatch(axisB, b.length)];
      if (i === null || j === null) return [null];
      const rest = [...a.filter((_dim, k) => k !== i), ...b.filter((_dim, k) => k !== j)];
      return [rest.length === 0 ? [1] : rest];
    },
    keras: layer({ axes: required(axis), normalize: optional(flag) }),
  },
} satisfies Record<string, LayerClass>;
