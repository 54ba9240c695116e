/** A model of layers as operations of the network IR, by the forward rule of each class: what its structure is read from. No TensorFlow is involved. */
import { GraphBuilder } from '../../network/builder.js';
import { type Graph, type GraphOutput, type Node, sameShape } from '../../network/ir.js';
import type { NetworkWeight } from '../../network/network.js';
import { Operations } from '../../network/operations.js';
import type { StayCause } from '../../protocol/layers/networkGraph.js';
import type { ForwardCall } from '../layerClasses/layerClass.js';
import { classOf } from '../layerClasses/registry.js';
import { layerName, type LayerJson } from '../layers/layerConfig.js';
import { modelGraph, type LayerNode, type ModelGraph } from '../layers/layerGraph.js';
import { outputShapes } from '../layers/layerShapes.js';
import type { Shape } from '../layers/shape.js';
import type { Topology } from '../model.js';
import { wiringOf, type Call, type Tensor, type Wiring } from '../normalise/wiring.js';
import { withInputSizes } from '../setup/inputSizes.js';
import { passedMask } from './masks.js';

/** Two samples, because an axis of length 1 would be taken for one that a broadcast made. */
const BATCH = 2;

/** Stands for sizes that a topology leaves open: large enough for the halvings of a convolutional network. */
const OPEN_SIZE = 224;

/** A call with its nodes. Of a layer without operations, the output is an input of the graph. */
export interface LoweredCall {
  readonly call: Call;
  /** undefined: of unknown shape. */
  readonly inputs: readonly (Node | undefined)[];
  readonly outputs: readonly (Node | undefined)[];
  /** false: the class has no operations for it. */
  readonly isLowered: boolean;
}

export interface LoweredLayers {
  /** An inference pass. What layers without operations make is an input of it, and what they read an output. */
  readonly graph: Graph;
  readonly calls: readonly LoweredCall[];
  /** All weights of the layers, by the paths of these. */
  readonly weights: readonly NetworkWeight[];
  /** Nodes of the model's inputs; undefined: of unknown shape. */
  readonly inputs: readonly (Node | undefined)[];
  /** Why a layer without operations needs all units of a node that it makes or reads. The model's own outputs are left out. */
  readonly outside: ReadonlyMap<Node, StayCause>;
}

/** Longest axis whose indices are followed one by one. */
const LONGEST = 2 ** 22;

const isClosed = (shape: Shape | null): shape is readonly number[] =>
  shape !== null && shape.every((n) => n !== null && Number.isInteger(n) && n > 0 && n <= LONGEST);

/** The wiring with a size for each open one. */
function closedWiring(topology: Topology, graph: ModelGraph): { wiring: Wiring; graph: ModelGraph } {
  const sizes = graph.inputShapes.map((shape) => (shape ?? [null]).map((n) => n ?? OPEN_SIZE));
  const closed = withInputSizes({ topology }, sizes).topology;
  const own = closed === topology ? graph : modelGraph(closed);
  return { wiring: wiringOf(closed, own), graph: own };
}

/** A weight's name within its layer. */
export const partOf = ({ layer }: LayerNode, name: string): string => name.slice(layerName(layer).length + 1);

class Lowering {
  readonly #builder = new GraphBuilder();
  readonly #op = new Operations(this.#builder);
  readonly #nodes = new Map<number, Node>();
  readonly #masks = new Map<number, Node | null>();
  readonly #weights = new Map<string, Node>();
  readonly #outputs = new Set<Node>();
  readonly outside = new Map<Node, StayCause>();
  readonly calls: LoweredCall[] = [];
  #data = 0;

  constructor(private readonly shapes: ReadonlyMap<string, readonly number[]>) {}

  input(tensor: Tensor): Node | undefined {
    if (!isClosed(tensor.shape)) return undefined;
    const node = this.#builder.input([BATCH, ...tensor.shape], { role: 'data', index: this.#data++ });
    this.#nodes.set(tensor.id, node);
    return node;
  }

  output(node: Node): void {
    this.#outputs.add(node);
  }

  node(tensor: Tensor): Node | undefined {
    return this.#nodes.get(tensor.id);
  }

