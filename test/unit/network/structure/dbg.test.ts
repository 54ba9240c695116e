import { it } from 'vitest';
import { traceInference } from '../../../../daemon/export/traceInference.js';
import { buildLayers } from '../../../../daemon/engine/trace/layersModel.js';
import { modelGraph } from '../../../../daemon/model/layers/layerGraph.js';
import { unitGroups as twinGroups } from '../../../../daemon/model/layers/unitGroups.js';
import { entryGroups } from '../../../../daemon/network/structure/entryGroups.js';
import { unitGroupsOf } from '../../../../daemon/network/structure/unitGroups.js';
import { randomNetwork } from '../../export/randomNetworks.js';
it('dbg', async () => {
  const kinds = new Map<string, number>();
  for (let seed = 0; seed < 400; seed++) {
    const { model } = randomNetwork(seed);
    const layers = await buildLayers(model);
    const groups = unitGroupsOf(traceInference(layers, 'x', 1));
    const weights = model.weights.map(({ name, shape }) => ({
      name,
      shape,
      layer: '',
      prunable: true,
      trainable: !/moving|alpha/.test(name),
    }));
    const own = entryGroups({ weights }, groups);
    const twin = twinGroups(
      model.topology,
      modelGraph(model.topology),
      new Map(model.weights.map((w) => [w.name, w.shape])),
    );
    const spread = (g: readonly number[] | undefined, size: number) =>
      g && Array.from({ length: size }, (_, i) => g[i % g.length]!);
    const map = new Map<number, number>(),
      back = new Map<number, number>();
    for (const { name, data } of model.weights) {
      const [a, b] = [spread(own.get(name), data.length), spread(twin.get(name), data.length)];
      const cls = (name.match(/_([A-Z][A-Za-z0-9]*?)\d*\/(.*)/) ?? []).slice(1).join('/');
      let what = '';
      if (!a && !b) continue;
      if (!a || !b)
        what = a
          ? a.every((x) => x < 0)
            ? ''
            : 'twin absent'
          : 'graph absent ' + (b!.every((x) => x < 0) ? 'stay' : '');
      else
        a.forEach((x, i) => {
          const y = b[i]!;
          if (x < 0 !== y < 0) what = x < 0 ? 'graph stays' : 'twin stays';
          else if (x >= 0) {
            if ((map.get(x) ?? y) !== y || (back.get(y) ?? x) !== x) what ||= 'partition';
            map.set(x, y);
            back.set(y, x);
          }
        });
      if (what && !/rnn|gru|lstm|time_dist/i.test(model.weights.map((w) => w.name).join())) {
        const k = `${cls}: ${what}`;
        kinds.set(k, (kinds.get(k) ?? 0) + 1);
        if (what !== 'graph absent stay' && kinds.get(k)! <= 1)
          console.log(
            seed,
            name,
            what,
            model.weights.map((w) => `${w.name.replace(/.*_/, '')} ${w.shape}`).join(),
            String(a).slice(0, 60),
            '|',
            String(b).slice(0, 60),
          );
      }
    }
  }
  console.log([...kinds]);
}, 300000);
