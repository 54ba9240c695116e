import { GraphBuilder } from '../../../../daemon/network/builder.js';
import type { Graph, Node } from '../../../../daemon/network/ir.js';
import type { Pass } from '../../../../daemon/network/network.js';
import type {
  OnnxAttribute,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxType,
} from '../../../../daemon/onnx/file/onnxModel.js';
import type { OnnxNetwork } from '../../../../daemon/onnx/lower/onnxNetwork.js';
import { sizeOf } from '../../../../daemon/protocol/shape.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { Interpreter } from '../../../fuzz/engine/float64/interpreter.js';

/** ONNX models written in a few lines, and their networks computed in float64. */

export interface NodeText {
  readonly op: string;
  readonly in: readonly string[];
  readonly out: string | readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attrs?: Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>;
}

const attribute = (value: NonNullable<NodeText['attrs']>[string]): OnnxAttribute => {
  if (typeof value === 'number') return { kind: 'int', value };
  if (typeof value === 'string') return { kind: 'string', value };
  return 'float' in value ? { kind: 'float', value: value.float } : { kind: 'ints', value };
};

/** A tensor of given numbers, or of random ones below 1 from a seed. */
export function tensorOf(
  name: string,
  dims: readonly number[],
  values?: readonly number[],
  type: OnnxType = 'float',
): OnnxTensor {
  const random = createRandom(sizeOf(dims) + name.length);
  const data = Float32Array.from({ length: sizeOf(dims) }, (_, i) => (values ? values[i % values.length]! : 2 * random.next() - 1)); // prettier-ignore
  return { name, type, dims, values: () => (type === 'float' ? data : Float64Array.from(data)) };
}

/** A model of opset 17 of inputs (shapes with the batch, which may be a name), initializers, and nodes in order. */
export function onnxOf(
  inputs: Readonly<Record<string, readonly (number | string)[]>>,
  initializers: readonly OnnxTensor[],
  nodes: readonly NodeText[],
  outputs: readonly string[],
  opset = 17,
): OnnxModel {
  const value = (name: string, dims: readonly (number | string)[] | null) => ({ name, type: 'float' as const, dims });
  return {
    irVersion: 8,
    producer: 'test',
    opsets: new Map([['', opset]]),
    metadata: new Map(),
    graph: {
      name: 'g',
      nodes: nodes.map((node): OnnxNode => ({
        name: node.name ?? '',
        op: node.op,
        domain: node.domain ?? '',
        inputs: node.in,
        outputs: [node.out].flat(),
        attributes: new Map(Object.entries(node.attrs ?? {}).map(([name, given]) => [name, attribute(given)])),
      })),
      initializers: new Map(initializers.map((tensor) => [tensor.name, tensor])),
      inputs: Object.entries(inputs).map(([name, dims]) => value(name, dims)),
      outputs: outputs.map((name) => value(name, null)),
      values: new Map(),
    },
  };
}

/** One pass of a network as a graph, and its outputs for data and the file's weights, in float64. */
export function passOf(network: OnnxNetwork, batch: number, data: readonly ArrayLike<number>[], training = false) {
  const builder = new GraphBuilder();
  const feeds = new Map<Node, ArrayLike<number>>();
  const inputs = network.inputs.map(({ shape }, index) => {
    const node = builder.input([batch, ...shape], { role: 'data', index });
    feeds.set(node, data[index]!);
    return node;
  });
  const weights = new Map<string, Node>();
  const weight = (name: string): Node => {
    const { shape, values } = network.weights.find((one) => one.name === name)!;
    const node = weights.get(name) ?? builder.input(shape, { role: 'parameter', name });
    weights.set(name, node);
    feeds.set(node, values());
    return node;
  };
  const pass: Pass = network.pass(builder, { batch, training, data: inputs, weight });
  const graph: Graph = builder.finish([
    ...pass.outputs.map((node, index) => ({ role: 'output' as const, index, node })),
    ...[...pass.states].map(([name, node]) => ({ role: 'state' as const, name, node })),
  ]);
  const interpreter = new Interpreter(graph, feeds);
  return {
    graph,
    outputs: pass.outputs.map((node) => [...interpreter.value(node)]),
    states: Object.fromEntries([...pass.states].map(([name, node]) => [name, [...interpreter.value(node)]])),
    count: (op: string) => graph.nodes.filter((node) => node.op === op).length,
  };
}
