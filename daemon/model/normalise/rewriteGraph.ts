/** Rewrites the wiring of a functional model to `[[name, node, tensor, kwargs], ...]`. */
import { callMode } from './callModes.js';
import { firstCall, orderCalls } from './callOrder.js';
import { kerasTensorsIn } from '../files/kerasTensors.js';
import { CONTAINERS, field, isObject, layerName, layersOf, type Json, type LayerJson } from '../layers/layerConfig.js';
import { endRefs, nodeRefs, tensorRef } from '../layers/layerGraph.js';
import { classOf } from '../layerClasses/registry.js';
import type { Notes } from '../notes.js';
import type { Refuse } from '../layers/refuse.js';

type Ref = [layer: string, node: number, tensor: number, kwargs: Json];

const tensorsIn = (value: unknown): Ref[] =>
  kerasTensorsIn(value).map(({ layer, node, tensor }) => [layer, node, tensor, {}]);

/** Tensors of a call in the order of the layer's arguments. @param named those that are given by name. */
function inOrder(refs: Ref[], named: Readonly<Record<string, Ref>>, names: readonly string[], refuse: Refuse): Ref[] {
  const all = [...refs];
  for (const [i, name] of names.entries()) {
    const ref = named[name];
    if (!ref) continue;
    if (i !== all.length) refuse(`is called with a "${name}" and without the tensors that come before it`);
    all.push(ref);
  }
  return all;
}

/** Moves arguments of calls that change what a layer computes to its config. @throws (through `refuse`) if its calls differ in them. */
function callSettings(layer: LayerJson, refuse: Refuse): void {
  const names = classOf(layer.class_name)?.callSettings ?? [];
  const calls = (layer.inbound_nodes as Ref[][]).map(([first]) => first![3]);
  for (const name of names) {
    const values = new Set(calls.map((kwargs) => kwargs[name] === true));
    if (values.size > 1) refuse(`is called with ${name} and without it; use a layer for each`);
    for (const kwargs of calls) delete kwargs[name];
    if (values.has(true)) layer.config[name] = true;
  }
}

/** Keras 3: `{args: [...], kwargs: {...}}` -> references. Tensors in kwargs are an error, except an RNN's initial state. */
function fromKeras3(node: Json, layer: LayerJson, refuse: Refuse): Ref[] {
  const record = classOf(layer.class_name);
  const refs = tensorsIn(node.args);
  const kwargs: Json = {};
  const named: Record<string, Ref> = {};
  for (const [key, value] of Object.entries(isObject(node.kwargs) ? node.kwargs : {})) {
    const tensors = tensorsIn(value);
    if (tensors.length === 1 && record?.calledWith?.includes(key)) named[key] = tensors[0]!;
    else if (tensors.length > 0) {
      const state = key === 'initial_state' && record?.takesStates === true;
      if (!state && refs.length > 0) refuse(`takes a tensor as "${key}", which TensorFlow.js cannot load`);
      refs.push(...tensors);
    } else if (value != null && typeof value !== 'object') kwargs[key] = value;
  }
  const ordered = inOrder(refs, named, record?.calledWith ?? [], refuse);
  if (ordered.length === 0) refuse('is called without an input tensor');
  ordered[0]![3] = kwargs;
  return ordered;
}

function rewriteNode(node: unknown, layer: LayerJson, where: string, notes: Notes, refuse: Refuse): Ref[] {
  if (isObject(node)) {
    notes.add('inbound nodes of Keras 3 became lists', where);
    return fromKeras3(node, layer, refuse);
  }
  if (!Array.isArray(node) || node.length === 0) return refuse('has an inbound node that is not a list of tensors');
  const list = tensorRef(node) ? [node as unknown[]] : (node as unknown[]);
  if (list[0] === node) notes.add('an inbound node without its outer list got one', where);
  const names = classOf(layer.class_name)?.calledWith ?? [];
  const named: Record<string, Ref> = {};
  const refs = list.map((item): Ref => {
    const ref = tensorRef(item);
    if (!ref)
      return refuse(`has an inbound node that is not [layer, node, tensor]: ${JSON.stringify(item)?.slice(0, 60)}`);
    const kwargs = (item as unknown[])[3];
    const rest: Json = {};
    for (const [key, value] of Object.entries(isObject(kwargs) ? kwargs : {})) {
      const tensor = tensorRef(value);
      if (!tensor) rest[key] = value;
      else if (names.includes(key)) named[key] = [tensor.layer, tensor.node, tensor.tensor, {}];
      else refuse('takes a tensor as a keyword argument, which TensorFlow.js cannot load');
    }
    return [ref.layer, ref.node, ref.tensor, rest];
  });
  return inOrder(refs, named, names, refuse);
}

