/** Models whose whole units are pruned to a budget. */
import * as tfl from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { createCompression, type BudgetSpec } from '../../../daemon/lc/budgets.js';
import { concatenated } from '../../../daemon/lc/concatenated.js';
import { layerViews } from '../../../daemon/model/layers/layerViews.js';
import type { LayersModel, Model } from '../../../daemon/model/model.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { withWeights } from '../../../daemon/model/weights.js';
import { builtModel } from './builtModel.js';

export type Symbolic = tfl.SymbolicTensor;

/** A model of layers on samples of this shape, with random weights. */
export function network(sample: readonly number[], build: (x: Symbolic) => Symbolic): LayersModel {
  const input = tfl.input({ shape: [...sample] });
  const model = tfl.model({ inputs: input, outputs: build(input) });
  const topology = model.toJSON(null, false) as { config: { layers: { config: Record<string, unknown> }[] } };
  // TensorFlow.js leaves it out of what it writes of separable convolutions.
  topology.config.layers.forEach(({ config }, i) => {
    const { depthMultiplier } = model.layers[i] as unknown as { depthMultiplier?: number };
    if (depthMultiplier !== undefined) config['depth_multiplier'] = depthMultiplier;
  });
  return builtModel(topology, false, 3);
}

export const through = (x: Symbolic, ...layers: tfl.layers.Layer[]): Symbolic =>
  layers.reduce((at, layer) => layer.apply(at) as Symbolic, x);

export const prunableNames = (model: Model): string[] =>
  summarizeModel(model)
    .filter(({ prunable }) => prunable > 0)
    .map(({ name }) => name);

export const viewsOf = (model: Model, budget: BudgetSpec) =>
  layerViews(summarizeModel(model), prunableNames(model), budget);

/** The model with the budget's C step done, and its cost. */
export function projected<M extends Model>(model: M, budget: BudgetSpec): { readonly model: M; readonly cost: number } {
  const views = viewsOf(model, budget);
  const values = new Map(model.weights.map(({ name, data }) => [name, data]));
  const names = views.flatMap(({ weights }) => weights);
  const theta = concatenated(names.map((name) => values.get(name)!));
  const compression = createCompression(budget, views.map(({ view }) => view)); // prettier-ignore
  compression.project(theta, 1, theta);
  let at = 0;
  const pruned = new Map(names.map((name) => [name, theta.slice(at, (at += values.get(name)!.length))]));
  return { model: withWeights(model, pruned), cost: compression.cost(theta) };
}
