import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../daemon/network/builder.js';
import { peakBytes } from '../../../daemon/network/peakMemory.js';
import { type Node } from '../../../daemon/network/ir.js';
import { encode } from '../../../daemon/engine/native/encode.js';
import { roughStepMemory, stepMemory } from '../../../daemon/engine/stepMemory.js';
import { traceModel } from '../../../daemon/engine/trace/traceModel.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { sizeOf } from '../../../daemon/protocol/shape.js';

describe('the memory of a graph', () => {
  it('is what is alive at the same time, and inputs and outputs', () => {
    const graph = new GraphBuilder();
    const x = graph.input([100], { role: 'data', index: 0 });
    const of = (op: 'Exp' | 'Log1p' | 'Sin' | 'Add', ...inputs: Node[]) => graph.add({ op, inputs, shape: [100] });
    const a = of('Exp', x);
    const c = of('Sin', of('Log1p', a));
    const sum = graph.add({ op: 'Sum', inputs: [of('Add', c, a)], shape: [], attrs: { axes: [0], keepDims: false } });
    // Input and output; a is kept for the sum while b and c are made; then a, c and their sum.
    expect(peakBytes(graph.finish([{ role: 'output', node: sum }]))).toBe(4 * (100 + 1 + 3 * 100));
  });
});

describe('the memory of a training step', () => {
  const spec = (batchSize: number) => ({ loss: 'categoricalCrossentropy' as const, seed: 0, batchSize });

  it.each(['lenet5', 'resnet20'] as const)('is foretold for any batch from the graphs of two small ones: %s', async (name) => {
    const model = buildArchitecture(name, 1);
    const { native, onnx } = await stepMemory(model, spec(1));
    for (const batch of [32, 256]) {
      const graph = await (await traceModel(model, spec(batch))).training();
      const { arenaSize } = encode(graph);
      const leaves = [...graph.inputs, ...graph.outputs].reduce((sum, { node }) => sum + sizeOf(node.shape), 0);
      const fixed = native.fixed - 2 ** 27;
      const exact = 4 * (arenaSize + leaves);
      expect(batch * native.perSample + fixed).toBeGreaterThan(exact);
      expect(batch * native.perSample).toBeLessThan(1.1 * exact);
      // Whatever onnxruntime may take is more than our own kernels do.
      expect(onnx.perSample).toBeGreaterThan(native.perSample);
      expect(batch * onnx.perSample + onnx.fixed).toBeGreaterThan(peakBytes(graph));
    }
    const rough = roughStepMemory(model);
    expect(onnx.perSample).toBeLessThan(4 * rough.perSample);
  }, 30_000); // prettier-ignore

  it('says whether a batch can be computed in parts', async () => {
    expect((await stepMemory(buildArchitecture('lenet5', 1), spec(1))).onnx.indivisible).toBeNull();
    expect((await stepMemory(buildArchitecture('resnet20', 1), spec(1))).native.indivisible).toMatch(
      /BatchNormalization/,
    );
  });
});
