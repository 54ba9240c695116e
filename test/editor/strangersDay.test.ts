/**
 * A stranger's day: own models and data, each from a clean window to an exported file that onnxruntime loads. It prints the clicks, the
 * keys and the seconds to the first point; a few clicks and no key is what is asked for. `npm run test:day` (minutes, so no part of every run).
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { readLayers } from '../fixtures/readLayers.js';
import { writeTfjsModel } from '../../daemon/model/files/writeTfjs.js';
import { answer, type ScaleFile } from '../integration/stranger/firstHour.js';
import { transfer } from '../integration/stranger/images.js';
import type { Stranger } from '../integration/stranger/stranger.js';
import { iris, wine } from '../integration/stranger/tables.js';
import { artifact, expectEventually } from './expectEventually.js';
import { ROOT } from './sample.js';
import { Workbench } from './workbench.js';

interface Day {
  readonly name: string;
  readonly stranger: Stranger;
  /** Name of the model in the explorer. */
  readonly model: string;
  /** Label of the data's row in the quick pick. */
  readonly data: RegExp;
  /** Changes the stranger's files. @returns the folder or file that the window opens, and the model's folder. */
  arrange?(home: string): Promise<{ opened: string; place: string }>;
}

/** The network as TensorFlow.js's converter writes it: one line of text and a file of weights. */
async function asTfjs(home: string): Promise<{ opened: string; place: string }> {
  const place = join(home, 'wine quality');
  await writeTfjsModel(await readLayers(join(home, wine.model), { workspace: home }), join(place, 'model.json'));
  const path = join(place, 'model.json');
  await writeFile(path, JSON.stringify(JSON.parse(await readFile(path, 'utf8'))));
  await rm(join(home, wine.model));
  return { opened: place, place };
}

/** The model is in a subfolder of the second of two workspace folders. */
async function inSecondFolder(home: string): Promise<{ opened: string; place: string }> {
  const place = join(home, 'deuxième/les fleurs');
  await mkdir(join(home, 'first'), { recursive: true });
  await mkdir(dirname(place), { recursive: true });
  await rename(join(home, 'my flowers'), place);
  await cp(join(place, 'Iris data.csv'), join(home, 'first/other.csv'));
  const opened = join(home, 'two.code-workspace');
  await writeFile(opened, JSON.stringify({ folders: [{ path: 'first' }, { path: 'deuxième' }] }));
  return { opened, place };
}

const inFolder = (stranger: Stranger) => async (home: string) => {
  const place = dirname(join(home, stranger.model));
  return { opened: place, place };
};

const DAYS: readonly Day[] = [
  { name: 'a Keras network and a CSV', stranger: iris, model: 'iris net.keras', data: /Iris data\.csv/ },
  { name: 'an image model and class folders', stranger: transfer, model: 'pets model.keras', data: /photos/ },
  { name: 'an untouched model.json', stranger: wine, model: 'model.json', data: /\.csv/, arrange: asTfjs },
  { name: 'a subfolder of two folders', stranger: iris, model: 'iris net.keras', data: /Iris data\.csv/, arrange: inSecondFolder }, // prettier-ignore
];

