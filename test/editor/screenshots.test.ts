/**
 * The pictures of the documentation, of the extension's page and of its walkthrough (npm run screenshots). Every number in them
 * comes from the runs made here.
 */
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { describe, test } from 'vitest';
import { writeTfjsModel } from '../../daemon/model/files/writeTfjs.js';
import { buildArchitecture } from '../../daemon/model/setup/architectures.js';
import { expectEventually } from './expectEventually.js';
import { Movie } from './pictures/movie.js';
import { saveMovie, savePicture, type Clip } from './pictures/picture.js';
import { makeWorkspace, plan, ROOT } from './sample.js';
import { Workbench } from './workbench.js';

const FOLDER = join(ROOT, 'docs/screenshots');
/** Parts of them, which the walkthrough shows in a column beside its steps. */
const WALKTHROUGH = join(ROOT, 'media/walkthrough');
const WALKTHROUGH_WIDTH = 760;
const LENSES: Clip = { left: 348, top: 0, width: 760, height: 430 };
const MODEL_VIEW: Clip = { left: 0, top: 545, width: 760, height: 280 };
const BOX: Clip = { left: 348, top: 0, width: 760, height: 300 };
const MONITOR: Clip = { left: 348, top: 0, width: 1012, height: 830 };
const SCHEDULE = { mu0: 0.0009, a: 1.3, iterations: 24, epochs: 2 };
/** The plan of the movie takes its data from an existing plan. */
const MOVIE_DATA = { source: 'mnist', limit: 20_000 };
/** A run on a busy machine. */
const RUN_MS = 600_000;

const budget = (keep: string, name: string): [string, string] => [
  `${name}.prune.json`,
  plan({
    budget: { keep },
    schedule: SCHEDULE,
    training: { learningRate: 0.05 },
    retrain: { epochs: 5, learningRate: 0.02 },
  }),
];

/** The example's model, which is trained well, in place of the sample's. */
async function copyExampleModel(folder: string): Promise<void> {
  const example = join(ROOT, 'examples/lenet300');
  for (const name of (await readdir(example)).filter((file) => !file.endsWith('.prune.json')))
    await copyFile(join(example, name), join(folder, name));
}

const open = (folder: string, width: number, height: number) =>
  Workbench.open({
    folder,
    theme: 'Default Dark Modern',
    settings: {
      'workbench.activityBar.location': 'default',
      'window.title': 'LC Prune',
      'window.commandCenter': false,
      'workbench.layoutControl.enabled': false,
      'editor.wordWrap': 'on',
      'editor.minimap.enabled': false,
      // Toasts of an extension under development name no extension.
      'lcPrune.notifyAfterSeconds': -1,
    },
    width,
    height,
  });

async function withWindow(
  name: string,
  size: readonly [number, number],
  plans: Record<string, string>,
  work: (window: Workbench, folder: string) => Promise<void>,
): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const workspace = await makeWorkspace(plans);
  let window: Workbench | undefined;
  try {
    window = await open(workspace.folder, ...size);
    await work(window, workspace.folder);
  } finally {
    await window?.page.screenshot({ path: join(ROOT, `artifacts/${name}-end.png`) });
    await window?.close();
    await workspace.remove();
  }
}

