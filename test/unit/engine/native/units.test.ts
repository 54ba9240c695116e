/** How a graph is cut: what is stored, and where. */
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../../daemon/engine/graph/builder.js';
import { type Graph, type Node, sizeOf } from '../../../../daemon/engine/graph/ir.js';
import { loadAddon } from '../../../../daemon/engine/native/addon.js';
import { encode } from '../../../../daemon/engine/native/encode.js';
import { NativeGraph } from '../../../../daemon/engine/native/nativeGraph.js';
import { cutIntoUnits, type Group } from '../../../../daemon/engine/native/units.js';
import { createRandom } from '../../../../daemon/lc/random.js';

const found = loadAddon();
const [rows, columns] = [150, 24];

/** z = relu((y - mean y) * gain) of a product y, and dy * step(z before relu) * (y - mean y) * gain. */
function normalised(): { graph: Graph; nodes: Record<string, Node> } {
  const builder = new GraphBuilder();
  const input = (shape: number[], name: string) => builder.input(shape, { role: 'parameter', name });
  const [a, b, gain, dy] = [input([rows, 8], 'a'), input([8, columns], 'b'), input([columns], 'gain'), input([rows, columns], 'dy')]; // prettier-ignore
  const shape = [rows, columns];
  const product = (left: Node, right: Node) =>
    builder.add({ op: 'MatMul', inputs: [left, right], attrs: { transposeA: false, transposeB: false }, shape });
  const y = product(a, b);
  const mean = builder.add({ op: 'Mean', inputs: [y], attrs: { axes: [0], keepDims: false }, shape: [columns] });
  const centred = builder.add({ op: 'Sub', inputs: [y, mean], shape });
  const scaled = builder.add({ op: 'Multiply', inputs: [centred, gain], shape });
  const z = builder.add({ op: 'Relu', inputs: [scaled], shape });
  // A product in between: what follows cannot be in the same group.
  const eye = input([columns, columns], 'eye');
  const same = product(z, eye);
  const step = builder.add({ op: 'Step', inputs: [scaled], attrs: { alpha: 0 }, shape });
  const passed = builder.add({ op: 'Multiply', inputs: [builder.add({ op: 'Add', inputs: [same, dy], shape }), step], shape }); // prettier-ignore
  const further = product(passed, eye);
  const last = builder.add({ op: 'Multiply', inputs: [further, centred], shape });
  const graph = builder.finish([z, last].map((node, i) => ({ role: 'gradient', name: `p${i}`, node })));
  return { graph, nodes: { centred, scaled, z, step, passed, same } };
}

const random = createRandom(7);
const normal = (size: number) => Float32Array.from({ length: size }, () => random.normal());

describe('the cut of a graph', () => {
  it('computes a difference again instead of storing it, and reads a mask off the ReLU', () => {
    const { graph, nodes } = normalised();
    const { units, inputsOf } = cutIntoUnits(graph);
    const groups = units.filter((unit): unit is Group => unit.kind === 'group');
    expect(groups.filter((group) => group.nodes.includes(nodes['centred']!))).toHaveLength(2);
    expect(groups.filter((group) => group.nodes.includes(nodes['scaled']!))).toHaveLength(1);
    expect(inputsOf(nodes['step']!)).toEqual([nodes['z']]);
  });

  it('writes over what is read for the last time', () => {
    const { graph } = normalised();
    const floats = rows * columns;
    // y, and one other at a time; z and the last are outputs.
    expect(encode(graph).arenaSize).toBeLessThan(3.3 * floats);
  });

  it.skipIf('reason' in found)('still computes the same', async () => {
    if ('reason' in found) throw new Error(found.reason);
    const { graph } = normalised();
    const eye = Float32Array.from({ length: columns * columns }, (_, i) => Number(i % (columns + 1) === 0));
    const values: Record<string, Float32Array> = {
      a: normal(rows * 8), b: normal(8 * columns), gain: normal(columns), dy: normal(rows * columns), eye,
    }; // prettier-ignore
    const inputs = graph.inputs.map((input) => values[(input as { name: string }).name]!);
    const y = new Float64Array(rows * columns).map((_, i) => {
      let sum = 0;
      for (let k = 0; k < 8; k++) sum += values['a']![Math.floor(i / columns) * 8 + k]! * values['b']![k * columns + (i % columns)]!; // prettier-ignore
      return sum;
    });
    const mean = values['gain']!.map((_, c) => y.filter((__, i) => i % columns === c).reduce((s, v) => s + v, 0) / rows); // prettier-ignore
    const centred = y.map((v, i) => v - mean[i % columns]!);
    const z = centred.map((v, i) => Math.max(0, v * values['gain']![i % columns]!));
    const last = centred.map((v, i) => v * (z[i]! > 0 ? z[i]! + values['dy']![i]! : 0));
    for (const level of found.addon.levels()) {
      const outputs = graph.outputs.map(({ node }) => new Float32Array(sizeOf(node.shape)));
      const native = NativeGraph.create(found.addon, graph, inputs, outputs, { threads: 2, level });
      await native.run();
      await native.release();
      [z, last].forEach((expected, k) =>
        expected.forEach((v, i) => {
          if (Math.abs(outputs[k]![i]! - v) > 1e-5 * (10 + Math.abs(v))) expect(outputs[k]![i]).toBe(v);
        }),
      );
    }
  });
});