  /** The weights of a layer by name; null if one has another shape than the layer's config says, or none. */
  #weightsOf(node: LayerNode): Record<string, Node> | null {
    const found: Record<string, Node> = {};
    for (const { name, shape, statistic } of node.weights) {
      const known = this.shapes.get(name) ?? shape;
      if (!isClosed(known) || known.length !== shape.length || shape.some((n, axis) => n !== null && n !== known[axis])) return null; // prettier-ignore
      const there = this.#weights.get(name) ?? this.#builder.input(known, { role: statistic ? 'state' : 'parameter', name }); // prettier-ignore
      if (!sameShape(there.shape, known)) return null;
      this.#weights.set(name, there);
      found[partOf(node, name)] = there;
    }
    return found;
  }

  #forward({ node, outputs }: Call, inputs: readonly (Node | undefined)[], masks: readonly (Node | null)[]): readonly Node[] | null {
    const record = classOf(node.layer.class_name);
    const shapes = outputs.map(({ shape }) => shape);
    if (!record?.forward || !shapes.every(isClosed)) return null;
    if (!inputs.every((input) => input !== undefined)) return null;
    // The sizes in the config of a layer with several calls and no weights are those of all calls, which no operation ties.
    if (record.resize && node.weights.length === 0 && node.calls.length > 1) return null;
    const weights = this.#weightsOf(node);
    const made = weights && this.#outputsOf(node.layer, inputs, weights, masks);
    const fits = made?.length === shapes.length && made.every((one, i) => sameShape(one.shape, [BATCH, ...shapes[i]!]));
    return fits ? made : null;
  } // prettier-ignore

  /** By the rule of a class, also for a layer inside another one. */
  #outputsOf(layer: LayerJson, inputs: readonly Node[], weights: Readonly<Record<string, Node>>, masks: readonly (Node | null)[]): readonly Node[] | null {
    const record = classOf(layer.class_name);
    const [shape = null] = outputShapes(layer, inputs.map((x) => x.shape.slice(1)));
    if (!record?.forward || !isClosed(shape)) return null;
    const of: ForwardCall['of'] = (inner, own, parts, ownMasks) => this.#outputsOf(inner, own, parts, ownMasks);
    const made = record.forward(this.#op, layer.config, inputs, weights, { masks, shape, of });
    return made && [made].flat();
  } // prettier-ignore

  call(call: Call): void {
    const { layer, path } = call.node;
    this.#builder.layer = path;
    const inputs = call.inputs.map((tensor) => this.node(tensor));
    const masks = call.inputs.map(({ id }) => this.#masks.get(id) ?? null);
    const made = this.#forward(call, inputs, masks);
    const known = inputs.filter((input) => input !== undefined);
    const isShared = call.node.calls.length > 1 && classOf(layer.class_name)?.forward !== undefined;
    const cause: StayCause = { why: isShared ? 'shared' : 'mixes', layer: path };
    const outputs = call.outputs.map((tensor, i) => {
      const own = made?.[i];
      if (own) this.#nodes.set(tensor.id, own);
      const node = own ?? this.node(tensor) ?? this.input(tensor);
      const mask = i === 0 && known.length === inputs.length && known.length > 0 ? passedMask(this.#op, layer, known, masks) : null;
      this.#masks.set(tensor.id, mask);
      if (node && !made && inputs.length > 0) this.outside.set(node, cause);
      return node;
    }); // prettier-ignore
    if (!made)
      for (const input of known) {
        this.output(input);
        this.outside.set(input, cause);
      }
    this.calls.push({ call, inputs, outputs, isLowered: made !== null || inputs.length === 0 });
  }

  finish(): Graph {
    const outputs = [...this.#outputs].map((node, index): GraphOutput => ({ role: 'output', node, ...(index > 0 && { index }) })); // prettier-ignore
    return this.#builder.finish(outputs);
  }
}

/** Tensors that a model returns, or that a call makes of which nobody reads anything: all of their units stay. */
function endsOf({ calls, outputs }: Wiring): Tensor[] {
  const read = new Set(calls.flatMap(({ inputs }) => inputs));
  return [
    ...new Set([
      ...outputs,
      ...calls.flatMap((call) => (call.outputs.some((tensor) => read.has(tensor)) ? [] : call.outputs)),
    ]),
  ];
}

/**
 * Never throws on a normalised topology: a layer without operations, or of unknown sizes, separates the parts before and behind it.
 * @param shapes of weights by name, where they are known; they settle sizes that the topology leaves open.
 * @param given the graph of this very topology, if the caller has it.
 */
export function lowerLayers(
  topology: Topology,
  shapes: ReadonlyMap<string, readonly number[]>,
  given: ModelGraph = modelGraph(topology),
): LoweredLayers {
  const { wiring, graph } = closedWiring(topology, given);
  const lowering = new Lowering(shapes);
  const inputs = wiring.inputs.map((tensor) => lowering.input(tensor));
  for (const call of wiring.calls) lowering.call(call);
  for (const tensor of endsOf(wiring)) {
    const node = lowering.node(tensor);
    if (!node) continue;
    lowering.output(node);
    // The model's own output is the better reason.
    lowering.outside.delete(node);
  }
  const weights = graph.layers.flatMap(({ path, weights: own }) =>
    own.map(({ name, shape, prunable, statistic }) => ({
      name,
      layer: path,
      shape: shapes.get(name) ?? shape.map((n) => n ?? 0),
      prunable,
      trainable: statistic !== true,
    })),
  );
  return { graph: lowering.finish(), calls: lowering.calls, weights, inputs, outside: lowering.outside };
}
