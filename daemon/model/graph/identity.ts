/** The part of a file that two files of one network share, whatever their weights. */
import { createHash } from 'node:crypto';
import type { Network } from '../../network/network.js';
import type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxTensor } from '../../onnx/file/onnxModel.js';

/** A hash stands for the values, which may be many. */
function tensor(one: OnnxTensor): unknown {
  const { type, dims } = one;
  if (type === 'string' || type === 'other') return { type, dims };
  const data = one.values();
  const hash = createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');
  return { type, dims, hash };
}

function attribute(one: OnnxAttribute): unknown {
  if (one.kind === 'other') return one.kind;
  if (one.kind === 'tensor') return tensor(one.value);
  return one.kind === 'graph' ? graph(one.value, new Set()) : one.value;
}

const graph = ({ nodes, initializers, inputs, outputs }: OnnxGraph, weights: ReadonlySet<string>): unknown => ({
  nodes: nodes.map(({ op, domain, inputs, outputs, attributes }) => [
    domain,
    op,
    inputs,
    outputs,
    Object.fromEntries([...attributes].map(([name, value]) => [name, attribute(value)])),
  ]),
  constants: Object.fromEntries([...initializers].flatMap(([name, value]) => (weights.has(name) ? [] : [[name, tensor(value)]]))),
  inputs: inputs.map(({ name, dims }) => [name, dims]),
  outputs: outputs.map(({ name }) => name),
}); // prettier-ignore

/** @returns JSON of operators, operations and constants, without names of nodes and metadata, which compute nothing. */
export const graphIdentity = (file: OnnxModel, network: Network): unknown => ({
  opsets: Object.fromEntries(file.opsets),
  graph: graph(file.graph, new Set(network.weights.map(({ name }) => name))),
});
