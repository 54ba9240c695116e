import { it } from 'vitest';
import { readModel } from '../../../../daemon/model/files/readModel.js';
import { resolve } from 'node:path';
import { thin } from '../../../../daemon/export/thin.js';
import { withWeights } from '../../../../daemon/model/weights.js';
import { unitGroups } from '../../../../daemon/network/structure/structure.js';
import { zeroUnits } from '../../network/structure/zeroUnits.js';
import { reasonText } from '../../../../daemon/network/structure/reasons.js';
import { createRandom } from '../../../../daemon/lc/random.js';
it('x', async () => {
  for (const f of ['attention', 'zoo/transformer.train.fixed','external']) {
    const dir = resolve('test/fixtures/onnx');
    const model: any = await readModel(`${dir}/${f}.onnx`, { workspace: dir });
    const random = createRandom(1);
    const values = new Map<string, Float32Array>(model.weights.map(({ name, data }: any) => [name, data.slice()]));
    const groups = unitGroups(model.network, model.network.fileBatch);
    zeroUnits(model.network, groups, [...Array(groups.count).keys()].filter(() => random.next() < 0.5), values);
    const t = thin(withWeights(model, values));
    console.log(f, groups.count, t.refusal?.message, t.weights);
    for (const r of groups.reasons) console.log(r.weight, reasonText(r));
    for (const n of model.file.model.graph.nodes) console.log(n.op, n.inputs.join(','), '->', n.outputs.join(','), [...n.attributes].map(([k, v]: any) => k + '=' + (v.kind==='tensor'? '['+v.value.dims+']'+[...v.value.values()].slice(0,6):v.value)).join(' '));
  }
});
