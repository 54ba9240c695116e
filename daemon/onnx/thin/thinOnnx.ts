/** An ONNX file without the units that no output depends on: the same operations, with smaller tensors and the sizes that follow. */
import type { Graph, Node } from '../../network/ir.js';
import { recordPass } from '../../network/recordPass.js';
import { thinGraph, type ThinNetwork, type ThinOptions, type ThinWeight } from '../../network/structure/thin.js';
import { withNodes } from '../../network/structure/withNodes.js';
import { UserError } from '../../protocol/errors.js';
import type { TensorChange } from '../file/editTensor.js';
import type { OnnxModel } from '../file/onnxModel.js';
import type { AttributeChange, OnnxChanges } from '../file/replaceTensors.js';
import { networkOfOnnx, type OnnxNetwork, type OnnxPass, type OnnxWeight } from '../lower/onnxNetwork.js';
import { dimsOf, type Value } from '../lower/values/value.js';
import { toFile } from '../lower/values/weightLayout.js';
import { liveNodes } from '../lower/walk.js';
import { changedModel } from './changedModel.js';
import { ConstantEdits, type ConstantChanges } from './constantEdits.js';
import { isCut, NodeEdit, type AxisCut } from './nodeEdit.js';
import { NODE_RULES } from './nodeRules.js';

export interface ThinnedOnnx {
  /** Of the file that the model was read from. */
  readonly changes: OnnxChanges;
  /** The model with these changes. */
  readonly model: OnnxModel;
  readonly network: OnnxNetwork;
}

interface Recorded {
  readonly graph: Graph;
  readonly values: OnnxPass['values'];
}

/** An inference pass, of the batch that the file was written for. */
function record(network: OnnxNetwork): Recorded {
  const { builder, pass } = recordPass(network, network.fileBatch ?? 1);
  const { outputs, values } = pass;
  const graph = builder.finish(outputs.map((node, index) => ({ node, role: 'output', ...(index > 0 && { index }) })));
  const nodes = [...values.values()].flatMap((value) => (value.kind === 'node' ? [value.node] : []));
  // Their sizes change, too.
  return { graph: withNodes(graph, nodes), values };
}

/** Sizes of the file's axes, which are those of the split tensor, one or several neighbours each. */
function joinedDims(dims: readonly number[], split: readonly number[], cut: readonly number[]): number[] {
  let at = 0;
  return dims.map((n, axis) => {
    let [before, after] = [1, 1];
    while (at < split.length && (before < n || axis === dims.length - 1)) {
      before *= split[at]!;
      after *= cut[at++]!;
    }
    return after;
  });
}

/** A weight in the file's layout. */
function weightChange(
  { tensor, layout }: OnnxWeight,
  { shape, data }: Pick<ThinWeight, 'shape' | 'data'>,
): TensorChange | null {
  const split = layout.split.slice();
  layout.perm.forEach((axis, i) => (split[axis] = shape[i]!));
  const values = toFile({ ...layout, split, shape }, data);
  const dims = joinedDims(tensor.dims, layout.split, split);
  const before = tensor.values();
  if (values.length === before.length && values.every((x, i) => x === before[i])) return null;
  return { dims, values };
}

/** Of each axis of a weight in the file's layout, the indices that are left: those of the parts that it is split into. */
function weightCuts({ tensor, layout }: OnnxWeight, kept: readonly (readonly number[])[]): AxisCut[] {
  const ofSplit = layout.split.map((_, axis) => kept[layout.perm.indexOf(axis)]!);
  let at = 0;
  return tensor.dims.map((before, axis) => {
    let [size, indices] = [1, [0] as readonly number[]];
    while (at < layout.split.length && (size < before || axis === tensor.dims.length - 1)) {
      const n = layout.split[at]!;
      const inner = ofSplit[at++]!;
      indices = indices.flatMap((i) => inner.map((j) => i * n + j));
      size *= n;
    }
    return { before, kept: indices };
  });
}

const everyIndex = (before: number): AxisCut => ({ before, kept: Array.from({ length: before }, (_, i) => i) });

/**
 * Removes, to a fixed point, every unit that no output depends on from a file. The file keeps its operations: tensors lose slices,
 * and constants and attributes that say sizes change with them.
 *
 * @param weights of the network, by name, in its layout.
 * @returns null where nothing can be removed.
 * @throws UserError('model-unsupported') where the file says sizes in a way that cannot be changed, naming it.
 */
