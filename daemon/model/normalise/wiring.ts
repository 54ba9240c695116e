/** A topology as calls on tensors: nested models are inlined, so that channels can be followed from layer to layer. */
import { CONTAINERS, field, isObject, layerName, layersOf, type Json, type LayerJson } from '../layers/layerConfig.js';
import { endRefs, modelGraph, nodeRefs, type LayerNode, type ModelGraph } from '../layers/layerGraph.js';
import { outputShapes } from '../layers/layerShapes.js';
import type { Shape } from '../layers/shape.js';
import type { Topology } from '../model.js';

export interface Tensor {
  readonly id: number;
  /** Without the batch axis; null where it is not known. */
  readonly shape: Shape | null;
}

/** One call of a layer that is not a container. */
export interface Call {
  readonly node: LayerNode;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

export interface Wiring {
  /** In topological order. */
  readonly calls: readonly Call[];
  readonly tensors: readonly Tensor[];
  readonly inputs: readonly Tensor[];
  readonly inputNames: readonly string[];
  readonly outputs: readonly Tensor[];
}

interface Task {
  readonly out: string;
  readonly run: () => readonly Tensor[];
  missing: number;
}

class Wires {
  readonly calls: Call[] = [];
  readonly tensors: Tensor[] = [];
  private readonly nodes: ReadonlyMap<LayerJson, LayerNode>;

  constructor(nodes: readonly LayerNode[]) {
    this.nodes = new Map(nodes.map((node) => [node.layer, node]));
  }

  tensor(shape: Shape | null): Tensor {
    const tensor = { id: this.tensors.length, shape };
    this.tensors.push(tensor);
    return tensor;
  }

  private call(layer: LayerJson, inputs: readonly Tensor[]): readonly Tensor[] {
    if (CONTAINERS.has(layer.class_name)) return this.container(layer, inputs);
    const shapes = inputs.map(({ shape }) => shape);
    // Inside a called model its InputLayer passes the call's tensor on.
    const passes = layer.class_name === 'InputLayer' && inputs.length > 0;
    const outputs = (passes ? shapes : outputShapes(layer, shapes)).map((shape) => this.tensor(shape));
    this.calls.push({ node: this.nodes.get(layer)!, inputs, outputs });
    return outputs;
  }

  container(model: LayerJson, inputs: readonly Tensor[]): readonly Tensor[] {
    if (model.class_name !== 'Sequential') return this.functional(model, inputs);
    return layersOf(model).reduce((current, layer) => this.call(layer, current), inputs);
  }

  private functional(model: LayerJson, inputs: readonly Tensor[]): readonly Tensor[] {
    const config: Json = isObject(model.config) ? model.config : {};
    const inputRefs = endRefs(field(config, 'input_layers'));
    const produced = new Map<string, readonly Tensor[]>();
    const key = (layer: string, node: number) => `${node}#${layer}`;
    const waiting = new Map<string, Task[]>();
    const ready: Task[] = [];
    for (const layer of layersOf(model)) {
      const name = layerName(layer);
      if (layer.class_name === 'InputLayer') {
        const given = inputs[inputRefs.findIndex((ref) => ref.layer === name)];
        ready.push({ out: key(name, 0), run: () => this.call(layer, given ? [given] : []), missing: 0 });
        continue;
      }
      // A container's own construction is its node 0, so calls of it are counted from 1.
      const first = CONTAINERS.has(layer.class_name) ? 1 : 0;
      const inbound = Array.isArray(layer.inbound_nodes) ? (layer.inbound_nodes as unknown[]) : [];
      inbound.forEach((value, i) => {
        const refs = nodeRefs(value);
        const given = () =>
          refs.map((ref) => produced.get(key(ref.layer, ref.node))?.[ref.tensor] ?? this.tensor(null));
        const needs = new Set(refs.map((ref) => key(ref.layer, ref.node)));
        const task: Task = { out: key(name, i + first), run: () => this.call(layer, given()), missing: needs.size };
        for (const need of needs) waiting.set(need, [...(waiting.get(need) ?? []), task]);
        if (task.missing === 0) ready.push(task);
      });
    }
    for (const task of ready) {
      produced.set(task.out, task.run());
      for (const next of waiting.get(task.out) ?? []) if (--next.missing === 0) ready.push(next);
    }
    return endRefs(field(config, 'output_layers')).map(
      (ref) => produced.get(key(ref.layer, ref.node))?.[ref.tensor] ?? this.tensor(null),
    );
  }
}

/**
 * Never throws on a normalised topology; what is unknown has a null shape. Layers are those of `topology` itself.
 * @param graph of this very topology, if the caller has it.
 */
export function wiringOf(topology: Topology, graph: ModelGraph = modelGraph(topology)): Wiring {
  const wires = new Wires(graph.layers);
  const model: LayerJson = { class_name: topology.class_name, config: topology.config as Json };
  const sequential = model.class_name === 'Sequential';
  const given = sequential ? [wires.tensor(graph.inputShapes[0] ?? null)] : [];
  const outputs = wires.container(model, given);
  const inputs = sequential
    ? given
    : graph.inputNames.flatMap((name) => wires.calls.find((call) => call.node.path === name)?.outputs ?? []);
  return { calls: wires.calls, tensors: wires.tensors, inputs, inputNames: graph.inputNames, outputs };
}
