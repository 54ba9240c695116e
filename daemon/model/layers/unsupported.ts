/** Rejects, by layer name, layers that cannot be loaded and settings that TensorFlow.js would silently ignore. */
import type { Refuse } from './refuse.js';
import { classOf } from '../layerClasses/registry.js';
import { again, ignored } from '../layerClasses/rules/settings.js';
import { CONTAINERS, field, type Json } from './layerConfig.js';

const KERAS_1_KEYS = [
  'nb_filter',
  'nb_row',
  'nb_col',
  'border_mode',
  'subsample',
  'output_dim',
  'init',
  'inner_init',
  'dim_ordering',
  'W_regularizer',
];
const KERAS_1_CLASSES =
  /^(Convolution[123]D|AtrousConvolution.*|Deconvolution2D|MaxoutDense|Highway|TimeDistributedDense|LocallyConnected.*|Merge)$/;

/** Whether a layer was written by Keras 1 (renamed arguments). Embedding has an output_dim in every version. */
function isKeras1(className: string, config: Json): boolean {
  if (KERAS_1_CLASSES.test(className) && !className.startsWith('LocallyConnected')) return true;
  return KERAS_1_KEYS.some(
    (key) => key in config && !(key === 'output_dim' && (className === 'Embedding' || 'units' in config)),
  );
}

/** @throws (through `refuse`) when the layer cannot be loaded, or would be loaded as something else. */
export function refuseUnsupported(className: string, config: Json, refuse: Refuse): void {
  if (isKeras1(className, config)) refuse('was written by Keras 1; load and save the model with Keras 2 or later');
  if (CONTAINERS.has(className)) return;
  const known = classOf(className);
  if (known?.refused !== undefined) refuse(known.refused);
  if (!known?.shape && !known?.recurrent)
    return refuse(
      `is of class ${className.slice(0, 60)}, which TensorFlow.js does not have; replace it by built-in layers`,
    );
  known.settings?.(config, refuse);
  if (field(config, 'time_major') === true) ignored(refuse, 'time_major', again);
}
