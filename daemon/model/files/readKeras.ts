/** Keras files: HDF5 (`.h5`, Keras 2 and 3, whole models and weights alone) and the native zip (`.keras`, both layouts). */
import { basename } from 'node:path';
import { unzipSync } from 'fflate';
import { UserError } from '../../protocol/errors.js';
import { asInTfjs } from '../normalise/hardSigmoid.js';
import { withHdf5, type Hdf5File, type Hdf5Tensor } from './hdf5.js';
import { parseJson } from '../../files/jsonText.js';
import { asLayer, layerGroups, type LayerGroups } from './kerasGroups.js';
import { isObject, type LayerJson } from '../layers/layerConfig.js';
import { modelGraph } from '../layers/layerGraph.js';
import type { Model, ModelFormat, WeightTensor } from '../model.js';
import { normaliseTopology, type NormalisedTopology } from '../normalise/normalise.js';
import { Notes } from '../notes.js';
import { assignWeights, refuseNonFinite } from './weightNames.js';

type Named = Hdf5Tensor & { readonly name: string };

/** Above any model that trains on one machine; a zip that unpacks to more is refused before it is unpacked. */
const MAX_UNPACKED_BYTES = 4 * 1024 ** 3;

/** `class_name`/`config` of a model config, from text. */
function topologyOf(text: string, file: string): LayerJson {
  const json = parseJson(text, file);
  if (!isObject(json) || typeof json.class_name !== 'string' || json.config == null) {
    throw new UserError(
      'model-invalid',
      `${file}: its model config has no {class_name, config}; save the model again`,
      { file },
    );
  }
  return json as unknown as LayerJson;
}

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

/** Whether variables lie somewhere below a group. */
const holdsVariables = (h5: Hdf5File, group: string, depth = 8): boolean =>
  h5
    .children(group)
    .some((child) => child === 'vars' || (depth > 0 && holdsVariables(h5, `${group}/${child}`, depth - 1)));

/** Whether a file holds weights in the native layout, and what its groups of layers are called. */
function nativeLayersKey(h5: Hdf5File): string | null {
  const root = h5.children('');
  const keys = ['layers', '_layer_checkpoint_dependencies'];
  return keys.find((key) => root.includes(key) && holdsVariables(h5, key)) ?? null;
}

const legacyRoot = (h5: Hdf5File): string => (h5.children('').includes('model_weights') ? 'model_weights' : '');

/** What an HDF5 file that is no Keras file holds: 'the arrays "x" [60, 28, 28] and "y" [60]'. */
function contentsOf(h5: Hdf5File): string {
  const names = h5.children('');
  const shown = names.slice(0, 6).map((name) => {
    const shape = h5.shape(name);
    if (shape !== null) return `the array "${name}" [${shape.join(', ')}]`;
    const inner = h5.children(name);
    const some = inner.slice(0, 4).map((child) => `"${child}"`);
    return `the group "${name}" (${some.join(', ') || 'empty'}${inner.length > some.length ? ', ...' : ''})`;
  });
  if (names.length > shown.length) shown.push(`${names.length - shown.length} more`);
  return shown.join(', ') || 'nothing';
}

/**
 * What an HDF5 file is: a whole Keras model, or the weights of one.
 * @throws UserError('model-invalid') saying what the file holds, where it is neither.
 */
export async function kindOfH5(bytes: Uint8Array, file: string): Promise<'model' | 'weights'> {
  return withHdf5(bytes, file, (h5) => {
    if (h5.text('', 'model_config') !== null) return 'model';
    if (h5.texts(legacyRoot(h5), 'layer_names') !== null || nativeLayersKey(h5) !== null) return 'weights';
    throw new UserError(
      'model-invalid',
      `${file} is an HDF5 file, but no Keras model and no weights of one: it holds ${contentsOf(h5)}; name a Keras model`,
      { file },
    );
  });
}

const variables = (h5: Hdf5File, group: string): string[] =>
  h5
    .children(`${group}/vars`)
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(a) - Number(b));

