/** Converts a layer's config, of any generation, to the arguments of Keras 3's constructor, and no others. */
import { classOf } from '../layerClasses/registry.js';
import { field, own, type Json, type LayerJson } from '../layers/layerConfig.js';
import type { Refuse } from '../layers/refuse.js';
import { snake } from './values.js';

/** Keys of Keras 2, Keras 3 and TensorFlow.js that do not affect outputs: hints for one implementation, or repetitions of the wiring. */
const WITHOUT_MEANING: ReadonlySet<string> = new Set([
  'implementation', 'input_dtype', 'batch_input_shape', 'batch_shape', 'input_shape', 'input_dim', 'input_length', 'batch_size',
  'ragged', 'sparse', 'dynamic', 'build_input_shape', 'fused', 'adjustment', 'renorm_clipping', 'renorm_momentum', 'unit_forget_bias',
  'use_cudnn', 'seed', 'autocast', 'synchronized', 'num_constants', 'quantization_config', 'lora_rank', 'lora_alpha',
  'half_pixel_centers', 'trainable', 'rank', 'noise_shape', 'supports_masking', 'data_format', 'activity_regularizer',
]); // prettier-ignore
/** Keys for weights that the class does not have: tf.keras writes a SeparableConv2D's kernel_initializer. */
const OF_NO_WEIGHT = /_?(initializer|regularizer|constraint)$/;

/** Arguments that tf.keras writes for classes that have none of that name in Keras 3. */
const NEUTRAL: Readonly<Record<string, unknown>> = { groups: 1, virtual_batch_size: 0, num_constants: 0 };

const saysNothing = (value: unknown): boolean =>
  value == null || value === false || (typeof value === 'object' && Object.keys(value).length === 0);

/** A layer of a class that Keras 3 dropped, as an equivalent one. */
export const inKeras3 = (layer: LayerJson): LayerJson => classOf(layer.class_name)?.inKeras3?.(layer) ?? layer;

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 60) ?? 'nothing';

/**
 * Every argument is one of the constructor's, in its own form; null if TensorFlow.js's default applies. Regularizers and constraints become
 * `KerasObject`, inner layers stay as they are.
 * @throws (through `refuse`) on a class that Keras 3 lacks, a missing argument, an invalid value, or a setting it does not have.
 */
export function projectConfig(layer: LayerJson, refuse: Refuse): Json {
  const record = classOf(layer.class_name);
  const known = record?.keras;
  if (!known) return refuse(`is of class ${layer.class_name.slice(0, 60)}, which Keras 3 does not have`);
  const given: Json = {};
  for (const [key, value] of Object.entries(layer.config)) {
    const name = snake(key);
    const renamed = own(record.renamedInKeras3 ?? {}, name) ?? name;
    if (given[renamed] === undefined) given[renamed] = value;
  }
  if (given.name === undefined) given.name = field(layer as unknown as Json, 'name');
  const written: Json = {};
  for (const [name, argument] of Object.entries(known)) {
    const value = given[name];
    delete given[name];
    if (value === null && argument.nullable) written[name] = null;
    else if (value == null) {
      if (argument.absent !== undefined) written[name] = argument.absent;
      else if (argument.required) refuse(`has no "${name}", which Keras 3 needs`);
    } else {
      written[name] = argument.kind(value);
      // A seed only affects the start of training.
      if (name === 'seed' && written[name] === undefined) delete written[name];
      else if (written[name] === undefined) refuse(`has "${name}": ${shown(value)}, which Keras 3 does not take`);
    }
  }
  for (const [name, value] of Object.entries(given)) {
    // TensorFlow.js stores the cells beside the stacked cell.
    if (name === 'cells' && layer.class_name === 'RNN') continue;
    // The writer puts it into the calls.
    if (record.callSettings?.includes(name)) continue;
    if (!saysNothing(value) && value !== own(NEUTRAL, name) && !WITHOUT_MEANING.has(name) && !OF_NO_WEIGHT.test(name))
      refuse(`has "${name}": ${shown(value)}, which Keras 3 does not have`);
  }
  return written;
}
