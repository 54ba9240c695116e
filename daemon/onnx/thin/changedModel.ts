import type { OnnxAttribute, OnnxModel, OnnxNode, OnnxTensor } from '../file/onnxModel.js';
import type { TensorChange } from '../file/editTensor.js';
import type { AttributeChange, OnnxChanges } from '../file/replaceTensors.js';

const tensor = ({ name, type, external }: OnnxTensor, { dims, values }: TensorChange): OnnxTensor => {
  const data = type.startsWith('float') || type === 'bfloat16' ? Float32Array.from(values) : Float64Array.from(values);
  return { name, type, dims, values: () => data, ...(external && { external }) };
};

function attribute(before: OnnxAttribute, change: AttributeChange): OnnxAttribute {
  if (before.kind === 'tensor' && typeof change === 'object' && 'dims' in change)
    return { kind: 'tensor', value: tensor(before.value, change) };
  if (before.kind === 'ints' && typeof change === 'object' && !('dims' in change))
    return { kind: 'ints', value: change };
  if (before.kind === 'int' && typeof change === 'number') return { kind: 'int', value: change };
  throw new Error(`an attribute of kind ${before.kind} cannot become ${typeof change}`);
}

/** The model as it is read again from the file that `replaceTensors` makes, but for what that file says of sizes of values. */
export function changedModel(model: OnnxModel, { initializers, attributes }: OnnxChanges): OnnxModel {
  const { graph } = model;
  const nodeOf = (node: OnnxNode): OnnxNode => {
    const own = node.outputs.map((name) => attributes?.get(name)).find((one) => one !== undefined);
    if (!own) return node;
    const changed = [...node.attributes].map(([name, value]): [string, OnnxAttribute] => {
      const change = own.get(name);
      return [name, change === undefined ? value : attribute(value, change)];
    });
    return { ...node, attributes: new Map(changed) };
  };
  const tensors = [...graph.initializers].map(([name, before]): [string, OnnxTensor] => {
    const change = initializers.get(name);
    return [name, change ? tensor(before, change) : before];
  });
  return { ...model, graph: { ...graph, nodes: graph.nodes.map(nodeOf), initializers: new Map(tensors) } };
}
