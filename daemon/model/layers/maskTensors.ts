/**
 * Masks as tensors of their own. Keras 3 writes the mask of an Embedding or Masking into a functional model's file: the operations that compute it
 * (NotEqual, Any, LogicalOr, and for a Concatenate layer's mask ExpandDims, ZerosLike, OnesLike and Concatenate) as layers, and a `mask` argument
 * where it is used. A reader that follows masks itself (engine/masks) needs neither, if the argument equals the mask that the input carries anyway.
 */
import { kerasTensor, kerasTensorsIn } from '../files/kerasTensors.js';
import { classOf } from '../layerClasses/registry.js';
import { isObject, layerName, layersOf, type Json, type LayerJson } from './layerConfig.js';
import type { TensorRef } from './layerGraph.js';
import { maskRule } from './maskRules.js';
import type { Notes } from '../notes.js';
import type { Refuse } from './refuse.js';

/** A mask as a formula over tensors, so that two ways to compute one can be compared; null: none, or an unknown one. */
type Formula = string | null;

const text = ({ layer, node, tensor }: TensorRef): string => `${layer}/${node}/${tensor}`;
const refOf = (value: unknown): string | null => {
  const tensor = kerasTensor(value);
  return tensor && text(tensor);
};
const refsIn = (value: unknown): string[] => kerasTensorsIn(value).map(text);

const nodesOf = ({ inbound_nodes: nodes }: LayerJson): readonly unknown[] =>
  Array.isArray(nodes) ? (nodes as unknown[]) : [];

/** Names that no layer has: HDF5 files do not contain a class's module. */
const MAKING: ReadonlySet<string> = new Set(['NotEqual', 'Any', 'LogicalOr', 'ZerosLike', 'OnesLike']);
/** They compute masks if all their inputs come from the others. */
const JOINING: ReadonlySet<string> = new Set(['ExpandDims', 'Concatenate']);

/** Names of the operations of a functional container that compute masks. */
export function maskOperations(container: LayerJson): ReadonlySet<string> {
  const layers = layersOf(container);
  const found = new Set(layers.filter(({ class_name: name }) => MAKING.has(name)).map(layerName));
  const joining = layers.filter(({ class_name: name }) => JOINING.has(name));
  for (let before = -1; before < found.size;) {
    before = found.size;
    for (const layer of joining) {
      const sources = nodesOf(layer).flatMap((node) => (isObject(node) ? kerasTensorsIn(node.args) : []));
      if (sources.length > 0 && sources.every((source) => found.has(source.layer))) found.add(layerName(layer));
    }
  }
  return found;
}

const notEqual = (ref: string, value: unknown): Formula => `${ref} != ${Number(value)}`;
const any = (of: Formula): Formula => of && `any(${of})`;
const wide = (of: Formula): Formula => of && `wide(${of})`;
const filled = (value: 0 | 1, ref: string): Formula => `${value} like ${ref}`;
const joined = (axis: unknown, of: readonly Formula[]): Formula =>
  of.length === 0 || of.includes(null) ? null : `join ${String(axis)}(${of.join(', ')})`;
const or = (masks: readonly Formula[]): Formula =>
  masks.length === 0 || masks.includes(null) ? null : masks.reduce((a, b) => `(${a} | ${b})`);

interface Call {
  readonly layer: LayerJson;
  readonly args: unknown;
  readonly kwargs: Json;
}

class Formulas {
  private readonly known = new Map<string, Formula>();

  constructor(
    private readonly calls: ReadonlyMap<string, Call>,
    private readonly operations: ReadonlySet<string>,
  ) {}

  /** The mask that a tensor "layer/node/tensor" carries. */
  carried(ref: string): Formula {
    if (this.known.has(ref)) return this.known.get(ref)!;
    // A tensor on a cycle has none; the cycle is rejected later.
    this.known.set(ref, null);
    const formula = this.ofCall(ref);
    this.known.set(ref, formula);
    return formula;
  }

  private ofCall(ref: string): Formula {
    const call = this.calls.get(ref.slice(0, ref.lastIndexOf('/')));
    if (!call) return null;
    const { class_name: name, config } = call.layer;
    const inputs = refsIn(call.args);
    const [first] = inputs;
    if (first === undefined || this.operations.has(layerName(call.layer))) return null;
    if (name === 'Embedding') return config.mask_zero === true ? notEqual(first, 0) : null;
    if (name === 'Masking') return any(notEqual(first, config.mask_value ?? 0));
    const rule = maskRule(name);
    if (rule === 'pass') return this.carried(first);
    if (name === 'Concatenate') {
      const masks = inputs.map((one) => this.carried(one));
      if (masks.every((mask) => mask === null)) return null;
      // Keras 3.15, keras/src/layers/merging/concatenate.py: every step of an input without a mask counts.
      const spread = masks.map((mask, i) =>
        mask === null ? filled(1, inputs[i]!) : or([wide(mask), filled(0, inputs[i]!)]),
      );
      return any(joined(config.axis ?? -1, spread));
    }
    if (rule === 'merge') return or(inputs.map((one) => this.carried(one)));
    const inner = name === 'Bidirectional' && isObject(config.layer) ? config.layer.config : config;
    const steps = rule === 'steps' && isObject(inner) && inner.return_sequences === true && ref.endsWith('/0');
    return steps ? this.carried(first) : null;
  }

