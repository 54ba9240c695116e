/** Every CodeLens and context action of plans in a subfolder, in two workspace folders, one opened by a link, with names as users choose them. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { artifact, expectEventually } from './expectEventually.js';
import { makeFolders, plan, type Folders } from './sample.js';
import { Workbench } from './workbench.js';

const SUB = 'réseau 網路/a b';
const SHORT = 'plan à essayer.prune.json';
const ARCHITECTURE = 'bâti.prune.json';
const LONG = 'long – 長.prune.json';
const short = {
  model: 'netz/model.json',
  data: { source: 'mnist', limit: 1000 },
  schedule: { mu0: 0.001, a: 1.6, iterations: 2, epochs: 1 },
  retrain: { epochs: 0 },
};
/** Goes on until it is stopped. */
const endless = { schedule: { mu0: 0.0001, a: 1.02, iterations: 1000, epochs: 4, tolerance: 1e-9 } };

describe('plans in a subfolder of a multi-root workspace', () => {
  let place: Folders;
  let window: Workbench;
  /** The folder that is opened by a link. */
  let sub: string;
  let other: string;

  beforeAll(async () => {
    place = await makeFolders(SUB, {
      [SHORT]: plan(short),
      [ARCHITECTURE]: plan({ ...short, ...endless, model: { architecture: 'lenet300' }, reference: { epochs: 1 } }),
      [LONG]: plan({ ...short, ...endless, budget: { keep: '10%' } }),
    });
    [other, sub] = place.folders.map((folder) => join(folder, SUB)) as [string, string];
    window = await Workbench.open({ folder: place.file, settings: { 'lcPrune.notifyAfterSeconds': -1 } });
    await window.openSideBar();
  });
  afterAll(async () => {
    await artifact(window?.page, 'folders-end');
    await window?.close();
    await place?.remove();
  });

  const lens = async (text: RegExp): Promise<Locator> => {
    const found = window.codeLens(text).first();
    await found.waitFor({ timeout: 60_000 });
    return found;
  };
  const heading = (text: string) => window.monitor.locator('h1', { hasText: text }).waitFor({ timeout: 60_000 });
  const activeTab = () => window.page.locator('.tabs-container .tab.active').first().getAttribute('aria-label');
  const closePick = async () => {
    await window.page.keyboard.press('Escape');
    await window.quickInput.waitFor({ state: 'hidden' });
  };
  /** A context action of a row of the side bar. */
  async function context(row: Locator, action: string): Promise<void> {
    const item = window.page.locator('.context-view .action-item', { hasText: action }).first();
    // The menu of a row closes when the progress of its run redraws it.
    for (let tries = 0; tries < 5 && !(await item.isVisible()); tries++) {
      await row.click({ button: 'right' });
      await item.waitFor({ timeout: 5000 }).catch(() => undefined);
    }
    // The menu ignores input that comes too early.
    await window.page.waitForTimeout(300);
    await item.click();
  }

  test('the lenses of a plan that has not run: preview, path, monitor', async () => {
    await window.openFile(join(sub, SHORT));
    await (await lens(/Preview budget/)).click();
    await window
      .quickPick(/5,324 weights/)
      .first()
      .waitFor({ timeout: 60_000 });
    await closePick();
    await (await lens(/Path/)).click();
    await window
      .quickPick(/Error against budget/)
      .first()
      .waitFor();
    await closePick();
    await (await lens(/Open monitor/)).click();
    await window.notification('This plan has not been run yet.');
    await window.palette('Notifications: Clear All Notifications');
  });

  test('"Run" runs it, and the monitor is found from its plan: by both lenses, and for no plan of another folder', async () => {
    await (await lens(/^Run$|Run/)).click();
    await heading('plan à essayer');
    await expectEventually(() => window.runState.textContent(), 'Finished', 90_000);
    for (const text of [/Open monitor/, /Last run/]) {
      await window.openFile(join(sub, SHORT));
      await (await lens(text)).click();
      await heading('plan à essayer');
      expect(await activeTab()).toContain('LC Prune: plan à essayer');
    }
    await window.openFile(join(other, SHORT));
    expect(await window.codeLens(/Last run/).count()).toBe(0);
    await (await lens(/Open monitor/)).click();
    await window.notification('This plan has not been run yet.');
    await window.palette('Notifications: Clear All Notifications');
  });

  test('"Compare runs" shows all of its runs', async () => {
    await window.openFile(join(sub, SHORT));
    await (await lens(/^Run$|Run/)).click();
    await heading('plan à essayer');
    await expectEventually(() => window.runState.textContent(), 'Finished', 90_000);
    await window.openFile(join(sub, SHORT));
    await (await lens(/Compare 2 runs/)).click();
    await expectEventually(() => window.monitor.locator('.chip').count(), 2);
  });

  test('the same plan in the other folder is run from the explorer, and gets a row of its own', async () => {
    await window.page.locator('.activitybar a.action-label[aria-label*="Explorer"]').click();
    await window.openFile(join(other, SHORT));
    const row = window.page.locator('.explorer-folders-view .monaco-list-row.selected');
    await row.waitFor();
    await context(row, 'Run');
    await heading('plan à essayer');
    await expectEventually(() => window.runState.textContent(), 'Finished', 90_000);
    await window.openSideBar();
    await window.treeRow(/été – modèles.*1 run/).waitFor();
    await window.treeRow(/lien à deux.*2 runs/).waitFor();
    await artifact(window.page, 'folders-tree');
  });

  test('context actions of a run: its monitor, its plan, its folder, and the export beside its plan', async () => {
    // The run of the folder that is opened by a link.
    const run = window.treeRow(/2% kept/).last();
    await context(run, 'Open Monitor');
    await heading('plan à essayer');
    await context(run, 'Open Plan of Run');
    await window.page.locator('.tabs-container .tab.active', { hasText: SHORT }).waitFor();
    // The document that is open under this name already, not a second one behind the link.
    expect(await window.page.locator('.tabs-container .tab', { hasText: SHORT }).count()).toBe(2);
    await context(run, 'Export Pruned Model');
    await window
      .quickPick(/TensorFlow/)
      .first()
      .click({ timeout: 60_000 });
    await expectEventually(() => window.quickInput.inputValue(), join(sub, 'plan à essayer-pruned.json'));
    await closePick();
    await context(run, 'Compare Runs');
    await window
      .quickPick(/plan à essayer/)
      .first()
      .waitFor();
    await closePick();
    await context(run, 'Rename Run');
    await expectEventually(() => window.quickInput.inputValue().then((name) => name.includes('plan-à-essayer')), true);
    await closePick();
    await context(run, 'Reveal Run Folder');
    await window.page.locator('.explorer-folders-view .monaco-list-row.selected', { hasText: 'plan.json' }).waitFor();
    await window.openSideBar();
  });

  test('the budget box of a running run shows the arithmetic, also for an architecture', async () => {
    await window.openFile(join(sub, ARCHITECTURE));
    await (await lens(/^Run$|Run/)).click();
    await heading('bâti');
    await window.monitor.locator('.card.loss canvas').waitFor({ timeout: 60_000 });
    await window.monitor.getByRole('button', { name: 'Budget' }).click();
    await window
      .quickPick(/2,662 weights/)
      .first()
      .waitFor({ timeout: 30_000 });
    // Enter at once: what is taken is what is typed, not what was offered.
    await window.quickInput.fill('3%');
    await window.page.keyboard.press('Enter');
    await window.quickInput.waitFor({ state: 'hidden' });
    await expectEventually(() => budgetOf('bâti'), '{"keep":"3%"}');
    await context(window.page.locator('.sidebar .monaco-list-row[aria-label*="running"]').first(), 'Change Budget');
    await window
      .quickPick(/2,662 weights/)
      .first()
      .waitFor({ timeout: 30_000 });
    await closePick();
  });

  test('two running runs in one monitor both continue, one removed and added again', async () => {
    await window.openFile(join(other, LONG));
    await (await lens(/^Run$|Run/)).click();
    await heading('long');
    await window.monitor.locator('.card.loss canvas').waitFor({ timeout: 60_000 });
    await compare('bâti');
    await bothGoOn();
    await window.monitor.getByRole('button', { name: /^Remove bâti/ }).click();
    await window.monitor.locator('.run-strip').waitFor({ state: 'hidden' });
    await compare('bâti');
    await bothGoOn();
    await artifact(window.page, 'folders-two-live');
  });

  test('the Model view is live while the monitor is', async () => {
    await window.openFile(join(other, 'netz/model.json'));
    const layer = window
      .treeRow(/%/)
      .filter({ hasText: /fc1|dense/i })
      .first();
    await layer.waitFor({ timeout: 60_000 });
    const before = await layer.getAttribute('aria-label');
    await expectEventually(async () => (await layer.getAttribute('aria-label')) !== before, true, 60_000);
    await artifact(window.page, 'folders-model-view');
  });

  /** The last request to the only run of a plan, by its log. */
  async function budgetOf(name: string): Promise<string | undefined> {
    const runs = join(place.folders[1], '.lcprune/runs');
    const run = (await readdir(runs)).find((each) => each.endsWith(name))!;
    const log = await readFile(join(runs, run, 'events.jsonl'), 'utf8');
    const events = log.split('\n').filter((line) => line.includes('"event":"budget"'));
    return events.map((line) => JSON.stringify((JSON.parse(line) as { budget: unknown }).budget)).at(-1);
  }

  /** Adds a run to those on show. */
  async function compare(name: string): Promise<void> {
    await window.command('Compare Runs');
    const row = window.quickPick(new RegExp(name)).first();
    await row.waitFor();
    await window.page.waitForTimeout(500);
    await row.click();
    await window.page.keyboard.press('Enter');
    await expectEventually(() => window.monitor.locator('.chip').count(), 2);
  }

  /** The loss of each of the two runs changes. */
  async function bothGoOn(): Promise<void> {
    const values = window.monitor.locator('.card.loss .legend-pair');
    await expectEventually(() => values.count().then((count) => count >= 2), true);
    const before = await values.allInnerTexts();
    for (const i of [0, 1])
      await expectEventually(async () => (await values.nth(i).innerText()) !== before[i], true, 30_000);
  }
});
