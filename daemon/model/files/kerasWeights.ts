/** Reads the weights of a Keras file for a known topology: the layout of Keras 2 and the native one. */
import { UserError } from '../../protocol/errors.js';
import { type Hdf5File, type Hdf5Tensor } from './hdf5.js';
import { layerGroups, type LayerGroups } from './kerasGroups.js';
import type { LayerJson } from '../layers/layerConfig.js';
import { modelGraph } from '../layers/layerGraph.js';
import type { WeightTensor } from '../model.js';
import type { NormalisedTopology } from '../normalise/normalise.js';
import { Notes } from '../notes.js';
import { assignWeights, refuseNonFinite } from './weightNames.js';
import { contentsOf, legacyRoot, nativeLayersKey } from './kerasH5.js';

type Named = Hdf5Tensor & { readonly name: string };

/** Keras's older layout (legacy_h5_format.py): one group per layer, named after it, which lists its weights' names. */
function namedWeights(h5: Hdf5File, root: string, file: string): Named[] {
  const at = (...segments: string[]): string => [root, ...segments].filter((segment) => segment !== '').join('/');
  const layers = h5.texts(root, 'layer_names') ?? [];
  return layers.flatMap((layer) =>
    (h5.texts(at(layer), 'weight_names') ?? []).map((weight): Named => {
      if (h5.shape(at(layer, weight)) === null) {
        throw new UserError(
          'model-invalid',
          `${file}: layer "${layer}" lists the weight "${weight}", which is missing; save the model again`,
          { file },
        );
      }
      return { name: `${layer}/${weight}`, ...h5.tensor(at(layer, weight)) };
    }),
  );
}

const variables = (h5: Hdf5File, group: string): string[] =>
  h5
    .children(`${group}/vars`)
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(a) - Number(b));

/**
 * Keras 2.12 and 2.13 may count differently: then the k-th group of a class with variables belongs to the k-th layer of that class that has some.
 * Shapes are checked in any case.
 */
function regroup(
  h5: Hdf5File,
  layers: readonly LayerGroups[],
  withWeights: ReadonlySet<string>,
): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const holds = (group: string): boolean =>
    variables(h5, group).length > 0 ||
    h5.children(group).some((child) => child !== 'vars' && holds(`${group}/${child}`));
  const byFolder = new Map<string, LayerGroups[]>();
  for (const layer of layers) {
    if (!withWeights.has(layer.path)) continue;
    // "layers/dense_1/cell" -> folder "layers", class part "dense".
    const depth = layer.groups[0]!.split('/').length - ownDepth(layer);
    const segments = layer.groups[0]!.split('/').slice(0, depth);
    const key = `${segments.slice(0, -1).join('/')}|${segments.at(-1)!.replace(/_\d+$/, '')}`;
    byFolder.set(key, [...(byFolder.get(key) ?? []), layer]);
  }
  for (const [key, members] of byFolder) {
    const [folder, className] = key.split('|') as [string, string];
    const count = (name: string): number => Number(/_(\d+)$/.exec(name)?.[1] ?? 0);
    const groups = h5
      .children(folder)
      .filter((name) => name.replace(/_\d+$/, '') === className && holds(`${folder}/${name}`))
      .sort((a, b) => count(a) - count(b));
    members.forEach((member, i) => {
      const name = groups[i];
      if (name === undefined) return;
      const own = ownDepth(member);
      found.set(
        member.path,
        member.groups.map((group) =>
          [folder, name, ...group.split('/').slice(group.split('/').length - own)].join('/'),
        ),
      );
    });
  }
  return found;
}

/** Segments below the layer's own group: "cell" is 1, "forward_layer/cell" 2. */
const ownDepth = (layer: LayerGroups): number => {
  const [first] = layer.groups;
  const at = first!
    .split('/')
    .findLastIndex((segment, i, all) => /^(layers|_layer_checkpoint_dependencies)$/.test(all[i - 1] ?? ''));
  return first!.split('/').length - 1 - at;
};

