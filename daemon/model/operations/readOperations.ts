/** Converts operations in files of Keras 3 and tf.keras to layers of class Operation. */
import { kerasTensor } from '../files/kerasTensors.js';
import { isObject, layerName, layersOf, type Json, type LayerJson } from '../layers/layerConfig.js';
import { tensorRef } from '../layers/layerGraph.js';
import { KNOWN_CLASSES } from '../layerClasses/registry.js';
import type { Notes } from '../notes.js';
import { OPERATION, type OperationConfig } from './operation.js';
import type { Refuse } from '../layers/refuse.js';
import { operationNamed, operationOfKeras, operationOfTensorflow } from './operations.js';

/** A call in the file: the operation's arguments, in order and by name. */
interface Call {
  readonly args: readonly unknown[];
  readonly kwargs: Json;
  /** Whether a value is a tensor. */
  isTensor(value: unknown): boolean;
  /** The inbound node of a layer that takes these tensors. */
  node(tensors: readonly unknown[]): unknown;
}

/** `{args, kwargs}`. */
const keras3Call = (node: Json): Call => ({
  args: Array.isArray(node.args) ? (node.args as unknown[]) : [],
  kwargs: isObject(node.kwargs) ? node.kwargs : {},
  isTensor: (value) => kerasTensor(value) !== null,
  node: (tensors) => ({ args: tensors.length === 1 ? [tensors[0]] : [tensors], kwargs: {} }),
});

/** `[name, node, tensor, kwargs]`, a list of them for a list of tensors, or `["_CONSTANT_VALUE", -1, value, kwargs]`. */
function tensorflowCall(node: unknown): Call {
  const single = tensorRef(node) !== null || (Array.isArray(node) && node[0] === '_CONSTANT_VALUE');
  const entries = (single ? [node] : Array.isArray(node) ? (node as unknown[]) : []) as unknown[][];
  const [first] = entries;
  const kwargs = isObject(first?.[3]) ? first[3] : {};
  const value = (entry: unknown[]): unknown => (entry[0] === '_CONSTANT_VALUE' ? entry[2] : entry.slice(0, 3));
  // A list of one entry is a tensor by itself; of several, a list of tensors.
  return {
    args: entries.length === 1 ? [value(first!)] : [entries.map(value)],
    kwargs,
    isTensor: (one) => tensorRef(one) !== null,
    node: (tensors) => tensors.map((tensor) => [...(tensor as unknown[]).slice(0, 3), {}]),
  };
}

/** Names of second operands. */
const SECOND = ['x2', 'y', 'b', 'other'] as const;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** A number by itself, or in a tensor of one (`{class_name: "__tensor__", config: {value}}`, `[[2]]`). */
function scalar(value: unknown): number | null {
  if (isNumber(value)) return value;
  if (Array.isArray(value) && value.length === 1) return scalar(value[0]);
  if (isObject(value) && /^__(tensor|numpy)__$/.test(String(value.class_name)) && isObject(value.config))
    return scalar(value.config.value);
  return null;
}

/** The kind of a layer, and its name in the file. */
interface Found {
  readonly operation: string | undefined;
  /** In messages: "TrueDivide", "math.reduce_std". */
  readonly called: string;
  readonly call: (node: unknown) => Call;
}

/**
 * HDF5 files do not contain a class's module. There an operation is recognised by its config, which has no `trainable`; if a layer has its name, by a
 * call with two arguments, where a layer takes a list.
 */
const isKeras3Operation = (layer: LayerJson): boolean => {
  const { module } = layer as unknown as Json;
  if (typeof module === 'string') return /(^|\.)ops(\.|$)/.test(module);
  const nodes = layer.inbound_nodes;
  if (!Array.isArray(nodes) || nodes.length === 0 || !(nodes as unknown[]).every(isObject)) return false;
  if ('trainable' in layer.config || operationOfKeras(layer.class_name) === undefined) return false;
  const { args } = (nodes as Json[])[0]!;
  return !KNOWN_CLASSES.has(layer.class_name) || (Array.isArray(args) && args.length > 1) || 'newshape' in layer.config;
};

