import { describe, expect, it } from 'vitest';
import { gradients, type OwnGradient } from '../../../../daemon/network/gradient/gradients.js';
import { GraphBuilder } from '../../../../daemon/network/builder.js';
import type { Node } from '../../../../daemon/network/ir.js';
import { Operations } from '../../../../daemon/network/operations.js';
import { UserError } from '../../../../daemon/protocol/errors.js';
import { Interpreter } from '../../../fuzz/engine/float64/interpreter.js';

function start() {
  const graph = new GraphBuilder();
  const make = new Operations(graph);
  let index = 0;
  const input = (...shape: number[]) => graph.input(shape, { role: 'data', index: index++ });
  const total = (x: Node) => make.reduce('Sum', x, [...x.shape.keys()]);
  return { graph, make, input, total };
}

const at = (node: Node | undefined, feeds: readonly (readonly [Node, readonly number[]])[]): number[] => [
  ...new Interpreter({ inputs: [], outputs: [], nodes: [] }, new Map(feeds)).value(node!),
];

describe('gradients', () => {
  it('of the scalar itself is 1', () => {
    const { graph, input } = start();
    const y = input();
    const [dy] = gradients(graph, y, [y]);
    expect([dy!.constant, dy!.shape]).toEqual([1, []]);
  });

  it('of what it does not depend on, or only by comparisons, rounding and indices, is undefined', () => {
    const { graph, make, input, total } = start();
    const [x, rounded, compared, other] = [input(3), input(3), input(3), input(3)];
    const condition = make.binary('Greater', compared, 0);
    const y = total(make.select(condition, make.mul(x, make.unary('Floor', rounded)), x));
    const found = gradients(graph, y, [x, rounded, compared, other]);
    expect(found.map((node) => node?.shape)).toEqual([[3], undefined, undefined, undefined]);
  });

  it('inside the graph is the total derivative: a node and what it is made of both have theirs', () => {
    const { graph, make, input, total } = start();
    const x = input(2);
    const h = make.mul(x, 3);
    const y = total(make.add(make.unary('Square', h), x));
    const [dx, dh] = gradients(graph, y, [x, h]);
    expect(at(dh, [[x, [1, -2]]])).toEqual([6, -12]);
    expect(at(dx, [[x, [1, -2]]])).toEqual([19, -35]);
  });

  it('of n uses are summed in a tree whose depth is log2 n, the same whenever it is made', () => {
    const sums = () => {
      const { graph, make, input, total } = start();
      const x = input(4);
      const uses = Array.from({ length: 16 }, (_, i) => total(make.unary('Tanh', make.mul(x, i + 2))));
      const [dx] = gradients(graph, uses.reduce(make.add), [x]);
      const depth = (node: Node): number => (node.op === 'Add' ? 1 + Math.max(...node.inputs.map(depth)) : 0);
      return { depth: depth(dx!), ids: graph.finish([{ role: 'output', node: dx! }]).nodes.map(({ id, op }) => `${id} ${op}`) }; // prettier-ignore
    };
    expect(sums().depth).toBe(4);
    expect(sums()).toEqual(sums());
  });

  it('carries the layers of what it differentiates, and leaves the builder on its own', () => {
    const { graph, make, input, total } = start();
    const x = input(4);
    graph.layer = 'first';
    const h = make.unary('Tanh', x);
    graph.layer = 'second';
    const y = total(make.unary('Sin', h));
    graph.layer = 'third';
    const [dx, dh] = gradients(graph, y, [x, h]);
    expect([dx!.layer, dh!.layer, graph.layer]).toEqual(['first', 'second', 'third']);
  });

  it('a composition with a gradient of its own is taken as one operation', () => {
    const { graph, make, input, total } = start();
    const [x, weights] = [input(3), input(3)];
    const y = make.mul(make.unary('Log', make.unary('Exp', make.mul(x, 2))), weights);
    const own: OwnGradient = { inputs: [x, weights], rule: (dy) => [make.mul(make.mul(dy, weights), 2), null] };
    const [dx, dw] = gradients(graph, total(y), [x, weights], new Map([[y, own]]));
    // exp would be infinite.
    expect(at(dx, [[x, [1, 800, -800]], [weights, [1, 2, 3]]])).toEqual([2, 4, 6]); // prettier-ignore
    expect(dw).toBeUndefined();
  });

  it('of the gradient of max pooling are refused, by the layer; of the others they are linear', () => {
    const { graph, make, input, total } = start();
    const x = input(1, 4, 4, 1);
    const attrs = { window: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] };
    graph.layer = 'pool';
    const pooled = graph.add({ op: 'MaxPool', inputs: [x], attrs, shape: [1, 2, 2, 1] });
    const y = total(make.unary('Square', pooled));
    const [dx] = gradients(graph, y, [x]);
    const again = () => gradients(graph, total(dx!), [x]);
    expect(again).toThrow(UserError);
    expect(again).toThrow('layer "pool": the gradient of max pooling cannot be differentiated once more');
  });

  it('second derivatives of a convolution are those of a product: of x w they are 0, 1 and 0', () => {
    const { graph, make, input, total } = start();
    const [x, w] = [input(1, 1, 1, 1), input(1, 1, 1, 1)];
    const attrs = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
    const y = total(graph.add({ op: 'Conv2D', inputs: [x, make.unary('Square', w)], attrs, shape: [1, 1, 1, 1] }));
    const [dx] = gradients(graph, y, [x]);
    const [dxx, dxw] = gradients(graph, total(dx!), [x, w]);
    expect(dxx).toBeUndefined();
    expect(at(dxw, [[x, [5]], [w, [3]]])).toEqual([6]); // prettier-ignore
  });

  it('are of scalars', () => {
    const { graph, input } = start();
    const x = input(2);
    expect(() => gradients(graph, x, [x])).toThrow('gradients are of a float32 scalar; it is float32 [2]');
  });
});
