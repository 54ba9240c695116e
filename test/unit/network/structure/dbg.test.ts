import { it } from 'vitest';
import { traceInference } from '../../../../daemon/export/traceInference.js';
import { buildLayers } from '../../../../daemon/engine/trace/layersModel.js';
import { programOf } from '../../../../daemon/network/structure/values.js';
import { knownValues } from '../../../../daemon/network/structure/liveUnits.js';
import { randomNetwork } from '../../export/randomNetworks.js';
it('dbg', async () => {
  const { model } = randomNetwork(Number(process.env.SEED));
  const layers = await buildLayers(model);
  const program = programOf(traceInference(layers, 'x', 1));
  const known = knownValues(program, new Map(model.weights.map((w) => [w.name, w.data])));
  for (const { node, inputs, output } of program.steps)
    console.log(output.id, node.op, node.layer, inputs.map((i) => `${i.id}[${i.shape}]${i.node.op}`).join(' '), '->', output.shape.join(), JSON.stringify(node.attrs), 'last axis:', output.shape.length ? String(Array.from(known(output).axis(output.shape.length - 1)).slice(0, 8).map(x=>x.toFixed(2))) : '', known(output).whole);
});
