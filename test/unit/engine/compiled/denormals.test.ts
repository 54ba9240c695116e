// @vitest-isolate
/** onnxruntime obeys only the first session of a process in this: here it is one of this engine. */
import { expect, it } from 'vitest';
import { OnnxGraph } from '../../../../daemon/engine/compiled/onnxGraph.js';
import { GraphBuilder } from '../../../../daemon/network/builder.js';

it('a session leaves the arithmetic of its thread alone: denormal numbers stay numbers', async () => {
  const graph = new GraphBuilder();
  const x = graph.input([1], { role: 'data', index: 0 });
  const node = graph.add({ op: 'Neg', inputs: [x], shape: [1] });
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const [from, to] = [new Float32Array(memory.buffer, 64, 1), new Float32Array(memory.buffer, 128, 1)];
  const finished = graph.finish([{ role: 'output', node }]);
  const compiled = await OnnxGraph.create(finished, [from], [to], { provider: 'cpu', threads: 1 });
  // From memory: a compiler computes products of constants beforehand. As bits: where denormal numbers count as 0 they equal it.
  const factors = Float64Array.of(0.5, 2 ** -1060);
  const product = Float64Array.of(factors[0]! * factors[1]!);
  expect(new BigUint64Array(product.buffer)[0]).toBe(1n << 13n);
  await compiled.release();
});
