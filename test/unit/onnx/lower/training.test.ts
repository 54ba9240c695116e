import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../../daemon/network/builder.js';
import { gradients } from '../../../../daemon/network/gradient/gradients.js';
import type { Node } from '../../../../daemon/network/ir.js';
import { readOnnx } from '../../../../daemon/onnx/file/readOnnx.js';
import { networkOfOnnx } from '../../../../daemon/onnx/lower/onnxNetwork.js';
import { Interpreter } from '../../../fuzz/engine/float64/interpreter.js';
import { randomSamples } from '../../../zoo/forward.js';

/** A training pass has a gradient for every weight that is trained, and it is the slope of the loss. */

test.each([
  'mlp.eval',
  'unet.train.fixed',
  'transformer.train.fixed',
  'bilstm.eval',
  'gru.train.fixed',
  'depthwise.eval',
  'conv1d.train',
])('%s', (name) => {
  const path = `test/fixtures/onnx/zoo/${name}.onnx`;
  const model = readOnnx(readFileSync(path), { path });
  const network = networkOfOnnx(model, path);
  const batch = 2;
  const builder = new GraphBuilder();
  const feeds = new Map<Node, ArrayLike<number>>();
  const samples = randomSamples(network, model, batch, 9);
  const data = network.inputs.map(({ shape }, index) => {
    const node = builder.input([batch, ...shape], { role: 'data', index });
    feeds.set(node, samples[index]!.network);
    return node;
  });
  const weights = new Map(
    network.weights.map((weight) => {
      const node = builder.input(weight.shape, { role: 'parameter', name: weight.name });
      feeds.set(node, weight.values());
      return [weight, node] as const;
    }),
  );
  const weight = (of: string) => [...weights].find(([{ name: own }]) => own === of)![1];
  const { outputs } = network.pass(builder, { batch, training: true, data, weight });
  const output = outputs[0]!;
  const squares = builder.add({ op: 'Square', inputs: [output], shape: output.shape });
  const axes = output.shape.map((_, axis) => axis);
  const loss = builder.add({ op: 'Mean', inputs: [squares], attrs: { axes, keepDims: false }, shape: [] });
  const trained = [...weights].filter(([{ trainable }]) => trainable);
  const slopes = gradients(builder, loss, trained.map(([, node]) => node)); // prettier-ignore
  const graph = builder.finish([
    { role: 'loss', node: loss },
    ...slopes.map((node, i) => ({ role: 'gradient' as const, name: trained[i]![0].name, node: node! })),
  ]);
  // Masks of Dropout keep everything here.
  for (const input of graph.inputs) if (input.role === 'random') feeds.set(input.node, new Float64Array(input.node.shape.reduce((a, b) => a * b, 1)).fill(0.99)); // prettier-ignore
  const interpreter = new Interpreter(graph, feeds);
  trained.forEach(([{ name: own, shape, values }, node], k) => {
    expect(slopes[k]!.shape, own).toEqual(shape);
    const at = Math.floor(values().length / 2);
    const step = 1e-5;
    const moved = (by: number) => {
      const changed = Float64Array.from(values());
      changed[at]! += by;
      return interpreter.with(node, changed).value(loss)[0]!;
    };
    const slope = (moved(step) - moved(-step)) / (2 * step);
    expect(Math.abs(interpreter.value(slopes[k]!)[at]! - slope), own).toBeLessThan(1e-6 + 1e-4 * Math.abs(slope));
  });
});
