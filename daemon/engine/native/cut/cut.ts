import type { Graph, Node } from '../../../network/ir.js';
import { sizeOf } from '../../../protocol/shape.js';
import type { View } from '../broadcast.js';
import { registers } from '../layout.js';
import { movingOps } from '../moves.js';
import { isElementwise, readsInside, roleIn, sumsRows, viewOf } from '../roles.js';
import { type Group, type InputsOf, root, type Unit, Unsupported } from '../units.js';
import { fuse, type Fusions, type Uses, usesOf } from './fusions.js';

/** At most this many nodes in a group: each may need a register, and two for each of three loads: as read, and spread. */
const groupLimit = Math.floor(registers / 7);

const simpleUnits: Partial<Record<Node['op'], Exclude<Unit['kind'], 'group'>>> = {
  Conv2DBackpropInput: 'inputGradient',
  MaxPool: 'maxPool',
  MaxPoolGrad: 'maxPoolGradient',
  AvgPool: 'averagePool',
  AvgPoolGrad: 'averagePoolGradient',
  Sum: 'reduce',
  Mean: 'reduce',
  Max: 'reduce',
  Prod: 'reduce',
  Cumsum: 'cumulativeSum',
  DepthwiseConv2D: 'depthwise',
  DepthwiseConv2DBackpropInput: 'depthwiseInputGradient',
  DepthwiseConv2DBackpropFilter: 'depthwiseFilterGradient',
  Gather: 'gather',
  SegmentSum: 'segmentSum',
  ...Object.fromEntries(movingOps.map((op) => [op, 'move' as const])),
};

/**
 * Sums, differences and products of a tensor that is kept for other reasons with something small: computed again by every
 * group that reads them, at the price of reading what they would be stored beside.
 */
function isRepeatable(node: Node, inputs: readonly Node[]): boolean {
  const size = sizeOf(node.shape);
  const large = inputs.filter((input) => sizeOf(input.shape) === size);
  const kept = large.length === 1 && !isElementwise(large[0]!) && !sumsRows(large[0]!) && large[0]!.op !== 'Constant';
  return kept && ['Add', 'Sub', 'Multiply'].includes(node.op) && inputs.every(({ shape }) => sizeOf(shape) === size || sizeOf(shape) <= (node.shape.at(-1) ?? 1)); // prettier-ignore
}

/**
 * Cuts a graph into units. Element-wise nodes go as late as they can, to where they are read first: what only a backward
 * chain needs is computed in it, and never stored. Some are in several groups. What ends in sums that only the graph's
 * caller reads, such as a bias's gradient, goes as early as it can: what it reads would be kept for it.
 *
 * @throws Unsupported
 */
export function cutIntoUnits(graph: Graph): { units: Unit[]; inputsOf: InputsOf } {
  const uses = usesOf(graph);
  const schedule = new Schedule(graph, uses, fuse(graph, uses));
  for (const node of [...graph.nodes].reverse()) schedule.add(node);
  return { units: schedule.units(), inputsOf: schedule.inputsOf };
}

/** Units from the last to the first, as nodes are added from the last to the first. */
class Schedule {
  /** The first one runs last. */
  private readonly schedule: Unit[] = [];
  private readonly place = new Map<Node, number>();
  private readonly users = new Map<Node, Node[]>();
  private readonly inGraph: ReadonlySet<Node>;
  /** What only ends in sums, in order, by the last node of all that it reads: added with that. */
  private readonly waiting = new Map<Node, Node[]>();

  constructor(
    graph: Graph,
    private readonly uses: Uses,
    private readonly fusions: Fusions,
  ) {
    this.inGraph = new Set(graph.nodes);
    // From the end: what nobody reads any more reads nothing either, such as a transpose that a product sees through.
    for (const node of [...graph.nodes].reverse()) {
      if (root(node) !== node || this.isDead(node)) continue;
      for (const input of this.inputsOf(node)) this.users.set(input, [node, ...(this.users.get(input) ?? [])]);
    }
  }

  readonly inputsOf: InputsOf = (node) => this.fusions.replaced.get(node) ?? node.inputs.map(root);

  units(): Unit[] {
    return [...this.schedule].reverse();
  }

  add(node: Node): void {
    if (root(node) !== node) return;
    const unit = this.fusions.units.get(node);
    if (unit) {
      this.put(unit, membersOf(unit));
      return;
    }
    if (this.fusions.inside.has(node) || this.isDead(node)) return;
    const view = viewOf(node);
    if (view) {
      if (!this.waits(node)) this.join(node, view);
      return;
    }
    const kind = simpleUnits[node.op];
    if (!kind) throw new Unsupported(node);
    this.put({ kind, node } as Unit, [node]);
  }

  private isDead(node: Node): boolean {
    return !this.users.has(node) && !this.uses.outputs.has(node) && !this.fusions.inside.has(node);
  }

  private put(unit: Unit, nodes: readonly Node[]): void {
    for (const node of nodes) this.addWaiting(node);
    this.schedule.push(unit);
    for (const node of nodes) this.place.set(node, this.schedule.length - 1);
  }

