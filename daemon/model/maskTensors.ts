/**
 * Masks as tensors of their own. Keras 3 writes the mask of an Embedding or Masking into a functional model's file: the
 * operations that make it (NotEqual, Any, LogicalOr) as layers, and a `mask` argument where it is read. A reader that follows
 * masks itself (engine/masks) needs neither, where the argument is the mask that the input carries anyway.
 */
import { isObject, layerName, layersOf, type Json, type LayerJson } from './layerConfig.js';
import type { Notes } from './notes.js';
import type { Refuse } from './rewriteValues.js';

/** A mask as a formula over tensors, so that two ways to make one can be compared; null: none, or one that is not known. */
type Formula = string | null;

/** Named as no layer is: HDF5 files do not say which module a class is of. */
export const MASK_OPERATIONS: ReadonlySet<string> = new Set(['NotEqual', 'Any', 'LogicalOr']);
const isOperation = (layer: LayerJson): boolean => MASK_OPERATIONS.has(layer.class_name);

/** Layers that pass the mask of their input on (Keras 3.15, supports_masking). */
const PASSING =
  /^(Activation|.*ReLU|ELU|Softmax|Dense|Identity|Rescaling|Normalization|TimeDistributed|(Gaussian|Alpha|Spatial)?Dropout([123]D)?|GaussianNoise|.*Normalization)$/;
const RECURRENT = /^(RNN|SimpleRNN|GRU|LSTM|ConvLSTM\dD)$/;

const refOf = (value: unknown): string | null => {
  const history = isObject(value) && isObject(value.config) ? value.config.keras_history : null;
  return Array.isArray(history) ? (history as unknown[]).join('/') : null;
};
const refsIn = (value: unknown): string[] => {
  const ref = refOf(value);
  if (ref !== null) return [ref];
  return Array.isArray(value) ? (value as unknown[]).flatMap(refsIn) : [];
};

const notEqual = (ref: string, value: unknown): Formula => `${ref} != ${Number(value)}`;
const any = (of: Formula): Formula => of && `any(${of})`;
const or = (masks: readonly Formula[]): Formula =>
  masks.length === 0 || masks.includes(null) ? null : masks.reduce((a, b) => `(${a} | ${b})`);

interface Call {
  readonly layer: LayerJson;
  readonly args: unknown;
  readonly kwargs: Json;
}

class Formulas {
  private readonly known = new Map<string, Formula>();

  constructor(private readonly calls: ReadonlyMap<string, Call>) {}

  /** The mask that a tensor "layer/node/tensor" carries. */
  carried(ref: string): Formula {
    if (this.known.has(ref)) return this.known.get(ref)!;
    // A cycle carries none; it is refused later.
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
    if (first === undefined || isOperation(call.layer)) return null;
    if (name === 'Embedding') return config.mask_zero === true ? notEqual(first, 0) : null;
    if (name === 'Masking') return any(notEqual(first, config.mask_value ?? 0));
    if (/^(Add|Subtract|Multiply|Average|Maximum|Minimum)$/.test(name))
      return or(inputs.map((one) => this.carried(one)));
    const inner = name === 'Bidirectional' && isObject(config.layer) ? config.layer.config : config;
    if (RECURRENT.test(name) || name === 'Bidirectional')
      return isObject(inner) && inner.return_sequences === true && ref.endsWith('/0') ? this.carried(first) : null;
    return PASSING.test(name) ? this.carried(first) : null;
  }

  /** What a tensor of an operation computes. */
  computed(ref: string): Formula {
    const call = this.calls.get(ref.slice(0, ref.lastIndexOf('/')));
    if (!call || !isOperation(call.layer)) return null;
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
      case 'LogicalOr':
        return first !== null && second !== null ? or([this.computed(first), this.computed(second)]) : null;
      default:
        return null;
    }
  }
}

/**
 * Drops the mask arguments of a functional container that say what its inputs carry, and the operations that made them. In place.
 * @param where the container's path with a final "/", or "". @throws (through `refuse`) on any other mask.
 */
export function dropMaskTensors(
  container: LayerJson,
  where: string,
  notes: Notes,
  refuseAt: (where: string) => Refuse,
): void {
  const layers = layersOf(container);
  if (!layers.some(isOperation)) return;
  const calls = new Map<string, Call>();
  for (const layer of layers)
    (Array.isArray(layer.inbound_nodes) ? (layer.inbound_nodes as unknown[]) : []).forEach((node, i) => {
      const { args, kwargs } = isObject(node) ? node : {};
      calls.set(`${layerName(layer)}/${i}`, { layer, args, kwargs: isObject(kwargs) ? kwargs : {} });
    });
  const formulas = new Formulas(calls);
  for (const { layer, args, kwargs } of calls.values()) {
    const mask = refOf(kwargs.mask);
    if (mask === null) continue;
    const [input] = refsIn(args);
    const given = formulas.computed(mask);
    const at = where + layerName(layer);
    if (given === null || input === undefined || given !== formulas.carried(input))
      refuseAt(at)('takes a mask that is not the one its input carries; give the Embedding in front mask_zero=True, or put a Masking layer there, in place of the mask argument'); // prettier-ignore
    delete kwargs.mask;
    notes.add('a mask that Keras 3 wrote as a tensor is that of the input', at);
  }
  // What made masks and is read no more.
  for (;;) {
    const left = layersOf(container);
    const read = new Set(
      left.flatMap((layer) => (Array.isArray(layer.inbound_nodes) ? (layer.inbound_nodes as unknown[]) : []))
        .flatMap((node) => (isObject(node) ? [...refsIn(node.args), ...(isObject(node.kwargs) ? Object.values(node.kwargs).flatMap(refsIn) : [])] : []))
        .map((ref) => ref.split('/').slice(0, -2).join('/')),
    ); // prettier-ignore
    const kept = left.filter((layer) => !isOperation(layer) || read.has(layerName(layer)));
    if (kept.length === left.length) return;
    container.config.layers = kept;
  }
}