/** `["input", 0, 0]` and `{"a": ["a", 0, 0]}` -> `[["input", 0, 0]]`. */
function rewriteEnds(config: Json, key: string, where: string, notes: Notes, refuse: Refuse): void {
  const value = field(config, key);
  const flat = isObject(value) ? Object.values(value) : value;
  const refs = endRefs(flat);
  if (refs.length === 0 || (Array.isArray(flat) && !tensorRef(flat) && refs.length !== flat.length)) {
    refuse(`has no readable "${key}"`);
  }
  if (tensorRef(flat) || isObject(value)) notes.add(`flat ${key} became a list`, where);
  config[key] = refs.map((ref) => [ref.layer, ref.node, ref.tensor]);
}

/** Rewrites the wiring of a functional container in place: nodes, ends, and the numbering of nested models' calls. */
export function rewriteWiring(
  container: LayerJson,
  where: string,
  notes: Notes,
  refuseAt: (where: string) => Refuse,
): void {
  const layers = layersOf(container);
  let keras3 = false;
  for (const layer of layers) {
    const at = where + layerName(layer);
    const inbound = field(layer as unknown as Json, 'inbound_nodes') ?? [];
    if (!Array.isArray(inbound)) refuseAt(at)('has inbound nodes that are not a list');
    keras3 ||= (inbound as unknown[]).some(isObject);
    layer.inbound_nodes = (inbound as unknown[]).map((node) => rewriteNode(node, layer, at, notes, refuseAt(at)));
    callSettings(layer, refuseAt(at));
    const mode = callMode(layer);
    if (mode === 'mixed') notes.add('some calls of a layer are with training=False and others are not: all are computed as the others', at); // prettier-ignore
    if (mode === 'always-training') notes.add('calls with training=True are computed in inference mode when the model is evaluated', at); // prettier-ignore
    layer.name = layerName(layer);
  }
  const self = where === '' ? 'the model' : where.slice(0, -1);
  rewriteEnds(container.config, 'input_layers', self, notes, refuseAt(self));
  rewriteEnds(container.config, 'output_layers', self, notes, refuseAt(self));
  countCallsFromOne(container, layers, keras3, where, notes);
}

/** Every `[layer, node, ...]` of a functional container, as arrays that may be changed. */
function* references(container: LayerJson): Generator<unknown[]> {
  for (const layer of layersOf(container)) {
    for (const node of layer.inbound_nodes as Ref[][]) yield* node as unknown[][];
  }
  yield* container.config.input_layers as unknown[][];
  yield* container.config.output_layers as unknown[][];
}

/**
 * A nested model's construction is its node 0 in TensorFlow.js and Keras 2, so its calls are counted from 1. Keras 3 counts
 * from 0, but in `output_layers` from 1 unless the nested model is a Sequential (keras/src/models/functional.py).
 */
function countCallsFromOne(
  container: LayerJson,
  layers: LayerJson[],
  keras3: boolean,
  where: string,
  notes: Notes,
): void {
  const inner = layers.flatMap((layer) => layer.inbound_nodes as Ref[][]).flat() as unknown[][];
  const ends = container.config.output_layers as unknown[][];
  for (const layer of layers) {
    if (!CONTAINERS.has(layer.class_name)) continue;
    const name = layerName(layer);
    const calls = (layer.inbound_nodes as unknown[]).length;
    const shift = (refs: unknown[][], fromZero: boolean): void => {
      const own = refs.filter((ref) => ref[0] === name);
      const indices = own.map((ref) => ref[1] as number);
      if (!indices.includes(0) && !(fromZero && indices.length > 0 && Math.max(...indices) < calls)) return;
      for (const ref of own) ref[1] = (ref[1] as number) + 1;
      notes.add('calls of a nested model are counted from 1', where + name);
    };
    shift(inner, keras3);
    shift(ends, keras3 && layer.class_name === 'Sequential');
  }
}

/** Sorts the calls of a functional container's shared layers into the order in which TensorFlow.js counts them; in place. */
export function countCallsAsMade(container: LayerJson, where: string, notes: Notes): void {
  for (const name of orderCalls(container, () => references(container)))
    notes.add('calls of a shared layer were put in the order in which TensorFlow.js makes them', where + name);
}

const listOf = (container: LayerJson): LayerJson[] =>
  (Array.isArray(container.config) ? container.config : container.config.layers) as unknown as LayerJson[];

