/** Wires a functional model from its config as Keras 3 does, for the checker. */
import { integer, isContainer, isObject, layersIn, nameOf, refuse, type Json, type LayerJson } from './config.js';

const MERGES = /^(Add|Subtract|Multiply|Average|Maximum|Minimum|Concatenate|Dot|NotEqual|Attention|AdditiveAttention)$/;

interface Tensors {
  /** Number of tensors that a container takes and returns. */
  readonly inputs: number;
  readonly outputs: number;
}

export function tensorsOf(layer: LayerJson): Tensors {
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

/** Wires the model's nodes as functional_from_config does. @throws Keras3Error. */
export function checkWiring(model: LayerJson, where: string): void {
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
  // Longest paths, by relaxing every edge until none grows. The depth of a layer is that of its deepest call, and its calls have it too.
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
  if (/^(MultiHead|GroupedQuery)Attention$/.test(layer.class_name)) {
    if (args.length < 2 || args.length > 3 || !args.every(isRef)) refuse(where, 'expects query, value and perhaps key');
    return;
  }
  if (args.length !== 1) refuse(where, `expects 1 argument, got ${args.length}`);
  const expected = isContainer(layer) ? tensorsOf(layer).inputs : 1;
  if (MERGES.test(layer.class_name) ? isRef(args[0]) : given !== expected && !/RNN|GRU|LSTM|Bidirectional/.test(layer.class_name))
    refuse(where, `expects ${expected} input(s), but it received ${given}`);
} // prettier-ignore