function find(layer: LayerJson): Found | null {
  if (layer.class_name === 'TFOpLambda' || layer.class_name === 'SlicingOpLambda') {
    const path = String(layer.config.function ?? '');
    return { operation: operationOfTensorflow(path), called: path.slice(0, 60), call: tensorflowCall };
  }
  if (!isKeras3Operation(layer)) return null;
  const called = layer.class_name;
  return { operation: operationOfKeras(called), called: called.slice(0, 60), call: (node) => keras3Call(node as Json) };
}

/** @returns the config of the layer, and its input tensors. */
function read(
  name: string,
  operation: string,
  own: Json,
  { args, kwargs, isTensor }: Call,
  refuse: Refuse,
): { config: OperationConfig; tensors: unknown[] } {
  const { arity, settings, calledWith = [] } = operationNamed(operation)!;
  const given = [...args];
  if (arity === 2 && given.length < 2) {
    const key = SECOND.find((one) => kwargs[one] !== undefined);
    if (key !== undefined) given.push(kwargs[key]);
  }
  const list = arity === null ? (Array.isArray(given[0]) && !isTensor(given[0]) ? (given[0] as unknown[]) : given) : given; // prettier-ignore
  const values = list.slice(0, arity ?? list.length);
  if (values.length < (arity ?? 1)) return refuse('is called with too few arguments');
  const tensors: unknown[] = [];
  const operands = values.map((value) => {
    if (isTensor(value)) {
      tensors.push(value);
      return null;
    }
    return scalar(value) ?? refuse('takes an array of constants; only single numbers can be read');
  });
  if (tensors.length === 0) return refuse('is called without an input tensor');
  const rest = Object.fromEntries(calledWith.map((key, i) => [key, given[(arity ?? 1) + i] ?? kwargs[key]]));
  const told: Json = { ...own, ...kwargs, ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) }; // prettier-ignore
  return { config: { name, operation, operands, settings: settings(told, refuse) }, tensors };
}

/**
 * Converts the operations of a functional container to layers of class Operation, in place.
 * @param where the container's path with a final "/", or "".
 * @param left names of layers that another reader handles. @param masked whether any layer of the model creates masks.
 * @throws (through `refuse`) on an operation that cannot be computed, naming it.
 */
export function readOperations(
  container: LayerJson,
  where: string,
  notes: Notes,
  refuseAt: (where: string) => Refuse,
  { left, masked }: { readonly left: ReadonlySet<string>; readonly masked: boolean },
): void {
  for (const layer of layersOf(container)) {
    const found = left.has(layerName(layer)) ? null : find(layer);
    if (!found) continue;
    const name = layerName(layer);
    const refuse: Refuse = (problem) => refuseAt(where + name)(`is the operation ${found.called}, which ${problem}`);
    const { operation } = found;
    if (operation === undefined)
      return refuse('is none that can be computed here; replace it by built-in layers and save again');
    const nodes = Array.isArray(layer.inbound_nodes) ? (layer.inbound_nodes as unknown[]) : [];
    const calls = nodes.map((node) => found.call(node));
    const reads = calls.map((call) => read(name, operation, isObject(layer.config) ? layer.config : {}, call, refuse));
    const [first] = reads;
    if (!first) return refuse('is never called');
    if (reads.some(({ config }) => JSON.stringify(config) !== JSON.stringify(first.config)))
      return refuse('is called with other numbers each time; use an operation of its own for each');
    // With two tensors it equals the layer, except for masks, which operations drop.
    const asLayer = operation === 'subtract' && !masked && first.tensors.length === 2;
    layer.class_name = asLayer ? 'Subtract' : OPERATION;
    layer.config = asLayer ? { name, trainable: true } : { ...first.config, trainable: true };
    // It no longer has that module.
    for (const key of ['module', 'registered_name', 'build_config']) delete (layer as unknown as Json)[key];
    layer.inbound_nodes = calls.map((call, i) => call.node(reads[i]!.tensors));
    notes.add('operations became layers', where + name);
  }
}
