/** The product as a person uses it, in a real VS Code with the real daemon and engine. */
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { daemonPid } from './daemonPid.js';
import { artifact, expectEventually } from './expectEventually.js';
import { makeWorkspace, plan } from './sample.js';
import { Workbench } from './workbench.js';

describe('from a model to a small model', () => {
  let workspace: Awaited<ReturnType<typeof makeWorkspace>>;
  let window: Workbench;

  beforeAll(async () => {
    // Long enough to be paused in the middle by a busy machine.
    const schedule = { mu0: 0.001, a: 1.6, iterations: 12, epochs: 10, tolerance: 1e-9 };
    workspace = await makeWorkspace({ 'quick.prune.json': plan({ schedule }) });
    window = await Workbench.open({ folder: workspace.folder, settings: { 'lcPrune.notifyAfterSeconds': 0 } });
  });
  afterAll(async () => {
    await artifact(window?.page, 'product-end');
    await window?.close();
    await workspace?.remove();
  });

  test('CodeLens of a model shows its content', async () => {
    await window.openFile('lenet300/model.json');
    await window
      .codeLens(/266,\d{3} weights/)
      .first()
      .waitFor({ timeout: 60_000 });
    await window.codeLens('Prune to budget').first().waitFor();
    await artifact(window.page, 'codelens-model');
  });

  test('the budget input does the arithmetic while one types, and refuses what cannot be', async () => {
    await window.codeLens('Prune to budget').first().click();
    await window
      .quickPick(/2,662 weights/)
      .first()
      .waitFor({ timeout: 15_000 });
    await window.quickInput.fill('5 bananas');
    await window.quickPick(/Not a budget/).waitFor();
    await window.quickInput.fill('2%');
    await window
      .quickPick(/5,324 weights/)
      .first()
      .waitFor();
    await artifact(window.page, 'budget-input');
    await window.page.keyboard.press('Escape');
    expect(existsSync(join(workspace.folder, 'lenet300/lenet300.prune.json'))).toBe(false);
  });

  test('two clicks start a run; the first point is there within seconds', async () => {
    await window.codeLens('Prune to budget').first().click();
    await window
      .quickPick(/2,662 weights/)
      .first()
      .waitFor();
    await window
      .quickPick(/2,662 weights/)
      .first()
      .click();
    const clicked = Date.now();
    await window.monitor.locator('.card.loss canvas').waitFor({ timeout: 60_000 });
    console.log(`first point on the chart ${((Date.now() - clicked) / 1000).toFixed(1)} s after the click`);
    await expectEventually(() => window.runState.textContent(), 'Running');
    expect(existsSync(join(workspace.folder, 'lenet300/lenet300.prune.json'))).toBe(true);
  });

  test('stop ends it with a checkpoint', async () => {
    await window.monitor.getByRole('button', { name: 'Stop' }).click();
    await expectEventually(() => window.runState.textContent(), 'Stopped');
    await window.monitor.getByRole('button', { name: 'Resume' }).waitFor();
  });

  test('a plan runs from its CodeLens, pauses, resumes, and ends', async () => {
    await window.openFile('quick.prune.json');
    await window
      .codeLens(/^Run$|▶|Run/)
      .first()
      .waitFor({ timeout: 30_000 });
    await artifact(window.page, 'codelens-plan');
    await window.codeLens(/Run/).first().click();
    await window.monitor.locator('h1', { hasText: 'quick' }).waitFor({ timeout: 60_000 });
    // The page is open during the run, so its rows have to follow.
    await window.openSideBar();
    await window.monitor.getByRole('button', { name: 'Pause' }).click();
    await expectEventually(() => window.runState.textContent(), 'Paused');
    const values = await lastValues(window);
    await window.page.waitForTimeout(1500);
    expect(await lastValues(window)).toBe(values);
    await window.monitor.getByRole('button', { name: 'Resume' }).click();
    await expectEventually(() => window.runState.textContent(), 'Running');
    await expectEventually(() => window.runState.textContent(), 'Finished', 180_000);
    await artifact(window.page, 'monitor-finished');
    await window.notification(/finished after/);
  });

  test('the result keeps exactly the budget, in every view', async () => {
    const stats = await window.monitor.locator('.stats').innerText();
    expect(stats).toContain('5,324 of 266,200');
    const row = window.treeRow(/2% kept/).first();
    await row.waitFor();
    expect(await row.getAttribute('aria-label')).toMatch(/^quick .*, done, /);
    await artifact(window.page, 'side-bar');
  });

  test('a chart can be read as a table', async () => {
    await window.monitor.getByRole('button', { name: 'Show Error as a table' }).click();
    const cells = window.monitor.locator('.card.error .data-table td');
    expect(await cells.count()).toBeGreaterThan(10);
    expect((await cells.allInnerTexts()).some((text) => /^\d+\.\d+%$/.test(text))).toBe(true);
    await window.monitor.getByRole('button', { name: 'Show Error as a chart' }).click();
  });

  test('the result is exported and is a model with zeros', async () => {
    // Once in the header, once in the card with the result of the run.
    await window.monitor.getByRole('button', { name: 'Export...' }).first().click();
    await window.quickPick().first().waitFor({ timeout: 30_000 });
    await window
      .quickPick(/TensorFlow/)
      .first()
      .click();
    // The web's save dialog is a quick input.
    await window.quickInput.waitFor();
    await expectEventually(() => window.quickInput.inputValue().then((value) => value.endsWith('-pruned.json')), true);
    await window.page.waitForTimeout(1000);
    await window.quickInput.fill(join(workspace.folder, 'small.json'));
    await window.page.waitForTimeout(500);
    await window.page.locator('.quick-input-widget').getByRole('button', { name: 'OK' }).click();
    await expectEventually(async () => existsSync(join(workspace.folder, 'small.json')), true);
    const model = JSON.parse(await readFile(join(workspace.folder, 'small.json'), 'utf8')) as {
      modelTopology?: unknown;
    };
    expect(model.modelTopology).toBeDefined();
    await window.openFile('small.json');
    await window
      .codeLens(/98(\.\d+)?%.*zero|zero/)
      .first()
      .waitFor({ timeout: 30_000 });
  });

  test('nothing violated the Content Security Policy', () => {
    expect(window.violations).toEqual([]);
  });
});

