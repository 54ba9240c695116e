/** Config values that Keras writes in ways TensorFlow.js does not read: types, initializers, regularizers, activations. */
import { ownActivation, REFUSED_ACTIVATIONS } from '../layerClasses/activations/ownActivations.js';
import { classOf } from '../layerClasses/registry.js';
import { isObject, type Json, own } from '../layers/layerConfig.js';
import type { Refuse } from '../layers/refuse.js';
import type { Notes } from '../notes.js';

const DTYPES: Record<string, string> = {
  float32: 'float32',
  int32: 'int32',
  bool: 'bool',
  float64: 'float32',
  float16: 'float32',
  half: 'float32',
  bfloat16: 'float32',
  mixed_float16: 'float32',
  mixed_bfloat16: 'float32',
  int64: 'int32',
  uint8: 'int32',
  int8: 'int32',
  int16: 'int32',
  uint16: 'int32',
  uint32: 'int32',
};

/** `{class_name: "DTypePolicy", config: {name}}` or a name -> a type of TensorFlow.js. */
function dtype(value: unknown, where: string, notes: Notes, refuse: Refuse): string {
  const name = isObject(value) ? (isObject(value.config) ? value.config.name : undefined) : value;
  if (isObject(value)) notes.add('dtype policy objects became names', where);
  const known = typeof name === 'string' ? own(DTYPES, name) : undefined;
  if (known === undefined) refuse(`has dtype ${JSON.stringify(name)?.slice(0, 60)}, which TensorFlow.js does not have`);
  if (name !== known) notes.add(`dtype ${String(name)} became ${known}`, where);
  return known!;
}

const INITIALIZERS = new Set([
  'Zeros', 'Ones', 'Constant', 'RandomUniform', 'RandomNormal', 'TruncatedNormal', 'Identity', 'VarianceScaling',
  'GlorotUniform', 'GlorotNormal', 'HeNormal', 'HeUniform', 'LeCunNormal', 'LeCunUniform', 'Orthogonal',
]); // prettier-ignore
const INITIALIZER_NAMES: Record<string, string> = {
  LecunNormal: 'LeCunNormal',
  LecunUniform: 'LeCunUniform',
  OrthogonalInitializer: 'Orthogonal',
  IdentityInitializer: 'Identity',
};
const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
const INITIALIZER_IDS = new Set([...INITIALIZERS].map((name) => (name.startsWith('LeCun') ? name : snake(name))));

/** The values come from the file, so an initializer that TensorFlow.js lacks can be replaced by any other. */
function initializer(value: unknown, where: string, notes: Notes): unknown {
  const zeros = (): Json => {
    notes.add('initializers TensorFlow.js lacks became Zeros (the values come from the file)', where);
    return { class_name: 'Zeros', config: {} };
  };
  if (value == null) return value;
  if (typeof value === 'string') return INITIALIZER_IDS.has(value) || INITIALIZERS.has(value) ? value : zeros();
  if (!isObject(value) || typeof value.class_name !== 'string') return zeros();
  const name = own(INITIALIZER_NAMES, value.class_name) ?? value.class_name;
  if (!INITIALIZERS.has(name)) return zeros();
  const config: Json = isObject(value.config) ? { ...value.config } : {};
  if (config.seed !== undefined && typeof config.seed !== 'number') config.seed = null;
  if (name === 'VarianceScaling' && config.distribution === 'untruncated_normal') config.distribution = 'normal';
  if (name === 'VarianceScaling' && !['normal', 'uniform', 'truncated_normal'].includes(String(config.distribution))) {
    config.distribution = 'normal';
  }
  if (name === 'Constant' && typeof config.value !== 'number') return zeros();
  return { class_name: name, config };
}

const numeric = (value: unknown): number | null => {
  const plain = isObject(value) && 'value' in value ? value.value : value;
  return typeof plain === 'number' && Number.isFinite(plain) ? plain : null;
};

