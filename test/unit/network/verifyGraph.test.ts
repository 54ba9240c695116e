/** The rules of ir.ts for a whole graph: the order of its nodes, and the roles of its inputs and outputs. */
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { onnxExecutor } from '../../../daemon/engine/compiled/onnxGraph.js';
import { CompiledSession } from '../../../daemon/engine/compiled/session.js';
import type { Graph, GraphInput, GraphOutput, Node } from '../../../daemon/network/ir.js';
import { verified } from '../../../daemon/network/verify/verified.js';
import { verifyGraph } from '../../../daemon/network/verify/verifyGraph.js';
import { BrokenGraph } from '../../../daemon/network/verify/verifyNode.js';
import { traceModel } from '../../../daemon/engine/trace/traceModel.js';
import { onCpu, toModel } from '../engine/compiled/tinyModels.js';
import { constant, node } from './verifyNodes.js';

/** loss = sum(y * w * x), the gradient y * x of w, and s + w as the next state. */
function parts() {
  const leaf = (shape: number[]) => node('Input', [], shape);
  const [x, y, w, s, noise] = [leaf([3]), leaf([3]), leaf([3]), leaf([3]), leaf([3])] as const;
  const two = constant(2, [], 'float32');
  const xy = node('Multiply', [x, y], [3]);
  const wxy = node('Multiply', [xy, w], [3]);
  const twice = node('Multiply', [wxy, two], [3]);
  const loss = node('Sum', [twice], [], { axes: [0], keepDims: false });
  const moved = node('Add', [s, noise], [3]);
  const inputs: GraphInput[] = [
    { node: x, role: 'data', index: 0 },
    { node: y, role: 'target' },
    { node: w, role: 'parameter', name: 'w' },
    { node: s, role: 'state', name: 's' },
    { node: noise, role: 'random', random: { kind: 'normal', mean: 0, std: 1 } },
  ];
  const outputs: GraphOutput[] = [
    { role: 'loss', node: loss },
    { role: 'gradient', name: 'w', node: xy },
    { role: 'state', name: 's', node: moved },
  ];
  return { x, y, w, s, noise, two, xy, wxy, twice, loss, moved, inputs, outputs, nodes: [xy, wxy, twice, loss, moved] };
}
type Parts = ReturnType<typeof parts>;

const other = (at: Node, change: Partial<Node>): Node => ({ ...at, ...change });
const output = (list: readonly GraphOutput[], index: number, at: Node) =>
  list.map((value, i) => (i === index ? { ...value, node: at } : value));

