/** The graph's answers beside those of the layers, on networks of TensorFlow.js's layers. */
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildLayers } from '../../../../daemon/engine/trace/layersModel.js';
import { thin } from '../../../../daemon/export/thin.js';
import { traceInference } from '../../../../daemon/export/traceInference.js';
import { readModel } from '../../../../daemon/model/files/readModel.js';
import { modelGraph } from '../../../../daemon/model/layers/layerGraph.js';
import { unitGroups } from '../../../../daemon/model/layers/unitGroups.js';
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

const graphOf = async (model: LayersModel): Promise<Graph> => traceInference(await buildLayers(model), model.path, 1);
const isRecurrent = ({ weights }: LayersModel): boolean => weights.some(({ name }) => /recurrent_kernel/.test(name));

/** Compares the groups of every weight. @returns how many the layers keep and the graph lets go */
function compareGroups(model: LayersModel, graph: Graph, label: string): number {
  const weights = summarizeModel(model).flatMap(({ name: layer, weights: own }) => own.map((one) => ({ ...one, layer, prunable: one.prunable, trainable: one.statistic !== true }))); // prettier-ignore
  const structure = unitGroupsOf(graph);
  const own = entryGroups({ weights }, structure);
  const layers = unitGroups(model.topology, modelGraph(model.topology), new Map(model.weights.map(({ name, shape }) => [name, shape]))); // prettier-ignore
  const [there, back] = [new Map<number, number>(), new Map<number, number>()];
  let freed = 0;
  for (const { name, size } of weights) {
    const [ours, theirs] = [own.get(name), layers.get(name)?.groups];
    if (!theirs) continue;
    let wrong = 0;
    for (let i = 0; i < size; i++) {
      const group = ours?.[i % ours.length] ?? -1;
      const layer = theirs[i % theirs.length]!;
      if (layer < 0) freed += Number(group >= 0);
      // Of a layer with one unit the layers let it go, and the graph does not.
      else if (group < 0) wrong += Number(theirs.some((other) => other !== layer));
      else {
        wrong += Number((there.get(layer) ?? group) !== group || (back.get(group) ?? layer) !== layer);
        there.set(layer, group);
        back.set(group, layer);
      }
    }
    expect(wrong, `${label}: ${name}`).toBe(0);
  }
  // The indices that go with the units of the layers are those that go with the same units of the graph.
  for (const [name, { axes }] of layers)
    for (const { axis, groups } of axes) {
      const ours = structure.axes.get(name)?.find((one) => one.axis === axis)?.groups;
      const wrong = groups.filter((layer, i) => layer >= 0 && there.has(layer) && there.get(layer) !== ours?.[i]);
      expect(wrong, `${label}: ${name} [${axis}]`).toEqual([]);
    }
  return freed;
}

describe('the structure of layers-models', () => {
  it('is that of the layers on random networks: groups, FLOPs, and thinning where no bias is added', async () => {
    let [freed, removed, sameSize, compared] = [0, 0, 0, 0];
    for (let seed = 0; seed < 60; seed++) {
      const { model } = randomNetwork(seed);
      const graph = await graphOf(model);
      const recurrent = isRecurrent(model);
      const more = compareGroups(model, graph, `network ${seed}`);
      freed += more;
      // The first step of a recurrent layer has no state to multiply with, which the layers count.
      const flops = summarizeModel(model).reduce((sum, layer) => sum + layer.flops, 0);
      if (!recurrent) expect(flopsOf(graph).total, `network ${seed}`).toBe(flops);
      const weights = new Map(model.weights.map(({ name, data }) => [name, data]));
      const thinned = thinGraph(graph, weights);
      const data = randomData(graph, seed, JSON.stringify(model.topology).includes('Embedding') ? 6 : 0);
      const left = new Map([...thinned.weights].map(([name, one]) => [name, one.data]));
      expect(difference(outputsOf(thinned.graph, left, data), outputsOf(graph, weights, data)), `network ${seed}`).toBeLessThanOrEqual(1e-6); // prettier-ignore
      const twin = thin(model);
      const size = [...left.values()].reduce((sum, { length }) => sum + length, 0);
      removed += twin.weights.before - size;
      if (twin.model.weights.length > model.weights.length) continue;
      compared++;
      sameSize += Number(size === twin.weights.after);
      expect(size, `network ${seed}`).toBeLessThanOrEqual(twin.weights.after);
    }
    expect(removed).toBeGreaterThan(3000);
    expect(freed).toBeGreaterThan(0);
    expect(sameSize / compared).toBeGreaterThan(0.5);
  }, 120_000);

  it.each(['lenet300', 'lenet5', 'resnet20'] as const)('is that of the layers on %s', async (name) => {
    const model = buildArchitecture(name, 1);
    const graph = await graphOf(model);
    expect(compareGroups(model, graph, name)).toBe(0);
    expect(flopsOf(graph).total).toBe(summarizeModel(model).reduce((sum, layer) => sum + layer.flops, 0));
  });

  it.each([
    'examples/lenet300/model.json',
    ...readdirSync('test/unit/model/fixtures').filter((name) => /\.(h5|keras)$/.test(name) && !/weights/.test(name)).map((name) => `test/unit/model/fixtures/${name}`),
    ...readdirSync('test/fixtures/keras').filter((name) => existsSync(`test/fixtures/keras/${name}/model.keras`)).map((name) => `test/fixtures/keras/${name}/model.keras`),
  ])('is that of the layers on %s', async (path) => {
    const model = await readModel(path, { workspace: process.cwd() });
    if (model.kind !== 'layers') throw new Error(`${path} holds no layers`);
    const freed = compareGroups(model, await graphOf(model), path);
    // The layers keep all units in front of what is recurrent, called several times, or reshapes more than a flatten does.
    const more = /nested|rnn|func-mask-avg|gan-generator|seq-mask-lstm/.test(path);
    expect(freed > 0, path).toBe(more);
  }); // prettier-ignore
});
