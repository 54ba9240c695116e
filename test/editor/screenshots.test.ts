/** The pictures of the documentation (npm run screenshots). Every number in them comes from the runs made here. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { expectEventually } from './expectEventually.js';
import { makeWorkspace, plan, ROOT } from './sample.js';
import { Workbench } from './workbench.js';

const FOLDER = join(ROOT, 'docs/screenshots');
const SCHEDULE = { mu0: 0.0009, a: 1.12, iterations: 30, epochs: 2 };

const budget = (keep: string, name: string): [string, string] => [
  `${name}.prune.json`,
  plan({
    budget: { keep },
    schedule: SCHEDULE,
    training: { learningRate: 0.05 },
    retrain: { epochs: 5, learningRate: 0.02 },
  }),
];

test.runIf(process.env.SCREENSHOTS === '1')(
  'screenshots',
  async () => {
    await mkdir(FOLDER, { recursive: true });
    const workspace = await makeWorkspace(Object.fromEntries([budget('5%', 'keep-5'), budget('2%', 'keep-2')]));
    const window = await Workbench.open({
      folder: workspace.folder,
      theme: 'Default Dark Modern',
      settings: { 'workbench.activityBar.location': 'default', 'window.title': 'LC Prune', 'editor.wordWrap': 'on' },
      width: 1360,
      height: 850,
    });
    const shot = async (name: string) => {
      await window.page.mouse.move(700, 840);
      await window.page.waitForTimeout(700);
      await window.page.screenshot({ path: join(FOLDER, `${name}.png`) });
    };
    const run = async (name: string, lens: RegExp) => {
      await window.openFile(`${name}.prune.json`);
      await window.codeLens(lens).first().waitFor({ timeout: 60_000 });
      await window.codeLens(lens).first().click();
      await window.monitor.locator('h1', { hasText: name }).waitFor({ timeout: 60_000 });
    };
    try {
      await window.openFile('lenet300/model.json');
      await window.codeLens('Prune to budget').first().waitFor({ timeout: 60_000 });
      await window.openSideBar();
      await window.treeRow('fc3').waitFor();
      await shot('codelens');
      await window.codeLens('Prune to budget').first().click();
      await window.quickInput.fill('2%');
      await window
        .quickPick(/5,324 weights/)
        .first()
        .waitFor();
      await shot('budget');
      await window.page.keyboard.press('Escape');

      await run('keep-5', /^(\$\(.*\))?\s*Run/);
      await expectEventually(() => window.runState.textContent(), 'Finished', 240_000);
      await run('keep-2', /^(\$\(.*\))?\s*Run/);
      await expectEventually(
        () =>
          window.monitor
            .locator('.stats')
            .innerText()
            .then((text) => /(1\d|2\d) \/ 30/.test(text)),
        true,
        120_000,
      );
      await shot('monitor-running');
      await expectEventually(() => window.runState.textContent(), 'Finished', 240_000);
      await shot('monitor-finished');

      await window.command('Run with Baselines');
      await window.quickPick('keep-2').first().click();
      for (const method of ['magnitude', 'gradual'])
        await window.treeRow(new RegExp(`${method} · [\\d.]+% error · 2% kept$`)).waitFor({ timeout: 300_000 });
      await window.command('Compare Runs');
      await window.quickPick().first().waitFor();
      await window.page
        .locator(
          '.quick-input-check-all, .quick-input-header input[type=checkbox], .quick-input-header .monaco-checkbox',
        )
        .first()
        .click();
      await window.page.keyboard.press('Enter');
      await window.monitor.locator('.run-strip .chip').nth(1).waitFor({ timeout: 30_000 });
      await shot('compare');
      await window.monitor.locator('.card.trade-off').scrollIntoViewIfNeeded();
      await shot('compare-layers');
    } finally {
      await window.page.screenshot({ path: join(ROOT, 'artifacts/screenshots-end.png') });
      await window.close();
      await workspace.remove();
    }
  },
  1_500_000,
);
