/** Plans that the daemon writes beside a model: lc/createPlan. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../../daemon/model/setup/architectures.js';
import { writeTfjsModel } from '../../../../daemon/model/files/writeTfjs.js';
import { readPlan } from '../../../../daemon/plan/readPlan.js';
import { startServed, type Served } from './served.js';

let served: Served;
beforeAll(async () => {
  served = await startServed();
});
afterAll(() => served.close());

describe('lc/createPlan', () => {
  it('never guesses the data', async () => {
    const refused = await served.client.refused('lc/createPlan', { model: served.model, budget: { keep: '1%' } });
    expect(refused).toMatchObject({ code: -32602, message: expect.stringContaining('data') });
  });

  it('writes a plan that can be read, beside the model, and never over another', async () => {
    const names: string[] = [];
    for (const [i, keep] of ['2%', '3%', '4%'].entries()) {
      const { planPath } = await served.call('lc/createPlan', { model: served.model, data: 'mnist', budget: { keep } });
      names.push(planPath);
      const plan = await readPlan(planPath, { workspace: served.workspace });
      expect(plan).toMatchObject({ model: { path: join('net', 'model.json') }, data: { source: 'mnist' } });
      expect(plan.tasks[0]?.budget, `plan ${i}`).toEqual({ keep });
    }
    expect(names).toEqual(['net', 'net-2', 'net-3'].map((name) => join(served.workspace, 'net', `${name}.prune.json`)));
    // A second request takes the plan with these settings, whatever its comments; a plan with more settings is another one.
    expect(await served.call('lc/createPlan', { model: served.model, data: 'mnist', budget: { keep: '3%' } })).toEqual({
      planPath: names[1],
    });
    const said = { budget: { keep: '3%' }, data: 'mnist', model: 'model.json' };
    await writeFile(names[1]!, `// mine\n${JSON.stringify({ $schema: 'x', ...said })}`);
    expect(await served.call('lc/createPlan', { model: served.model, data: 'mnist', budget: { keep: '3%' } })).toEqual({
      planPath: names[1],
    });
    await writeFile(names[1]!, JSON.stringify({ ...said, seed: 1 }));
    const next = await served.call('lc/createPlan', { model: served.model, data: 'mnist', budget: { keep: '3%' } });
    expect(next.planPath).toBe(join(served.workspace, 'net', 'net-4.prune.json'));
    await writeTfjsModel(buildArchitecture('resnet20', 3), join(served.workspace, 'res.json'));
    const colour = await served.call('lc/createPlan', {
      model: join(served.workspace, 'res.json'),
      data: 'cifar10',
      budget: { keep: '5%' },
    });
    expect(JSON.parse((await readFile(colour.planPath, 'utf8')).replace(/^\s*\/\/.*$/gm, ''))).toMatchObject({
      data: 'cifar10',
    });
    const named = await served.call('lc/createPlan', {
      model: served.model,
      budget: { keep: 0.1 },
      name: 'my plan',
      data: 'x.npz',
    });
    expect(named.planPath).toBe(join(served.workspace, 'net', 'my plan.prune.json'));
    const length = { iterations: 20, epochs: 2, retrainEpochs: 5, about: 'about 4 min on this machine' };
    const timed = await served.call('lc/createPlan', {
      model: served.model,
      data: 'mnist',
      budget: { keep: '5%' },
      length,
    });
    expect(await readPlan(timed.planPath, { workspace: served.workspace })).toMatchObject({
      schedule: { iterations: 20, epochs: 2 },
      retrain: { epochs: 5 },
    });
    expect(await readFile(timed.planPath, 'utf8')).toContain('about 4 min on this machine');
  });

  it('writes nothing when the budget is impossible or the name leaves the folder', async () => {
    const before = await readdir(join(served.workspace, 'net'));
    for (const rest of [
      { budget: { weights: 1e9 } },
      { budget: { keep: '1%' }, name: '../up' },
      { budget: { keep: '1%' }, name: 'a/b' },
      { budget: { keep: '1%' }, name: 'a\0b' },
    ]) {
      expect((await served.client.refused('lc/createPlan', { model: served.model, data: 'mnist', ...rest })).code).toBe(
        -32050,
      );
    }
    expect(await readdir(join(served.workspace, 'net'))).toEqual(before);
    expect(await readdir(served.workspace)).not.toContain('up.prune.json');
  });
});
