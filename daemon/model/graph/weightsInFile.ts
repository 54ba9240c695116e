import type { Model, WeightTensor } from '../model.js';

/** The weights as the model's own file has them: of a graph in its layout, not in that of the network. */
export const weightsInFile = (model: Model): readonly WeightTensor[] =>
  model.kind === 'layers' ? model.weights : model.weights.map((weight) => model.inFile(weight));
