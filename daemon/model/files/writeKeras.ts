/** Writes a model that Python's Keras loads with its weights. */
import { zipSync } from 'fflate';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { withoutCorners } from '../normalise/bilinearUpSampling.js';
import { asInKeras3 } from '../normalise/hardSigmoid.js';
import { buildHdf5, type Hdf5Builder } from './hdf5.js';
import { compileConfig } from '../keras3/compileConfig.js';
import { inKerasOrder } from '../keras3/layerOrder.js';
import { kerasTopology } from './kerasConfig.js';
import { layerGroups } from './kerasGroups.js';
import { layerName, layersOf, type Json, type LayerJson } from '../layers/layerConfig.js';
import { modelGraph, type LayerNode, type ModelGraph } from '../layers/layerGraph.js';
import type { WeightSpec } from '../layers/layerWeights.js';
import type { LayersModel, WeightTensor } from '../model.js';

/** The version whose HDF5 format this is where Keras 2 can read it; Keras 3 reads both. */
const H5_KERAS_VERSION = '2.15.0';
const NATIVE_KERAS_VERSION = '3.0.0';

/** How the model was compiled, as far as Keras can compile it so. */
const compiled = ({ trainingConfig, format }: LayersModel, { outputLayers }: ModelGraph) =>
  trainingConfig === undefined ? null : compileConfig(trainingConfig, outputLayers, format === 'keras-v3');

const tensorsOf = (model: LayersModel): Map<string, WeightTensor> =>
  new Map(model.weights.map((weight) => [weight.name, weight]));
const scopeOf = (spec: WeightSpec): string => spec.name.slice(0, spec.name.lastIndexOf('/'));

/** A layer's weights in runs of the same scope: each run is one group of the native format. */
function byScope(specs: readonly WeightSpec[]): WeightSpec[][] {
  const runs: WeightSpec[][] = [];
  for (const spec of specs) {
    const last = runs.at(-1);
    if (last && scopeOf(last[0]!) === scopeOf(spec)) last.push(spec);
    else runs.push([spec]);
  }
  return runs;
}

function nativeWeights(h5: Hdf5Builder, model: LayersModel, graph: ModelGraph, topology: Json): void {
  const tensors = tensorsOf(model);
  const groups = new Map(
    layerGroups(topology as unknown as LayerJson, 'layers').map((layer) => [layer.path, layer.groups]),
  );
  h5.group('vars');
  for (const node of graph.layers) {
    const places = groups.get(node.path) ?? [];
    byScope(node.weights).forEach((run, i) => {
      h5.group(`${places[i]!}/vars`);
      if (places.length === 1 && !/\/(cell|layer)$/.test(places[i]!)) {
        h5.text(`${places[i]!}/vars`, 'name', node.path.split('/').at(-1)!);
      }
      run.forEach((spec, k) => h5.tensor(`${places[i]!}/vars/${k}`, tensors.get(spec.name)!));
    });
  }
}

/** Keras loads a layer's weights by position: trainable ones first (legacy_h5_format.py, _legacy_weights). */
function legacyWeights(h5: Hdf5Builder, model: LayersModel, graph: ModelGraph): void {
  const tensors = tensorsOf(model);
  const top = layersOf({ class_name: model.topology.class_name, config: model.topology.config }).map(layerName);
  const nodes = new Map<string, LayerNode[]>(top.map((name) => [name, []]));
  for (const node of graph.layers) nodes.get(node.path.split('/')[0]!)!.push(node);
  const root = 'model_weights';
  h5.group(root);
  h5.texts(root, 'layer_names', top);
  h5.text(root, 'backend', 'tensorflow');
  h5.text(root, 'keras_version', H5_KERAS_VERSION);
  for (const [name, members] of nodes) {
    const specs = members.flatMap((node) => node.weights);
    const ordered = [...specs.filter((spec) => spec.trainable), ...specs.filter((spec) => !spec.trainable)];
    h5.group(`${root}/${name}`);
    h5.texts(
      `${root}/${name}`,
      'weight_names',
      ordered.map((spec) => `${spec.name}:0`),
    );
    for (const spec of ordered) h5.tensor(`${root}/${name}/${spec.name}:0`, tensors.get(spec.name)!);
  }
  h5.group(`${root}/top_level_model_weights`);
  h5.texts(`${root}/top_level_model_weights`, 'weight_names', []);
}

/**
 * Writes Keras's HDF5 format (`.h5`), which Keras 2 and 3 load. A nested model is wired in the form of Keras 3, and a model with hard_sigmoid has its
 * weights scaled for the function of Keras 3: Keras 2 rejects those two.
 * @param path absolute, inside the workspace; its folder exists.
 * @throws UserError('disk'); UserError('model-unsupported') on a layer that Keras lacks.
 */
export async function writeKerasH5(given: LayersModel, path: string): Promise<void> {
  const scaled = asInKeras3(given, path);
  const model = { ...scaled, topology: inKerasOrder(withoutCorners(scaled.topology, path)) };
  const graph = modelGraph(model.topology);
  const topology = kerasTopology(model.topology, graph, { style: 'h5', file: path, keras3: scaled !== given });
  const bytes = await buildHdf5((h5) => {
    h5.text('', 'keras_version', H5_KERAS_VERSION);
    h5.text('', 'backend', 'tensorflow');
    h5.text('', 'model_config', JSON.stringify(topology));
    const training = compiled(model, graph);
    if (training) h5.text('', 'training_config', JSON.stringify(training.h5));
    legacyWeights(h5, model, graph);
  });
  await writeFileAtomic(path, bytes);
}

/** Writes Keras's native format (`.keras`), which Keras 3 loads. Same contract as writeKerasH5. */
export async function writeKeras(given: LayersModel, path: string): Promise<void> {
  const scaled = asInKeras3(given, path);
  const model = { ...scaled, topology: inKerasOrder(withoutCorners(scaled.topology, path)) };
  const graph = modelGraph(model.topology);
  const topology = kerasTopology(model.topology, graph, { style: 'native', file: path, keras3: true });
  const weights = await buildHdf5((h5) => nativeWeights(h5, model, graph, topology));
  const training = compiled(model, graph);
  const config = { ...topology, ...(training && { compile_config: training.native }) };
  const metadata = {
    keras_version: NATIVE_KERAS_VERSION,
    date_saved: new Date().toISOString().replace('T', '@').slice(0, 19),
  };
  const text = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value), 'utf8');
  // Not compressed, as in Keras: weights hardly shrink, and pruned ones have formats of their own.
  const zip = zipSync(
    { 'metadata.json': text(metadata), 'config.json': text(config), 'model.weights.h5': weights },
    { level: 0 },
  );
  await writeFileAtomic(path, zip);
}
