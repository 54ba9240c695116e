/** A model of layers without the units that no output depends on: smaller weights, and the sizes in the layers' settings that follow. */
import { type Node, sameShape } from '../../network/ir.js';
import { thinGraph, type ThinNetwork, type ThinOptions } from '../../network/structure/thin.js';
import { withNodes } from '../../network/structure/withNodes.js';
import type { KeptIndices, Left } from '../layerClasses/layerClass.js';
import { classOf } from '../layerClasses/registry.js';
import type { LayerJson } from '../layers/layerConfig.js';
import { modelGraph } from '../layers/layerGraph.js';
import type { LayersModel, Topology } from '../model.js';
import { wiringOf, type Call } from '../normalise/wiring.js';
import { lowerLayers, partOf, type LoweredCall, type LoweredLayers } from './lowering.js';
import { withoutIdleBiases, withZeroBiases } from './zeroBiases.js';

type Stays = NonNullable<ThinOptions['stays']>[number];

/** What is left of a node, by axis, without the batch. Constants, and what no output needs, stay whole. */
const keptOf = (thin: ThinNetwork, node: Node): KeptIndices =>
  node.shape.slice(1).map((n, i) => thin.kept(node, i + 1) ?? Array.from({ length: n }, (_, index) => index));

const isCut = (kept: KeptIndices, { shape }: Node): boolean => kept.some(({ length }, i) => length < shape[i + 1]!);

/** A layer's own setting of the shape of its input: that of the first layer of a nested model. */
function resizeDeclaredInput({ class_name: className, config }: LayerJson, input: KeptIndices): void {
  for (const key of ['batch_input_shape', 'batchInputShape', 'input_shape', 'inputShape']) {
    const shape: unknown = config[key];
    if (!Array.isArray(shape)) continue;
    const own = (dim: unknown, i: number): unknown => (typeof dim === 'number' ? input.at(i - shape.length)?.length ?? dim : dim); // prettier-ignore
    config[key] = (shape as unknown[]).map(own);
  }
  // Of an Embedding it is the vocabulary.
  if (className === 'Embedding') return;
  for (const key of ['input_dim', 'inputDim']) if (typeof config[key] === 'number') config[key] = input.at(-1)!.length;
}

/** By the rule of the layer's class. */
const resize: Left['of'] = ({ class_name: className, config }, left) =>
  classOf(className)?.resize?.(config, { ...left, of: resize });

/** The topology with the sizes that are left. */
function resized(topology: Topology, { calls, weights: whole }: LoweredLayers, thin: ThinNetwork): Topology {
  const smaller = structuredClone(topology);
  const shapes = new Map(whole.map(({ name, shape }) => [name, shape]));
  const layers = new Map(modelGraph(smaller).layers.map(({ path, layer }) => [path, layer]));
  const done = new Set<string>();
  for (const { call, inputs, outputs } of calls) {
    const [input, output] = [inputs[0], outputs[0]];
    const { path } = call.node;
    if (done.has(path) || !output) continue;
    done.add(path);
    const layer = layers.get(path)!;
    const [before, after] = [input ? keptOf(thin, input) : [], keptOf(thin, output)];
    const shrinks = input !== undefined && isCut(before, input);
    if (shrinks) resizeDeclaredInput(layer, before);
    const left = call.node.weights.map(({ name }) => ({
      name,
      shape: thin.weights.get(name)?.shape ?? shapes.get(name)!,
    }));
    if (!shrinks && !isCut(after, output) && left.every(({ name, shape }) => sameShape(shape, shapes.get(name)!)))
      continue;
    const weights = Object.fromEntries(left.map(({ name, shape }) => [partOf(call.node, name), shape]));
    resize(layer, { output: after, input: before, weights });
  }
  return smaller;
}

/** Axes of a call's outputs whose sizes, by the layers' settings, are not what is left of them. */
const misfits = ({ outputs }: LoweredCall, found: Call | undefined, thin: ThinNetwork): Stays[] =>
  outputs.flatMap((node, i): Stays[] => {
    if (!node) return [];
    const shape = found?.outputs[i]?.shape;
    return keptOf(thin, node).flatMap(({ length }, axis) =>
      length === (shape?.[axis] ?? node.shape[axis + 1]) ? [] : [{ node, axis: axis + 1 }],
    );
  });