  /** Puts nodes, which are in order, in front of a group's. */
  private unshift(at: number, nodes: readonly Node[]): void {
    (this.schedule[at] as Group).nodes.unshift(...nodes);
    for (const node of nodes) this.place.set(node, at);
  }

  /** Notes a node that ends in sums only for the last of its inputs. @returns whether it does. */
  private waits(node: Node): boolean {
    const own = this.waiting.get(node) ?? [];
    const ends = sumsRows(node)
      ? !this.users.has(node)
      : isElementwise(node) &&
        !this.uses.outputs.has(node) &&
        this.users.get(node)!.every((user) => own.includes(user));
    if (!ends) return false;
    const chain = [node, ...own];
    const last = chain
      .flatMap((next) => this.inputsOf(next))
      .filter((input) => this.inGraph.has(input) && !chain.includes(input))
      .reduce<Node | undefined>((latest, input) => (latest && latest.id > input.id ? latest : input), undefined);
    if (!last) return false;
    this.waiting.delete(node);
    this.waiting.set(last, [...chain, ...(this.waiting.get(last) ?? [])]);
    return true;
  }

  /** Adds what waits for a node that is about to be put: to a group that reads it anyway, or in groups of its own. */
  private addWaiting(node: Node): void {
    const chain = this.waiting.get(node);
    if (!chain) return;
    this.waiting.delete(node);
    const readers = (this.users.get(node) ?? []).flatMap((user) => this.place.get(user) ?? []);
    const at = readers.sort((a, b) => b - a).find((place) => this.takes(this.schedule[place]!, chain));
    if (at !== undefined) {
      this.unshift(at, chain);
      return;
    }
    for (const next of chain.reverse()) {
      const last = this.schedule.length - 1;
      if (last >= 0 && this.isOwn(last, chain) && this.takes(this.schedule[last]!, [next])) this.unshift(last, [next]);
      else this.put({ kind: 'group', ...viewOf(next)!, nodes: [next] }, [next]);
    }
  }

  /** Whether a group is of nothing but some nodes. */
  private isOwn(at: number, nodes: readonly Node[]): boolean {
    const unit = this.schedule[at]!;
    return unit.kind === 'group' && unit.nodes.every((node) => nodes.includes(node));
  }

  private takes(unit: Unit, nodes: readonly Node[]): boolean {
    if (unit.kind !== 'group' || unit.nodes.length + nodes.length > groupLimit) return false;
    return nodes.every((node) => ['element', 'columnSum'].includes(roleIn(node, this.inputsOf(node), unit)!));
  }

  private join(node: Node, view: View): void {
    const { schedule, place } = this;
    const inputs = this.inputsOf(node);
    const readers = this.users.get(node) ?? [];
    const groups = new Set(readers.map((user) => schedule[place.get(user) ?? -1]));
    const roomy = (unit: Unit | undefined): unit is Group => {
      if (unit?.kind !== 'group' || unit.nodes.length >= groupLimit) return false;
      const role = roleIn(node, inputs, unit);
      // Operations on one number a row are there for what reads them.
      return role === 'row' ? groups.has(unit) : role !== undefined;
    };
    const whole = (unit: Unit | undefined) => roomy(unit) && roleIn(node, inputs, unit) === 'element';
    const waits = this.waiting.has(node);
    if (
      groups.size > 1 &&
      !waits &&
      !this.uses.outputs.has(node) &&
      isRepeatable(node, inputs) &&
      [...groups].every(whole)
    ) {
      for (const group of groups) (group as Group).nodes.unshift(node);
      place.set(node, Math.max(...readers.map((user) => place.get(user)!)));
      return;
    }
    let earliest = 0;
    for (const user of readers) {
      const at = place.get(user);
      if (at === undefined) continue;
      const group = schedule[at]!;
      const role = group.kind === 'group' ? roleIn(node, inputs, group) : undefined;
      const joins = role && group.kind === 'group' && readsInside(user, this.inputsOf(user), node, role, group);
      earliest = Math.max(earliest, joins ? at : at + 1);
    }
    const at = schedule.findIndex((candidate, i) => i >= earliest && roomy(candidate));
    const own: Group = { kind: 'group', ...view, nodes: [node] };
    const chain = this.waiting.get(node);
    if (chain && this.takes(at < 0 ? own : schedule[at]!, [node, ...chain])) {
      // In the group that computes what they read.
      this.waiting.delete(node);
      if (at < 0) this.put({ ...own, nodes: [node, ...chain] }, [node, ...chain]);
      else this.unshift(at, [node, ...chain]);
    } else if (at < 0 || chain) this.put(own, [node]);
    else this.unshift(at, [node]);
  }
}

/** Nodes whose readers must run after the unit. */
function membersOf(unit: Unit): Node[] {
  if (unit.kind === 'group') return unit.nodes;
  const nodes = [unit.node];
  if ('result' in unit) nodes.push(unit.result);
  if ('bias' in unit && unit.bias && unit.kind === 'filterGradient') nodes.push(unit.bias);
  if ('pool' in unit && unit.pool && unit.kind === 'filterGradient') nodes.push(unit.pool);
  return nodes;
}
