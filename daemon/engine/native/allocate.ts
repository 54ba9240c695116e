import type { Graph, Node } from '../../network/ir.js';
import { Arena } from './arena.js';
import { bytePlaces, mostFloats, mostRows as mostWhole } from './layout.js';
import { type Lifetimes, poolOf } from './lifetimes.js';
import type { Place } from './places.js';
import { isElementwise } from './roles.js';
import { type Group, root, Unsupported, type Unit } from './units.js';
import { sizeOf } from '../../protocol/shape.js';

/** Where tensors lie that have a place before the first unit runs, and what is copied to outputs after the last one. */
export interface Fixed {
  readonly constants: readonly Float32Array[];
  readonly places: ReadonlyMap<Node, Place>;
  /** Outputs that are another's tensor, or an input's. */
  readonly copies: readonly { readonly from: Node; readonly to: Place }[];
}

/** Whole numbers are floats, too. */
function exceedsWhole({ dtype, constant }: Node): boolean {
  const exceeds = (value: number) => Math.abs(value) > mostWhole;
  return dtype === 'int32' && (typeof constant === 'number' ? exceeds(constant) : constant !== undefined && (constant as Int32Array).some(exceeds)); // prettier-ignore
}

/**
 * Buffers in order: the arena, then constants, then the graph's inputs, then its outputs.
 *
 * @throws Unsupported where a constant is a whole number that no float holds.
 */
export function fixedPlaces(graph: Graph): Fixed {
  const large = graph.nodes.find(({ inputs }) => inputs.some(exceedsWhole));
  if (large) throw new Unsupported(large, `: whole numbers beyond ${mostWhole}, which a float cannot hold`);
  const constants: Float32Array[] = [];
  const places = new Map<Node, Place>();
  // Groups have a step for one number everywhere, as outputs have; others read a tensor of it.
  const constantNodes = new Set(
    graph.nodes.flatMap((node) =>
      node.inputs
        .map(root)
        .filter((n) => n.op === 'Constant' && (typeof n.constant !== 'number' || !isElementwise(node))),
    ),
  );
  for (const { node } of graph.outputs)
    if (root(node).op === 'Constant' && typeof root(node).constant !== 'number') constantNodes.add(root(node));
  for (const node of constantNodes) {
    const { constant } = node;
    constants.push(
      typeof constant === 'number'
        ? new Float32Array(sizeOf(node.shape)).fill(constant)
        : Float32Array.from(constant as Float32Array),
    );
    places.set(node, { buffer: constants.length, offset: 0 });
  }
  const firstInput = 1 + constants.length;
  graph.inputs.forEach(({ node }, i) => places.set(node, { buffer: firstInput + i, offset: 0 }));
  const firstOutput = firstInput + graph.inputs.length;
  const copies: { from: Node; to: Place }[] = [];
  graph.outputs.forEach(({ node }, i) => {
    const place = { buffer: firstOutput + i, offset: 0 };
    if (places.has(root(node)) || root(node).op === 'Constant') copies.push({ from: root(node), to: place });
    else places.set(root(node), place);
  });
  return { constants, places, copies };
}

/** Gives the tensors of a program their places in the arena, unit by unit. */
export class Allocation {
  private readonly arena = new Arena();
  private readonly places: Map<Node, Place>;
  private readonly indexes = new Map<Node, Place>();
  private readonly held: { at: number; start: number; floats: number }[] = [];

  constructor(
    fixed: Fixed,
    private readonly lifetimes: Lifetimes,
    private readonly inputsOf: (node: Node) => readonly Node[],
  ) {
    this.places = new Map(fixed.places);
  }

  /** Floats of the arena. */
  get size(): number {
    return this.arena.size;
  }

  /** Undefined for what stays in a group's registers, and for constants of one number. */
  placeOf(node: Node): Place | undefined {
    return this.places.get(root(node));
  }

  /** Where the maxima of a max pooling come from. */
  indexOf(pool: Node): Place {
    return this.indexes.get(pool)!;
  }

  /** Floats that unit i needs while it runs. */
  temporary(floats: number, i: number): Place {
    return this.hold(floats, i);
  }

  /** Takes room for what unit i writes. */
  begin(unit: Unit, i: number): void {
    for (const node of this.lifetimes.results[i]!) {
      const until = this.lifetimes.lastRead.get(node) ?? -1;
      // A group's values that nobody else reads stay in its registers.
      if (this.places.has(node) || (unit.kind === 'group' && until <= i)) continue;
      const end = Math.max(until, i);
      const inPlace = unit.kind === 'group' ? this.overwrite(node, unit, i, end) : undefined;
      this.places.set(node, inPlace ?? this.hold(sizeOf(node.shape), end));
    }
    const pool = poolOf(unit);
    // The places of the maxima live as long as a gradient needs them.
    if (pool) this.indexes.set(pool, this.hold(placesSize(pool), Math.max(i, this.lifetimes.lastGradientOf(pool))));
  }

  /** Gives back what nobody needs after unit i. */
  end(i: number): void {
    for (const { start, floats } of this.held.filter(({ at }) => at === i)) this.arena.give(start, floats);
  }

  /** @throws Unsupported where the kernels could not count the floats. */
  checkSizes(last: Node): void {
    const large = [...this.places.keys()].find(({ shape }) => sizeOf(shape) > mostFloats);
    if (large) throw new Unsupported(large, `: more than ${mostFloats} numbers`);
    if (this.size > mostFloats)
      throw new Unsupported(last, `: the tensors of a step need more than ${mostFloats} numbers`);
  }

  private hold(floats: number, until: number): Place {
    const start = this.arena.take(floats);
    this.held.push({ at: until, start, floats });
    return { buffer: 0, offset: start };
  }

  /** In the place of a tensor that this group is the last to read, before or while it computes the node: it is in a cache. */
  private overwrite(node: Node, group: Group, i: number, until: number): Place | undefined {
    const floats = sizeOf(node.shape);
    const later = new Set(
      group.nodes.slice(group.nodes.indexOf(node) + 1).flatMap((other) => [...this.inputsOf(other)]),
    );
    for (const input of this.lifetimes.reads[i]!) {
      const place = this.places.get(input);
      const holding = place?.buffer === 0 && this.held.find(({ at, start }) => at === i && start === place.offset);
      if (!holding || sizeOf(input.shape) !== floats || floats < group.rows * group.columns || later.has(input))
        continue;
      holding.at = until;
      return place;
    }
    return undefined;
  }
}

/** Floats that hold the places of a pooling's maxima: bytes, or whole numbers in large windows. */
function placesSize(pool: Node): number {
  const [height, width] = pool.attrs['window'] as [number, number];
  return height * width > bytePlaces ? sizeOf(pool.shape) : Math.ceil(sizeOf(pool.shape) / 4);
}
