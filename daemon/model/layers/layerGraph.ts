/** Walks a topology as TensorFlow.js would build it: which tensors each layer is called on, and their shapes. */
import { CONTAINERS, field, isLayerJson, isObject, layerName, layersOf, type LayerJson } from './layerConfig.js';
import { outputShapes } from './layerShapes.js';
import type { Shape } from './shape.js';
import { isFrozen, layerWeights, type WeightSpec } from './layerWeights.js';
import type { Topology } from '../model.js';

/** A layer that is not a container, with every call of it. */
export interface LayerNode {
  /** Containers' names and its own, joined by "/". */
  readonly path: string;
  readonly layer: LayerJson;
  /** Its own setting, or that of an enclosing model: trainable is false. */
  readonly frozen: boolean;
  /** Input shapes of each call; empty if no call is reached. */
  readonly calls: (readonly (Shape | null)[])[];
  /** Outputs of the first call. */
  outputs: (Shape | null)[];
  weights: WeightSpec[];
}

export interface ModelGraph {
  readonly layers: LayerNode[];
  readonly inputShapes: (Shape | null)[];
  readonly inputNames: string[];
  readonly outputShapes: (Shape | null)[];
  /** Path of the layer that makes each output (the last one inside a nested model). */
  readonly outputLayers: string[];
  /** For each output: the layers that it depends on, through all calls before it. */
  readonly behind: (() => ReadonlySet<LayerNode>)[];
}

export interface TensorRef {
  readonly layer: string;
  readonly node: number;
  readonly tensor: number;
}

/** One call of a layer, and the calls that made its inputs. */
interface Call {
  readonly node: LayerNode;
  readonly inputs: readonly (Call | null)[];
}

/** The result of one call: shapes, and which layer, in which call, made each. */
interface Produced {
  readonly shapes: (Shape | null)[];
  readonly makers: string[];
  readonly calls: (Call | null)[];
}

/** A tensor that a call takes. */
interface Given {
  readonly shape: Shape | null;
  readonly call: Call | null;
}

/** Every layer that a call depends on. */
function layersBehind(last: Call | null): ReadonlySet<LayerNode> {
  const seen = new Set<Call>();
  const waiting = [last];
  while (waiting.length > 0) {
    const call = waiting.pop();
    if (!call || seen.has(call)) continue;
    seen.add(call);
    waiting.push(...call.inputs);
  }
  return new Set([...seen].map(({ node }) => node));
}

/** `["dense", 0, 0, {...}]` as a reference. */
export function tensorRef(value: unknown): TensorRef | null {
  if (!Array.isArray(value)) return null;
  const [layer, node, tensor] = value as unknown[];
  return typeof layer === 'string' && typeof node === 'number' && typeof tensor === 'number'
    ? { layer, node, tensor }
    : null;
}

/** References of one inbound node, `[["a", 0, 0, {}], ["b", 0, 0, {}]]`. */
export const nodeRefs = (node: unknown): TensorRef[] =>
  (Array.isArray(node) ? (node as unknown[]) : []).map(tensorRef).filter((ref) => ref !== null);

/** `input_layers` and `output_layers`: a list of references, or a single one. */
export function endRefs(value: unknown): TensorRef[] {
  const single = tensorRef(value);
  return single ? [single] : nodeRefs(value);
}

/** The input shape in a layer's own config (first layer of a Sequential), without the batch axis. */
function declaredInput(layer: LayerJson): Shape | null {
  const { config } = layer;
  const withBatch = field(config, 'batch_input_shape') ?? field(config, 'batch_shape');
  const shape = Array.isArray(withBatch) ? (withBatch as unknown[]).slice(1) : field(config, 'input_shape');
  if (Array.isArray(shape)) return (shape as unknown[]).map((dim) => (typeof dim === 'number' ? dim : null));
  if (layer.class_name === 'Embedding') {
    const length = field(config, 'input_length');
    return (Array.isArray(length) ? (length as unknown[]) : [length]).map((dim) =>
      typeof dim === 'number' ? dim : null,
    );
  }
  const size = field(config, 'input_dim');
  return typeof size === 'number' ? [size] : null;
}