/** Inserts `extra` after `layer`: all readers of the layer's output then read the extra's. */
export function insertBehind(container: LayerJson, layer: LayerJson, extra: LayerJson): void {
  const layers = listOf(container);
  const name = layerName(layer);
  const extraName = layerName(extra);
  if (container.class_name !== 'Sequential') {
    for (const ref of references(container)) if (ref[0] === name) ref[0] = extraName;
    extra.inbound_nodes = (layer.inbound_nodes as unknown[]).map((_node, i) => [[name, i, 0, {}]]);
    extra.name = extraName;
  }
  layers.splice(layers.indexOf(layer) + 1, 0, extra);
}

/** Keys of a layer's config that declare the input of the first layer of a Sequential. */
export const INPUT_KEYS = ['batch_input_shape', 'batchInputShape', 'input_shape', 'inputShape'] as const;

/** Inserts `extra` before `layer`: it takes the layer's inputs, of every call, and the layer takes its outputs. */
export function insertInFront(container: LayerJson, layer: LayerJson, extra: LayerJson): void {
  const layers = listOf(container);
  if (container.class_name !== 'Sequential') {
    extra.inbound_nodes = layer.inbound_nodes;
    extra.name = layerName(extra);
    layer.inbound_nodes = (layer.inbound_nodes as unknown[]).map((_node, i) => [[layerName(extra), i, 0, {}]]);
  }
  layers.splice(layers.indexOf(layer), 0, extra);
}

/** Whether `layer` alone reads `front`, call by call. */
function readsAlone(container: LayerJson, front: LayerJson, layer: LayerJson): boolean {
  if (container.class_name === 'Sequential') {
    const layers = layersOf(container);
    return layers[layers.indexOf(front) + 1] === layer;
  }
  const name = layerName(front);
  const calls = layer.inbound_nodes as unknown[];
  const reads = calls.map((call) => nodeRefs(call));
  const read = [...references(container)].filter((ref) => ref[0] === name).length;
  if (read !== calls.length || (front.inbound_nodes as unknown[]).length !== calls.length) return false;
  return reads.every((refs, i) => refs.length === 1 && refs[0]!.layer === name && refs[0]!.node === i);
}

/**
 * Removes `fronts` if each is read by the next one alone, and the last by `layer`, which then takes the inputs of the first.
 * @returns whether they were removed: all or none.
 */
export function mergeIntoNext(container: LayerJson, fronts: readonly LayerJson[], layer: LayerJson): boolean {
  if (!fronts.every((front, i) => readsAlone(container, front, fronts[i + 1] ?? layer))) return false;
  const layers = listOf(container);
  if (container.class_name !== 'Sequential') layer.inbound_nodes = fronts[0]!.inbound_nodes;
  for (const front of fronts) layers.splice(layers.indexOf(front), 1);
  return true;
}

/**
 * The container's layers by name, as they are now. Underscores at the end of a name do not count: an inserted layer may have got them to be unlike the
 * others. Of several, the first is taken.
 */
export function layersByName(container: LayerJson): ReadonlyMap<string, LayerJson> {
  const found = new Map<string, LayerJson>();
  for (const layer of layersOf(container)) {
    const name = layerName(layer).replace(/(?<!_)_+$/, '');
    if (!found.has(name)) found.set(name, layer);
  }
  return found;
}

/** Renames a layer inside its container. */
export function renameLayer(container: LayerJson, layer: LayerJson, name: string): void {
  const old = layerName(layer);
  layer.config.name = name;
  if (container.class_name === 'Sequential') return;
  layer.name = name;
  for (const ref of references(container)) if (ref[0] === old) ref[0] = name;
}

/** Calls that name a missing tensor; TensorFlow.js would wait for it for ever. */
export function danglingCalls(container: LayerJson): { layer: string; input: string }[] {
  const layers = layersOf(container);
  const calls = new Map(
    layers.map((layer) => {
      const count = layer.class_name === 'InputLayer' ? 1 : (layer.inbound_nodes as unknown[]).length;
      return [layerName(layer), { first: firstCall(layer), count }];
    }),
  );
  const exists = (ref: { layer: string; node: number }): boolean => {
    const known = calls.get(ref.layer);
    return known !== undefined && ref.node >= known.first && ref.node < known.first + known.count;
  };
  const dangling = layers.flatMap((layer) =>
    (layer.inbound_nodes as unknown[])
      .flatMap(nodeRefs)
      .filter((ref) => !exists(ref))
      .map((ref) => ({ layer: layerName(layer), input: ref.layer })),
  );
  for (const key of ['input_layers', 'output_layers']) {
    for (const ref of endRefs(container.config[key])) {
      if (!exists(ref)) dangling.push({ layer: key, input: ref.layer });
    }
  }
  return dangling;
}
