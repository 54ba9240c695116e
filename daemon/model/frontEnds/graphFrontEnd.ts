import { outputHead, type OutputHead } from '../../network/head.js';
import type { Network } from '../../network/network.js';
import { recordPass } from '../../network/recordPass.js';
import { UserError } from '../../protocol/errors.js';
import { graphIdentity } from '../graph/identity.js';
import { readAsStored } from '../graph/inputReaders.js';
import { operationTable, TABLE_BATCH, type Operation } from '../graph/operationTable.js';
import type { GraphModel } from '../model.js';
import type { AsStored } from '../setup/inputsAsStored.js';
import type { FrontEnd, ModelOutput } from './frontEnd.js';

/** Facts from one recorded pass of a network. They hold for any weights. */
interface Known {
  readonly operations: readonly Operation[];
  readonly outputs: readonly ModelOutput[];
  readonly asStored: readonly (AsStored | null)[];
}

const known = new WeakMap<Network, Known>();

const HEADS: Readonly<Record<OutputHead['activation'], Pick<ModelOutput, 'activation' | 'logProbabilities'>>> = {
  softmax: { activation: 'softmax' },
  sigmoid: { activation: 'sigmoid' },
  'log-softmax': { activation: 'linear', logProbabilities: true },
  linear: { activation: 'linear' },
};

function examine({ network }: GraphModel): Known {
  const there = known.get(network);
  if (there) return there;
  const recorded = recordPass(network, TABLE_BATCH);
  const { builder, data, pass } = recorded;
  const graph = recorded.finish(pass.outputs.map((node, index) => ({ role: 'output', index, node })));
  const found: Known = {
    operations: operationTable(network, { ...recorded, graph }),
    outputs: network.outputs.map(({ name, shape }, i) => ({
      name,
      shape,
      ...HEADS[outputHead(builder, pass.outputs[i]!).activation],
    })),
    asStored: data.map((node) => readAsStored(graph, node)),
  };
  known.set(network, found);
  return found;
}

export function graphFrontEnd(model: GraphModel): FrontEnd<GraphModel> {
  const { network, file } = model;
  return {
    name: file.model.graph.name === '' ? null : file.model.graph.name,
    inputs: () => network.inputs,
    outputs: () => examine(model).outputs,
    // Exporters write auxiliary classifiers after the main one.
    mainOutput: () => 0,
    asStored: () => examine(model).asStored,
    saysLoss: false,
    compiled: () => null,
    trainingNotes: () => [],
    summarize: () => examine(model).operations.map(({ summary }) => summary),
    links: () => new Map(examine(model).operations.map(({ summary, links }) => [summary.name, links])),
    withInputSizes: () => model,
    withTrainedLayers(layers) {
      const frozen = new Set(layers.flatMap(({ weights }) => weights.filter((one) => !one.trainable).map(({ name }) => name))); // prettier-ignore
      if (network.weights.every(({ name, trainable }) => !trainable || !frozen.has(name))) return model;
      const weights = network.weights.map((one) => ({ ...one, trainable: one.trainable && !frozen.has(one.name) }));
      return { ...model, network: { ...network, weights } };
    },
    withInputScales() {
      throw new UserError(
        'model-unsupported',
        `${model.path}: an ONNX file is written back as it is, and the scale of its inputs stands in a file beside it: export it without the scale inside`,
        { file: model.path },
      );
    },
    identity: () => graphIdentity(file.model, network),
  };
}
