/** The content of a model, and the effect of a budget or a goal on it, over a real daemon: lc/inspect, lc/preview, lc/previewPlan, lc/outlook. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../../daemon/model/setup/architectures.js';
import { readPlan } from '../../../../daemon/plan/readPlan.js';
import { clusterCsv } from '../../../fixtures/tinyWorkspace.js';
import { startServed, writeTinyModel, type Served } from './served.js';

let served: Served;
beforeAll(async () => {
  served = await startServed();
});
afterAll(() => served.close());

describe('lc/inspect', () => {
  it('counts weights, FLOPs, bytes and zeros', async () => {
    const summary = await served.call('lc/inspect', { model: served.model });
    expect(summary).toMatchObject({ params: 266_610, prunable: 266_200, bytes: 4 * 266_610, zeros: 117_600, format: 'tfjs-layers' }); // prettier-ignore
    expect(
      summary.layers.filter(({ prunable }) => prunable > 0).map(({ prunable, zeros }) => [prunable, zeros]),
    ).toEqual([
      [235_200, 117_600],
      [30_000, 0],
      [1000, 0],
    ]);
  });

  it('reports what is wrong with a file that is not a model', async () => {
    await writeFile(join(served.workspace, 'package.json'), '{"dependencies":{}}');
    const error = await served.client.refused('lc/inspect', { model: join(served.workspace, 'package.json') });
    expect(error).toMatchObject({ code: -32050, data: { code: 'model-invalid' } });
    expect(error.message).toContain('package.json');
  });
});

describe('lc/preview', () => {
  it('answers at every key of a budget that is being typed', async () => {
    expect(await served.call('lc/preview', { model: served.model, budget: { keep: '1%' } })).toMatchObject({ kappa: 2662, problem: null }); // prettier-ignore
    expect((await served.call('lc/preview', { model: served.model, budget: { weights: 1e9 } })).problem).toMatch(
      /the most is 266200/,
    );
    expect((await served.call('lc/preview', { model: served.model, budget: {} })).problem).toMatch(/asks for nothing/);
  });
});

describe('a goal in place of a budget', () => {
  it('makes a plan that a run searches by; the outlook of both kinds comes from a child, in trusted folders only', async () => {
    const folder = join(served.workspace, 'goal');
    await mkdir(folder, { recursive: true });
    const tiny = await writeTinyModel(folder);
    await writeFile(join(folder, 'data.csv'), clusterCsv());
    const data = join(folder, 'data.csv');
    const { planPath } = await served.call('lc/createPlan', { model: tiny, data, bound: { maxErrorIncrease: '0.5%' } });
    expect(await readFile(planPath, 'utf8')).toContain('"path": { "maxErrorIncrease": "0.5%" }');
    const plan = await readPlan(planPath, { workspace: served.workspace });
    expect(plan.path).toMatchObject({ maxErrorIncrease: 0.005 });
    // Asked for again, it is the same one; a budget is another.
    expect(await served.call('lc/createPlan', { model: tiny, data, bound: { maxErrorIncrease: '0.5%' } })).toEqual({
      planPath,
    });
    expect((await served.client.refused('lc/createPlan', { model: tiny, data })).message).toMatch(
      /either a budget or a bound/,
    );
    const [task] = await served.call('lc/previewPlan', { planPath });
    expect(task!.preview.text).toMatch(/^30% = 17 weights/);

    const goals = [{ budget: { keep: '25%' } }, { bound: { maxError: '3%' } }];
    const ofPlan = await served.call('lc/outlook', { goals, of: { planPath } });
    const ofModel = await served.call('lc/outlook', { goals, of: { model: tiny, data } });
    for (const found of [ofPlan, ofModel]) {
      expect(found).toMatchObject({ set: 'train', note: null });
      expect(found.goals[0]!.cut).toBeGreaterThanOrEqual(0);
      expect(found.goals[1]!.cut).toBeNull();
      expect(found.goals[1]!.seconds!).toBeGreaterThan(found.goals[0]!.seconds!);
    }
    expect(ofModel.goals[0]!.cut).toBe(ofPlan.goals[0]!.cut);
    expect((await served.client.refused('lc/outlook', { goals, of: { planPath: '/etc/hosts' } })).code).toBe(-32050);
    const stranger = await served.daemon.client([served.workspace], { trusted: false });
    expect((await stranger.refused('lc/outlook', { goals, of: { planPath } })).code).toBe(-32051);
    await stranger.close();
  });
});

describe('lc/previewPlan', () => {
  it('answers for each task, of a model file and of an architecture', async () => {
    const planPath = join(served.workspace, 'net', 'tasks.prune.json');
    const [fc1] = buildArchitecture('lenet300', 3).weights;
    const layer = fc1!.name.split('/')[0]!;
    const tasks = [
      { layers: layer, budget: { keep: '1%' } },
      { layers: '*', budget: { weights: 310 } },
    ];
    await writeFile(planPath, JSON.stringify({ model: 'model.json', data: 'mnist', tasks }));
    expect(await served.call('lc/previewPlan', { planPath })).toMatchObject([
      { layers: [layer], preview: { kappa: 2352, prunable: 235_200 } },
      { preview: { kappa: 310, prunable: 31_000 } },
    ]);
    const budget = { keep: '50%' };
    await writeFile(planPath, JSON.stringify({ model: { architecture: 'lenet300' }, data: 'mnist', budget }));
    const preview = { kappa: 2662, prunable: 266_200, flopsShare: null, problem: null };
    expect(await served.call('lc/previewPlan', { planPath, budget: { keep: '1%' } })).toMatchObject([{ preview }]);
    await writeFile(planPath, JSON.stringify({ model: 'model.json', data: 'mnist', budget: { weights: 1e9 } }));
    expect((await served.client.refused('lc/previewPlan', { planPath })).data).toMatchObject({
      code: 'budget-impossible',
    });
  });
});
