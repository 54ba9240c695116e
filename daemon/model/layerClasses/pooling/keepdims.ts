import { field, type Json } from '../../layers/layerConfig.js';
import type { Refuse } from '../../layers/refuse.js';
import { ignored } from '../rules/settings.js';

/** Rejects a setting that TensorFlow.js ignores. */
export function keepdims(config: Json, refuse: Refuse): void {
  if (field(config, 'keepdims') === true) ignored(refuse, 'keepdims', 'put a Reshape layer behind it instead');
}
