/** The layer table of a network: a row for each operation of its file that computes something, from one recorded pass. */
import type { Graph, Node } from '../../network/ir.js';
import type { NetworkWeight } from '../../network/network.js';
import type { RecordedPass } from '../../network/recordPass.js';
import { entryGroups } from '../../network/structure/entryGroups.js';
import { flopsOf } from '../../network/structure/flops.js';
import { unitGroupsOf } from '../../network/structure/unitGroups.js';
import type { LayerLinks } from '../../protocol/layers/networkGraph.js';
import { sizeOf } from '../../protocol/shape.js';
import type { OnnxNetwork } from '../../onnx/lower/onnxNetwork.js';
import type { LayerSummary } from '../model.js';
import { depthwiseKernels, removableAxes, rowUnits, unitAxesOf } from '../networkGraph/rowUnits.js';

/** A row with its place in the network. */
export interface Operation {
  readonly summary: LayerSummary;
  readonly links: LayerLinks;
}

/** Two samples, because an axis of length 1 would be taken for one that a broadcast made. */
export const TABLE_BATCH = 2;

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

/** The facts gathered for one row. */
class Row {
  readonly reads = new Set<string>();
  readonly weights: NetworkWeight[] = [];
  /** FLOPs of products of two activations, for one sample. */
  flops = 0;
  shape: readonly number[] | null = null;
  constructor(
    readonly name: string,
    public className: string,
  ) {}
}

/**
 * @param recorded an inference pass of the network on `TABLE_BATCH` samples, and its graph.
 * @returns rows in the order of computation, the inputs first. FLOPs are 2 per multiply-add, for one sample; biases,
 * normalisation and activations cost nothing.
 */
export function operationTable(
  network: OnnxNetwork,
  { data, pass, graph }: RecordedPass & { readonly graph: Graph },
): Operation[] {
  const classes = new Map(network.operations.toReversed().map(({ name, op }) => [name, op]));
  const rows = new Map<string, Row>();
  const row = (name: string, className = classes.get(name) ?? 'Parameter'): Row => {
    const known = rows.get(name) ?? new Row(name, className);
    rows.set(name, known);
    return known;
  };
  const maker = new Map<Node, string>();
  network.inputs.forEach(({ name, shape }, i) => {
    row(name, 'Input').shape = shape;
    maker.set(data[i]!, name);
  });
  const flops = flopsOf(graph);
  const structure = unitGroupsOf(graph);
  const entries = entryGroups(network, structure);
  const units = rowUnits(network, structure);
  const depthwise = depthwiseKernels(graph);
  for (const node of graph.nodes) {
    const name = node.layer;
    if (name === undefined) continue;
    const own = row(name);
    own.shape = node.shape[0] === TABLE_BATCH ? node.shape.slice(1) : node.shape;
    maker.set(node, name);
    for (const input of node.inputs) {
      const from = maker.get(input);
      if (from !== undefined && from !== name) own.reads.add(from);
    }
  }
  for (const [name, products] of flops.activations) row(name).flops += products / TABLE_BATCH;
  for (const weight of network.weights) row(weight.layer).weights.push(weight);
  const several = network.outputs.length > 1;
  const needed = several ? pass.outputs.map((node) => new Set([...behind(node)].map((one) => one.layer ?? maker.get(one)))) : []; // prettier-ignore
  const summarize = ({ name, className, weights: own, flops: ofActivations, shape }: Row): LayerSummary => {
    const listed = own.map(({ name, shape, prunable, trainable }) => {
      const size = sizeOf(shape);
      const groups = entries.get(name);
      const axes = structure.axes.get(name) ?? [];
      const unitAxes = prunable ? unitAxesOf(shape, axes, depthwise.has(name)) : null;
      return {
        name,
        shape,
        size,
        prunable,
        trainable,
        ...(!trainable && { statistic: true as const }),
        ...(prunable && { flopsPerWeight: (flops.byWeight.get(name) ?? 0) / TABLE_BATCH / size }),
        ...(unitAxes && { unitAxes }),
        ...(groups && { groups }),
        ...(prunable && { axes: removableAxes(axes) }),
        ...(depthwise.has(name) && { keepsZero: true as const }),
      };
    });
    const prunable = listed.reduce((sum, weight) => sum + (weight.prunable ? weight.size : 0), 0);
    const kernels = listed.reduce((sum, { size, flopsPerWeight = 0 }) => sum + size * flopsPerWeight, 0);
    return {
      name,
      className,
      outputShape: shape,
      ...(several && {
        outputs: network.outputs.map((output, i) => ({
          name: output.name,
          depends: needed[i]!.has(name),
          ...(i === 0 && { main: true as const }),
        })),
      }),
      weights: listed,
      params: listed.reduce((sum, { size }) => sum + size, 0),
      prunable,
      flops: kernels + ofActivations,
      flopsPerWeight: prunable === 0 ? 0 : kernels / prunable,
    };
  };
  return [...rows.values()].map((one) => ({
    summary: summarize(one),
    links: { reads: [...one.reads], units: units(one.name) },
  }));
}