describe.runIf(process.env.SCREENSHOTS === '1')('pictures', () => {
  test(
    'the moving one: from the click above the model to the finished run',
    () =>
      withWindow('movie', [1000, 660], { 'data.prune.json': plan({ data: MOVIE_DATA }) }, async (window, folder) => {
        const { page } = window;
        await copyExampleModel(join(folder, 'lenet300'));
        const lens = window.codeLens('Prune to budget').first();
        await window.openFile('lenet300/model.json');
        await window.palette('View: Toggle Primary Side Bar Visibility');
        await lens.waitFor({ timeout: 120_000 });
        await page.waitForTimeout(3000);
        const movie = await Movie.start(page);
        await movie.frame(1200);
        await movie.pointAt(lens);
        await movie.frame(900);
        await lens.click();
        await window.quickPick(/2,662 weights/).first().waitFor({ timeout: 60_000 }); // prettier-ignore
        await movie.frame(1400);
        await window.quickInput.fill('2%');
        await window.quickPick(/about .*without training/).first().waitFor({ timeout: 120_000 }); // prettier-ignore
        await movie.pointAt(window.quickPick(/5,324 weights/).first());
        await movie.frame(2200);
        await page.keyboard.press('Enter');
        await window.monitor.locator('.card.loss canvas').waitFor({ timeout: 120_000 });
        // Folded, so that the charts are in view.
        await movie.pointAt(window.monitor.locator('summary').first());
        await window.monitor.locator('summary').first().click();
        const finish = window.monitor.locator('.finish:not([hidden])');
        await movie.watch(() => finish.isVisible(), { most: 10, each: 500, limit: 2 * RUN_MS });
        await page.waitForTimeout(1500);
        await movie.pointAt(finish.getByRole('button', { name: 'Export' }));
        await movie.frame(4500);
        await saveMovie(join(FOLDER, 'from-model-to-small-model.png'), await movie.end(), 800);
      }),
    3 * RUN_MS,
  );

  test(
    'those of layers: the network as a graph, and what each layer loses alone',
    () =>
      withWindow('layers', [1360, 850], Object.fromEntries([budget('2%', 'keep-2')]), async (window, folder) => {
        const { page } = window;
        await copyExampleModel(join(folder, 'lenet300'));
        await mkdir(join(folder, 'resnet20'));
        await writeTfjsModel(buildArchitecture('resnet20', 1), join(folder, 'resnet20/model.json'));
        const shot = async (name: string) => {
          await page.mouse.move(700, 840);
          await page.waitForTimeout(1500);
          await savePicture(join(FOLDER, `${name}.png`), await page.screenshot());
        };
        /** The command asks which file, unless the one in front is meant. */
        const run = async (command: string, file: RegExp, shown: Locator) => {
          await window.command(command);
          const pick = window.quickPick(file).first();
          await Promise.race([shown.waitFor({ timeout: 300_000 }), pick.click({ timeout: 300_000 })]);
          await shown.waitFor({ timeout: 300_000 });
        };
        await window.openFile('resnet20/model.json');
        await run('Show Network of a Model', /resnet20/, window.pageInFront.locator('.network-box').first());
        // A residual connection ties the filter to others: the reason is shown beside the graph.
        await window.pageInFront.locator('.network-box').nth(1).click();
        await shot('network');
        await window.palette('View: Close All Editors');
        await window.openFile('keep-2.prune.json');
        const knob = window.pageInFront.getByRole('slider', { name: 'Floor of fc3' });
        await run('Sensitivity of Layers', /keep-2/, knob);
        await window.pageInFront.getByRole('button', { name: 'Suggested' }).click();
        await window.pageInFront.locator('.floors-checked', { hasText: '=' }).waitFor({ timeout: 60_000 });
        await shot('sensitivity');
      }),
    RUN_MS,
  );

  test(
    'the still ones',
    () =>
      withWindow(
        'screenshots',
        [1360, 850],
        Object.fromEntries([budget('5%', 'keep-5'), budget('2%', 'keep-2')]),
        async (window) => {
          const { page } = window;
          const shot = async (name: string, forWalkthrough: Record<string, Clip> = {}) => {
            await page.mouse.move(700, 840);
            await page.waitForTimeout(1500);
            const png = await page.screenshot();
            await savePicture(join(FOLDER, `${name}.png`), png);
            for (const [part, clip] of Object.entries(forWalkthrough))
              await savePicture(join(WALKTHROUGH, `${part}.png`), png, { clip, width: WALKTHROUGH_WIDTH });
          };
          const closeEditor = async () => {
            await window.palette('View: Close Editor');
            // The monitor's page is loaded again, and takes the focus then: a box that is open would close.
            await window.monitor.locator('.card.loss canvas').waitFor({ timeout: 60_000 });
            await page.waitForTimeout(3000);
          };
          const run = async (name: string, lens: RegExp) => {
            await window.openFile(`${name}.prune.json`);
            await window.codeLens(lens).first().waitFor({ timeout: 60_000 });
            await window.codeLens(lens).first().click();
            await window.monitor.locator('h1', { hasText: name }).waitFor({ timeout: 60_000 });
          };

          await window.openFile('lenet300/model.json');
          await window.codeLens('Prune to budget').first().waitFor({ timeout: 120_000 });
          await window.openSideBar();
          await window.treeRow('fc3').waitFor({ timeout: 60_000 });
          await shot('codelens', { codelens: LENSES, model: MODEL_VIEW });
          await window.codeLens('Prune to budget').first().click();
          await window.quickInput.fill('lose at most 0.5%');
          await window.quickPick(/0\.5/).first().waitFor({ timeout: 60_000 }); // prettier-ignore
          await window.quickPick(/about .* at most/).first().waitFor({ timeout: 120_000 }); // prettier-ignore
          await shot('goal');
          await window.quickInput.fill('2%');
          await window.quickPick(/on this CPU.*5,324 weights/s).first().waitFor({ timeout: 120_000 }); // prettier-ignore
          await shot('budget', { budget: BOX });
          await page.keyboard.press('Escape');

          await run('keep-2', /^(\$\(.*\))?\s*Run/);
          await expectEventually(
            () =>
              window.monitor
                .locator('.stats')
                .innerText()
                .then((text) => /1\d \/ 24/.test(text)),
            true,
            RUN_MS,
          );
          await shot('monitor-running', { 'monitor-running': MONITOR });
          await expectEventually(() => window.runState.textContent(), 'Finished', RUN_MS);
          await window.monitor.locator('.finish:not([hidden])').waitFor({ timeout: RUN_MS });
          // Folded, so that the charts are in view.
          await window.monitor.locator('summary').first().click();
          await shot('monitor-finished', { 'monitor-finished': MONITOR });

          await window.monitor.locator('.finish button', { hasText: 'What Changed' }).click();
          await window.pageInFront.locator('.matrix').waitFor({ timeout: 120_000 });
          await shot('what-changed');
          await closeEditor();

          await window.command('Run with Baselines');
          await window.quickPick('keep-5').first().click();
          for (const method of ['magnitude', 'gradual'])
            await window.treeRow(new RegExp(`${method} · [\\d.]+% error · 5% kept$`)).waitFor({ timeout: RUN_MS });
          await window.command('Show Runs Table');
          await window.pageInFront.locator('.body [role=row]').nth(3).waitFor({ timeout: 60_000 });
          await shot('runs-table');
          await closeEditor();

          await window.command('Compare Runs');
          await window.quickPick().first().waitFor();
          await page
            .locator(
              '.quick-input-check-all, .quick-input-header input[type=checkbox], .quick-input-header .monaco-checkbox',
            )
            .first()
            .click();
          await page.keyboard.press('Enter');
          await window.monitor.locator('.run-strip .chip').nth(1).waitFor({ timeout: 30_000 });
          await shot('compare');
          await window.monitor.locator('.card.trade-off').scrollIntoViewIfNeeded();
          await shot('compare-layers');
        },
      ),
    4 * RUN_MS,
  );
});