export function thinOnnx(
  model: OnnxModel,
  network: OnnxNetwork,
  weights: ReadonlyMap<string, Float32Array>,
  path: string,
  options: ThinOptions = {},
): ThinnedOnnx | null {
  let thinned = thinOnce(model, network, weights, path, options);
  // Where one head is left, for example, its width can go too.
  for (let next = thinned; next;) {
    next = thinOnce(next.model, next.network, new Map(next.network.weights.map((weight) => [weight.name, weight.values()])), path, options); // prettier-ignore
    if (next) thinned = { ...next, changes: merged(thinned!.changes, next.changes) };
  }
  return thinned;
}

const both = <K, V>(
  first: ReadonlyMap<K, V> | undefined,
  then: ReadonlyMap<K, V> | undefined,
  join: (a: V, b: V) => V,
): Map<K, V> => {
  const all = new Map(first);
  for (const [key, value] of then ?? []) {
    const before = all.get(key);
    all.set(key, before === undefined ? value : join(before, value));
  }
  return all;
};

/** Changes of a file, and then of the file with these. */
const merged = (first: OnnxChanges, then: OnnxChanges): OnnxChanges => ({
  initializers: both(first.initializers, then.initializers, (_, last) => last),
  attributes: both(first.attributes, then.attributes, (a, b) => new Map([...a, ...b])),
  shapes: both(first.shapes, then.shapes, (a, b) => b.map((n, axis) => n ?? a[axis]!)),
});

function thinOnce(
  model: OnnxModel,
  network: OnnxNetwork,
  weights: ReadonlyMap<string, Float32Array>,
  path: string,
  options: ThinOptions,
): ThinnedOnnx | null {
  const { graph, values } = record(network);
  const known = new Map(network.weights.map((weight) => [weight.name, weight]));
  // What the file cannot say of a node stays whole; without these units more may have to.
  const stays: { readonly node: Node; readonly axis: number }[] = [];
  for (;;) {
    const thin = thinGraph(graph, weights, { ...options, stays });
    if ([...thin.weights].every(([name, { data }]) => data.length === weights.get(name)!.length)) return null;
    const cutsOf = cutsByName(values, thin, known);
    const { attributes, constants } = editsOf(model, values, cutsOf);
    const before = stays.length;
    for (const { inputs, outputs } of constants.unmet)
      for (const name of [...inputs, ...outputs]) {
        const value = values.get(name);
        const cuts = cutsOf(name);
        if (value?.kind === 'node') cuts?.forEach((cut, i) => isCut(cut) && stays.push({ node: value.node, axis: value.axes[i]! })); // prettier-ignore
      }
    if (stays.length > before) continue;
    if (constants.unmet.size > 0) throw refused(`it has no sizes of their own for ${[...constants.unmet].map(({ op, name }) => `${op} "${name.slice(0, 80)}"`).slice(0, 3).join(', ')}`); // prettier-ignore
    const initializers = weightChanges(known, thin, weights);
    for (const [name, change] of constants.initializers) {
      if (initializers.has(name)) throw refused(`"${name.slice(0, 80)}" is a weight, and a constant that says sizes`);
      initializers.set(name, change);
    }
    const changed = changedModel(model, { initializers, attributes });
    const { network: smaller, sizes } = readAgain(changed, path);
    const shapes = shapeChanges(values, sizes, cutsOf);
    return { changes: { initializers, attributes, shapes }, model: changed, network: smaller };
  }
}

type CutsOf = (name: string) => readonly AxisCut[] | undefined;

/** What is left of each axis of a value of the file; undefined of what is known without data, or not computed. */
function cutsByName(values: OnnxPass['values'], thin: ThinNetwork, known: ReadonlyMap<string, OnnxWeight>): CutsOf {
  const ofWeight = (name: string): AxisCut[] => {
    const weight = known.get(name)!;
    const kept = thin.weights.get(name)?.kept;
    return kept ? weightCuts(weight, kept) : weight.tensor.dims.map(everyIndex);
  };
  const cutsOfValue = (value: Value): AxisCut[] | undefined => {
    if (value.kind === 'numbers') return undefined;
    if (value.kind === 'weight') return known.has(value.name) ? value.axes.map((axis) => ofWeight(value.name)[axis]!) : undefined; // prettier-ignore
    const { node, axes } = value;
    const cuts = axes.map((axis) => ({ before: node.shape[axis]!, kept: thin.kept(node, axis) }));
    return cuts.every((cut): cut is AxisCut => cut.kept !== undefined) ? cuts : undefined;
  };
  const cuts = new Map<string, AxisCut[] | undefined>();
  return (name) => {
    if (!cuts.has(name)) {
      const value = values.get(name);
      cuts.set(name, value && cutsOfValue(value));
    }
    return cuts.get(name);
  };
}

