import type { Parameter } from '../engine.js';
import { type Graph, type RandomSpec, sizeOf } from '../graph/ir.js';
import type { FlatVectors } from './vectors.js';

/** The buffers behind a graph's inputs and outputs, in its order, and by what they are for. */
export interface Buffers {
  readonly inputs: readonly Float32Array[];
  readonly outputs: readonly Float32Array[];
  readonly data: readonly Float32Array[];
  readonly target: Float32Array;
  readonly randoms: readonly { readonly values: Float32Array; readonly spec: RandomSpec }[];
  /** Where the next value of each state that training changes appears. */
  readonly states: readonly { readonly name: string; readonly next: Float32Array }[];
  readonly loss: Float32Array;
  readonly output: Float32Array;
  /** 1 for each row of the output that counts; null where all do. */
  readonly mask: Float32Array | null;
}

/**
 * Weights and gradients are views of the flat vectors, states are `fixed`'s own arrays; the rest is allocated.
 * @param fixed non-trainable weights by name.
 */
export function bindBuffers(
  graph: Graph,
  parameters: readonly Parameter[],
  { w, g }: FlatVectors,
  fixed: ReadonlyMap<string, Float32Array>,
): Buffers {
  const places = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  const view = (vector: Float32Array, name: string) => {
    const { offset, size } = places.get(name)!;
    return vector.subarray(offset, offset + size);
  };
  const inputs = graph.inputs.map((input) => {
    if (input.role === 'parameter') return view(w, input.name);
    return input.role === 'state' ? fixed.get(input.name)! : new Float32Array(sizeOf(input.node.shape));
  });
  const outputs = graph.outputs.map((output) =>
    output.role === 'gradient' ? view(g, output.name) : new Float32Array(sizeOf(output.node.shape)),
  );
  const none = new Float32Array(0);
  const inputOf = (role: string) => inputs[graph.inputs.findIndex((input) => input.role === role)] ?? none;
  const outputOf = (role: string) => outputs[graph.outputs.findIndex((output) => output.role === role)] ?? none;
  return {
    inputs,
    outputs,
    data: graph.inputs
      .flatMap((input, i) => (input.role === 'data' ? [{ index: input.index, values: inputs[i]! }] : []))
      .sort((a, b) => a.index - b.index)
      .map(({ values }) => values),
    target: inputOf('target'),
    randoms: graph.inputs.flatMap((input, i) =>
      input.role === 'random' ? [{ values: inputs[i]!, spec: input.random }] : [],
    ),
    states: graph.outputs.flatMap((output, i) =>
      output.role === 'state' ? [{ name: output.name, next: outputs[i]! }] : [],
    ),
    loss: outputOf('loss'),
    output: outputOf('output'),
    mask: outputs[graph.outputs.findIndex(({ role }) => role === 'mask')] ?? null,
  };
}
