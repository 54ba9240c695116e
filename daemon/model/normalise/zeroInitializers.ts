/** A topology that is quick to build, for models whose weights are set afterwards. */
import { classOf } from '../layerClasses/registry.js';
import { isObject } from '../layers/layerConfig.js';
import type { Topology } from '../model.js';

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return (value as unknown[]).map(copy);
  if (!isObject(value)) return value;
  const initial = typeof value.class_name === 'string' ? classOf(value.class_name)?.initial : undefined;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (/_?initializer$/i.test(key) && inner !== null) return [key, { class_name: 'Zeros', config: {} }];
      if (key === 'seed') return [key, null];
      if (key !== 'config' || !isObject(inner)) return [key, copy(inner)];
      return [key, copy({ ...inner, ...initial })];
    }),
  );
}

/**
 * A copy of the topology whose layers are initialised to zero, also those without an initializer. TensorFlow.js otherwise draws every initial weight,
 * which takes it minutes for an LSTM of 256 units (an orthogonal matrix by a QR decomposition in JavaScript). Without seeds, too, because a seed
 * makes every dropout mask the same. For building only; never saved.
 */
export const withZeroInitializers = (topology: Topology): Topology => copy(topology) as Topology;
