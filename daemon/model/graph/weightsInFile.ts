import { toFile } from '../../onnx/lower/values/weightLayout.js';
import type { GraphModel, Model, WeightTensor } from '../model.js';

/** Converts the weights of a graph to the shapes and the order of values that its file has. */
function ofGraph({ network, weights }: GraphModel): WeightTensor[] {
  const known = new Map(network.weights.map((weight) => [weight.name, weight]));
  return weights.map((weight) => {
    const { layout, tensor } = known.get(weight.name)!;
    return { ...weight, shape: tensor.dims, data: toFile(layout, weight.data) };
  });
}

/** Returns the weights in the layout of the model's own file; a graph's network has another. */
export const weightsInFile = (model: Model): readonly WeightTensor[] =>
  model.kind === 'layers' ? model.weights : ofGraph(model);

/** Names under which a file repeats an initializer. (PyTorch writes parameters with equal values once, and an Identity for each other one.) */
export function otherNames({ file }: GraphModel): ReadonlyMap<string, readonly string[]> {
  const { nodes, initializers } = file.model.graph;
  const source = new Map<string, string>([...initializers.keys()].map((name) => [name, name]));
  const found = new Map<string, string[]>();
  for (const { op, domain, inputs, outputs } of nodes) {
    const own = source.get(inputs[0] ?? '');
    const [output = ''] = outputs;
    if (op !== 'Identity' || domain !== '' || own === undefined || output === '') continue;
    source.set(output, own);
    found.set(own, [...(found.get(own) ?? []), output]);
  }
  return found;
}
