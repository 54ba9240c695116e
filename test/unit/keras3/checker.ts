/**
 * Stands for the real reader, `keras.models.load_model` of Keras 3.15, where there is no Python: it refuses what that one
 * refuses, by rules of its own (signatures.ts) and not by the writer's table. Against the real reader it was checked on
 * files of both (see checker.test.ts for what must pass and what must fail). What it checks:
 *
 * - every key of a config is an argument of the class, none that is needed is missing, None only where it is a value;
 * - activations, initializers, regularizers and constraints exist and have known arguments; numbers lie in their ranges;
 * - a functional model's nodes can be wired in some order, each call gets as many tensors as the layer takes, ends exist;
 * - every layer's variables are in the weights file, in the group and of the shape that its config implies.
 *
 * It computes no outputs.
 */
import { readFile } from 'node:fs/promises';
import { strFromU8, unzipSync } from 'fflate';
import { withHdf5, type Hdf5File } from '../../../daemon/model/hdf5.js';
import { ACTIVATIONS, OBJECTS, SIGNATURES } from './signatures.js';
import { expectedShapes, variableGroups } from './variables.js';

export type Json = Record<string, unknown>;
export interface LayerJson {
  readonly class_name: string;
  readonly config: Json;
  readonly name?: string;
  readonly inbound_nodes?: unknown[];
  readonly module?: unknown;
}

export class Keras3Error extends Error {}
const refuse = (where: string, problem: string): never => {
  throw new Keras3Error(`${where}: ${problem}`);
};

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isLayer = (value: unknown): value is LayerJson =>
  isObject(value) && typeof value.class_name === 'string' && isObject(value.config);
export const isContainer = (layer: LayerJson): boolean =>
  ['Sequential', 'Functional', 'Model'].includes(layer.class_name);
export const nameOf = (layer: LayerJson): string => String(layer.name ?? layer.config.name);
export const layersIn = (model: LayerJson): LayerJson[] => model.config.layers as LayerJson[];

const integer = (value: unknown): boolean => Number.isInteger(value);
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

/** What an argument of a class takes; anything, where nothing is known of it. */
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

/** The layers that a class's config holds. */
export const innerLayers = ({ config }: LayerJson): LayerJson[] =>
  [
    config.layer,
    config.cell,
    config.backward_layer,
    ...(Array.isArray(config.cells) ? (config.cells as unknown[]) : []),
  ].filter(isLayer);

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

const MERGES = /^(Add|Subtract|Multiply|Average|Maximum|Minimum|Concatenate|Dot|NotEqual)$/;

interface Tensors {
  /** How many tensors a container gives and takes. */
  readonly inputs: number;
  readonly outputs: number;
}

function tensorsOf(layer: LayerJson): Tensors {
  if (layer.class_name === 'Sequential') return { inputs: 1, outputs: 1 };
  return { inputs: ends(layer, 'input_layers').length, outputs: ends(layer, 'output_layers').length };
}

type Ref = readonly [layer: string, node: number, tensor: number];
const isRef = (value: unknown): boolean =>
  Array.isArray(value) && value.length >= 3 && typeof value[0] === 'string' && integer(value[1]) && integer(value[2]);

function ends(model: LayerJson, key: 'input_layers' | 'output_layers'): Ref[] {
  const value = model.config[key];
  if (isRef(value)) return [value as unknown as Ref];
  if (!Array.isArray(value) || value.length === 0 || !value.every(isRef))
    refuse(nameOf(model), `${key} is ${JSON.stringify(value)}`);
  return value as Ref[];
}

/** Tensors of an inbound node, as positional arguments; a list is one argument. */
function call(node: unknown, where: string): { args: (Ref | Ref[])[]; kwargs: Ref[] } {
  const tensor = (value: unknown): Ref | null => {
    if (!isObject(value) || value.class_name !== '__keras_tensor__') return null;
    const { keras_history: history, shape, dtype } = value.config as Json;
    if (!isRef(history) || !Array.isArray(shape) || typeof dtype !== 'string') return refuse(where, `a tensor is ${JSON.stringify(value)}`);
    return history as Ref;
  };
  if (Array.isArray(node)) {
    if (!node.every(isRef)) refuse(where, `an inbound node is ${JSON.stringify(node)}`);
    return { args: node.length === 1 ? [node[0] as Ref] : [node as Ref[]], kwargs: [] };
  }
  if (!isObject(node) || !Array.isArray(node.args) || !isObject(node.kwargs)) return refuse(where, 'an inbound node is no {args, kwargs}');
  const args = (node.args as unknown[]).map((value) => tensor(value) ?? (Array.isArray(value) ? value.map((one) => tensor(one) ?? refuse(where, 'an argument is no tensor')) : typeof value === 'number' ? [] : refuse(where, 'an argument is no tensor')));
  const kwargs = Object.values(node.kwargs).flat().map(tensor).filter((ref) => ref !== null);
  return { args, kwargs };
} // prettier-ignore

