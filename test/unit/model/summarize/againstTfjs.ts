/** Compares summaries of models with those of TensorFlow.js for the same topology. */
import { expect } from 'vitest';
import { summarizeLayers } from '../../../../daemon/model/layers/summarizeLayers.js';
import { normaliseTopology } from '../../../../daemon/model/normalise/normalise.js';
import { modelGraph } from '../../../../daemon/model/layers/layerGraph.js';
import { tf, tfl } from '../tfjs.js';

export const topologyOf = (model: tfl.LayersModel): unknown => model.toJSON(null, false);

/** Requires equality with a model that TensorFlow.js rebuilds from the topology. */
export async function expectAsTfjs(model: tfl.LayersModel): Promise<void> {
  const { topology } = normaliseTopology(topologyOf(model), 'model.json', false);
  const rebuilt = await tfl.models.modelFromJSON(topology as never);
  const graph = modelGraph(topology);
  const weights = new Map(
    rebuilt.weights.map((w) => [(w as unknown as { originalName: string }).originalName, w.shape]),
  );
  const ours = graph.layers.flatMap((node) => node.weights);
  expect(new Map(ours.map((w) => [w.name, w.shape]))).toEqual(weights);
  // What it really computes: its own outputShape is wrong for some classes and vague for others.
  const zeros = graph.inputShapes.map((shape) => tf.zeros([2, ...(shape as number[])]));
  const outputs = [rebuilt.predict(zeros)].flat();
  expect(graph.outputShapes.map((shape) => [2, ...(shape as number[])])).toEqual(outputs.map((output) => output.shape));
  tf.dispose([zeros, outputs]);
  const rows = summarizeLayers({ topology });
  expect(rows.reduce((sum, row) => sum + row.params, 0)).toBe(rebuilt.countParams());
  const trainable = rows
    .flatMap((row) => row.weights)
    .filter((w) => w.trainable)
    .map((w) => w.name);
  expect(new Set(trainable)).toEqual(
    new Set(rebuilt.trainableWeights.map((w) => (w as unknown as { originalName: string }).originalName)),
  );
  tf.disposeVariables();
}
