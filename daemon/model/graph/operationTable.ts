/** The layer table of a network: a row for each operation of its file that computes something, by one recorded pass. */
import { flopsOf } from '../../network/cost.js';
import type { GraphOutput, Node } from '../../network/ir.js';
import type { Network, NetworkWeight } from '../../network/network.js';
import { recordPass } from '../../network/recordPass.js';
import { sizeOf } from '../../protocol/shape.js';
import type { LayerSummary } from '../model.js';

/** A row with what it reads. */
export interface Operation {
  readonly summary: LayerSummary;
  /** Names of rows. */
  readonly reads: readonly string[];
}

/** Of two samples: an axis of one would be taken for one that a broadcast made. */
const BATCH = 2;

/** What only moves the values of a weight, so that a product of the result is one of the weight. */
const MOVES: ReadonlySet<string> = new Set(['Reshape', 'Transpose', 'Slice', 'StridedSlice', 'Concat', 'Pad', 'Reverse', 'Tile']); // prettier-ignore

/** The weights that a node is made of, where it is made of nothing else. */
function weightsIn(node: Node, named: ReadonlyMap<Node, string>): readonly string[] | null {
  const name = named.get(node);
  if (name !== undefined) return [name];
  if (!MOVES.has(node.op)) return null;
  const found = node.inputs.map((input) => weightsIn(input, named));
  return found.includes(null) ? null : found.flatMap((names) => names!);
}

/** The nodes that an output needs. */
function behind(output: Node): Set<Node> {
  const seen = new Set<Node>();
  const stack = [output];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    stack.push(...node.inputs);
  }
  return seen;
}

/** What is gathered of one row. */
class Row {
  readonly reads = new Set<string>();
  readonly weights: NetworkWeight[] = [];
  /** Of products of two activations, for one sample. */
  flops = 0;
  shape: readonly number[] | null = null;
  constructor(
    readonly name: string,
    public className: string,
  ) {}
}

/**
 * @param classOf what the operation of a row is called, by the row's name.
 * @returns rows in the order in which they compute, the inputs first. FLOPs are 2 per multiply-add, for one sample; biases,
 * normalisation and activations cost nothing.
 * @throws UserError('model-unsupported') where the network cannot be computed.
 */
export function operationTable(network: Network, classOf: (row: string) => string): Operation[] {
  const { data, weights, pass, finish } = recordPass(network, BATCH);
  const ends = pass.outputs.map((node, index): GraphOutput => ({ role: 'output', index, node }));
  const graph = finish(ends);
  const rows = new Map<string, Row>();
  const row = (name: string, className = classOf(name)): Row => {
    const known = rows.get(name) ?? new Row(name, className);
    rows.set(name, known);
    return known;
  };
  const maker = new Map<Node, string>();
  network.inputs.forEach(({ name, shape }, i) => {
    row(name, 'Input').shape = shape;
    maker.set(data[i]!, name);
  });
  const named = new Map([...weights].map(([name, node]) => [node, name]));
  const flopsOfWeight = new Map<string, number>();
  for (const node of graph.nodes) {
    const name = node.layer;
    const flops = flopsOf(node) / BATCH;
    const factors = flops > 0 ? node.inputs.map((input) => weightsIn(input, named)).find((found) => found !== null) : null;
    const all = factors?.reduce((sum, factor) => sum + sizeOf(weights.get(factor)!.shape), 0);
    for (const factor of factors ?? []) {
      const share = sizeOf(weights.get(factor)!.shape) / all!;
      flopsOfWeight.set(factor, (flopsOfWeight.get(factor) ?? 0) + flops * share);
    }
    if (name === undefined) continue;
    const own = row(name);
    if (!factors) own.flops += flops;
    own.shape = node.shape[0] === BATCH ? node.shape.slice(1) : node.shape;
    maker.set(node, name);
    for (const input of node.inputs) {
      const from = maker.get(input);
      if (from !== undefined && from !== name) own.reads.add(from);
    }
  }
  for (const weight of network.weights) row(weight.layer).weights.push(weight);
  const several = network.outputs.length > 1;
  const needed = several ? pass.outputs.map((node) => new Set([...behind(node)].map((one) => one.layer ?? maker.get(one)))) : []; // prettier-ignore
  const summarize = ({ name, className, weights: own, flops: rest, shape }: Row): LayerSummary => {
    const listed = own.map(({ name, shape, prunable, trainable }) => {
      const size = sizeOf(shape);
      return {
        name,
        shape,
        size,
        prunable,
        trainable,
        ...(!trainable && { statistic: true as const }),
        ...(prunable && { flopsPerWeight: (flopsOfWeight.get(name) ?? 0) / size }),
      };
    });
    const prunable = listed.reduce((sum, weight) => sum + (weight.prunable ? weight.size : 0), 0);
    const kernels = listed.reduce((sum, { size, flopsPerWeight = 0 }) => sum + size * flopsPerWeight, 0);
    return {
      name,
      className,
      outputShape: shape,
      ...(several && {
        outputs: network.outputs.map((output, i) => ({ name: output.name, depends: needed[i]!.has(name) })),
      }),
      weights: listed,
      params: listed.reduce((sum, { size }) => sum + size, 0),
      prunable,
      flops: kernels + rest,
      flopsPerWeight: prunable === 0 ? 0 : kernels / prunable,
    };
  };
  return [...rows.values()].map((one) => ({ summary: summarize(one), reads: [...one.reads] }));
}
