/** A layer's config, of whichever generation, as the arguments that Keras 3's constructor takes, and no others. */
import { classOf } from '../layerClasses/registry.js';
import { field, own, type Json, type LayerJson } from '../layers/layerConfig.js';
import type { Refuse } from '../layers/refuse.js';
import { snake } from './values.js';

/** Keys of Keras 2, Keras 3 and TensorFlow.js that change no output: hints for one implementation, what the wiring says again. */
const WITHOUT_MEANING: ReadonlySet<string> = new Set([
  'implementation', 'input_dtype', 'batch_input_shape', 'batch_shape', 'input_shape', 'input_dim', 'input_length', 'batch_size',
  'ragged', 'sparse', 'dynamic', 'build_input_shape', 'fused', 'adjustment', 'renorm_clipping', 'renorm_momentum', 'unit_forget_bias',
  'use_cudnn', 'seed', 'autocast', 'synchronized', 'num_constants', 'quantization_config', 'lora_rank', 'lora_alpha',
  'half_pixel_centers', 'trainable', 'rank', 'noise_shape', 'supports_masking', 'data_format', 'activity_regularizer',
]); // prettier-ignore
/** Of weights that the class does not have: tf.keras writes a SeparableConv2D's kernel_initializer. */
const OF_NO_WEIGHT = /_?(initializer|regularizer|constraint)$/;

/** What tf.keras writes for classes that have no such argument in Keras 3. */
const NEUTRAL: Readonly<Record<string, unknown>> = { groups: 1, virtual_batch_size: 0, num_constants: 0 };

const saysNothing = (value: unknown): boolean =>
  value == null || value === false || (typeof value === 'object' && Object.keys(value).length === 0);

/** A layer of a class that Keras 3 dropped, as one that it has. */
export const inKeras3 = (layer: LayerJson): LayerJson => classOf(layer.class_name)?.inKeras3?.(layer) ?? layer;

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 60) ?? 'nothing';

/**
 * Every argument is one of the constructor's, in its own form; null where TensorFlow.js means its default becomes that one.
 * Regularizers and constraints come out as `KerasObject`, inner layers as they are.
 * @throws (through `refuse`) on a class that Keras 3 lacks, a missing argument, a value it does not take, or a setting it
 * does not have.
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
      // A seed starts training alone.
      if (name === 'seed' && written[name] === undefined) delete written[name];
      else if (written[name] === undefined) refuse(`has "${name}": ${shown(value)}, which Keras 3 does not take`);
    }
  }
  for (const [name, value] of Object.entries(given)) {
    // TensorFlow.js keeps the cells beside the cell that stacks them.
    if (name === 'cells' && layer.class_name === 'RNN') continue;
    if (!saysNothing(value) && value !== own(NEUTRAL, name) && !WITHOUT_MEANING.has(name) && !OF_NO_WEIGHT.test(name))
      refuse(`has "${name}": ${shown(value)}, which Keras 3 does not have`);
  }
  return written;
}