const broken: [what: string, rule: RegExp, (p: Parts) => Partial<Graph>][] = [
  ['a node twice', /id must be above/, ({ nodes }) => ({ nodes: [...nodes, nodes.at(-1)!] })],
  ['nodes out of order', /not among the nodes before it/, ({ nodes }) => ({ nodes: [nodes[1]!, nodes[0]!, ...nodes.slice(2)] })],
  ['independent nodes out of order', /id must be above/, ({ nodes }) => ({ nodes: [nodes[4]!, ...nodes.slice(0, 4)] })],
  ['a node left out', /not among the nodes before it/, ({ nodes }) => ({ nodes: nodes.toSpliced(1, 1) })],
  ['a leaf among the nodes', /a leaf must not be/, ({ nodes, two }) => ({ nodes: [two, ...nodes] })],
  ['a node that nobody reads', /nobody reads it/, ({ nodes, x }) => ({ nodes: [...nodes, node('Neg', [x], [3])] })],
  ['an input that is not declared', /not among the inputs of the graph/, ({ inputs }) => ({ inputs: inputs.slice(1) })],
  ['an input declared twice', /an input of the graph twice/, ({ inputs, x }) => ({ inputs: [...inputs, { node: x, role: 'data', index: 1 }] })],
  ['an input that is computed', /must be an Input/, ({ inputs, xy }) => ({ inputs: [...inputs, { node: xy, role: 'data', index: 1 }] })],
  ['two inputs of one number', /two inputs for data 0/, ({ inputs }) => ({ inputs: [...inputs, { node: node('Input', [], [1]), role: 'data', index: 0 }] })],
  ['an input of no number', /must be whole/, ({ inputs }) => ({ inputs: [{ ...inputs[0]!, role: 'data', index: -1 }, ...inputs.slice(1)] })],
  ['two inputs for one weight', /two inputs for parameter "w"/, ({ inputs }) => ({ inputs: [...inputs, { node: node('Input', [], [1]), role: 'parameter', name: 'w' }] })],
  ['noise without an extent', /finite mean and deviation/, ({ inputs, noise }) => ({ inputs: [...inputs.slice(0, 4), { node: noise, role: 'random', random: { kind: 'normal', mean: 0, std: NaN } }] })],
  ['an empty input', /1 to 2147483647 elements/, ({ inputs }) => ({ inputs: [...inputs, { node: node('Input', [], [2, 0]), role: 'data', index: 1 }] })],
  ['an input too large', /1 to 2147483647 elements/, ({ inputs }) => ({ inputs: [...inputs, { node: node('Input', [], [2 ** 16, 2 ** 15]), role: 'data', index: 1 }] })],
  ['no output', /must have an output/, () => ({ outputs: [] })],
  ['an output that was not computed', /not among the nodes before it/, ({ outputs, x }) => ({ outputs: [...outputs, { role: 'output', node: node('Neg', [x], [3]) }] })],
  ['an output that is an undeclared input', /not among the inputs/, ({ outputs }) => ({ outputs: [...outputs, { role: 'output', node: node('Input', [], [3]) }] })],
  ['a loss of rank 1', /the loss must be a scalar/, ({ outputs, twice, nodes, loss }) => ({ nodes: nodes.filter((n) => n !== loss), outputs: output(outputs, 0, twice) })],
  ['two losses', /two outputs for loss/, ({ outputs }) => ({ outputs: [...outputs, outputs[0]!] })],
  ['two gradients of one weight', /two outputs for gradient "w"/, ({ outputs }) => ({ outputs: [...outputs, outputs[1]!] })],
  ['a gradient of another shape', /the gradient of parameter "w" must have its shape, \[3\]; it has \[\]/, ({ outputs, loss }) => ({ outputs: output(outputs, 1, loss) })],
  ['a next state of another shape', /the next value of state "s" must have its shape/, ({ outputs, loss, nodes, moved }) => ({ nodes: nodes.filter((n) => n !== moved), outputs: output(outputs, 2, loss) })],
  ['an output of integers', /must be float32; it is int32/, ({ nodes, outputs, x }) => {
    const whole = node('Cast', [x], [3], {}, 'int32');
    return { nodes: [...nodes, whole], outputs: [...outputs, { role: 'output', node: whole }] };
  }],
  ['a constant that breaks its rule', /must have 2 values; it has 1/, ({ outputs }) => ({ outputs: [...outputs, { role: 'output', node: constant(Float32Array.of(1), [2], 'float32') }] })],
  ['two leaves of one id', /its id must be its own/, ({ outputs, x }) => ({ outputs: [...outputs, { role: 'output', node: other(constant(1, [3], 'float32'), { id: x.id }) }] })],
  ['a node that breaks the rule of its operation', /its shape must be \[3\]; it is \[1\]/, ({ nodes, moved, outputs }) => {
    const wrong = other(moved, { shape: [1] });
    return { nodes: nodes.with(4, wrong), outputs: output(outputs, 2, wrong) };
  }],
]; // prettier-ignore

describe('a graph', () => {
  it('that keeps all rules is accepted, also where an output is an input or a constant', () => {
    const { inputs, outputs, nodes, x, two } = parts();
    verifyGraph({ inputs, outputs, nodes });
    const unread: GraphOutput = { role: 'gradient', name: 'a weight that is not read', node: two };
    verifyGraph({ inputs, nodes, outputs: [...outputs, { role: 'output', node: x }, unread] });
  });

  it.each(broken)('with %s is refused', (_what, rule, change) => {
    const made = parts();
    const graph = { inputs: made.inputs, outputs: made.outputs, nodes: made.nodes, ...change(made) };
    expect(() => verifyGraph(graph)).toThrow(BrokenGraph);
    expect(() => verifyGraph(graph)).toThrow(rule);
  });
});

