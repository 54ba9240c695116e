/** Runs graphs on native kernels and on float64 loops (test/fuzz/engine/float64), and compares. */
import { expect } from 'vitest';
import type { GraphBuilder } from '../../../../daemon/network/builder.js';
import { GraphBuilder as Builder } from '../../../../daemon/network/builder.js';
import type { Node } from '../../../../daemon/network/ir.js';
import { Interpreter } from '../../../fuzz/engine/float64/interpreter.js';
import { compute } from './kernelCases.js';

/** An input: its shape and its values. */
export type Given = readonly [shape: readonly number[], values: Float32Array];
export type Build = (graph: GraphBuilder, inputs: Node[]) => Node[];

/** The results in float64. */
export function reference(given: readonly Given[], build: Build): Float64Array[] {
  const builder = new Builder();
  const inputs = given.map(([shape], i) => builder.input(shape, { role: 'parameter', name: `p${i}` }));
  const outputs = build(builder, inputs);
  const graph = builder.finish(outputs.map((node, i) => ({ role: 'gradient', name: `p${i}`, node })));
  const interpreter = new Interpreter(graph, new Map(inputs.map((node, i) => [node, given[i]![1]])));
  return outputs.map((node) => interpreter.value(node));
}

/** Expects native kernels to compute the same with any number of threads. @param tolerance relative to the largest value. */
export async function compare(given: readonly Given[], build: Build, tolerance = 4e-6): Promise<void> {
  const expected = reference(given, build);
  const shapes = given.map(([shape]) => shape);
  const values = given.map(([, list]) => list);
  const actual = await compute(shapes, values, build, 2);
  actual.forEach((list, k) => {
    const scale = expected[k]!.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 1);
    expect(list).toHaveLength(expected[k]!.length);
    expected[k]!.forEach((value, i) => {
      if (!(Object.is(list[i], Math.fround(value)) || Math.abs(list[i]! - value) <= tolerance * scale))
        expect([k, i, list[i]]).toEqual([k, i, value]);
    });
  });
  expect(await compute(shapes, values, build, 1)).toEqual(actual);
}