function checkWiring(model: LayerJson, where: string): void {
  const layers = new Map(layersIn(model).map((layer) => [nameOf(layer), layer]));
  if (layers.size !== layersIn(model).length) refuse(where, 'two layers have one name');
  // How often each was called so far: functional_from_config retries until nothing moves.
  const calls = new Map([...layers].map(([name, layer]) => [name, layer.class_name === 'InputLayer' ? 1 : 0]));
  const waiting = new Map([...layers].map(([name, layer]) => [name, [...(layer.inbound_nodes ?? refuse(where, `"${name}" has no inbound_nodes`))]]));
  const exists = ([name, node, tensor]: Ref): boolean => {
    const layer = layers.get(name) ?? refuse(where, `there is no layer "${name}"`);
    if (isContainer(layer) && tensor >= tensorsOf(layer).outputs) refuse(where, `"${name}" gives no tensor ${tensor}`);
    return node < calls.get(name)!;
  };
  for (let moved = true; moved; ) {
    moved = false;
    for (const [name, nodes] of waiting) {
      const layer = layers.get(name)!;
      while (nodes.length > 0) {
        const { args, kwargs } = call(nodes[0], `${where}/${name}`);
        const refs = args.flatMap((arg) => (isRef(arg) ? [arg as Ref] : (arg as Ref[])));
        if (![...refs, ...kwargs].map(exists).every(Boolean)) break;
        checkArity(layer, args, `${where}/${name}`);
        nodes.shift();
        calls.set(name, calls.get(name)! + 1);
        moved = true;
      }
    }
  }
  checkOrder(model, where);
  for (const [name, nodes] of waiting) if (nodes.length > 0) refuse(where, `"${name}" waits for inputs that nobody makes`);
  for (const ref of ends(model, 'input_layers')) if (layers.get(ref[0])?.class_name !== 'InputLayer') refuse(where, `"${ref[0]}" is no input`);
  for (const [name, node, tensor] of ends(model, 'output_layers')) {
    const layer = layers.get(name) ?? refuse(where, `there is no layer "${name}"`);
    // get_tensor: a functional model's first node is its own construction.
    if (!exists([name, isContainer(layer) && layer.class_name !== 'Sequential' ? node - 1 : node, tensor])) refuse(where, `the output "${name}" is not made`);
  }
} // prettier-ignore

/** Keras has its layers farthest from the outputs first, whatever the file's order, and finds weights by position. */
function checkOrder(model: LayerJson, where: string): void {
  const inputs = new Map<string, Ref[]>();
  for (const layer of layersIn(model))
    (layer.inbound_nodes ?? []).forEach((node, i) => {
      const { args, kwargs } = call(node, where);
      inputs.set(`${nameOf(layer)}#${i}`, [
        ...args.flatMap((arg) => (isRef(arg) ? [arg as Ref] : (arg as Ref[]))),
        ...kwargs,
      ]);
    });
  // Longest ways, by relaxing every edge until none grows; a layer is as far as its farthest call, and so are its calls.
  const depth = new Map<string, number>();
  for (const [name] of ends(model, 'output_layers')) depth.set(name, 0);
  for (let round = 0; round <= inputs.size; round++)
    for (const [at, refs] of inputs) {
      const own = depth.get(at.slice(0, at.lastIndexOf('#')));
      if (own !== undefined) for (const [name] of refs) if ((depth.get(name) ?? -1) < own + 1) depth.set(name, own + 1);
    }
  // Layers called in a circle (A of B of A) have no longest way between layers.
  if ([...depth.values()].some((far) => far > inputs.size)) return;
  const listed = layersIn(model)
    .filter((layer) => layer.class_name !== 'InputLayer')
    .map((layer) => depth.get(nameOf(layer)));
  if (listed.includes(undefined))
    refuse(where, 'has a layer that no output depends on: Keras leaves it out of its list');
  listed.forEach(
    (far, i) =>
      i > 0 &&
      far! > listed[i - 1]! &&
      refuse(
        where,
        `"${nameOf(layersIn(model).filter((layer) => layer.class_name !== 'InputLayer')[i]!)}" is listed behind layers nearer to the outputs`,
      ),
  );
}

function checkArity(layer: LayerJson, args: readonly (Ref | Ref[])[], where: string): void {
  const given = args[0] === undefined ? 0 : isRef(args[0]) ? 1 : args[0].length;
  if (layer.class_name === 'NotEqual') return;
  if (args.length !== 1) refuse(where, `expects 1 argument, got ${args.length}`);
  const expected = isContainer(layer) ? tensorsOf(layer).inputs : 1;
  if (MERGES.test(layer.class_name) ? isRef(args[0]) : given !== expected && !/RNN|GRU|LSTM|Bidirectional/.test(layer.class_name))
    refuse(where, `expects ${expected} input(s), but it received ${given}`);
} // prettier-ignore

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

/** As `withHdf5`, which takes errors of others for damage. */
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
    const withVariables = layersIn(model).flatMap((layer) => {
      const owned = isContainer(layer) ? variableGroups(layer).map((entry) => entry.layer) : [layer];
      const shapes = owned.flatMap((one) => expectedShapes(one));
      return shapes.length > 0 ? [{ layer, shapes }] : [];
    });
    // load_weights_from_hdf5_group goes by position among the layers that have any.
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
