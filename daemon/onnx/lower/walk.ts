import { Misfit } from '../../network/misfit.js';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import type { Node } from '../../network/ir.js';
import { BrokenGraph } from '../../network/verify/verifyNode.js';
import type { OnnxGraph, OnnxModel, OnnxNode, OnnxValue } from '../file/onnxModel.js';
import { Call } from './call.js';
import type { Lowering } from './lowering.js';
import { dtypeOf, numbersOf } from './operators/constants.js';
import { OPERATORS } from './registry.js';
import { isSupported } from './unsupported.js';
import { dimsOf, type Value } from './values/value.js';
import { mayBeWeight } from './weights.js';

/** Walks a graph from its inputs to its outputs, and computes each node's outputs from its inputs. */

/** The result of a node without a rule, or one that the rule does not cover: no value, and a sentence. */
export type Refuse = (message: string) => void;

/** The nodes that some output of the model depends on, in the file's order. */
export function liveNodes({ nodes, outputs }: OnnxGraph): OnnxNode[] {
  const wanted = new Set(outputs.map(({ name }) => name));
  const live = nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => name !== '' && wanted.has(name))) return false;
    for (const input of node.inputs) if (input !== '') wanted.add(input);
    return true;
  });
  return live.reverse();
}

/** The name of a node in messages and tables: the module that its weights are named after, else its own name. */
export function layerNames(graph: OnnxGraph, nodes: readonly OnnxNode[]): ReadonlyMap<OnnxNode, string> {
  const ofWeight = (name: string): string | undefined => {
    const tensor = graph.initializers.get(name);
    if (!tensor || !mayBeWeight(tensor) || name.startsWith('onnx::')) return undefined;
    return /^(.+)[./][^./]+$/.exec(name)?.[1];
  };
  return new Map(
    nodes.map((node, i) => {
      const module = node.inputs.map(ofWeight).find((name) => name !== undefined);
      return [node, module ?? (node.name === '' ? `${node.op}_${i}` : node.name)];
    }),
  );
}

/** Most numbers in all constants of a model; they are held while it is lowered. */
const mostHeld = 2 ** 25;

export interface Walk {
  readonly model: OnnxModel;
  readonly nodes: readonly OnnxNode[];
  readonly names: ReadonlyMap<OnnxNode, string>;
  readonly lowering: Lowering;
  /** A value for each input of the graph. */
  readonly inputs: readonly Value[];
  /** Called instead of throwing, so that all problems are found. */
  readonly refuse?: Refuse;
}

/** A data input. Whole numbers and bools become float32, as all data is. */
export function inputValue(
  lowering: Lowering,
  { type }: OnnxValue,
  node: Node,
  order: readonly number[],
  index: number,
): Value {
  const dtype = dtypeOf(type) ?? 'float32';
  return lowering.value(dtype === 'float32' ? node : lowering.cast(node, dtype), order, index);
}

/** What is wrong with a node of the file, as a sentence; undefined if the fault is in this product. */
function messageOf(error: unknown, at: string): string | undefined {
  if (error instanceof UserError) return error.message;
  if (error instanceof Misfit) return `${at}: ${error.message}`;
  return error instanceof BrokenGraph ? `${at}: ${error.node?.op}: ${error.rule}` : undefined;
}

/**
 * Computes every value, by name.
 * @throws UserError('model-unsupported') for the first node that cannot be lowered, unless `refuse` takes it
 */
export function walk({ model, nodes, names, lowering, inputs, refuse }: Walk): ReadonlyMap<string, Value> {
  const { graph } = model;
  const opset = model.opsets.get('') ?? 1;
  const values = new Map<string, Value>(graph.inputs.map(({ name }, i) => [name, inputs[i]!]));
  const missing = new Set<string>();
  /** The arrays of known numbers; a constant that is only passed on, or gets another shape, is the same one. */
  const held = new Set<Float64Array>();
  let heldNumbers = 0;
  const valueOf = (name: string, node: OnnxNode): Value => {
    const known = values.get(name);
    if (known) return known;
    const tensor = graph.initializers.get(name);
    if (!tensor) throw new UserError('model-unsupported', `${node.op} "${names.get(node)}" reads "${name}", an output without a rule`); // prettier-ignore
    const value: Value = mayBeWeight(tensor)
      ? { kind: 'weight', name, dims: tensor.dims, axes: tensor.dims.map((_, i) => i) }
      : numbersOf(tensor);
    values.set(name, value);
    return value;
  };
  for (const node of nodes) {
    const name = names.get(node)!;
    const fail = (error: unknown): void => {
      const message = messageOf(error, `${node.op} "${name}"`);
      if (message === undefined) throw error;
      if (!refuse) throw new UserError('model-unsupported', message);
      refuse(message);
    };
    // Nodes that depend on a failed node report nothing new.
    if (!isSupported(node) || node.inputs.some((input) => missing.has(input))) {
      for (const output of node.outputs) missing.add(output);
      continue;
    }
    lowering.builder.layer = name;
    if (heldNumbers > mostHeld) throw new UserError('model-unsupported', `the model computes more than ${mostHeld} numbers from constants, as ${node.op} "${name}" does; fold them when it is exported (do_constant_folding)`); // prettier-ignore
    try {
      const given = node.inputs.map((input) => (input === '' ? undefined : valueOf(input, node)));
      const results = [OPERATORS.get(node.op)!(new Call(lowering, node, name, opset, given))].flat();
      for (const [i, output] of node.outputs.entries()) {
        const result = results[i];
        if (output === '' || !result) continue;
        const dims = dimsOf(result);
        if (!dims.every((n) => Number.isInteger(n) && n >= 0) || !Number.isSafeInteger(4 * sizeOf(dims))) throw new Misfit('it makes a tensor of a size that cannot be'); // prettier-ignore
        if (result.kind === 'numbers' && !held.has(result.data)) {
          held.add(result.data);
          heldNumbers += result.data.length;
        }
        values.set(output, result);
        lowering.inheritOuter(output, dims, node.inputs, values);
      }
    } catch (error) {
      fail(error);
      for (const output of node.outputs) missing.add(output);
    }
  }
  lowering.builder.layer = undefined;
  for (const { name } of graph.outputs)
    if (!missing.has(name) && !values.has(name)) {
      const tensor = graph.initializers.get(name);
      if (tensor) values.set(name, numbersOf(tensor));
      else refuse?.(`the output "${name}" has no rule`);
    }
  return values;
}

/** Shapes of all computed values. */
export const shapesOf = (values: ReadonlyMap<string, Value>): ReadonlyMap<string, readonly number[]> =>
  new Map([...values].map(([name, value]) => [name, dimsOf(value)]));