/** What the nodes of the file say of sizes, in attributes and constants. */
function editsOf(
  { graph }: OnnxModel,
  values: OnnxPass['values'],
  cutsOf: CutsOf,
): { attributes: Map<string, ReadonlyMap<string, AttributeChange>>; constants: ConstantChanges } {
  const numbersOf = (name: string) => {
    const value = values.get(name);
    return value?.kind === 'numbers' ? value : undefined;
  };
  const dimsAfter = (name: string) => cutsOf(name)?.map(({ kept }) => kept.length) ?? numbersOf(name)?.dims;
  const edits = new ConstantEdits(graph, numbersOf, dimsAfter);
  const attributes = new Map<string, ReadonlyMap<string, AttributeChange>>();
  for (const node of liveNodes(graph)) {
    const edit = new NodeEdit(node, cutsOf, numbersOf, edits);
    NODE_RULES.get(node.op)?.(edit);
    if (edit.attributes.size > 0)
      attributes.set(
        node.outputs.find((name) => name !== '')!,
        edit.attributes,
      );
  }
  const constants = edits.changes();
  for (const [node, [name, change]] of constants.attributes)
    attributes.set(node.outputs[0]!, new Map([[name, change]]));
  return { attributes, constants };
}

/** The weights that differ from those of the file, in its layout. */
function weightChanges(
  known: ReadonlyMap<string, OnnxWeight>,
  thin: ThinNetwork,
  weights: ReadonlyMap<string, Float32Array>,
): Map<string, TensorChange> {
  const changes = new Map<string, TensorChange>();
  for (const [name, weight] of known) {
    if (weight.layout.shape.length !== weight.layout.perm.length) throw new Error(`the axes of ${name} are joined`);
    const left = thin.weights.get(name) ?? { shape: weight.shape, data: weights.get(name)! };
    const change = weightChange(weight, left);
    if (change) changes.set(name, change);
  }
  return changes;
}

/**
 * What the file says of the sizes of its values.
 * @throws UserError('model-unsupported') where a value, read from the changed file, has others than it should.
 */
function shapeChanges(
  values: OnnxPass['values'],
  sizes: ReadonlyMap<string, readonly number[]>,
  cutsOf: CutsOf,
): Map<string, readonly (number | null)[]> {
  const shapes = new Map<string, readonly (number | null)[]>();
  for (const [name, value] of values) {
    const [before, after] = [dimsOf(value), sizes.get(name)];
    if (!after) continue;
    const expected = cutsOf(name)?.map(({ kept }) => kept.length);
    if (expected && (expected.length !== after.length || expected.some((n, axis) => n !== after[axis])))
      throw refused(`the sizes of "${name.slice(0, 80)}" would be [${after}] instead of [${expected}]: it computes them in a way that has no rule`); // prettier-ignore
    if (before.length === after.length && before.some((n, axis) => n !== after[axis]))
      shapes.set(name, after.map((n, axis) => (n === before[axis] ? null : n))); // prettier-ignore
  }
  return shapes;
}

const refused = (why: string): UserError =>
  new UserError(
    'model-unsupported',
    `this file cannot be written with fewer units: ${why}; export it as onnx, with its zeros`,
  );

/** The changed model as a network, and the sizes of all of its values. */
function readAgain(
  model: OnnxModel,
  path: string,
): { network: OnnxNetwork; sizes: ReadonlyMap<string, readonly number[]> } {
  try {
    const network = networkOfOnnx(model, path);
    const { values } = record(network);
    return { network, sizes: new Map([...values].map(([name, value]) => [name, dimsOf(value)])) };
  } catch (error) {
    if (error instanceof UserError) throw refused(error.message);
    throw error;
  }
}
