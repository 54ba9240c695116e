/** The operations that layers are lowered to, beside TensorFlow.js's own trace of them: outputs, units and FLOPs. */
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildLayers } from '../../../../daemon/engine/trace/layersModel.js';
import { thin } from '../../../../daemon/export/thin.js';
import { traceInference } from '../../../../daemon/export/traceInference.js';
import { readModel } from '../../../../daemon/model/files/readModel.js';
import { lowerLayers } from '../../../../daemon/model/layersNetwork/lowering.js';
import type { LayersModel } from '../../../../daemon/model/model.js';
import { buildArchitecture } from '../../../../daemon/model/setup/architectures.js';
import { summarizeModel } from '../../../../daemon/model/summarize.js';
import type { Graph } from '../../../../daemon/network/ir.js';
import { entryGroups } from '../../../../daemon/network/structure/entryGroups.js';
import { flopsOf } from '../../../../daemon/network/structure/flops.js';
import { thinGraph } from '../../../../daemon/network/structure/thin.js';
import { unitGroupsOf } from '../../../../daemon/network/structure/unitGroups.js';
import { randomNetwork } from '../../export/randomNetworks.js';
import { difference, outputsOf, randomData } from './thinned.js';

/** Samples of a lowered pass. */
const BATCH = 2;

const graphOf = async (model: LayersModel): Promise<Graph> =>
  traceInference(await buildLayers(model), model.path, BATCH);
const lower = (model: LayersModel) => lowerLayers(model.topology, new Map(model.weights.map(({ name, shape }) => [name, shape]))); // prettier-ignore
const valuesOf = (model: LayersModel) => new Map(model.weights.map(({ name, data }) => [name, data]));
const isRecurrent = ({ weights }: LayersModel): boolean => weights.some(({ name }) => /recurrent_kernel/.test(name));

/** Compares the outputs, if every layer has operations. @returns whether they were compared. */
function compareOutputs(model: LayersModel, traced: Graph, seed: number, label: string): boolean {
  const { graph, calls } = lower(model);
  if (!calls.every(({ isLowered }) => isLowered)) return false;
  const data = randomData(traced, seed, JSON.stringify(model.topology).includes('"Embedding"') ? 5 : 0);
  const values = valuesOf(model);
  const expected = outputsOf(traced, values, data);
  const found = outputsOf(graph, values, data).slice(0, expected.length);
  expect(difference(found, expected), label).toBeLessThanOrEqual(1e-5);
  return true;
}

/** Compares the groups of every weight with those of the trace. @returns how many the trace lets go that stay. */
function compareGroups(model: LayersModel, graph: Graph, label: string): number {
  const layers = summarizeModel(model);
  const weights = layers.flatMap(({ name: layer, weights: own }) => own.map((one) => ({ ...one, layer, trainable: one.statistic !== true }))); // prettier-ignore
  const traced = entryGroups({ weights }, unitGroupsOf(graph));
  const [there, back] = [new Map<number, number>(), new Map<number, number>()];
  // Its two directions have one setting for their units, which the trace does not know.
  const tiesMore = JSON.stringify(model.topology).includes('"Bidirectional"');
  let freed = 0;
  for (const { name, size, groups } of weights) {
    const theirs = traced.get(name);
    let wrong = 0;
    for (let i = 0; i < size; i++) {
      const own = groups?.[i % groups.length] ?? -1;
      const group = theirs?.[i % theirs.length] ?? -1;
      if (own < 0) freed += Number(group >= 0);
      else if (group < 0) wrong++;
      else {
        wrong += Number((!tiesMore && (there.get(own) ?? group) !== group) || (back.get(group) ?? own) !== own);
        there.set(own, group);
        back.set(group, own);
      }
    }
    expect(wrong, `${label}: ${name}`).toBe(0);
  }
  return freed;
}

describe('the operations of layers', () => {
  it('are those of the trace on random networks: outputs, groups and FLOPs; thinning is exact', async () => {
    let [compared, removed] = [0, 0];
    for (let seed = 0; seed < 60; seed++) {
      const { model } = randomNetwork(seed);
      const label = `network ${seed}`;
      const graph = await graphOf(model);
      const isWhole = compareOutputs(model, graph, seed, label);
      compared += Number(isWhole);
      const freed = compareGroups(model, graph, label);
      if (isWhole) expect(freed, label).toBe(0);
      // The first step of a recurrent layer has no state to multiply with, which the layers count.
      const flops = summarizeModel(model).reduce((sum, layer) => sum + layer.flops, 0);
      if (!isRecurrent(model)) expect(flopsOf(graph).total, label).toBe(BATCH * flops);
      const { model: thinned, weights } = thin(model);
      removed += weights.before - weights.after;
      const trace = [...thinGraph(graph, valuesOf(model)).weights.values()].reduce((sum, { data }) => sum + data.length, 0); // prettier-ignore
      // Layers without a bias may get one. The trace loses rows of borders, too.
      const differs = thinned.weights.length > model.weights.length || /ZeroPadding|"Bidirectional"/.test(JSON.stringify(model.topology)); // prettier-ignore
      if (isWhole && !differs) expect(weights.after, label).toBeLessThanOrEqual(trace);
    }
    expect(removed).toBeGreaterThan(3000);
    expect(compared).toBeGreaterThan(40);
  }, 120_000);

  it.each(['lenet300', 'lenet5', 'resnet20'] as const)('are those of the trace on %s', async (name) => {
    const model = buildArchitecture(name, 1);
    const graph = await graphOf(model);
    expect(compareGroups(model, graph, name)).toBe(0);
    expect(flopsOf(graph).total).toBe(BATCH * summarizeModel(model).reduce((sum, layer) => sum + layer.flops, 0));
    if (name !== 'resnet20') expect(compareOutputs(model, graph, 1, name)).toBe(true);
  });

  it.each([
    'examples/lenet300/model.json',
    ...readdirSync('test/unit/model/fixtures').filter((name) => /\.(h5|keras)$/.test(name) && !/weights/.test(name)).map((name) => `test/unit/model/fixtures/${name}`),
    ...readdirSync('test/fixtures/keras').filter((name) => existsSync(`test/fixtures/keras/${name}/model.keras`)).map((name) => `test/fixtures/keras/${name}/model.keras`),
  ])('are those of the trace on %s', async (path) => {
    const model = await readModel(path, { workspace: process.cwd() });
    if (model.kind !== 'layers') throw new Error(`${path} holds no layers`);
    const graph = await graphOf(model);
    const isWhole = compareOutputs(model, graph, 2, path);
    // ConvLSTM2D has no operations here.
    expect(isWhole, path).toBe(!/convlstm/.test(path));
    const freed = compareGroups(model, graph, path);
    if (isWhole) expect(freed, path).toBe(0);
  }); // prettier-ignore
});
