import type { Parameter } from '../engine.js';
import { type Graph, type RandomSpec } from '../../network/ir.js';
import type { FlatVectors } from './vectors.js';
import { sizeOf } from '../../protocol/shape.js';

/** The buffers of a graph's inputs and outputs, in its order, and by role. */
export interface Buffers {
  readonly inputs: readonly Float32Array[];
  readonly outputs: readonly Float32Array[];
  /** Buffers that a batch fills beside the target: the model's inputs, the targets of the jointly trained outputs, those of a teacher. */
  readonly data: readonly Float32Array[];
  readonly target: Float32Array;
  readonly randoms: readonly { readonly values: Float32Array; readonly spec: RandomSpec }[];
  /** The buffer with the next value of each state that training changes. */
  readonly states: readonly { readonly name: string; readonly next: Float32Array }[];
  readonly loss: Float32Array;
  /** For an inference graph: of the output, then of the jointly trained ones. */
  readonly results: readonly Result[];
}

export interface Result {
  readonly output: Float32Array;
  /** 1 for each row of the output that counts; null if all do. */
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
  const outputOf = (role: string) => outputs[graph.outputs.findIndex((output) => output.role === role)] ?? none;
  /** Buffers of a role by their number. */
  const numbered = (values: Graph['inputs'] | Graph['outputs'], buffers: readonly Float32Array[], role: string) => {
    const found: Float32Array[] = [];
    values.forEach((value, i) => {
      if (value.role === role) found[('index' in value && value.index) || 0] = buffers[i]!;
    });
    return found;
  };
  const [target = none, ...jointTargets] = numbered(graph.inputs, inputs, 'target');
  const masks = numbered(graph.outputs, outputs, 'mask');
  return {
    inputs,
    outputs,
    data: [...numbered(graph.inputs, inputs, 'data'), ...jointTargets],
    target,
    randoms: graph.inputs.flatMap((input, i) =>
      input.role === 'random' ? [{ values: inputs[i]!, spec: input.random }] : [],
    ),
    states: graph.outputs.flatMap((output, i) =>
      output.role === 'state' ? [{ name: output.name, next: outputs[i]! }] : [],
    ),
    loss: outputOf('loss'),
    results: numbered(graph.outputs, outputs, 'output').map((output, i) => ({ output, mask: masks[i] ?? null })),
  };
}
