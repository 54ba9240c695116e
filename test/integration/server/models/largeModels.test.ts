/** Models that a thread reads (dist/modelWorker.mjs): the answers, plans and errors of models that are read in place. Needs `npm run build`. */
import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeOnnx, type OnnxTensor } from '../../../../daemon/onnx/emit/protobuf.js';
import { answerOf, LoadedModels, planOf } from '../../../../daemon/server/models/loadedModel.js';
import { Models } from '../../../../daemon/server/models/models.js';
import { LIMITS } from '../../../../daemon/server/limits.js';
import { AbsolutePath } from '../../../../daemon/protocol/paths.js';
import { UserError } from '../../../../daemon/protocol/errors.js';
import { temporaryFolder } from '../harness.js';

/** Two layers; the first is `width` wide. */
function network(width: number): Uint8Array {
  const tensor = (...dims: number[]): OnnxTensor => ({
    type: 'float32',
    dims,
    data: Float32Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, (_, i) => (i % 5 === 0 ? 0 : Math.sin(i))),
  }); // prettier-ignore
  const initializers = new Map([
    ['fc1.weight', tensor(width, 300)],
    ['fc2.weight', tensor(10, width)],
  ]);
  const nodes = [
    { op: 'Gemm', inputs: ['x', 'fc1.weight'], outputs: ['h'], attrs: { transB: 1 } },
    { op: 'Relu', inputs: ['h'], outputs: ['r'], attrs: {} },
    { op: 'Gemm', inputs: ['r', 'fc2.weight'], outputs: ['y'], attrs: { transB: 1 } },
  ];
  const value = (name: string, size: number) => ({ name, type: 'float32' as const, dims: ['N', size] });
  return encodeOnnx({ nodes, inputs: [value('x', 300)], outputs: [value('y', 10)], initializers }, { '': 17 });
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
const models = new Models();
const shown = AbsolutePath.parse('/shown/net.onnx');
beforeAll(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, 'net.onnx');
  await writeFile(file, network(100));
  expect((await readFile(file)).length).toBeGreaterThan(LIMITS.graphInPlace);
});
afterAll(() => folder.remove());

it('have the summary and the previews of models that are read in place', async () => {
  const model = await new LoadedModels().load(file, folder.path);
  const summary = await models.ask('summary', file, folder.path, { shown });
  expect(summary).toEqual(answerOf('summary', model, { shown }));
  expect(summary.zeros).toBe(6000 + 200);
  const budget = { keep: '10%' };
  expect(await models.ask('preview', file, folder.path, { budget })).toEqual(answerOf('preview', model, { budget }));
});

it('have the plan of models that are read in place', async () => {
  const path = join(folder.path, 'net.prune.json');
  await writeFile(path, JSON.stringify({ model: 'net.onnx', data: 'mnist', budget: { keep: '10%' } }));
  const plan = { path, workspace: folder.path };
  const read = await models.readPlan(plan);
  expect(read).toEqual(await planOf(plan, new LoadedModels()));
  const params = { plan: read, budget: { keep: '5%' } };
  const model = await new LoadedModels().load(file, folder.path);
  expect(await models.ask('previewForPlan', file, folder.path, params)).toEqual(answerOf('previewForPlan', model, params));
}); // prettier-ignore

it('are read again when they have changed, though the thread holds the model', async () => {
  const units = async () =>
    (await models.layersOf(file, folder.path)).find(({ prunable }) => prunable > 0)?.outputShape?.at(-1);
  expect(await units()).toBe(100);
  const other = join(folder.path, 'other.onnx');
  await writeFile(other, network(120));
  await copyFile(file, join(folder.path, 'kept.onnx'));
  await rename(other, file);
  expect(await units()).toBe(120);
  await rename(join(folder.path, 'kept.onnx'), file);
  expect(await units()).toBe(100);
});

it('are refused with the error of models that are read in place', async () => {
  const cut = join(folder.path, 'cut.onnx');
  await writeFile(cut, (await readFile(file)).subarray(0, 100_000));
  const errorOf = (work: Promise<unknown>) => work.then(() => null, (error: unknown) => error); // prettier-ignore
  const expected = await errorOf(new LoadedModels().load(cut, folder.path));
  const refused = await errorOf(models.ask('summary', cut, folder.path, { shown }));
  expect(refused).toBeInstanceOf(UserError);
  const { code, message, details } = expected as UserError;
  expect(refused).toMatchObject({ code, message, details });
});
