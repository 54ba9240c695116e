/** A model with a file's topology, read as files are, with random weights. */
import { createRandom } from '../../../daemon/lc/random.js';
import { modelGraph } from '../../../daemon/model/layers/layerGraph.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { normaliseTopology } from '../../../daemon/model/normalise/normalise.js';

/**
 * @param keras whether Python's Keras wrote the topology, rather than TensorFlow.js.
 * @throws UserError as reading does.
 */
export function builtModel(topology: unknown, keras = true, seed = 1): LayersModel {
  const random = createRandom(seed);
  const normalised = normaliseTopology(topology, 'm.json', keras);
  const weights = modelGraph(normalised.topology).layers.flatMap((node) =>
    node.weights.map(({ name, shape }) => {
      const sizes = shape.map((size) => size!);
      const data = Float32Array.from({ length: sizes.reduce((n, size) => n * size, 1) }, () => random.normal());
      return { name, shape: sizes, dtype: 'float32' as const, data: /variance/.test(name) ? data.map(Math.abs) : data };
    }),
  );
  return {
    kind: 'layers',
    format: 'tfjs-layers',
    path: 'm.json',
    topology: normalised.topology,
    weights,
    notes: normalised.notes,
  };
}
