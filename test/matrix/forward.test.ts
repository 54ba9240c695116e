/** The operations of each layer class (its `forward` rule) against the same NumPy references: they say which units a network has. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { classOf } from '../../daemon/model/layerClasses/registry.js';
import { lowerLayers } from '../../daemon/model/layersNetwork/lowering.js';
import type { LayersModel } from '../../daemon/model/model.js';
import { UserError } from '../../daemon/protocol/errors.js';
import { outputsOf } from '../unit/network/structure/thinned.js';
import { far, type LayerCase } from './measure.js';
import { BATCH, inputsOf, readCase, some } from './network.js';

const { layers } = JSON.parse(readFileSync('test/matrix/reference.json', 'utf8')) as { layers: LayerCase[] };

/** Classes without operations, and cases of the others with settings that have none: their units stay. */
const APART = [
  'Activation sparsemax', 'Conv3D groups', 'Conv3D groups channels first', 'Conv3D groups dilated',
  'Conv3D groups no bias, relu', 'Conv3D groups of one same', 'Conv3D groups same strides 2', 'Conv3D groups softmax', 'ConvLSTM2D', 'Dense sparsemax',
  'GRU one step', 'GRU reset_after one step', 'GroupedQueryAttention one key', 'LSTM one step', 'MultiHeadAttention over axis 1', 'MultiHeadAttention over axis 2', 'MultiHeadAttention over both axes',
  'Normalization axis [1, 2] with mean [0.1, 0.2, 0.3] in its config', 'Normalization axis [1] with mean [0.1, 0.2, 0.3, 0.4] in its config',
  'SimpleRNN one step', 'Softmax axis [1, 2]',
]; // prettier-ignore

/** Samples of one pass. */
const PASS = 2;

const read = (case_: LayerCase): Promise<LayersModel | null> =>
  readCase(case_).catch((error: unknown) => {
    if (error instanceof UserError) return null;
    throw error;
  });

/** Outputs for all samples, a pass of two at a time; the class of a layer without operations if there is one, or the case of a layer of a class that has them for other settings. */
function computed(model: LayersModel, case_: LayerCase): number[] | string {
  const { graph, calls } = lowerLayers(model.topology, new Map(model.weights.map(({ name, shape }) => [name, shape])));
  const apart = calls.find(({ isLowered }) => !isLowered);
  if (apart) return classOf(apart.call.node.layer.class_name)?.forward ? case_.id : apart.call.node.layer.class_name;
  const weights = new Map(model.weights.map(({ name, data }) => [name, data]));
  const samples = inputsOf(case_);
  return Array.from({ length: BATCH }, (_, sample) => {
    const from = Math.min(sample, BATCH - PASS);
    const data = samples.map((values) => values.subarray((from * values.length) / BATCH, ((from + PASS) * values.length) / BATCH));
    const [output] = outputsOf(graph, weights, data);
    const size = output!.length / PASS;
    return [...output!.subarray((sample - from) * size, (sample - from + 1) * size)];
  }).flat();
} // prettier-ignore

it('computes what NumPy computes, or separates what mixes channels', async () => {
  const wrong: string[] = [];
  const apart = new Set<string>();
  let passed = 0;
  for (const case_ of layers) {
    const model = await read(case_);
    if (!model) continue;
    const outputs = computed(model, case_);
    if (typeof outputs === 'string') {
      apart.add(outputs);
      continue;
    }
    const distance = far(some(outputs.length, 48).map((i) => outputs[i]!), case_.output); // prettier-ignore
    if (distance < 2e-5) passed++;
    else wrong.push(`${case_.id}: outputs off by ${distance.toPrecision(2)}`);
  }
  expect(wrong).toEqual([]);
  expect(passed).toBe(618);
  expect([...apart].sort()).toEqual(APART);
}, 240_000); // prettier-ignore