let home: string;
let window: Workbench | undefined;
afterEach(async () => {
  await artifact(window?.page, 'day-end');
  await window?.close();
  window = undefined;
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

test.runIf(process.env.LC_PRUNE_DAY === '1').each(DAYS)('$name', async ({ name, stranger, model, data, arrange }) => {
  await mkdir(join(ROOT, '.cache/editor'), { recursive: true });
  home = await mkdtemp(join(ROOT, '.cache/editor/day-'));
  await stranger.write(home);
  const { opened, place } = await (arrange ?? inFolder(stranger))(home);
  window = await Workbench.open({ folder: opened });
  const { page, monitor } = window;
  // The editor has read what the extension contributes. It makes its service of custom editors when it is idle for the first time:
  // until then a click opens any file as text.
  await page.locator('.activitybar a.action-label[aria-label*="LC Prune"]').waitFor({ timeout: 60_000 });
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
  const keys = await window.countInputs();
  let clicks = 0;
  const click = async (target: Locator) => {
    await target.click({ timeout: 60_000 });
    clicks++;
  };

  // The explorer, from the folders down to the model.
  const file = page.locator('.explorer-folders-view .monaco-list-row', { hasText: model }).first();
  for (const folder of opened === place ? [] : ['deuxième', 'les fleurs']) {
    if (await file.isVisible()) break;
    const row = page.locator('.explorer-folders-view .monaco-list-row[aria-expanded="false"]', { hasText: folder });
    if (await row.first().isVisible()) await click(row.first());
  }
  await click(file);
  const opening = clicks;
  const prune = model.endsWith('.json')
    ? window.codeLens('Prune to budget').first()
    : monitor.getByRole('button', { name: 'Prune to budget' });
  await prune.waitFor({ timeout: 90_000 });
  const began = performance.now();
  /** Time of each wait; the user's seconds between the clicks are added. */
  const stages: string[] = [];
  let before = began;
  const lap = (stage: string) => {
    const now = performance.now();
    stages.push(`${stage} ${((now - before) / 1000).toFixed(1)}`);
    before = now;
  };
  await click(prune);
  await window.quickPick(data).first().waitFor({ timeout: 60_000 });
  lap('data listed');
  await click(window.quickPick(data).first());
  const use = window.pageInFront.getByRole('button', { name: 'Use This Data' });
  await use.waitFor({ timeout: 60_000 });
  await expectEventually(() => use.isEnabled(), true, 60_000);
  lap('samples shown');
  await artifact(page, `day-${name.replaceAll(' ', '-')}-data`);
  lap('picture for this test');
  await click(use);
  await window.quickPick(/Keep 10% of the weights/).first().waitFor({ timeout: 60_000 });
  lap('budgets offered');
  await click(window.quickPick(/Keep 10% of the weights/).first());
  await window.pageInFront.locator('.runs, .header, .state').first().waitFor({ timeout: 60_000 });
  lap('monitor open');
  await window.pageInFront.locator('.card.loss canvas').waitFor({ timeout: 60_000 });
  lap('first point');
  const seconds = (performance.now() - began) / 1000;
  const toFirstPoint = clicks - opening;

  await expectEventually(async () => /^Finished/.test((await window!.pageInFront.locator('.state').textContent()) ?? ''), true, 200_000); // prettier-ignore
  await artifact(page, `day-${name.replaceAll(' ', '-')}-finish`);
  await click(window.pageInFront.getByRole('button', { name: 'Export...' }).first());
  await click(window.quickPick(/ONNX/).first());
  await expectEventually(() => window!.quickInput.inputValue().then((value) => value.endsWith('.onnx')), true);
  const target = await window.quickInput.inputValue();
  // The export is proposed beside the plan.
  expect(dirname(target)).toBe(place);
  await page.waitForTimeout(1000);
  await click(page.locator('.quick-input-widget').getByRole('button', { name: 'OK' }));
  await expectEventually(async () => existsSync(target), true, 60_000);
  await window.notification(/Exported/);
  const pressed = (await keys()).keys;
  console.log(`${name}: first point after ${toFirstPoint} clicks, ${pressed} keys, ${seconds.toFixed(1)} s (${stages.join(', ')}); exported after ${clicks} clicks from a clean window`); // prettier-ignore
  expect(toFirstPoint).toBeLessThanOrEqual(4);
  expect(pressed).toBe(0);

  // Another program, and the data as stored.
  const beside = await readFile(target.replace(/onnx$/, 'inputs.json'), 'utf8').catch(() => '{"inputs":[]}');
  const stored = await storedOf(stranger, place);
  const outputs = await answer(target, stored, JSON.parse(beside) as ScaleFile);
  const error = stranger.judge(outputs, stored.target);
  const text = await window.pageInFront.locator('.stats').innerText();
  expect(text).toContain(`${(100 * error).toFixed(2)}%`);
  expect(window.violations).toEqual([]);
}, 400_000); // prettier-ignore

/** The samples that the run tests on, wherever the folder was moved to. */
async function storedOf(stranger: Stranger, place: string) {
  const original = dirname(join(home, stranger.model));
  if (!existsSync(original)) await cp(place, original, { recursive: true });
  return stranger.stored(home);
}
