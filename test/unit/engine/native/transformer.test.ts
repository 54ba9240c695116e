/** Training steps of transformers on native kernels: the numbers of float64, and what is not stored or moved on the way. */
import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../../../daemon/engine/native/addon.js';
import { cutIntoUnits } from '../../../../daemon/engine/native/cut/cut.js';
import { lower } from '../../../../daemon/engine/native/lower/lower.js';
import { NativeGraph } from '../../../../daemon/engine/native/nativeGraph.js';
import type { Group, Unit } from '../../../../daemon/engine/native/units.js';
import { GraphBuilder } from '../../../../daemon/network/builder.js';
import type { Graph, Node } from '../../../../daemon/network/ir.js';
import { Operations } from '../../../../daemon/network/operations.js';
import { sizeOf } from '../../../../daemon/protocol/shape.js';
import { type Sizes, trainingOf } from '../../../bench/transformer/networks.js';
import { Interpreter } from '../../../fuzz/engine/float64/interpreter.js';

const found = loadAddon();
const small = { batch: 3, layers: 2, width: 12, heads: 3, tokens: 7, hidden: 20, classes: 5 };
const kinds: Record<string, Sizes> = {
  'of patches, norm first': { ...small, patch: 10 },
  'of words, norm last': { ...small, words: 11 },
  'with heads of whole vectors': { ...small, width: 96, tokens: 33, patch: 16 },
};

describe.skipIf('reason' in found)('a training step of a transformer', () => {
  it.each(Object.entries(kinds))('%s gives the loss and the gradients of float64', async (_, sizes) => {
    if ('reason' in found) throw new Error(found.reason);
    const { graph, weights, data, target } = trainingOf(sizes);
    const values = new Map(weights.map((weight) => [weight.name, weight.values]));
    const inputs = graph.inputs.map((input) =>
      input.role === 'parameter' ? values.get(input.name)! : input.role === 'target' ? target : data,
    );
    const interpreter = new Interpreter(graph, new Map(graph.inputs.map(({ node }, i) => [node, inputs[i]!])));
    const expected = graph.outputs.map(({ node }) => interpreter.value(node));
    for (const level of found.addon.levels()) {
      const results: Float32Array[][] = [];
      for (const threads of [1, 2]) {
        const outputs = graph.outputs.map(({ node }) => new Float32Array(sizeOf(node.shape)).fill(NaN));
        const native = NativeGraph.create(found.addon, graph, inputs, outputs, { threads, level });
        await native.run();
        await native.release();
        results.push(outputs);
      }
      expect(results[1]).toEqual(results[0]);
      expected.forEach((list, k) => {
        const scale = list.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
        const worst = list.reduce((most, value, i) => Math.max(most, Math.abs(value - results[0]![k]![i]!)), 0);
        const output = graph.outputs[k]!;
        expect(worst / scale, 'name' in output ? output.name : output.role).toBeLessThan(2e-5);
      });
    }
  });
});

const unitsOf = (graph: Graph): Unit[] => cutIntoUnits(lower(graph)).units;
const finish = (graph: GraphBuilder, ...nodes: Node[]) =>
  graph.finish(nodes.map((node, i) => ({ role: 'gradient', name: `p${i}`, node })));

describe('the cut of a transformer', () => {
  const start = () => {
    const graph = new GraphBuilder();
    const input = (name: string, shape: number[]) => graph.input(shape, { role: 'parameter', name });
    return { graph, make: new Operations(graph), input };
  };
  const kindsOf = (graph: Graph) => unitsOf(graph).map(({ kind }) => kind);

  it('normalises rows in one pass, and takes their softmax', () => {
    const { graph, make, input } = start();
    const [x, gain] = [input('x', [4, 6, 10]), input('gain', [10])];
    const centred = make.sub(x, make.reduce('Mean', x, [2], true));
    const variance = make.reduce('Mean', make.unary('Square', centred), [2], true);
    const scaled = make.mul(make.div(centred, make.unary('Sqrt', make.add(variance, 1e-5))), gain);
    expect(kindsOf(finish(graph, scaled))).toEqual(['group']);
    const shares = graph.add({ op: 'Softmax', inputs: [make.mul(x, 0.5)], shape: x.shape });
    expect(kindsOf(finish(graph, shares))).toEqual(['group']);
  });

  it('moves nothing for the heads of attention, neither on the way in nor on the way out', () => {
    const { graph, make, input } = start();
    const joint = make.reshape(make.unary('Neg', input('x', [2, 5, 24])), [2, 5, 3, 2, 4]);
    const [q, k, v] = [0, 1, 2].map((i) =>
      make.transpose(make.reshape(make.slice(joint, [0, 0, i, 0, 0], [2, 5, 1, 2, 4]), [2, 5, 2, 4]), [0, 2, 1, 3]),
    ) as [Node, Node, Node];
    const scores = make.matMul(q, make.transpose(k, [0, 1, 3, 2]));
    const mixed = make.transpose(make.matMul(make.unary('Exp', scores), v), [0, 2, 1, 3]);
    const units = unitsOf(finish(graph, make.reshape(mixed, [2, 5, 8])));
    expect(units.map(({ kind }) => kind)).toEqual(['group', 'gemm', 'group', 'gemm']);
  });

  it('joins the gradients of slices instead of adding them', () => {
    const { graph, make, input } = start();
    const [a, b] = [input('a', [2, 3, 4]), input('b', [2, 1, 4])];
    const sum = make.add(make.pad(a, [0, 0, 0], [0, 2, 0]), make.pad(b, [0, 4, 0], [0, 0, 0]));
    expect(unitsOf(finish(graph, sum)).map((unit) => ('node' in unit ? unit.node.op : unit.kind))).toEqual(['Concat']);
    const over = make.add(make.pad(a, [0, 0, 0], [0, 2, 0]), make.pad(b, [0, 2, 0], [0, 2, 0]));
    expect(kindsOf(finish(graph, over))).toEqual(['move', 'move', 'group']);
  });

  it('sums a bias where its gradient is computed, and keeps nothing for it', () => {
    const { graph, make, input } = start();
    const kernel = input('kernel', [8, 8]);
    let dy = input('dy', [50, 8]);
    const sums: Node[] = [];
    for (let i = 0; i < 3; i++) {
      const next = make.unary('Tanh', make.matMul(dy, kernel));
      sums.push(make.reduce('Sum', next, [0]), make.reduce('Sum', make.mul(next, dy), [0]));
      dy = next;
    }
    const units = unitsOf(finish(graph, dy, ...sums));
    expect(units.map(({ kind }) => kind)).toEqual(['gemm', 'group', 'gemm', 'group', 'gemm', 'group']);
    const groups = units.filter((unit): unit is Group => unit.kind === 'group');
    expect(groups.map(({ nodes }) => nodes.filter(({ op }) => op === 'Sum').length)).toEqual([2, 2, 2]);
  });
});
