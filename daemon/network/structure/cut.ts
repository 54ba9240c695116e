import { GraphBuilder } from '../builder.js';
import type { Graph, GraphOutput, Node } from '../ir.js';
import type { Kept } from './rule.js';
import { ruleOf } from './rules/rules.js';
import type { Program, Step, Value } from './values.js';
import { sizeOf } from '../../protocol/shape.js';

/** The entries of a row-major tensor that are kept, given by axis. */
export function cutData<T extends Float32Array | Float64Array | Int32Array>(
  data: T,
  shape: readonly number[],
  kept: readonly (readonly number[])[],
): T {
  let values = data;
  let dims = shape;
  kept.forEach((indices, axis) => {
    const n = dims[axis]!;
    if (indices.length === n) return;
    const inner = sizeOf(dims.slice(axis + 1));
    const outer = values.length / (n * inner);
    const result = new (data.constructor as new (length: number) => T)(outer * indices.length * inner);
    for (let o = 0; o < outer; o++)
      indices.forEach((from, to) => {
        const start = (o * n + from) * inner;
        result.set(values.subarray(start, start + inner), (o * indices.length + to) * inner);
      });
    values = result;
    dims = dims.with(axis, indices.length);
  });
  return values;
}

/** The nodes that replace those of the pass. */
export interface CutNode {
  readonly shape: readonly number[];
  readonly attrs: Node['attrs'];
}

export interface CutGraph {
  readonly graph: Graph;
  /** The nodes whose shape or attributes change (sizes of a Reshape, the begin of a Slice), by the node of the pass. */
  readonly changed: ReadonlyMap<Node, CutNode>;
}

/** The same pass with fewer indices. */
export function cutGraph(program: Program, kept: Kept): CutGraph {
  const builder = new GraphBuilder();
  const made = new Map<Value, Node>();
  const changed = new Map<Node, CutNode>();
  const shapeOf = (value: Value): number[] => value.shape.map((_, axis) => kept(value, axis).length);
  for (const { value, input } of program.inputs) {
    const { node: _, ...role } = input;
    // The replacement keeps the role of the input.
    made.set(value, builder.input(shapeOf(value), role as { role: 'parameter'; name: string }));
  }
  const constant = (value: Value): Node => {
    const { constant: values, dtype } = value.node;
    const axes = value.shape.map((_, axis) => kept(value, axis));
    const cut = typeof values === 'number' ? values : cutData(values!, value.shape, axes);
    return builder.constant(cut, shapeOf(value), dtype);
  };
  const nodeOf = (value: Value): Node => made.get(value) ?? constant(value);
  const cutStep = (step: Step): void => {
    const { node, output } = step;
    const attrs = ruleOf(node.op).attributes?.(step, kept) ?? node.attrs;
    const shape = shapeOf(output);
    builder.layer = node.layer;
    made.set(output, builder.add({ op: node.op, inputs: step.inputs.map(nodeOf), attrs, shape, dtype: node.dtype }));
    if (shape.some((n, axis) => n !== node.shape[axis]) || JSON.stringify(attrs) !== JSON.stringify(node.attrs))
      changed.set(node, { shape, attrs });
  };
  program.steps.forEach(cutStep);
  const outputs = program.graph.outputs.map((output, i): GraphOutput => ({ ...output, node: nodeOf(program.outputs[i]!) })); // prettier-ignore
  return { graph: builder.finish(outputs), changed };
}