const L = tfl.layers;
async function modelOf(inputShape: number[], layers: tfl.layers.Layer[]) {
  await onCpu();
  const input = tfl.input({ shape: inputShape });
  return toModel(tfl.model({ inputs: input, outputs: layers.reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, input) })); // prettier-ignore
}

describe('before a graph is computed', () => {
  it('a broken one is an error that says whose fault it is, where, and the way out', () => {
    const { inputs, outputs, nodes, moved } = parts();
    const wrong = other(moved, { shape: [1] });
    const graph = { inputs, outputs: output(outputs, 2, wrong), nodes: nodes.with(4, wrong) };
    const check = () => verified(graph);
    expect(check).toThrow(expect.objectContaining({ name: 'UserError', code: 'engine-failed' }));
    expect(check).toThrow(`at node ${wrong.id} (Add, layer "fc"): of [3], [3] its shape must be [3]; it is [1]. This is a fault of LC Prune`); // prettier-ignore
    expect(check).toThrow('"engine": "tfjs-cpu"');
  });

  const trainingOf = async (...call: Parameters<typeof traceModel>) => (await traceModel(...call)).training();

  it('an empty tensor and one too large are errors of the model and of the batch', async () => {
    const cropped = await modelOf(
      [4, 4, 1],
      [L.cropping2D({ name: 'crop', cropping: [[2, 2], [0, 0]] }), L.globalAveragePooling2d({}), L.dense({ units: 2 })],
    ); // prettier-ignore
    await expect(trainingOf(cropped, { loss: 'meanSquaredError', batchSize: 2 })).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringMatching(/layer "crop" makes an empty tensor, of shape \[\d+,0,4,1\]/) as string,
    });
    const windows: [string, tfl.layers.Layer, RegExp][] = [
      ['valid', L.conv2d({ name: 'big', filters: 1, kernelSize: 5 }), /layer "big" cannot be compiled: its window does not fit into its input, of shape \[\d+,4,4,1\]/],
      ['pooling', L.maxPooling2d({ name: 'big', poolSize: 6 }), /layer "big" cannot be compiled: its window does not fit/],
    ]; // prettier-ignore
    for (const [, layer, message] of windows)
      await expect(trainingOf(await modelOf([4, 4, 1], [layer, L.globalAveragePooling2d({}), L.dense({ units: 2 })]), { loss: 'meanSquaredError', batchSize: 2 })).rejects.toMatchObject({
        code: 'model-unsupported',
        message: expect.stringMatching(message) as string,
      }); // prettier-ignore
    const wide = await modelOf([2], [L.dense({ name: 'wide', units: 64 }), L.dense({ units: 1 })]);
    await expect(trainingOf(wide, { loss: 'meanSquaredError', batchSize: 2 ** 25 })).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringMatching(/layer "wide" makes a tensor of more than 2\^31 - 1 numbers, .*lower the batch size/) as string, // prettier-ignore
    });
  });

  it('a session verifies what it trains and what it infers with', async () => {
    const model = await modelOf([3], [L.dense({ units: 2 })]);
    const graphs: Graph[] = [];
    const session = await CompiledSession.open({ id: 'onnx-cpu', name: 'compiled', device: 'CPU' }, model, { loss: 'meanSquaredError', batchSize: 2, seed: 1 }, (graph, ...buffers) => {
      graphs.push(graph);
      return onnxExecutor({ provider: 'cpu', threads: 1 })(graph, ...buffers);
    }); // prettier-ignore
    await session.predict([new Float32Array(6)], 2);
    await session.dispose();
    expect(graphs).toHaveLength(2);
    graphs.forEach(verifyGraph);
  });
});