  /** The formula of an operation's result. */
  computed(ref: string): Formula {
    const call = this.calls.get(ref.slice(0, ref.lastIndexOf('/')));
    if (!call || !this.operations.has(layerName(call.layer))) return null;
    const args = Array.isArray(call.args) ? (call.args as unknown[]) : [];
    const [a, b] = args;
    const [first, second] = [refOf(a), refOf(b)];
    const axis = [call.layer.config.axis].flat();
    switch (call.layer.class_name) {
      case 'NotEqual':
        return first !== null && typeof b === 'number' ? notEqual(first, b) : null;
      case 'Any':
        return first !== null && axis.length === 1 && axis[0] === -1 && call.layer.config.keepdims !== true
          ? any(this.computed(first))
          : null;
      case 'ExpandDims':
        return first !== null && axis.length === 1 && axis[0] === -1 ? wide(this.computed(first)) : null;
      case 'ZerosLike':
        return first === null ? null : filled(0, first);
      case 'OnesLike':
        return first === null ? null : filled(1, first);
      case 'Concatenate':
        return joined(
          call.layer.config.axis ?? -1,
          refsIn(a).map((one) => this.computed(one)),
        );
      case 'LogicalOr':
        return first !== null && second !== null ? or([this.computed(first), this.computed(second)]) : null;
      default:
        return null;
    }
  }
}

interface MaskArgument {
  readonly key: string;
  readonly mask: string;
  /** The tensor whose mask it is; undefined: there is none. */
  readonly input: string | undefined;
}

/** Tensors in the arguments `mask` (one, or one for each input in a list) and `query_mask` and the like. */
function maskArguments({ class_name: name }: LayerJson, args: unknown, kwargs: Json): MaskArgument[] {
  const inputs = refsIn(args);
  const found = [kwargs.mask].flat().map((mask, i) => ({ key: 'mask', mask: refOf(mask), input: inputs[i] }));
  for (const [i, argument] of (classOf(name)?.calledWith ?? []).entries()) {
    const key = `${argument}_mask`;
    found.push({ key, mask: refOf(kwargs[key]), input: refOf(kwargs[argument]) ?? inputs[i] });
  }
  return found.filter((one): one is MaskArgument => one.mask !== null);
}

/**
 * Removes the mask arguments of a functional container that equal the masks of its inputs, and the operations that computed them. In place.
 * @param where the container's path with a final "/", or "". @throws (through `refuse`) on any other mask.
 */
export function dropMaskTensors(
  container: LayerJson,
  where: string,
  notes: Notes,
  refuseAt: (where: string) => Refuse,
): void {
  const layers = layersOf(container);
  const operations = maskOperations(container);
  if (operations.size === 0) return;
  const calls = new Map<string, Call>();
  for (const layer of layers)
    nodesOf(layer).forEach((node, i) => {
      const { args, kwargs } = isObject(node) ? node : {};
      calls.set(`${layerName(layer)}/${i}`, { layer, args, kwargs: isObject(kwargs) ? kwargs : {} });
    });
  const formulas = new Formulas(calls, operations);
  for (const { layer, args, kwargs } of calls.values()) {
    const at = where + layerName(layer);
    for (const { key, mask, input } of maskArguments(layer, args, kwargs)) {
      const given = formulas.computed(mask);
      if (given === null || input === undefined || given !== formulas.carried(input))
      refuseAt(at)('takes a mask that is not the one its input carries; give the Embedding in front mask_zero=True, or put a Masking layer there, in place of the mask argument'); // prettier-ignore
      // Keras applies this mask, and would not fill in another beside it.
      if (refsIn(kwargs.initial_state).length > 0)
        refuseAt(at)('takes a mask as an argument beside initial states; call it without the one or the other');
      delete kwargs[key];
      notes.add('a mask that Keras 3 wrote as a tensor is that of the input', at);
    }
  }
  // Operations that computed masks and are no longer read.
  for (;;) {
    const left = layersOf(container);
    const read = new Set(
      left
        .flatMap(nodesOf)
        .flatMap((node) => (isObject(node) ? [...refsIn(node.args), ...(isObject(node.kwargs) ? Object.values(node.kwargs).flatMap(refsIn) : [])] : []))
        .map((ref) => ref.split('/').slice(0, -2).join('/')),
    ); // prettier-ignore
    const kept = left.filter((layer) => !operations.has(layerName(layer)) || read.has(layerName(layer)));
    if (kept.length === left.length) return;
    container.config.layers = kept;
  }
}