/**
 * What has to stay whole, because settings cannot be set to what is left: axes that lose indices, of the first call that does not fit, since the
 * calls behind it follow. null: everything fits.
 */
function unmet(topology: Topology, lowered: LoweredLayers, thin: ThinNetwork): Stays[] | null {
  const { calls } = lowered;
  const found = wiringOf(topology).calls;
  for (const [at, call] of calls.entries()) {
    const wrong = misfits(call, found[at], thin);
    if (wrong.length === 0) continue;
    const around = [...call.inputs, ...call.outputs].flatMap((node) => node?.shape.slice(1).map((_, i) => ({ node, axis: i + 1 })) ?? []); // prettier-ignore
    const loses = ({ node, axis }: Stays): boolean => (thin.kept(node, axis)?.length ?? Infinity) < node.shape[axis]!;
    const own = wrong.filter(loses);
    return own.length > 0 ? own : around.filter(loses);
  }
  const wrong = unmetWeights(topology, lowered, thin);
  return wrong.length > 0 ? wrong : null;
}

/** The axes that weights of a layer lose of which the settings say another size: those inside a layer, which its outputs do not show. */
function unmetWeights(topology: Topology, { graph, weights }: LoweredLayers, thin: ThinNetwork): Stays[] {
  const said = new Map(modelGraph(topology).layers.flatMap((one) => one.weights.map(({ name, shape }) => [name, shape])));
  const wrong = new Set(
    weights.flatMap(({ name, layer, shape }) => {
      // The pass may not need all weights of a layer; those stay as they are.
      const left = thin.weights.get(name)?.shape ?? shape;
      return left.every((n, axis) => n === (said.get(name)?.[axis] ?? n)) ? [] : [layer];
    }),
  );
  const layerOf = new Map(weights.map(({ name, layer }) => [name, layer]));
  return graph.inputs.flatMap((input): Stays[] => {
    const left = 'name' in input && wrong.has(layerOf.get(input.name)!) ? thin.weights.get(input.name)?.shape : undefined;
    return left?.flatMap((n, axis) => (n < input.node.shape[axis]! ? [{ node: input.node, axis }] : [])) ?? [];
  });
} // prettier-ignore

/** One pass; null when nothing is left to remove. */
function pass(model: LayersModel): LayersModel | null {
  const lowered = lowerLayers(model.topology, new Map(model.weights.map(({ name, shape }) => [name, shape])));
  const values = new Map(model.weights.map(({ name, data }) => [name, data]));
  const graph = withNodes(lowered.graph, lowered.calls.flatMap(({ outputs }) => outputs.filter((node) => node !== undefined))); // prettier-ignore
  const stays: Stays[] = [];
  for (;;) {
    const thin = thinGraph(graph, values, { stays });
    if ([...thin.weights].every(([name, { data }]) => data.length === values.get(name)!.length)) return null;
    const topology = resized(model.topology, lowered, thin);
    const more = unmet(topology, lowered, thin);
    if (more) {
      if (more.length === 0) return null;
      stays.push(...more);
      continue;
    }
    const weights = model.weights.map((weight) => {
      const left = thin.weights.get(weight.name);
      return left ? { ...weight, shape: left.shape, data: left.data } : weight;
    });
    return { ...model, topology, weights };
  }
}

/** To a fixed point: without some units others may go. */
function passes(model: LayersModel): LayersModel {
  let thinned = model;
  for (let next = pass(model); next; next = pass(thinned)) thinned = next;
  return thinned;
}

/** A unit may be constant, and its readers lack the bias that would take the constant over: then they get one. */
function passesWithBiases(model: LayersModel): LayersModel {
  const biased = withZeroBiases(model);
  if (!biased) return model;
  const thinned = passes(biased);
  return thinned === biased ? model : withoutIdleBiases(thinned, model);
}

/** @returns `model` itself if nothing can be removed. */
export const thinLayers = (model: LayersModel): LayersModel => passesWithBiases(passes(model));
