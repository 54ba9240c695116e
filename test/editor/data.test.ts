/** A person's own model and table, from a clean window: which data, a look at it, the budget, a run. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clusterCsv, tinyModel } from '../fixtures/tinyWorkspace.js';
import { artifact, expectEventually } from './expectEventually.js';
import { ROOT } from './sample.js';
import { Workbench } from './workbench.js';

let folder: string;
let window: Workbench;

/** The table with one more column of numbers, which the model has no input for. */
const withCounter = (): string =>
  clusterCsv(120)
    .split('\n')
    .map((line, i) => `${i === 0 ? 'price' : 1.5 * i},${line}`)
    .join('\n');

beforeAll(async () => {
  await mkdir(join(ROOT, '.cache/editor'), { recursive: true });
  folder = await mkdtemp(join(ROOT, '.cache/editor/data-'));
  const { json, weights } = tinyModel();
  await mkdir(join(folder, 'my net'));
  await writeFile(join(folder, 'my net/model.json'), JSON.stringify(json, null, 2));
  await writeFile(join(folder, 'my net/weights.bin'), weights);
  await writeFile(join(folder, 'my net/flowers.csv'), clusterCsv(600));
  await writeFile(join(folder, 'my net/prices.csv'), 'a,b,label\n1,2,x\n3,4,y\n5,6,x\n');
  window = await Workbench.open({ folder });
});
afterAll(async () => {
  await artifact(window?.page, 'data-end');
  await window?.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

const plan = (name: string) => readFile(join(folder, 'my net', name), 'utf8');

describe('a model with a table beside it', () => {
  test('four clicks (the lens, the data, its samples, the budget) start a run, and its plan records the choices', async () => {
    await window.openFile('my net/model.json');
    const lens = window.codeLens('Prune to budget').first();
    await lens.waitFor({ timeout: 60_000 });
    const inputs = await window.countInputs();
    const began = performance.now();
    await lens.click();
    const row = window.quickPick(/flowers\.csv/).first();
    await row.waitFor({ timeout: 30_000 });
    expect(await row.innerText()).toContain('600 rows, 4 inputs + label "label" (3 classes)');
    expect(
      await window
        .quickPick(/prices\.csv/)
        .first()
        .innerText(),
    ).toMatch(/2 values/);
    await window
      .quickPick(/Browse\.\.\./)
      .first()
      .waitFor();
    expect(await window.quickPick(/mnist/).count()).toBe(0);
    await artifact(window.page, 'data-pick');
    await row.click();
    const use = window.monitor.getByRole('button', { name: 'Use This Data' });
    await use.waitFor({ timeout: 30_000 });
    await expectEventually(() => use.isEnabled(), true, 30_000);
    const page = await window.monitor.locator('#page').innerText();
    expect(page).toContain('my net/flowers.csv for model.json');
    expect(page).toMatch(/600 rows/);
    expect(page).toMatch(/about \d+ (s|min): 40 iterations/);
    expect(await window.monitor.getByLabel('Label', { exact: true }).inputValue()).toBe('label');
    expect(await window.monitor.locator('.samples tbody tr').count()).toBe(16);
    await artifact(window.page, 'data-page');
    await use.click();
    const budget = window.quickPick(/Keep 10% of the weights/).first();
    await budget.waitFor({ timeout: 30_000 });
    await budget.click();
    await window.monitor.locator('.card.loss canvas').waitFor({ timeout: 60_000 });
    console.log(
      `model and CSV: first point ${((performance.now() - began) / 1000).toFixed(1)} s after the first click`,
    );
    expect((await inputs()).keys).toBe(0);
    const written = await plan('my net.prune.json');
    expect(written).toContain('"data": "flowers.csv"');
    expect(written).toMatch(/\/\/ At most about \d+ (s|min) on this machine/);
    expect(written).toMatch(/"schedule": \{ "iterations": 40, "epochs": \d+ \}/);
    // Its weights are random, so the reference is at chance, and the run is no plain success.
    await expectEventually(() => window.runState.textContent(), 'Finished, with warnings', 60_000);
    expect(window.violations).toEqual([]);
  });

  test('after the first answers the next budget takes two clicks', async () => {
    await window.openFile('my net/model.json');
    await window.codeLens('Prune to budget').first().click();
    await window
      .quickPick(/Keep 10% of the weights/)
      .first()
      .waitFor({ timeout: 30_000 });
    expect(await window.page.locator('.quick-input-title').innerText()).toContain(
      'data as in my net/my net.prune.json',
    );
    await window.page.keyboard.press('Escape');
  });

  test('the user can change the label in the preview, and a choice that fails shows the reason', async () => {
    // One more column of numbers gives the table too many inputs.
    await writeFile(join(folder, 'my net/more.csv'), withCounter());
    await window.openFile('my net/model.json');
    await window.command('Create Plan...');
    const misfit = window.quickPick(/more\.csv/).first();
    await misfit.waitFor({ timeout: 30_000 });
    expect(await misfit.innerText()).toMatch(/5 values/);
    await window
      .quickPick(/flowers\.csv/)
      .first()
      .click({ timeout: 30_000 });
    const label = window.monitor.getByLabel('Label', { exact: true });
    await label.waitFor({ timeout: 30_000 });
    await label.selectOption('a');
    const alert = window.monitor.getByRole('alert');
    await alert.waitFor({ timeout: 30_000 });
    expect(await alert.innerText()).toMatch(/flowers\.csv/);
    expect(await window.monitor.getByRole('button', { name: 'Use This Data' }).isEnabled()).toBe(false);
    await artifact(window.page, 'data-problem');
    await label.selectOption('label');
    await expectEventually(
      () => window.monitor.getByRole('button', { name: 'Use This Data' }).isEnabled(),
      true,
      30_000,
    );
    await window.monitor.getByLabel('Scale of inputs').selectOption('standard');
    await expectEventually(
      () => window.monitor.getByRole('button', { name: 'Use This Data' }).isEnabled(),
      true,
      30_000,
    );
    await window.monitor.getByRole('button', { name: 'Use This Data' }).click();
    await window
      .quickPick(/Keep 5% of the weights/)
      .first()
      .click({ timeout: 30_000 });
    await expectEventually(async () => (await plan('my net-2.prune.json').catch(() => '')).includes('standard'), true);
    await window.page.locator('.tabs-container .tab.active', { hasText: 'my net-2' }).waitFor();
    const written = await plan('my net-2.prune.json');
    expect(written).toContain('"labels": "label"');
    expect(written).toContain('"preprocess": { "scale": "standard" }');
  });

  test('data that is gone is mended by the light bulb', async () => {
    await writeFile(
      join(folder, 'my net/gone.prune.json'),
      '{\n  "model": "model.json",\n  "data": "data.npz",\n  "budget": { "keep": "20%" }\n}\n',
    );
    await window.openFile('my net/gone.prune.json');
    await window.page.locator('.squiggly-error').first().waitFor({ timeout: 60_000 });
    await window.page.locator('.view-line', { hasText: '"data"' }).getByText('"data.npz"').click();
    const fix = window.page.getByText('Use "my net/flowers.csv": 600 rows');
    for (let tries = 0; tries < 10 && !(await fix.isVisible()); tries++) {
      await window.page.keyboard.press('ControlOrMeta+.');
      await fix.waitFor({ timeout: 3_000 }).catch(() => undefined);
    }
    await artifact(window.page, 'data-quick-fix');
    await window.page.keyboard.press('Enter');
    await expectEventually(() => window.page.locator('.view-line', { hasText: '"flowers.csv"' }).count(), 1);
    await expectEventually(() => window.page.locator('.squiggly-error').count(), 0, 30_000);
  });
});
