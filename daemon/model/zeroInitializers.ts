/** A topology that is quick to build, for when the weights are set anyway. */
import { isObject } from './layerConfig.js';
import type { Topology } from './model.js';

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return (value as unknown[]).map(copy);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) =>
      /_?initializer$/i.test(key) ? [key, { class_name: 'Zeros', config: {} }] : [key, copy(item)],
    ),
  );
}

/**
 * A copy of the topology whose layers start at zero. TensorFlow.js otherwise draws every initial weight, and an LSTM of 256
 * units takes it minutes (an orthogonal matrix by a QR decomposition in JavaScript). For building only; never saved.
 */
export const withZeroInitializers = (topology: Topology): Topology => copy(topology) as Topology;