/** A part of a layer is named after an attribute, which some versions of Keras 3 have as "query_dense" and others as "_query_dense". */
const otherSpelling = (group: string): string =>
  group.replace(/\/(_?)([^/]+)$/, (_match, mark: string, name: string) => `/${mark === '' ? '_' : ''}${name}`);

/** Reads the native layout: each layer's variables by position in its groups, under the topology's weight names. */
function nativeWeights(
  h5: Hdf5File,
  raw: LayerJson,
  normalised: NormalisedTopology,
  key: string,
  file: string,
): Named[] {
  const layers = layerGroups(raw, key);
  const graph = modelGraph(normalised.topology);
  const nodes = graph.layers.filter((node) => node.weights.length > 0);
  const originalPath = (node: (typeof nodes)[number]): string =>
    normalised.renamed.get(node.path.split('/').at(-1)!) ?? node.path;
  const read = (groups: readonly string[]): { path: string; label: string | null }[] =>
    groups
      .map((group) => (variables(h5, group).length > 0 ? group : otherSpelling(group)))
      .flatMap((group) =>
        variables(h5, group).map((name) => ({
          path: `${group}/vars/${name}`,
          label: h5.text(`${group}/vars`, 'name'),
        })),
      );
  const regular = new Map(layers.map((layer) => [layer.path, layer.groups]));
  const complete = nodes.every((node) => read(regular.get(originalPath(node)) ?? []).length >= node.weights.length);
  const places = complete ? regular : regroup(h5, layers, new Set(nodes.map(originalPath)));
  return nodes.flatMap((node) => {
    const path = originalPath(node);
    const found = read(places.get(path) ?? []);
    const problem = (why: string): never => {
      throw new UserError(
        'model-invalid',
        `${file}: layer "${path}" ${why}; weights and topology are not of the same model`,
        { file },
      );
    };
    if (found.length < node.weights.length)
      problem(`has ${found.length} of its ${node.weights.length} weights in the file`);
    const single = (places.get(path) ?? []).length === 1 && !/\/(cell|layer)$/.test(places.get(path)![0]!);
    const { label } = found[0]!;
    if (single && label !== null && label !== path.split('/').at(-1))
      problem(`finds the weights of "${label}" in its place`);
    return node.weights.map((spec, i): Named => {
      const shape = h5.shape(found[i]!.path) ?? [];
      if (shape.length !== spec.shape.length || spec.shape.some((dim, k) => dim !== null && dim !== shape[k])) {
        problem(
          `has a weight of shape [${shape.join(', ')}] where "${spec.name}" needs [${spec.shape.map((d) => d ?? '?').join(', ')}]`,
        );
      }
      return { name: spec.name, ...h5.tensor(found[i]!.path) };
    });
  });
}

/** Reads weights of either layout for a known topology. */
export function weightsFor(
  h5: Hdf5File,
  raw: LayerJson,
  normalised: NormalisedTopology,
  file: string,
  notes: Notes,
): WeightTensor[] {
  const graph = modelGraph(normalised.topology);
  const key = nativeLayersKey(h5);
  const root = legacyRoot(h5);
  let tensors: readonly Named[];
  if (h5.texts(root, 'layer_names') !== null) {
    tensors = namedWeights(h5, root, file);
    // Keras names weights "layer:0" with scopes of its own; only matches beyond a plain scope are worth a note.
    tensors = assignWeights(graph, tensors, normalised.renamed, file, new Notes());
  } else if (key !== null) tensors = nativeWeights(h5, raw, normalised, key, file);
  // Keras 3 then writes groups without variables.
  else if (graph.layers.every((node) => node.weights.length === 0)) tensors = [];
  else
    throw new UserError(
      'model-invalid',
      `${file} has no Keras weights: it holds ${contentsOf(h5)}; name the file of the model's weights`,
      { file },
    );
  if (key === '_layer_checkpoint_dependencies') notes.add('weights were read from the layout of Keras 2.12 and 2.13');
  for (const { name, widened } of tensors)
    if (widened) notes.add(`weights of ${widened} were widened to float32, in which everything is computed`, name);
  const weights = tensors.map(({ name, shape, data }): WeightTensor => ({ name, shape, dtype: 'float32', data }));
  refuseNonFinite(weights, file);
  return weights;
}
