import type { Node } from '../../network/ir.js';
import { root, type Unit } from './units.js';

/** What each unit writes and reads, and how long that is needed. Units are counted in the order of execution. */
export interface Lifetimes {
  readonly results: readonly (readonly Node[])[];
  readonly reads: readonly (readonly Node[])[];
  /** The last unit that reads a tensor; the number of units for what is copied at the end; undefined for what nobody reads. */
  readonly lastRead: ReadonlyMap<Node, number>;
  /** The last unit that needs the places of a max pooling's maxima, or -1. */
  lastGradientOf(pool: Node): number;
}

/** @param copied tensors that are copied to outputs after the last unit. */
export function lifetimesOf(
  units: readonly Unit[],
  inputsOf: (node: Node) => readonly Node[],
  copied: readonly Node[],
): Lifetimes {
  const reads = units.map((unit) => readsOf(unit, inputsOf));
  const lastRead = new Map<Node, number>();
  reads.forEach((nodes, i) => nodes.forEach((node) => lastRead.set(node, i)));
  for (const node of copied) lastRead.set(node, units.length);
  return {
    results: units.map(resultsOf),
    reads,
    lastRead,
    lastGradientOf: (pool) => units.findLastIndex((unit) => gradientPoolOf(unit) === pool),
  };
}

function resultsOf(unit: Unit): Node[] {
  switch (unit.kind) {
    case 'group':
      return unit.nodes;
    case 'gemm':
    case 'convolution':
      return [unit.result];
    case 'filterGradient':
      return unit.bias ? [unit.node, unit.bias] : [unit.node];
    default:
      return [unit.node];
  }
}

/** The max pooling whose maxima a unit finds, or whose places it reads. */
export function poolOf(unit: Unit): Node | undefined {
  if (unit.kind === 'maxPool') return unit.node;
  return unit.kind === 'convolution' ? unit.pool : undefined;
}
function gradientPoolOf(unit: Unit): Node | undefined {
  const gradient = unit.kind === 'maxPoolGradient' ? unit.node : unit.kind === 'filterGradient' ? unit.pool : undefined;
  return gradient && root(gradient.inputs[2]!);
}

function readsOf(unit: Unit, inputsOf: (node: Node) => readonly Node[]): Node[] {
  switch (unit.kind) {
    case 'group': {
      const own = new Set(unit.nodes);
      return unit.nodes.flatMap((node) => inputsOf(node)).filter((node) => !own.has(node));
    }
    case 'gemm':
    case 'convolution':
      return [...inputsOf(unit.node), ...(unit.bias ? [unit.bias] : [])];
    case 'filterGradient':
      return [root(unit.node.inputs[0]!), root((unit.pool ?? unit.node).inputs[unit.pool ? 0 : 1]!)];
    case 'maxPoolGradient':
    case 'averagePoolGradient':
      return [inputsOf(unit.node)[0]!];
    default:
      return [...inputsOf(unit.node)];
  }
}
