/** The layers of a model as nodes and edges; repeated blocks can be one node. Pure. */
import type { ModelSummary } from '../../daemon/protocol/messages.js';

export type Layer = ModelSummary['layers'][number];

/** A layer, or several equal blocks of layers that follow each other. */
export interface GraphNode {
  /** The name of its first layer. */
  readonly id: string;
  readonly layers: readonly Layer[];
  /** How often its block is repeated; 1: a layer. */
  readonly times: number;
}

export interface Graph {
  /** In topological order, except for a layer that reads its own output indirectly. */
  readonly nodes: readonly GraphNode[];
  /** Positions in `nodes`, from the layer read to its reader; each pair once. */
  readonly edges: readonly (readonly [from: number, to: number])[];
}

/** A topological order as close to the given one as possible. */
export function inOrder(layers: readonly Layer[]): Layer[] {
  const known = new Map(layers.map((layer) => [layer.name, layer]));
  const placed = new Set<string>();
  const order: Layer[] = [];
  // Iterative: a chain of thousands of layers is deeper than the call stack.
  for (const start of layers) {
    const path = [start];
    const open = new Set<string>();
    while (path.length > 0) {
      const layer = path.at(-1)!;
      open.add(layer.name);
      const before = layer.reads.find((name) => known.has(name) && !placed.has(name) && !open.has(name));
      if (before !== undefined) {
        path.push(known.get(before)!);
        continue;
      }
      path.pop();
      if (!placed.has(layer.name)) order.push(layer);
      placed.add(layer.name);
    }
  }
  return order;
}

/** Longer blocks are not searched for. */
const LONGEST_BLOCK = 64;
/** Fewer layers than this are not folded. */
const FEWEST_HIDDEN = 6;

/** Two layers are equal in their blocks if they agree in: class, shape except for the channels, and how far back their inputs lie. */
function signatures(layers: readonly Layer[]): string[] {
  const at = new Map(layers.map(({ name }, i) => [name, i]));
  return layers.map(({ className, outputShape, reads }, i) =>
    [className, outputShape?.slice(0, -1).join('x'), ...reads.map((name) => i - (at.get(name) ?? -1))].join('|'),
  );
}

interface Repeat {
  readonly from: number;
  /** Number of layers in a block, and of blocks. */
  readonly length: number;
  readonly times: number;
}

/** The sequence of equal blocks between two layers that hides most layers; on a tie, the one with the shortest blocks. */
function largest(layers: readonly Layer[], signature: readonly string[], start: number, end: number): Repeat | null {
  let best: Repeat | null = null;
  for (let length = 1; length <= Math.min(LONGEST_BLOCK, (end - start) / 2); length++) {
    for (let i = start + length, from = start; i <= end; i++) {
      if (i < end && signature[i] === signature[i - length]) continue;
      // The layers [from, i) repeat after `length` layers.
      const times = Math.floor((i - from) / length);
      if (times > 1 && times * length >= FEWEST_HIDDEN && times * length > (best ? best.times * best.length : 0)) {
        // If a block could begin at several places, it begins with a layer with weights, as people think of blocks.
        const free = i - from - times * length + 1;
        const shift = layers.slice(from, from + free).findIndex(({ prunable }) => prunable > 0);
        best = { from: from + Math.max(0, shift), length, times };
      }
      from = i - length + 1;
    }
  }
  return best;
}

/** Sequences of equal blocks, from the first to the last. */
export function repeats(layers: readonly Layer[]): Repeat[] {
  const signature = signatures(layers);
  const found: Repeat[] = [];
  const between = [[0, layers.length]];
  for (let next = between.pop(); next; next = between.pop()) {
    const [start, end] = next as [number, number];
    const best = largest(layers, signature, start, end);
    if (!best) continue;
    found.push(best);
    between.push([start, best.from], [best.from + best.length * best.times, end]);
  }
  return found.sort((a, b) => a.from - b.from);
}

/** @param open whether the repeated blocks that begin with this layer are shown one by one. */
export function graphOf(given: readonly Layer[], open: (first: string) => boolean): Graph {
  const layers = inOrder(given);
  const blocks = new Map(repeats(layers).map((repeat) => [repeat.from, repeat]));
  const nodes: GraphNode[] = [];
  const nodeOf = new Map<string, number>();
  for (let i = 0; i < layers.length;) {
    const block = blocks.get(i);
    const shut = block && !open(layers[i]!.name);
    const size = shut ? block.length * block.times : 1;
    const inside = layers.slice(i, i + size);
    for (const { name } of inside) nodeOf.set(name, nodes.length);
    nodes.push({ id: layers[i]!.name, layers: inside, times: shut ? block.times : 1 });
    i += size;
  }
  const edges = new Map<string, readonly [number, number]>();
  for (const { name, reads } of layers)
    for (const read of reads) {
      const [from, to] = [nodeOf.get(read), nodeOf.get(name)!];
      if (from !== undefined && from !== to) edges.set(`${from} ${to}`, [from, to]);
    }
  return { nodes, edges: [...edges.values()] };
}

/** By each one's first layer: the layers of all blocks that can be folded. */
export const blocksOf = (given: readonly Layer[]): Map<string, readonly Layer[]> => {
  const layers = inOrder(given);
  return new Map(
    repeats(layers).map(({ from, length, times }) => [layers[from]!.name, layers.slice(from, from + length * times)]),
  );
};
