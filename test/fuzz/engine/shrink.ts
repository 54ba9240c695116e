/** The smallest network that still has a verdict: layers are dropped, batches and sizes made smaller, one change at a time. */
import type { LayerJson } from '../../../daemon/model/layers/layerConfig.js';
import { modelGraph } from '../../../daemon/model/layers/layerGraph.js';
import type { Network } from './networks/network.js';
import type { Verdict } from './verdict.js';

interface Functional {
  readonly name: string;
  readonly layers: readonly LayerJson[];
  readonly input_layers: readonly unknown[];
  readonly output_layers: readonly [string, number, number][];
}

type Calls = [string, number, number, object][][];

/** A Sequential model as a functional one, whose layers can be taken out one by one. */
function functional({ topology }: Network): Functional {
  const config = topology.config as Functional;
  if (topology.class_name !== 'Sequential') return config;
  const first = config.layers[0]!;
  const input = { class_name: 'InputLayer', name: 'input', config: { name: 'input', batch_input_shape: first.config['batch_input_shape'], dtype: 'float32', sparse: false }, inbound_nodes: [] }; // prettier-ignore
  const names = ['input', ...config.layers.map(({ config: own }) => own['name'] as string)];
  const layers = config.layers.map((layer, i) => ({ ...layer, name: names[i + 1]!, config: { ...layer.config, batch_input_shape: undefined }, inbound_nodes: [[[names[i]!, 0, 0, {}]]] })); // prettier-ignore
  return { name: 'network', layers: [input, ...layers], input_layers: [['input', 0, 0]], output_layers: [[names.at(-1)!, 0, 0]] }; // prettier-ignore
}

/** The model without one layer: its readers read its inputs. */
function without(model: Functional, name: string): Functional | undefined {
  const layer = model.layers.find((entry) => entry.name === name)!;
  const calls = layer.inbound_nodes as Calls;
  if (calls.length === 0) return undefined;
  const instead = (from: string, call: number): [string, number] => {
    if (from !== name) return [from, call];
    const [source] = calls[call]!;
    return [source![0], source![1]];
  };
  const layers = model.layers
    .filter((entry) => entry !== layer)
    .map((entry) => ({ ...entry, inbound_nodes: (entry.inbound_nodes as Calls).map((call) => call.map(([from, node, tensor, more]) => [...instead(from, node), tensor, more])) })); // prettier-ignore
  const output_layers = model.output_layers.map(([from, node, tensor]): [string, number, number] => [...instead(from, node), tensor]); // prettier-ignore
  return { ...model, layers, output_layers };
}

/** Drops layers that nothing reads any more. */
function pruned(model: Functional): Functional {
  const read = new Set([...model.output_layers.map(([name]) => name), ...model.layers.flatMap(({ inbound_nodes }) => (inbound_nodes as Calls).flat().map(([name]) => name))]); // prettier-ignore
  const layers = model.layers.filter(({ name, class_name }) => class_name === 'InputLayer' || read.has(name as string));
  return layers.length === model.layers.length ? model : pruned({ ...model, layers });
}

/** The numbers of a config that may be smaller, each by a few smaller values. */
function* smallerConfigs(model: Functional): Generator<Functional> {
  for (const [i, layer] of model.layers.entries())
    for (const [key, value] of Object.entries(layer.config)) {
      const replace = (changed: unknown): Functional => ({ ...model, layers: model.layers.with(i, { ...layer, config: { ...layer.config, [key]: changed } }) }); // prettier-ignore
      if (typeof value === 'number' && /units|filters|output_dim|multiplier/.test(key) && value > 1)
        for (const smaller of new Set([1, 2, Math.floor(value / 2), value - 1])) if (smaller < value) yield replace(smaller); // prettier-ignore
      if (Array.isArray(value) && /batch_input_shape|kernel_size|pool_size|strides|dilation/.test(key))
        for (const [axis, n] of (value as (number | null)[]).entries())
          if (n !== null && n > 1) for (const smaller of new Set([1, Math.floor(n / 2), n - 1])) if (smaller < n) yield replace((value as number[]).with(axis, smaller)); // prettier-ignore
      if (key === 'use_bias' && value === true) yield replace(false);
      if (key === 'activation' && value !== 'linear' && layer.class_name !== 'Activation') yield replace('linear');
      if (key.endsWith('regularizer')) yield replace(null);
    }
}

function* candidates(network: Network, model: Functional): Generator<Network> {
  const withModel = (smaller: Functional): Network => ({ ...network, topology: { class_name: 'Model', config: smaller } }); // prettier-ignore
  for (const { name } of [...model.layers].reverse()) {
    const less = without(model, name as string);
    if (less && less.layers.length > 1) yield withModel(pruned(less));
  }
  const { classWeights: _, ...plain } = network;
  if (network.classWeights) yield plain;
  if (network.threads > 1) yield { ...network, threads: 1 };
  for (const batchSize of new Set([1, 2, Math.floor(network.batchSize / 2), network.batchSize - 1])) if (batchSize > 0 && batchSize < network.batchSize) yield { ...network, batchSize }; // prettier-ignore
  for (const smaller of smallerConfigs(model)) yield withModel(smaller);
}

const shapesKnown = ({ topology }: Network): boolean =>
  modelGraph(topology).layers.every(({ outputs, weights }) => outputs.every((shape) => shape?.every((n) => n !== null && n > 0)) && weights.every(({ shape }) => shape.every((n) => n !== null))); // prettier-ignore

/** A failure of the same kind on the same engine; of a refusal, the same reason. */
const like = (verdict: Verdict): string => `${verdict.kind} ${verdict.what?.split(/[ :]/)[0] ?? ''} ${verdict.kind === 'refused' ? verdict.refusals.join() : ''}`; // prettier-ignore

/** @param compute the verdict of a network. */
export async function shrink(
  network: Network,
  verdict: Verdict,
  compute: (smaller: Network) => Promise<Verdict>,
): Promise<Network> {
  // prettier-ignore
  let best = network;
  for (let changed = true; changed;) {
    changed = false;
    for (const candidate of candidates(best, functional(best))) {
      if (!shapesKnown(candidate) || like(await compute(candidate)) !== like(verdict)) continue;
      best = candidate;
      changed = true;
      break;
    }
  }
  return best;
}