function regularizer(value: unknown, where: string, notes: Notes): unknown {
  const dropped = (): null => {
    notes.add('regularizers TensorFlow.js lacks were dropped', where);
    return null;
  };
  if (value == null) return null;
  const name = typeof value === 'string' ? value : isObject(value) ? value.class_name : undefined;
  const config: Json = isObject(value) && isObject(value.config) ? value.config : {};
  if (typeof name !== 'string') return dropped();
  const kind = name.toLowerCase().replace(/_/g, '');
  if (kind !== 'l1' && kind !== 'l2' && kind !== 'l1l2') return dropped();
  const l1 = kind === 'l2' ? 0 : numeric(config.l1 ?? (typeof value === 'string' ? 0.01 : 0));
  const l2 = kind === 'l1' ? 0 : numeric(config.l2 ?? (typeof value === 'string' ? 0.01 : 0));
  if (l1 === null || l2 === null) return dropped();
  if (name !== 'L1L2') notes.add(`regularizer ${name} became L1L2`, where);
  return { class_name: 'L1L2', config: { l1, l2 } };
}

const CONSTRAINTS = new Set([
  'MaxNorm',
  'UnitNorm',
  'NonNeg',
  'MinMaxNorm',
  'max_norm',
  'unit_norm',
  'non_neg',
  'min_max_norm',
]);

function constraint(value: unknown, where: string, notes: Notes): unknown {
  if (value == null) return null;
  const name = isObject(value) ? value.class_name : value;
  if (typeof name === 'string' && CONSTRAINTS.has(name)) {
    return isObject(value) ? { class_name: name, config: isObject(value.config) ? value.config : {} } : value;
  }
  notes.add('constraints TensorFlow.js lacks were dropped', where);
  return null;
}

const ACTIVATIONS = new Set([
  'elu', 'selu', 'relu', 'relu6', 'linear', 'sigmoid', 'hard_sigmoid', 'hardSigmoid', 'softplus', 'softsign', 'tanh',
  'softmax', 'log_softmax', 'logSoftmax', 'gelu', 'mish', 'swish',
]); // prettier-ignore

/** An activation of TensorFlow.js, or the layer to insert after the current one. */
export type ActivationRewrite = { readonly name: string } | { readonly layer: { class_name: string; config: Json } };

/** hardSigmoid.ts, which has the weights, handles the hard_sigmoid of Keras 3. */
export function activation(value: unknown, where: string, notes: Notes, refuse: Refuse): ActivationRewrite {
  if (value == null) return { name: 'linear' };
  if (isObject(value)) {
    const { class_name: className, config } = value;
    if (className === 'function' && typeof config === 'string') {
      notes.add('activation objects became names', where);
      return activation(config, where, notes, refuse);
    }
    if (typeof className === 'string' && classOf(className)?.asActivation) {
      notes.add('a layer given as an activation became a layer of its own', where);
      return { layer: { class_name: className, config: isObject(config) ? { ...config } : {} } };
    }
    const id = isObject(config) && typeof config.activation === 'string' ? config.activation : className;
    return activation(typeof id === 'string' ? id.toLowerCase() : '?', where, notes, refuse);
  }
  if (value === 'silu') {
    notes.add('activation silu became swish', where);
    return { name: 'swish' };
  }
  if (value === 'leaky_relu') {
    notes.add('activation leaky_relu became linear and a LeakyReLU layer', where);
    // The slope that a name alone implies: 0.2 in Keras 2.13+ and 3.
    return { layer: { class_name: 'LeakyReLU', config: { alpha: 0.2 } } };
  }
  const refused = typeof value === 'string' ? own(REFUSED_ACTIVATIONS, value) : undefined;
  if (refused !== undefined) refuse(refused);
  if (typeof value !== 'string' || (!ACTIVATIONS.has(value) && ownActivation(value) === undefined)) {
    refuse(`uses the activation ${JSON.stringify(value)?.slice(0, 60)}, which TensorFlow.js does not have`);
  }
  return { name: value as string };
}

/** Rewrites, in place, every type, initializer, regularizer and constraint of one config. */
export function rewriteValues(config: Json, where: string, notes: Notes, refuse: Refuse): void {
  for (const key of Object.keys(config)) {
    const value = config[key];
    if (key === 'dtype') {
      if (value != null) config[key] = dtype(value, where, notes, refuse);
    } else if (/_?initializer$/i.test(key)) config[key] = initializer(value, where, notes);
    else if (/_?regularizer$/i.test(key)) config[key] = regularizer(value, where, notes);
    else if (/_?constraint$/i.test(key)) config[key] = constraint(value, where, notes);
  }
}