/** The layers that declare a model's inputs, in the inputs' order; for a nested model that comes first, its own. */
export function inputLayers(container: LayerJson): LayerJson[] {
  const layers = layersOf(container);
  const inside = (layer: LayerJson): LayerJson[] => (CONTAINERS.has(layer.class_name) ? inputLayers(layer) : [layer]);
  if (container.class_name === 'Sequential') return layers.slice(0, 1).flatMap(inside);
  return endRefs(field(container.config, 'input_layers')).flatMap((ref) =>
    layers.filter((layer) => layerName(layer) === ref.layer).flatMap(inside),
  );
}

/** The input shape of a Sequential: declared by its first layer, at any depth. */
function firstInput(sequential: LayerJson): Shape | null {
  const [first] = inputLayers(sequential);
  return first ? declaredInput(first) : null;
}

class Walk {
  readonly nodes: LayerNode[] = [];
  private readonly known = new Map<LayerJson, LayerNode>();

  /** Registers every layer first, so that `nodes` is in the topology's order whatever the order of calls. */
  register(container: LayerJson, prefix: string, inFrozen = false): void {
    const around = inFrozen || (isObject(container.config) && container.config.trainable === false);
    for (const layer of layersOf(container)) {
      const path = prefix + layerName(layer);
      if (CONTAINERS.has(layer.class_name)) this.register(layer, `${path}/`, around);
      else {
        const frozen = around || isFrozen(layer);
        const node: LayerNode = {
          path,
          layer,
          frozen,
          calls: [],
          outputs: [null],
          weights: layerWeights(layer, layerName(layer), null, frozen),
        };
        this.known.set(layer, node);
        this.nodes.push(node);
      }
    }
  }

  private call(layer: LayerJson, prefix: string, given: readonly Given[]): Produced {
    const inputs = given.map(({ shape }) => shape);
    if (CONTAINERS.has(layer.class_name)) return this.container(layer, `${prefix}${layerName(layer)}/`, given);
    const node = this.known.get(layer)!;
    const inner = layer.class_name === 'TimeDistributed' ? layer.config.layer : null;
    const overTime =
      isLayerJson(inner) && CONTAINERS.has(inner.class_name)
        ? modelOverTime(inner, inputs[0] ?? null, node.frozen)
        : null;
    const shapes = overTime?.shapes ?? outputShapes(layer, inputs);
    if (node.calls.length === 0) {
      node.outputs = shapes;
      node.weights = overTime?.weights ?? layerWeights(layer, layerName(layer), inputs[0] ?? null, node.frozen, inputs);
    }
    node.calls.push(inputs);
    const call: Call = { node, inputs: given.map((one) => one.call) };
    return { shapes, makers: shapes.map(() => node.path), calls: shapes.map(() => call) };
  }

  /** @param inputs of the call, or none for the model itself. */
  container(model: LayerJson, prefix: string, inputs: readonly Given[]): Produced {
    return model.class_name === 'Sequential'
      ? this.sequential(model, prefix, inputs)
      : this.functional(model, prefix, inputs);
  }

  private sequential(model: LayerJson, prefix: string, inputs: readonly Given[]): Produced {
    const [given] = inputs;
    let current: Produced = { shapes: [given?.shape ?? firstInput(model)], makers: [''], calls: [given?.call ?? null] };
    for (const layer of layersOf(model)) {
      // Inside a called model its InputLayer passes the call's tensor on.
      if (layer.class_name === 'InputLayer') {
        const node = this.known.get(layer)!;
        const shape = current.shapes[0] ?? outputShapes(layer, [])[0]!;
        if (node.calls.length === 0) node.outputs = [shape];
        node.calls.push([]);
        current = { shapes: [shape], makers: [node.path], calls: [{ node, inputs: current.calls }] };
      } else {
        const { shapes, calls } = current;
        current = this.call(layer, prefix, shapes.map((shape, i) => ({ shape, call: calls[i] ?? null }))); // prettier-ignore
      }
    }
    return current;
  }

