import { expect, it } from 'vitest';
import { readModel } from '../../daemon/model/files/readModel.js';
import { graphsOf } from '../../daemon/engine/graphs/graphsOf.js';
import { openEngine } from '../../daemon/engine/registry.js';
it('x', async () => {
  const ms = await Promise.all(['model.json','net.onnx'].map((p) => readModel(p, { workspace: '/tmp/union/w' })));
  const spec = { loss: 'categoricalCrossentropy' as const, batchSize: 128, seed: 1 };
  for (const m of ms) {
    const g = await graphsOf(m, spec);
    const t = await g.training();
    console.log(t.nodes.map((n) => `${n.id} ${n.op}(${n.inputs.map((i) => i.id)}) [${n.shape}]${JSON.stringify(n.attrs)}`).join('\n'));
    console.log(t.outputs.map((o) => `${o.role} ${'name' in o ? o.name : ''} ${o.node.id}`).join(', '));
  }
  const grads = [];
  for (const m of ms) {
    const s = await openEngine('native-cpu', m, spec);
    const x = Float32Array.from({ length: 128 * 784 }, (_, i) => ((i * 7919) % 1000) / 1000);
    const y = new Float32Array(1280); for (let i = 0; i < 128; i++) y[i * 10 + (i % 10)] = 1;
    grads.push((await s.gradient([x], y)));
    console.log(s.parameters.map((p) => `${p.name} ${p.offset}`).join(' '));
    await s.dispose();
  }
  let max = 0; grads[0]!.gradient.forEach((g, i) => { max = Math.max(max, Math.abs(g - grads[1]!.gradient[i]!)); });
  console.log(grads[0]!.loss, grads[1]!.loss, max);
  expect(1).toBe(1);
}, 60000);
