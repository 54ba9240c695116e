/** A sweep in a real VS Code: from its CodeLens in a terminal, and as a group of the side bar. test/integration/sweep.test.ts runs what the command does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { artifact, expectEventually } from './expectEventually.js';
import { makeWorkspace, plan, ROOT } from './sample.js';
import { Workbench } from './workbench.js';

let window: Workbench;
let workspace: Awaited<ReturnType<typeof makeWorkspace>>;
beforeAll(async () => {
  // Long enough to be stopped in its first point.
  const schedule = { mu0: 0.001, a: 1.6, iterations: 12, epochs: 10, tolerance: 1e-9 };
  workspace = await makeWorkspace({ 'long.prune.json': plan({ schedule }) });
  const sweep = { plan: 'long.prune.json', over: { 'budget.keep': ['50%', '25%'] } };
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

const terminalShows = async (text: RegExp): Promise<boolean> =>
  text.test((await window.page.locator('.panel .xterm-rows').allInnerTexts()).join('\n'));

test('"Run sweep" above a sweep file runs it in a terminal', { timeout: 150_000 }, async () => {
  await window.openFile('budgets.sweep.json');
  await window.codeLens('Run sweep').first().click({ timeout: 60_000 });
  await expectEventually(() => terminalShows(/sweep\s+budgets\.sweep\.json/), true, 60_000);
});

test('its runs are a group in the side bar, which is stopped and continued as a whole', async () => {
  // Terminals execute nothing in some hosts of tests: here the command is another terminal's.
  const args = [join(ROOT, 'dist', 'cli.mjs'), 'sweep', 'budgets.sweep.json'];
  const command = spawn(process.execPath, args, { cwd: workspace.folder, stdio: 'ignore' });
  const ended = once(command, 'exit');
  try {
    await window.openSideBar();
    const group = window.treeRow(/Sweep budgets/).first();
    await window.treeRow(/Sweep budgets.*0\/2 done · running/).waitFor({ timeout: 90_000 });
    await group.click();
    await window.treeRow(/budget\.keep=50%/).waitFor({ timeout: 30_000 });
    await artifact(window.page, 'sweep-running');
    await group.hover();
    await group.getByRole('button', { name: 'Stop Sweep' }).click();
    expect(await ended).toEqual([130, null]);
    await window.treeRow(/Sweep budgets.*0\/2 done · stopped/).waitFor({ timeout: 60_000 });
    await window.treeRow(/budget\.keep=50%.*stopped/).waitFor({ timeout: 30_000 });
    await group.hover();
    await group.getByRole('button', { name: 'Continue Sweep' }).click();
    await expectEventually(() => terminalShows(/sweep\s+\.lcprune\/sweeps\//), true, 60_000);
  } finally {
    command.kill('SIGKILL');
  }
  expect(window.violations).toEqual([]);
}, 240_000);