  private functional(model: LayerJson, prefix: string, inputs: readonly Given[]): Produced {
    const config = isObject(model.config) ? model.config : {};
    const layers = new Map(layersOf(model).map((layer) => [layerName(layer), layer]));
    const inputRefs = endRefs(field(config, 'input_layers'));
    const produced = new Map<string, Produced>();
    const key = (layer: string, node: number) => `${node}#${layer}`;
    // Kahn's algorithm over calls: each waits for the tensors it names.
    const waiting = new Map<string, { call: () => Produced; out: string; missing: number }[]>();
    const ready: { call: () => Produced; out: string; missing: number }[] = [];
    for (const [name, layer] of layers) {
      if (layer.class_name === 'InputLayer') {
        const given = inputRefs.findIndex((ref) => ref.layer === name);
        const outer = given >= 0 ? inputs[given] : undefined;
        const shape = outer?.shape ?? outputShapes(layer, [])[0]!;
        const node = this.known.get(layer)!;
        const call = (): Produced => {
          if (node.calls.length === 0) node.outputs = [shape];
          node.calls.push([]);
          return { shapes: [shape], makers: [node.path], calls: [{ node, inputs: [outer?.call ?? null] }] };
        };
        ready.push({ call, out: key(name, 0), missing: 0 });
        continue;
      }
      // A container's own construction is its node 0, so calls of it are counted from 1.
      const first = CONTAINERS.has(layer.class_name) ? 1 : 0;
      const inbound = Array.isArray(layer.inbound_nodes) ? (layer.inbound_nodes as unknown[]) : [];
      inbound.forEach((value, i) => {
        const refs = nodeRefs(value);
        const call = (): Produced =>
          this.call(
            layer,
            prefix,
            refs.map((ref): Given => {
              const made = produced.get(key(ref.layer, ref.node));
              return { shape: made?.shapes[ref.tensor] ?? null, call: made?.calls[ref.tensor] ?? null };
            }),
          );
        const task = { call, out: key(name, i + first), missing: 0 };
        for (const need of new Set(refs.map((ref) => key(ref.layer, ref.node)))) {
          task.missing++;
          waiting.set(need, [...(waiting.get(need) ?? []), task]);
        }
        if (task.missing === 0) ready.push(task);
      });
    }
    while (ready.length > 0) {
      const task = ready.shift()!;
      produced.set(task.out, task.call());
      for (const next of waiting.get(task.out) ?? []) if (--next.missing === 0) ready.push(next);
    }
    const outputs = endRefs(field(config, 'output_layers')).map((ref) => {
      const made = produced.get(key(ref.layer, ref.node));
      return {
        shape: made?.shapes[ref.tensor] ?? null,
        maker: made?.makers[ref.tensor] ?? prefix + ref.layer,
        call: made?.calls[ref.tensor] ?? null,
      };
    });
    return {
      shapes: outputs.map((o) => o.shape),
      makers: outputs.map((o) => o.maker),
      calls: outputs.map((o) => o.call),
    };
  }
}

/** TimeDistributed around a whole model: its output per time step, its weights used once per step. */
function modelOverTime(
  model: LayerJson,
  input: Shape | null,
  frozen: boolean,
): { shapes: (Shape | null)[]; weights: WeightSpec[] } {
  const walk = new Walk();
  walk.register(model, '', frozen);
  const [shape] = walk.container(model, '', [{ shape: input?.slice(1) ?? null, call: null }]).shapes;
  const steps = input?.[0] ?? null;
  return {
    shapes: [shape ? [steps, ...shape] : null],
    weights: walk.nodes.flatMap((node) => node.weights).map((spec) => ({ ...spec, uses: spec.uses * (steps ?? 1) })),
  };
}

/** Never throws on a topology that went through `normaliseTopology`; unreachable or unknown layers get null shapes. */
export function modelGraph(topology: Topology): ModelGraph {
  const model: LayerJson = { class_name: topology.class_name, config: topology.config as LayerJson['config'] };
  const walk = new Walk();
  walk.register(model, '');
  const { shapes, makers, calls } = walk.container(model, '', []);
  const inputs =
    model.class_name === 'Sequential'
      ? [{ name: layersOf(model)[0] ? layerName(layersOf(model)[0]!) : '', shape: firstInput(model) }]
      : endRefs(isObject(model.config) ? field(model.config, 'input_layers') : []).map((ref) => ({
          name: ref.layer,
          shape: walk.nodes.find((node) => node.path === ref.layer)?.outputs[0] ?? null,
        }));
  return {
    layers: walk.nodes,
    inputShapes: inputs.map((input) => input.shape),
    inputNames: inputs.map((input) => input.name),
    outputShapes: shapes,
    outputLayers: makers,
    behind: calls.map((call) => () => layersBehind(call)),
  };
}