/**
 * Where Keras 2.12 and 2.13 count otherwise, the k-th group of a class that holds variables is the k-th layer of that
 * class that has some; shapes are checked all the same.
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
    groups.flatMap((group) =>
      variables(h5, group).map((name) => ({ path: `${group}/vars/${name}`, label: h5.text(`${group}/vars`, 'name') })),
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

/** Reads weights of either layout for a topology that is known. */
function weightsFor(
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
    // Keras names weights "layer:0" with scopes of its own; only matches that are no plain scope are worth a note.
    tensors = assignWeights(graph, tensors, normalised.renamed, file, new Notes());
  } else if (key !== null) tensors = nativeWeights(h5, raw, normalised, key, file);
  // Keras 3 writes groups without variables then.
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

const asModel = (
  format: ModelFormat,
  path: string,
  normalised: NormalisedTopology,
  weights: readonly WeightTensor[],
  notes: Notes,
  trainingConfig: unknown,
): Model =>
  asInTfjs(
    {
      format,
      path,
      topology: normalised.topology,
      weights,
      ...(isObject(trainingConfig) ? { trainingConfig } : {}),
      notes: [...normalised.notes, ...notes.list()],
    },
    normalised,
  );

/** A whole model in HDF5, as `kindOfH5` finds it. @throws UserError. */
export async function readKerasH5(bytes: Uint8Array, file: string): Promise<Model> {
  return withHdf5(bytes, file, (h5) => {
    const config = h5.text('', 'model_config')!;
    const raw = topologyOf(config, file);
    const training = h5.text('', 'training_config');
    const normalised = normaliseTopology(raw, file, true);
    const notes = new Notes();
    const weights = weightsFor(h5, raw, normalised, file, notes);
    return asModel('keras-h5', file, normalised, weights, notes, training === null ? null : parseJson(training, file));
  });
}

/**
 * Weights alone, for a topology from a JSON file.
 * @param files the two, and the one of them that was named: the model's path.
 */
export async function readWeightsH5(
  bytes: Uint8Array,
  files: { readonly weights: string; readonly topology: string; readonly named: string },
  parsed: NormalisedTopology & { readonly raw: { class_name: string; config: unknown } },
): Promise<Model> {
  const { weights: file, topology, named } = files;
  return withHdf5(bytes, file, (h5) => {
    const notes = new Notes();
    notes.add(
      named === file
        ? `the layers were read from ${basename(topology)} beside the weights`
        : `the weights were read from ${basename(file)} beside the JSON`,
    );
    const weights = weightsFor(h5, asLayer(parsed.raw), parsed, file, notes);
    return asModel('keras-h5', named, parsed, weights, notes, null);
  });
}

/** The members of a `.keras` zip that matter. @throws UserError on a damaged zip, or one that unpacks to too much. */
function unzip(bytes: Uint8Array, file: string): Record<string, Uint8Array> {
  const invalid = (problem: string): never => {
    throw new UserError('model-invalid', `${file} ${problem}`, { file });
  };
  let total = 0;
  try {
    return unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        if (!/^(config\.json|metadata\.json|model\.weights\.(h5|npz|json))$/.test(name)) return false;
        total += originalSize;
        if (total > MAX_UNPACKED_BYTES)
          invalid(`unpacks to more than ${MAX_UNPACKED_BYTES} bytes, which no model does`);
        return true;
      },
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    return invalid(`is a damaged zip (${String((error as Error).message).slice(0, 80)}); copy or save it again`);
  }
}

/** Keras's native format. @throws UserError. */
export async function readKerasZip(bytes: Uint8Array, file: string): Promise<Model> {
  const members = unzip(bytes, file);
  const config = members['config.json'];
  const data = members['model.weights.h5'];
  if (!config)
    throw new UserError('model-invalid', `${file} is a zip without a config.json, so not a Keras model`, { file });
  if (!data)
    throw new UserError('model-invalid', `${file} has no model.weights.h5; save the model again with HDF5 weights`, {
      file,
    });
  const raw = topologyOf(Buffer.from(config).toString('utf8'), file);
  const normalised = normaliseTopology(raw, file, true);
  const { compile_config: training } = raw as unknown as Record<string, unknown>;
  return withHdf5(data, file, (h5) => {
    const notes = new Notes();
    return asModel('keras-v3', file, normalised, weightsFor(h5, raw, normalised, file, notes), notes, training);
  });
}
