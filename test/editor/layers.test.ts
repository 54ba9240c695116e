/** The picture of a network and the sensitivity of its layers in a real VS Code: from the command to floors in the plan. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clusterCsv, tinyModel, TINY_PLAN } from '../fixtures/tinyWorkspace.js';
import { artifact } from './expectEventually.js';
import { makeWorkspace } from './sample.js';
import { Workbench } from './workbench.js';

describe('layers of a network', () => {
  let workspace: Awaited<ReturnType<typeof makeWorkspace>>;
  let window: Workbench;

  beforeAll(async () => {
    workspace = await makeWorkspace();
    const folder = join(workspace.folder, 'my nets');
    await mkdir(folder);
    const { json, weights } = tinyModel();
    await writeFile(join(folder, 'tiny.model.json'), JSON.stringify(json));
    await writeFile(join(folder, 'weights.bin'), weights);
    await writeFile(join(folder, 'data.csv'), clusterCsv());
    const text = JSON.stringify({ ...TINY_PLAN, model: 'tiny.model.json' }, null, 2);
    await writeFile(join(folder, 'tiny.prune.json'), text.replace('{', '{\n  // stays'));
    window = await Workbench.open({ folder: workspace.folder });
  });
  afterAll(async () => {
    await artifact(window?.page, 'layers-end');
    await window?.close();
    await workspace?.remove();
  });

  test('the network of a model.json, which is a text, opens as a picture', async () => {
    await window.openFile('tiny.model.json');
    await window.command('Show Network of a Model');
    const model = window.quickPick(/tiny\.model\.json/).first();
    const boxes = window.monitor.locator('.network-box');
    await Promise.race([boxes.first().waitFor({ timeout: 90_000 }), model.click({ timeout: 60_000 })]);
    await boxes.first().waitFor({ timeout: 60_000 });
    expect(await boxes.count()).toBe(2);
    expect(await boxes.last().getAttribute('aria-label')).toContain('None of its 3 units can go as a whole');
    await artifact(window.page, 'layers-network');
    expect(window.violations).toEqual([]);
    await window.palette('View: Close All Editors');
  });

  test('floors that are moved with the keys are written into the plan, beside its comments', async () => {
    await window.openFile('tiny.prune.json');
    await window.command('Sensitivity of Layers');
    const knob = window.monitor.getByRole('slider', { name: 'Floor of fc1' });
    const plan = window.quickPick(/tiny\.prune\.json|^tiny/).first();
    await Promise.race([knob.waitFor({ timeout: 90_000 }), plan.click({ timeout: 60_000 })]);
    await knob.waitFor({ timeout: 60_000 });
    await artifact(window.page, 'layers-sensitivity');
    await knob.focus();
    // 100%, and 70%.
    await knob.press('End');
    await window.monitor.getByText('more than', { exact: false }).or(window.monitor.locator('.floors-checked.problem')).first().waitFor({ timeout: 30_000 }); // prettier-ignore
    await knob.press('Home');
    for (let i = 0; i < 10; i++) await knob.press('ArrowRight');
    expect(await knob.getAttribute('aria-valuenow')).toBe('2');
    await window.monitor.locator('.floors-checked', { hasText: '25% =' }).waitFor({ timeout: 30_000 });
    await window.monitor.getByRole('button', { name: 'Write floors into the plan' }).click();
    await window.monitor.getByText('not saved yet').waitFor({ timeout: 30_000 });
    const text = window.page.locator('.view-lines', { hasText: '// stays' }).last();
    await text.getByText('"floor"').first().waitFor({ timeout: 30_000 });
    expect(await text.innerText()).toMatch(/"floor":\s*"2%"/);
    await artifact(window.page, 'layers-written');
    expect(window.violations).toEqual([]);
  });
});
