/** A sweep from its CodeLens, in a real VS Code: the terminal gets the command. test/integration/sweep.test.ts runs what the command does. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { artifact, expectEventually } from './expectEventually.js';
import { makeWorkspace, plan } from './sample.js';
import { Workbench } from './workbench.js';

let window: Workbench;
let workspace: Awaited<ReturnType<typeof makeWorkspace>>;
beforeAll(async () => {
  workspace = await makeWorkspace({ 'tiny.prune.json': plan() });
  const sweep = { plan: 'tiny.prune.json', over: { 'budget.keep': ['50%', '25%'] } };
  await writeFile(join(workspace.folder, 'budgets.sweep.json'), JSON.stringify(sweep, null, 2));
  // A terminal drawn by the graphics card has no text that a test could read.
  const settings = { 'terminal.integrated.gpuAcceleration': 'off' };
  window = await Workbench.open({ folder: workspace.folder, settings });
}, 120_000);
afterAll(async () => {
  await artifact(window?.page, 'sweep-end');
  await window?.close();
  await workspace.remove();
});

test('"Run sweep" above a sweep file runs it in a terminal', { timeout: 150_000 }, async () => {
  await window.openFile('budgets.sweep.json');
  await window.codeLens('Run sweep').first().click({ timeout: 60_000 });
  const terminal = window.page.locator('.panel .xterm-rows');
  const shown = async () => /sweep\s+budgets\.sweep\.json/.test((await terminal.allInnerTexts()).join('\n'));
  await expectEventually(shown, true, 60_000);
  expect(window.violations).toEqual([]);
});
