/**
 * Stands for the real reader, `keras.models.load_model` of Keras 3.15, where there is no Python: it refuses what that one
 * refuses, by rules of its own (signatures.ts) and not by the writer's table. Against the real reader it was checked on
 * files of both (see checker.test.ts for what must pass and what must fail). What it checks:
 *
 * - every key of a config is an argument of the class, none that is needed is missing, None only where it is a value;
 * - activations, initializers, regularizers and constraints exist and have known arguments; numbers lie in their ranges;
 * - a functional model's nodes can be wired in some order, each call gets as many tensors as the layer takes, ends exist;
 * - what the file says of `compile` are arguments of it, and losses, metrics and optimizers that exist (compile.ts);
 * - every layer's variables are in the weights file, in the group and of the shape that its config implies.
 *
 * It computes no outputs.
 */
import { readFile } from 'node:fs/promises';
import { strFromU8, unzipSync } from 'fflate';
import { withHdf5, type Hdf5File } from '../../../daemon/model/files/hdf5.js';
import { ACTIVATIONS, OBJECTS, SIGNATURES } from './signatures.js';
import {
  innerLayers,
  integer,
  isContainer,
  isObject,
  layersIn,
  nameOf,
  refuse,
  type Json,
  type LayerJson,
} from './config.js';
import { checkCompileConfig, checkTrainingConfig } from './compile.js';
import { checkWiring, tensorsOf } from './wiring.js';
import { expectedShapes, variableGroups } from './variables.js';

const between =
  (low: number, high: number) =>
  (value: unknown): boolean =>
    typeof value === 'number' && value >= low && value <= high;
