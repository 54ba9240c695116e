/** Which tensor of a file is which weight of the topology: by name and shape, never by order. */
import { UserError } from '../../protocol/errors.js';
import type { ModelGraph } from '../layers/layerGraph.js';
import type { WeightSpec } from '../layers/layerWeights.js';
import type { WeightTensor } from '../model.js';
import type { Notes } from '../notes.js';

/** State that belongs to no layer of TensorFlow.js: optimizers, and generators of random layers in Keras 3. */
const NOT_OF_A_LAYER =
  /(^|\/)(optimizer|training|Adam|RMSprop|SGD|Adagrad|Adadelta|Adamax|Nadam|adam|rmsprop|sgd)(_\d+)?(\/|$)|(^|\/)(iter|iteration|iterations|learning_rate|decay|momentum|beta_[12]|seed_generator_state)$/;

const clean = (name: string): string => name.replace(/:\d+$/, '');

/**
 * Names a tensor may have in the topology, best first: its own, then without leading segments one by one (model scopes),
 * each also without the last but one (the cell of a recurrent layer, the layer inside a wrapper).
 */
export function nameCandidates(name: string): string[] {
  const segments = clean(name).split('/');
  const found: string[] = [];
  for (let from = 0; from <= segments.length - 2; from++) {
    const rest = segments.slice(from);
    found.push(rest.join('/'));
    if (rest.length > 2) found.push([...rest.slice(0, -2), rest.at(-1)!].join('/'));
  }
  // A depthwise kernel is plainly "kernel" in Keras 3.
  return found.flatMap((candidate) =>
    candidate.endsWith('/kernel')
      ? [candidate, `${candidate.slice(0, -'kernel'.length)}depthwise_kernel`]
      : [candidate],
  );
}

const fits = (spec: WeightSpec, shape: readonly number[]): boolean =>
  spec.shape.length === shape.length && spec.shape.every((dim, i) => dim === null || dim === shape[i]);

const text = (shape: readonly (number | null)[]): string => `[${shape.map((dim) => dim ?? '?').join(', ')}]`;

/**
 * Puts a file's tensors into the topology's order and under its names. Each target is used once, shapes must be equal,
 * and every weight of the topology must be there.
 * @param renamed layers that were renamed on reading: scope now -> scope in the file.
 * @throws UserError('model-invalid') naming the weight.
 */
export function assignWeights<T extends { readonly name: string; readonly shape: readonly number[] }>(
  graph: ModelGraph,
  tensors: readonly T[],
  renamed: ReadonlyMap<string, string>,
  file: string,
  notes: Notes,
): T[] {
  const invalid = (problem: string): never => {
    throw new UserError('model-invalid', `${file}: ${problem}`, { file });
  };
  const targets = new Map(graph.layers.flatMap((node) => node.weights).map((spec) => [spec.name, spec]));
  // A layer inside a nested model is also found by its whole path, under the name it has in the file.
  const aliases = new Map<string, string>();
  for (const node of graph.layers) {
    const own = node.path.split('/').at(-1)!;
    const path = renamed.get(own) ?? node.path;
    if (path === own) continue;
    for (const { name } of node.weights)
      if (name.startsWith(`${own}/`)) aliases.set(path + name.slice(own.length), name);
  }
  const assigned = new Map<string, T>();
  const waiting: { tensor: T; names: string[] }[] = tensors.map((tensor) => {
    const own = nameCandidates(tensor.name);
    return { tensor, names: own.flatMap((name) => (aliases.has(name) ? [aliases.get(name)!, name] : [name])) };
  });
  const mismatches: string[] = [];
  const rounds = Math.max(0, ...waiting.map((entry) => entry.names.length));
  let rest = waiting;
  for (let round = 0; round < rounds && rest.length > 0; round++) {
    const next: typeof waiting = [];
    for (const entry of rest) {
      const name = entry.names[round];
      const spec = name === undefined ? undefined : targets.get(name);
      if (spec === undefined || assigned.has(spec.name)) {
        next.push(entry);
        continue;
      }
      if (!fits(spec, entry.tensor.shape)) {
        mismatches.push(
          `"${entry.tensor.name}" is ${text(entry.tensor.shape)} where "${spec.name}" needs ${text(spec.shape)}`,
        );
        next.push(entry);
        continue;
      }
      assigned.set(spec.name, entry.tensor);
      if (name !== clean(entry.tensor.name)) {
        notes.add('weights were matched by the end of their names', `${entry.tensor.name} to ${spec.name}`);
      }
    }
    rest = next;
  }
  const missing = [...targets.keys()].filter((name) => !assigned.has(name));
  if (missing.length > 0) {
    const why = mismatches[0] ?? `the file has no weight for "${missing[0]!}"`;
    const others = missing.length > 1 ? ` (${missing.length} of ${targets.size} weights are unset)` : '';
    invalid(`${why}${others}; weights and topology are not of the same model`);
  }
  for (const { tensor, names } of rest) {
    const taken = names.find((name) => targets.has(name));
    if (taken !== undefined && !NOT_OF_A_LAYER.test(tensor.name)) {
      invalid(`"${tensor.name}" and "${assigned.get(taken)!.name}" could both be "${taken}"; rename the layers apart`);
    }
    if (!NOT_OF_A_LAYER.test(tensor.name)) notes.add('weights of no layer were left out', tensor.name);
  }
  return [...targets.keys()].map((name) => ({ ...assigned.get(name)!, name }));
}

/** @throws UserError('model-invalid') naming the first weight that holds NaN or an infinity. */
export function refuseNonFinite(weights: readonly WeightTensor[], file: string): void {
  for (const { name, data } of weights) {
    for (let i = 0; i < data.length; i++) {
      if (!Number.isFinite(data[i])) {
        throw new UserError(
          'model-invalid',
          `${file}: weight "${name}" holds ${String(data[i])} at position ${i}: the training diverged before it was saved; use an earlier save`,
          { file, field: name },
        );
      }
    }
  }
}
