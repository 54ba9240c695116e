/** "Run On..." in a real VS Code: a place of the settings, whose command stands for another machine, and the run in the tree and the monitor. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { artifact, expectEventually } from './expectEventually.js';
import { makeWorkspace, plan } from './sample.js';
import { Workbench } from './workbench.js';

let window: Workbench;
let workspace: Awaited<ReturnType<typeof makeWorkspace>>;
beforeAll(async () => {
  const schedule = { mu0: 0.001, a: 1.6, iterations: 12, epochs: 10, tolerance: 1e-9 };
  workspace = await makeWorkspace({ 'long.prune.json': plan({ schedule }) });
  const settings = { 'lcPrune.places': { 'big box': { command: 'env BOX=1 {cmd}' }, wrong: { command: 'no placeholder' } } }; // prettier-ignore
  window = await Workbench.open({ folder: workspace.folder, settings });
}, 120_000);
afterAll(async () => {
  await artifact(window?.page, 'places-end');
  await window?.close();
  await workspace.remove();
});

test('a plan runs in a place of the settings, which the tree and the monitor show', { timeout: 240_000 }, async () => {
  await window.openFile('long.prune.json');
  await window.codeLens('Run on...').first().click({ timeout: 60_000 });
  await window.quickPick('big box').waitFor();
  await window.quickPick(/wrong.*a command line with \{cmd\} in it/).waitFor();
  await artifact(window.page, 'places-pick');
  await window.quickPick('big box').click();
  await expectEventually(() => window.runState.textContent(), 'Running', 90_000);
  await window.monitor.locator('.subtitle', { hasText: /command job \d+@/ }).waitFor({ timeout: 30_000 });
  await window.openSideBar();
  await window.treeRow(/\d+\/12.* command/).waitFor({ timeout: 60_000 });
  await artifact(window.page, 'places-running');
  expect(await window.monitor.getByRole('button', { name: 'Pause' }).isVisible()).toBe(false);
});

test('its stop button ends it with a checkpoint, and it continues there', { timeout: 240_000 }, async () => {
  await window.monitor.getByRole('button', { name: 'Stop' }).click();
  await expectEventually(() => window.runState.textContent(), 'Stopped', 90_000);
  const row = window.treeRow(/stopped/).first();
  await row.waitFor({ timeout: 30_000 });
  await row.hover();
  await row.getByRole('button', { name: 'Resume' }).click();
  await expectEventually(() => window.runState.textContent(), 'Running', 90_000);
  await window.treeRow(/\d+\/12.* command/).waitFor({ timeout: 60_000 });
  await window.treeRow(/\d+\/12.* command/).hover();
  await window
    .treeRow(/\d+\/12.* command/)
    .getByRole('button', { name: 'Stop' })
    .click();
  await expectEventually(() => window.runState.textContent(), 'Stopped', 90_000);
  expect(window.violations).toEqual([]);
});

test('the place is remembered for the plan', { timeout: 90_000 }, async () => {
  await window.openFile('long.prune.json');
  await window.codeLens('Run on...').first().click({ timeout: 60_000 });
  await window.quickPick().first().filter({ hasText: /big box.*last time/ }).waitFor(); // prettier-ignore
  await window.page.keyboard.press('Escape');
  expect(await readFile(join(workspace.folder, 'long.prune.json'), 'utf8')).not.toContain('runOn');
});
