/** Which features of a model's inputs any kept weight reads. */
import { modelGraph } from '../model/layers/layerGraph.js';
import { lowerLayers } from '../model/layersNetwork/lowering.js';
import type { LayersModel } from '../model/model.js';
import { entriesRead } from '../network/structure/entriesRead.js';

export interface InputRead {
  readonly name: string;
  /** Without the batch axis. */
  readonly shape: readonly number[];
  /** One entry per feature, row major: 1 when it is read. */
  readonly read: Uint8Array;
}

/** A feature counts as read where nothing proves that it is not; inputs of unknown size are left out. */
export function inputsRead({ topology, weights }: LayersModel): InputRead[] {
  const model = modelGraph(topology);
  const { graph, inputs } = lowerLayers(topology, new Map(weights.map(({ name, shape }) => [name, shape])), model);
  const values = new Map(weights.map(({ name, data }) => [name, data]));
  const closed = inputs.flatMap((node, i) => (node && !model.inputShapes[i]?.includes(null) ? [{ node, name: model.inputNames[i] ?? '' }] : [])); // prettier-ignore
  const reads = entriesRead(graph, values, closed.map(({ node }) => node)); // prettier-ignore
  return closed.map(({ name, node }, i) => ({ name, shape: node.shape.slice(1), read: reads[i]! }));
}
