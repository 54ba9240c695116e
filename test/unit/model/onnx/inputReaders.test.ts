import { describe, expect, it } from 'vitest';
import { readAsStored } from '../../../../daemon/model/graph/inputReaders.js';
import { GraphBuilder } from '../../../../daemon/network/builder.js';
import type { Graph, Node } from '../../../../daemon/network/ir.js';
import { Operations } from '../../../../daemon/network/operations.js';

describe('the first operation on an input', () => {
  const scaledBy = (factor: (make: Operations, x: Node, weight: Node) => Node): [Graph, Node] => {
    const builder = new GraphBuilder();
    const make = new Operations(builder);
    const x = builder.input([2, 3], { role: 'data', index: 0 });
    const weight = builder.input([3], { role: 'parameter', name: 'w' });
    const node = make.mul(x, factor(make, x, weight));
    return [builder.finish([{ role: 'output', node }]), x];
  };

  it('scales it if the factor is the same for every sample, however the factor is computed', () => {
    // Each step reads the one before twice: 2^60 ways lead to the weight.
    const doubled = scaledBy((make, _, weight) => Array.from({ length: 60 }).reduce<Node>((sum) => make.add(sum, make.unary('Tanh', sum)), weight)); // prettier-ignore
    expect(readAsStored(...doubled)).toMatchObject({ identifiers: false });
  });

  it('does not scale it if the factor depends on the sample', () => {
    expect(readAsStored(...scaledBy((make, x) => make.unary('Tanh', x)))).toBeNull();
  });
});
