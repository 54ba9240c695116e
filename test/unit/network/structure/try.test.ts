import { it } from 'vitest';
import { traceInference } from '../../../../daemon/export/traceInference.js';
import { buildLayers } from '../../../../daemon/engine/trace/layersModel.js';
import { thin } from '../../../../daemon/export/thin.js';
import { summarizeModel } from '../../../../daemon/model/summarize.js';
import { thinGraph } from '../../../../daemon/network/structure/thin.js';
import { unitGroupsOf } from '../../../../daemon/network/structure/unitGroups.js';
import { reasonText } from '../../../../daemon/network/structure/reasons.js';
import { flopsOf } from '../../../../daemon/network/structure/flops.js';
import { randomNetwork } from '../../export/randomNetworks.js';
import { difference, outputsOf, randomData } from './thinned.js';

it('tries', async () => {
  let n = 0;
  for (let seed = Number(process.env.SEED ?? 0); seed < 400; seed++) {
    const { model } = randomNetwork(seed);
    const layers = await buildLayers(model);
    const graph = traceInference(layers, 'x', 1);
    const weights = new Map(model.weights.map((w) => [w.name, w.data]));
    const before = flopsOf(graph);
    const summary = summarizeModel(model);
    const flops = summary.reduce((sum, l) => sum + l.flops, 0);
    const attention = [...before.activations.values()].reduce((a, b) => a + b, 0);
    if (process.env.FL && Math.abs(flops - before.total + attention) > 0.5)
      console.log(
        seed,
        'flops',
        flops,
        before.total,
        attention,
        summary.map((l) => `${l.className} ${l.flops}`).join(),
        [...before.byWeight],
      );
    const groups = unitGroupsOf(graph);
    const thinned = thinGraph(graph, weights);
    const data = randomData(
      graph,
      seed,
      model.topology && JSON.stringify(model.topology).includes('Embedding') ? 6 : 0,
    );
    const thinWeights = new Map([...thinned.weights].map(([k, v]) => [k, v.data]));
    const d = difference(outputsOf(thinned.graph, thinWeights, data), outputsOf(graph, weights, data));
    const size = [...thinned.weights.values()].reduce((s, w) => s + w.data.length, 0);
    const twin = thin(model);
    const addsBias = twin.model.weights.length > model.weights.length;
    if (d > 1e-6 || (process.env.MORE && !addsBias && size > twin.weights.after))
      console.log(
        seed,
        d,
        twin.weights,
        size,
        summary.map((l) => l.className + (l.activation ?? '')).join(' '),
        'TWIN',
        twin.model.weights.map((w) => `${w.name} ${w.shape}`).join(),
        'GRAPH',
        [...thinned.weights].map(([k, w]) => `${k} ${w.shape}`).join(),
      );
    if (size < twin.weights.before) n++;
    if (seed < 0) console.log(groups.reasons.map((r) => r.weight + ': ' + reasonText(r)));
  }
  console.log(n);
}, 300000);