const every =
  (item: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    item(value) || (Array.isArray(value) && value.every(item));
const choice =
  (...names: string[]) =>
  (value: unknown): boolean =>
    names.includes(value as string);
const positive = (value: unknown): boolean => integer(value) && (value as number) > 0;
const flag = (value: unknown): boolean => typeof value === 'boolean';

/** Values by the argument's name; names mean the same in every class but for those with a class in front. */
const VALUES: readonly (readonly [RegExp, (value: unknown) => boolean])[] = [
  [/^(units|filters|n|input_dim|output_dim|depth_multiplier)$/, positive],
  [/^(kernel_size|strides|pool_size|dilation_rate|size)$/, every(positive)],
  [/^(use_bias|trainable|mask_zero|return_sequences|return_state|go_backwards|stateful|unroll|center|scale|reset_after|unit_forget_bias|keepdims|normalize|sparse|invert)$/, flag],
  [/^(rate|dropout|recurrent_dropout|stddev)$/, between(0, 1)],
  [/^data_format$/, choice('channels_last', 'channels_first')],
  [/^interpolation$/, choice('nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5', 'area')],
  [/^merge_mode$/, choice('sum', 'mul', 'concat', 'ave')],
  [/^(axis|axes|dims|target_shape)$/, every(integer)],
  [/^(epsilon|momentum|alpha|mask_value)$/, (value) => typeof value === 'number'],
  [/^(negative_slope|threshold|max_value)$/, between(0, Infinity)],
  [/^offset$/, every((value) => typeof value === 'number')],
  [/^seed$/, (value) => positive(value) || value === 0],
  [/^(batch_shape|noise_shape)$/, (value) => Array.isArray(value) && value.every((size) => size === null || integer(size))],
  [/activation$/, (value) => (typeof value === 'string' ? ACTIVATIONS.has(value) : isObject(value) && typeof value.class_name === 'string')],
]; // prettier-ignore

/** Checks the value of a class's argument; without a rule any value passes. */
function accepts(className: string, key: string): (value: unknown) => boolean {
  if (className === 'Rescaling' && key === 'scale') return every((one) => typeof one === 'number');
  if (/^(Zero|Crop)/.test(className) && /^(padding|cropping)$/.test(key)) return every(every(integer));
  if (key === 'padding') return choice('valid', 'same', ...(className === 'Conv1D' ? ['causal'] : []));
  return VALUES.find(([names]) => names.test(key))?.[1] ?? (() => true);
}

function checkObject(kind: keyof typeof OBJECTS, value: unknown, where: string, native: boolean): void {
  const known = OBJECTS[kind];
  const snake = (name: string) => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  if (typeof value === 'string') {
    const names = Object.keys(known).flatMap((name) => [name, snake(name), name.toLowerCase()]);
    if (![...names, 'uniform', 'normal', 'l1_l2'].includes(value)) refuse(where, `no ${kind} is called "${value}"`);
    return;
  }
  if (!isObject(value) || typeof value.class_name !== 'string' || !isObject(value.config)) return refuse(where, `${JSON.stringify(value)} is no ${kind}`);
  const parameters = known[value.class_name] ?? refuse(where, `no ${kind} is called "${value.class_name}"`);
  if (native && value.module !== `keras.${kind}s`) refuse(where, `the module of ${value.class_name} is ${String(value.module)}`);
  for (const [key, item] of Object.entries(value.config)) {
    if (!parameters.split(' ').includes(key)) refuse(where, `${value.class_name} got an unexpected keyword argument '${key}'`);
    if (item === null && !/^(seed|input_axes|output_axes)$/.test(key)) refuse(where, `${value.class_name} cannot have ${key}=None`);
    if (key === 'mode' && kind === 'initializer' && !choice('fan_in', 'fan_out', 'fan_avg')(item)) refuse(where, `mode ${String(item)}`);
    if (key === 'distribution' && !choice('uniform', 'normal', 'truncated_normal', 'untruncated_normal')(item)) refuse(where, `distribution ${String(item)}`);
  }
} // prettier-ignore

function checkConfig(layer: LayerJson, where: string, native: boolean): void {
  const { class_name: className, config } = layer;
  const signature = SIGNATURES.get(className) ?? refuse(where, `Unknown layer: '${className}'`);
  for (const [key, { required }] of signature) if (required && !(key in config)) refuse(where, `missing argument '${key}'`);
  for (const [key, value] of Object.entries(config)) {
    // The HDF5 reader moves it to batch_shape.
    const name = key === 'batch_input_shape' && !native ? 'batch_shape' : key;
    const parameter = signature.get(name) ?? refuse(where, `Unrecognized keyword arguments passed to ${className}: {'${key}'}`);
    if (value === null) {
      if (!parameter.nullable) refuse(where, `${className} cannot have ${key}=None`);
      continue;
    }
    const kind = /(initializer|regularizer|constraint)$/.exec(key)?.[1] as keyof typeof OBJECTS | undefined;
    if (kind) checkObject(kind, value, `${where}.${key}`, native);
    else if (!accepts(className, key)(value)) refuse(where, `${className} cannot have ${key}=${JSON.stringify(value)}`);
  }
  // Operations have no layer in the HDF5 reader.
  if (!native && className === 'NotEqual') refuse(where, `Unknown layer: '${className}'`);
  // The HDF5 reader keeps no list of several axes (saving_utils.py).
  if (!native && layer.module === undefined && Array.isArray(config.axis) && config.axis.length > 1) refuse(where, 'its axes are lost in HDF5');
} // prettier-ignore

/** The config alone, of a model or a layer. @param native whether it is of the `.keras` format. @throws Keras3Error. */
export function checkLayer(layer: LayerJson, where: string, native: boolean): void {
  if (typeof layer.class_name !== 'string' || !isObject(layer.config)) refuse(where, 'is no {class_name, config}');
  if (native && typeof layer.module !== 'string') refuse(where, 'has no module');
  if (isContainer(layer)) return checkModel(layer, where, native);
  checkConfig(layer, where, native);
  if (layer.class_name === 'TimeDistributed' || layer.class_name === 'Bidirectional' || layer.class_name === 'RNN') {
    if (innerLayers(layer).length === 0) refuse(where, 'wraps nothing');
  }
  for (const inner of innerLayers(layer)) {
    // serialization_lib.py reads wrappers' layers in either format.
    if (typeof inner.module !== 'string') refuse(where, 'its inner layer has no module');
    checkLayer(inner, `${where}/${nameOf(inner)}`, native);
  }
}

function checkModel(model: LayerJson, where: string, native: boolean): void {
  if (typeof model.config.name !== 'string') refuse(where, 'has no name');
  if (!Array.isArray(model.config.layers)) refuse(where, 'has no layers');
  for (const layer of layersIn(model)) checkLayer(layer, `${where}/${nameOf(layer)}`, native);
  if (model.class_name !== 'Sequential') return checkWiring(model, where);
  if (layersIn(model)[0]?.class_name !== 'InputLayer') refuse(where, 'is not built: its first layer is no InputLayer');
  for (const layer of layersIn(model).slice(1)) {
    const { inputs, outputs } = isContainer(layer) ? tensorsOf(layer) : { inputs: 1, outputs: 1 };
    if (inputs !== 1 || outputs !== 1) refuse(where, `"${nameOf(layer)}" is not of one input and one output`);
  }
}

function checkVariables(h5: Hdf5File, places: readonly string[], layer: LayerJson, where: string): void {
  const shapes = expectedShapes(layer);
  if (places.length !== shapes.length) refuse(where, `has ${places.length} variables where ${shapes.length} are expected`);
  shapes.forEach((expected, i) => {
    const found = h5.shape(places[i]!) ?? refuse(where, `${places[i]!} is missing`);
    if (expected === null) return;
    if (found.length !== expected.length || expected.some((size, k) => size !== null && size !== found[k]))
      refuse(where, `${places[i]!} has the shape [${found.join(', ')}] where [${expected.map((size) => size ?? '?').join(', ')}] is expected`);
  });
} // prettier-ignore

const outputsOf = (model: LayerJson): number => {
  const ends = model.config.output_layers;
  return Array.isArray(ends) && Array.isArray(ends[0]) ? ends.length : 1;
};

/** As `withHdf5`, which reports errors of other code as damage. */
async function inHdf5(bytes: Uint8Array, path: string, check: (h5: Hdf5File) => void): Promise<void> {
  const failure = await withHdf5(bytes, path, (h5) => {
    try {
      check(h5);
      return null;
    } catch (error) {
      return error as Error;
    }
  });
  if (failure) throw failure;
}

/** @throws Keras3Error with the place and the reason, where Keras 3.15 would refuse the `.keras` file. */
export async function checkKeras(path: string): Promise<void> {
  const members = unzipSync(new Uint8Array(await readFile(path)));
  const text = (name: string): string => strFromU8(members[name] ?? refuse(path, `has no ${name}`));
  const metadata = JSON.parse(text('metadata.json')) as Json;
  if (typeof metadata.keras_version !== 'string') refuse(path, 'has no keras_version');
  const model = JSON.parse(text('config.json')) as LayerJson;
  checkLayer(model, model.config.name as string, true);
  checkCompileConfig((model as unknown as Json).compile_config, outputsOf(model));
  await inHdf5(members['model.weights.h5'] ?? refuse(path, 'has no weights'), path, (h5) => {
    for (const { layer, groups, where } of variableGroups(model))
      checkVariables(h5, groups.flatMap((group) => h5.children(`${group}/vars`).sort((a, b) => Number(a) - Number(b)).map((name) => `${group}/vars/${name}`)), layer, where); // prettier-ignore
  });
}

/** @throws Keras3Error, likewise for a whole model in HDF5. */
export async function checkKerasH5(path: string): Promise<void> {
  await inHdf5(new Uint8Array(await readFile(path)), path, (h5) => {
    const model = JSON.parse(h5.text('', 'model_config') ?? refuse(path, 'has no model_config')) as LayerJson;
    checkLayer(model, model.config.name as string, false);
    const training = h5.text('', 'training_config');
    if (training !== null) checkTrainingConfig(JSON.parse(training), outputsOf(model));
    const withVariables = layersIn(model).flatMap((layer) => {
      const owned = isContainer(layer) ? variableGroups(layer).map((entry) => entry.layer) : [layer];
      const shapes = owned.flatMap((one) => expectedShapes(one));
      return shapes.length > 0 ? [{ layer, shapes }] : [];
    });
    // load_weights_from_hdf5_group matches layers with weights by position.
    const names = (h5.texts('model_weights', 'layer_names') ?? refuse(path, 'has no layer_names')).filter((name) => (h5.texts(`model_weights/${name}`, 'weight_names') ?? []).length > 0); // prettier-ignore
    if (names.length !== withVariables.length) refuse(path, `Layer count mismatch: ${withVariables.length} expected, ${names.length} saved`); // prettier-ignore
    names.forEach((name, i) => {
      const { layer, shapes } = withVariables[i]!;
      const weights = h5.texts(`model_weights/${name}`, 'weight_names')!;
      if (weights.length !== shapes.length)
        refuse(nameOf(layer), `expects ${shapes.length} weights, ${weights.length} saved`);
      const found = weights.map((weight) => h5.shape(`model_weights/${name}/${weight}`) ?? refuse(nameOf(layer), `${weight} is missing`)); // prettier-ignore
      if (isContainer(layer)) return;
      shapes.forEach((expected, k) => {
        if (expected === null) return;
        if (
          found[k]!.length !== expected.length ||
          expected.some((size, axis) => size !== null && size !== found[k]![axis])
        )
          refuse(nameOf(layer), `${weights[k]!} has the shape [${found[k]!.join(', ')}]`);
      });
    });
  });
}
