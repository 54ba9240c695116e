/** How a graph is cut into units: which tensors are stored, and where. */
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../../daemon/network/builder.js';
import { type Graph, type Node } from '../../../../daemon/network/ir.js';
import { loadAddon } from '../../../../daemon/engine/native/addon.js';
import { encode } from '../../../../daemon/engine/native/encode.js';
import { NativeGraph } from '../../../../daemon/engine/native/nativeGraph.js';
import { cutIntoUnits } from '../../../../daemon/engine/native/cut/cut.js';
import { type Group } from '../../../../daemon/engine/native/units.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { sizeOf } from '../../../../daemon/protocol/shape.js';

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

describe('what is fused into a product or a convolution', () => {
  const builder = () => {
    const graph = new GraphBuilder();
    return { graph, input: (name: string, shape: number[]) => graph.input(shape, { role: 'parameter', name }) };
  };
  const attrs = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
  const pooling = (window: number[]) => ({ window, strides: window, pads: [0, 0, 0, 0] });
  const finish = (graph: GraphBuilder, ...nodes: Node[]) =>
    graph.finish(nodes.map((node, i) => ({ role: 'gradient', name: `p${i}`, node })));
  const kindsOf = (graph: Graph) => cutIntoUnits(graph).units.map((unit) => ('pool' in unit && unit.pool ? `${unit.kind} with pooling` : unit.kind)); // prettier-ignore
  const filled = (graph: Graph, list: Graph['inputs'] | Graph['outputs'], value: () => number) =>
    list.map(({ node }) => Float32Array.from({ length: sizeOf(node.shape) }, value));

  /** A convolution of [2, 1, 12, 3] makes [2, 1, 10, 4]; a pooling may read it as [2, 10, 1, 4]. */
  function convolvedAndPooled(viewed: boolean): Graph {
    const { graph, input } = builder();
    const [x, filter] = [input('x', [2, 1, 12, 3]), input('filter', [1, 3, 3, 4])];
    const convolved = graph.add({ op: 'Conv2D', inputs: [x, filter], attrs, shape: [2, 1, 10, 4] });
    const image = viewed ? graph.add({ op: 'Reshape', inputs: [convolved], shape: [2, 10, 1, 4] }) : convolved;
    const [window, shape] = viewed ? [[2, 1], [2, 5, 1, 4]] : [[1, 2], [2, 1, 5, 4]]; // prettier-ignore
    const pooled = graph.add({ op: 'MaxPool', inputs: [image], attrs: pooling(window!), shape: shape! });
    const dy = input('dy', shape!);
    const spread = graph.add({ op: 'MaxPoolGrad', inputs: [dy, image, pooled], attrs: pooling(window!), shape: image.shape }); // prettier-ignore
    const back = viewed ? graph.add({ op: 'Reshape', inputs: [spread], shape: [2, 1, 10, 4] }) : spread;
    const gradient = graph.add({ op: 'Conv2DBackpropFilter', inputs: [x, back], attrs, shape: filter.shape });
    return finish(graph, graph.add({ op: 'Reshape', inputs: [pooled], shape: [2, 20] }), gradient);
  }

  it('is a pooling, and the gradient of one, where it reads what was convolved as it is', () => {
    expect(kindsOf(convolvedAndPooled(false))).toEqual(['convolution with pooling', 'filterGradient with pooling']);
    // Without the check, both accessed memory beyond their tensors if a view was between them: Conv1D and MaxPooling1D use different axes.
    expect(kindsOf(convolvedAndPooled(true)).sort()).toEqual(['convolution', 'filterGradient', 'maxPool', 'maxPoolGradient']); // prettier-ignore
  });

  it.skipIf('reason' in found)('gives the same numbers with a view between', async () => {
    if ('reason' in found) throw new Error(found.reason);
    const results = [];
    for (const viewed of [false, true]) {
      const graph = convolvedAndPooled(viewed);
      const values = createRandom(3);
      const inputs = filled(graph, graph.inputs, () => values.normal());
      const outputs = filled(graph, graph.outputs, () => NaN);
      const settings = { threads: 2, level: found.addon.levels()[0]! };
      const native = NativeGraph.create(found.addon, graph, inputs, outputs, settings);
      await native.run();
      await native.release();
      results.push(outputs.map((output) => [...output]));
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[0]!.flat().every(Number.isFinite)).toBe(true);
  });

  it.each<[string, number[], number[]]>([
    ['a column', [4, 1], [4, 4]],
    ['what makes it larger', [3, 1, 4], [3, 4, 4]],
  ])('is no addition of %s', (_, given, shape) => {
    const { graph, input } = builder();
    const product = graph.add({
      op: 'MatMul',
      inputs: [input('a', [4, 5]), input('b', [5, 4])],
      attrs: { transposeA: false, transposeB: false },
      shape: [4, 4],
    });
    const sum = graph.add({ op: 'Add', inputs: [product, input('bias', given)], shape });
    expect(kindsOf(finish(graph, sum))).toEqual(['gemm', 'group']);
  });

  it('is nothing that somebody else reads, too', () => {
    const { graph, input } = builder();
    const inputs = [input('x', [1, 4, 4, 2]), input('filter', [1, 1, 2, 3])];
    const convolved = graph.add({ op: 'Conv2D', inputs, attrs, shape: [1, 4, 4, 3] });
    const pooled = graph.add({ op: 'MaxPool', inputs: [convolved], attrs: pooling([2, 2]), shape: [1, 2, 2, 3] });
    const other = graph.add({ op: 'Neg', inputs: [convolved], shape: convolved.shape });
    expect(kindsOf(finish(graph, pooled, other)).sort()).toEqual(['convolution', 'group', 'maxPool']);
    expect(kindsOf(finish(graph, pooled, convolved))).toEqual(['convolution', 'maxPool']);
  });

  it.skipIf('reason' in found)('is an output that is one number everywhere', async () => {
    if ('reason' in found) throw new Error(found.reason);
    const { graph, input } = builder();
    const x = input('x', [3]);
    const nodes = [graph.add({ op: 'Neg', inputs: [x], shape: [3] }), graph.constant(2.5, [2, 2])];
    const whole = finish(graph, ...nodes);
    const outputs = filled(whole, whole.outputs, () => NaN);
    const native = NativeGraph.create(found.addon, whole, [Float32Array.of(1, 2, 3)], outputs, { threads: 1, level: found.addon.levels()[0]! }); // prettier-ignore
    await native.run();
    await native.release();
    expect(outputs.map((output) => [...output])).toEqual([[-1, -2, -3], [2.5, 2.5, 2.5, 2.5]]); // prettier-ignore
  });
});

describe('limits of the representation', () => {
  it('refuses what 32 bits cannot count, by name', () => {
    const graph = new GraphBuilder();
    const large = graph.input([2 ** 16, 2 ** 15], { role: 'data', index: 0 });
    const sum = graph.add({ op: 'Sum', inputs: [large], attrs: { axes: [0], keepDims: false }, shape: [2 ** 15] });
    expect(() => encode(graph.finish([{ role: 'output', node: sum }]))).toThrow(/more than 2147418112 numbers/);
  });

  it('refuses tables with more rows than a float can number', () => {
    const graph = new GraphBuilder();
    const table = graph.input([2 ** 24 + 1, 1], { role: 'parameter', name: 't' });
    const given = graph.input([2], { role: 'data', index: 0 });
    const ids = graph.add({ op: 'Cast', inputs: [given], shape: [2], dtype: 'int32' });
    const node = graph.add({ op: 'Gather', inputs: [table, ids], attrs: { axis: 0 }, shape: [2, 1] });
    expect(() => encode(graph.finish([{ role: 'output', node }]))).toThrow(/more than 16777216 rows/);
  });
});
