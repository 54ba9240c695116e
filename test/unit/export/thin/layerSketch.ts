/** Small models of layers for tests of thinning, as the JSON of their files. */
import type { Topology, LayersModel, WeightTensor } from '../../../../daemon/model/model.js';
import { modelGraph } from '../../../../daemon/model/layers/layerGraph.js';
import type { WeightSpec } from '../../../../daemon/model/layers/layerWeights.js';
import { lowerLayers } from '../../../../daemon/model/layersNetwork/lowering.js';

export interface Layer {
  readonly class_name: string;
  readonly config: Record<string, unknown>;
}

export const layer = (class_name: string, name: string, config: object = {}): Layer => ({ class_name, config: { name, ...config } }); // prettier-ignore
export const dense = (name: string, units: number, config: object = {}): Layer => layer('Dense', name, { units, activation: 'relu', ...config }); // prettier-ignore
export const chain = (shape: number[], ...layers: Layer[]): Topology => {
  const [first, ...rest] = layers as [Layer, ...Layer[]];
  const config = { ...first.config, batch_input_shape: [null, ...shape] };
  return { class_name: 'Sequential', config: { name: 'm', layers: [{ ...first, config }, ...rest] } };
};

type Node = readonly (readonly [layer: string, node: number, tensor?: number])[];
/** Layers with the tensors that each of their calls reads. */
export const functional = (
  shape: number[],
  nodes: readonly (readonly [Layer, ...Node[]])[],
  output: string,
): Topology => ({
  class_name: 'Functional',
  config: {
    name: 'm',
    layers: [
      { ...layer('InputLayer', 'in', { batch_input_shape: [null, ...shape] }), name: 'in', inbound_nodes: [] },
      ...nodes.map(([one, ...calls]) => ({
        ...one,
        name: one.config['name'],
        inbound_nodes: calls.map((refs) => refs.map(([name, node, tensor = 0]) => [name, node, tensor, {}])),
      })),
    ],
    input_layers: [['in', 0, 0]],
    output_layers: [[output, 0, 0]],
  },
});

/** @param valuesOf a weight, in the order in which the layers have them. */
export function modelOf(topology: Topology, valuesOf: (weight: WeightSpec & { readonly shape: readonly number[] }) => Float32Array): LayersModel {
  const weights = modelGraph(topology).layers.flatMap(({ weights }) => weights).map((spec): WeightTensor => {
    const weight = { ...spec, shape: spec.shape as readonly number[] };
    return { name: weight.name, shape: weight.shape, dtype: 'float32', data: valuesOf(weight) };
  });
  return { kind: 'layers', format: 'keras-v3', path: 'm.keras', topology, weights, notes: [] };
} // prettier-ignore

export const lower = ({ topology, weights }: LayersModel) => lowerLayers(topology, new Map(weights.map(({ name, shape }) => [name, shape]))); // prettier-ignore
export const valuesOf = ({ weights }: LayersModel) => new Map(weights.map(({ name, data }) => [name, data]));