/** The last values of the loss chart, as its legend shows them: they change with every batch. */
async function lastValues(window: Workbench): Promise<string> {
  return window.monitor.locator('.card.loss .legend').innerText();
}

describe.each([true, false])('nothing is lost, keepTraining %s', (keepTraining) => {
  let workspace: Awaited<ReturnType<typeof makeWorkspace>>;
  let window: Workbench;
  let trainer: number;

  beforeAll(async () => {
    workspace = await makeWorkspace({
      'long.prune.json': plan({ schedule: { mu0: 0.0001, a: 1.002, iterations: 4000, epochs: 2 } }),
    });
    window = await Workbench.open({ folder: workspace.folder, settings: { 'lcPrune.keepTraining': keepTraining } });
  });
  afterAll(async () => {
    await artifact(window?.page, `recovery-end-${keepTraining}`);
    await window?.close();
    await workspace?.remove();
  });

  const shot = (name: string) => artifact(window.page, `${name}-${keepTraining}`);

  /** Process id of the trainer that holds the run's lock. */
  async function trainerPid(): Promise<number> {
    const runs = join(workspace.folder, '.lcprune/runs');
    const [run] = await readdir(runs);
    return (JSON.parse(await readFile(join(runs, run!, 'lock'), 'utf8')) as { pid: number }).pid;
  }

  /** It trains on, in the same process; or it was ended with a checkpoint, and one click continues it. */
  async function goesOn(): Promise<void> {
    if (keepTraining) {
      await expectEventually(() => window.runState.textContent(), 'Running', 60_000);
      // The curve moves again: the new daemon is running.
      const stats = () => window.monitor.locator('.stats').innerText();
      const before = await stats();
      await expectEventually(async () => (await stats()) !== before, true, 60_000);
      expect(await trainerPid()).toBe(trainer);
      return;
    }
    await expectEventually(() => window.runState.textContent(), 'Interrupted', 60_000);
    await window.monitor.getByRole('button', { name: 'Resume' }).click();
    await expectEventually(() => window.runState.textContent(), 'Running', 60_000);
  }

  /** Waits for the daemon that follows this one. */
  const another = (pid: number) =>
    expectEventually(() => daemonPid().then((now) => now !== pid, () => false), true, 60_000); // prettier-ignore

  test('a killed daemon comes back', async () => {
    await window.openFile('long.prune.json');
    await window.codeLens(/Run/).first().waitFor({ timeout: 60_000 });
    await window.codeLens(/Run/).first().click();
    await window.monitor.locator('.card.kept canvas').waitFor({ timeout: 60_000 });
    trainer = await trainerPid();
    const pid = await daemonPid();
    process.kill(pid, 'SIGKILL');
    await another(pid);
    await shot('daemon-killed');
    await goesOn();
  });

  test('a daemon that is stopped is noticed, ended and replaced', async () => {
    const pid = await daemonPid();
    process.kill(pid, 'SIGSTOP');
    await window.notification(/did not answer any more/);
    await shot('daemon-stopped');
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    await another(pid);
    await goesOn();
  });

  test('a reloaded window brings the monitor back with its history', async () => {
    await window.reload();
    await window.monitor.locator('.card.loss canvas').waitFor({ timeout: 90_000 });
    if (keepTraining) await goesOn();
    else {
      // The new window lists the runs that the old one has left.
      await window.notification(/was interrupted/);
      await shot('interrupted');
      await window.page.getByRole('button', { name: 'Resume' }).first().click();
      await expectEventually(() => window.runState.textContent(), 'Running', 60_000);
    }
    await shot('reloaded');
    // A trainer that another window has started obeys like one that this window started.
    await window.monitor.getByRole('button', { name: 'Pause' }).click();
    await expectEventually(() => window.runState.textContent(), 'Paused', 60_000);
    await window.monitor.getByRole('button', { name: 'Resume' }).click();
    await expectEventually(() => window.runState.textContent(), 'Running', 60_000);
    await window.monitor.getByRole('button', { name: 'Stop' }).click();
    await expectEventually(() => window.runState.textContent(), 'Stopped', 60_000);
    expect(window.violations).toEqual([]);
  });
});
