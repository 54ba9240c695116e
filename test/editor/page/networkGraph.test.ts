/** The picture of a network on the built model page: themes, accessibility, keyboard, repeated blocks, live kept shares. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { AbsolutePath } from '../../../daemon/protocol/paths.js';
import { modelSummary } from '../../../daemon/server/models/loadedModel.js';
import type { ToModelPage } from '../../../webview/messages/model.js';
import { artifact } from '../expectEventually.js';
import { findings } from './accessibility.js';
import { launchBrowser, openMonitor, THEMES } from './openPage.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

type Shown = Extract<ToModelPage, { type: 'model' }>;

function shown(name: 'lenet300' | 'resnet20' | 'resnet110', share: ((i: number) => number) | null): Shown {
  const built = buildArchitecture(name, 0);
  const path = AbsolutePath.parse(`/w/${name}.h5`);
  const layers = summarizeModel(built);
  const model = modelSummary(
    {
      model: { ...built, path },
      layers,
      weights: new Map(built.weights.map((weight) => [weight.name, weight.data])),
    },
    path,
  );
  const kept = layers
    .filter(({ prunable }) => prunable > 0)
    .map(({ name, prunable }, i) => ({ layer: name, weights: prunable, kept: share ? Math.ceil(prunable * share(i)) : 0 }));
  return { type: 'model', model, run: share && 'run 1', kept: share ? kept : [] };
} // prettier-ignore

const shares = (i: number) => [0.004, 0.03, 0.15, 0.6, 1][i % 5]!;

test.each(THEMES)('a residual network: drawn, accessible, no violation, in theme %s', async (theme) => {
  for (const [width, height] of [[1024, 700], [420, 700]] as const) {
    const page = await openMonitor(browser, { theme, name: 'model', width, height });
    await page.send([shown('resnet20', shares)]);
    await artifact(page.page, `page-network-${width}-${theme}`);
    expect(await findings(page)).toEqual([]);
    expect(page.problems).toEqual([]);
    // Nothing of the page is wider than it: the picture scrolls in its own frame.
    expect(await page.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await page.page.close();
  }
}); // prettier-ignore

test('a chain: shapes, shares, why the answer stays, for a model with and without a run', async () => {
  const page = await openMonitor(browser, { name: 'model' });
  await page.send([shown('lenet300', null)]);
  const options = page.page.getByRole('listbox').getByRole('option');
  const label = (i: number) => options.nth(i).getAttribute('aria-label');
  expect(await options.count()).toBe(3);
  expect(await label(0)).toBe('fc1 Dense · 300 · fc1 · Each of its 300 units can go.');
  expect(await label(1)).toBe('fc2 Dense · 100 · fc2 · reads fc1 · Each of its 100 units can go.');
  expect(await label(2)).toContain('None of its 10 units can go as a whole: they are the outputs of the model');
  expect(await options.nth(2).locator('.facts').textContent()).toBe('stays: output');
  await page.send([shown('lenet300', () => 0.02)]);
  expect(await label(0)).toBe('fc1 Dense · 300 2.00% kept · fc1 · Each of its 300 units can go.');
  expect(await options.nth(0).locator('.kept-mark').getAttribute('class')).toBe('kept-mark step-1');
  expect(await options.nth(2).locator('.facts').textContent()).toBe('2.00% kept · stays: output');
  await page.page.close();
});

test('keyboard: along the lines, into a repeated block and out of it; news of a run leave the focus', async () => {
  const page = await openMonitor(browser, { name: 'model', width: 1024, height: 900 });
  await page.send([shown('resnet20', shares)]);
  const focused = () => page.page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
  const options = page.page.getByRole('listbox').getByRole('option');
  const folded = await options.count();
  await options.first().focus();
  expect(await focused()).toMatch(/^input/);
  const key = (name: string) => page.page.keyboard.press(name);
  for (let i = 0; i < 20 && !/Enter opens them/.test(await focused()); i++) await key('ArrowDown');
  expect(await focused()).toMatch(/^\d+ layers × \d+ \S+ … [\d.]+% kept · from \S+ to \S+ · Enter opens them$/);
  await key('Enter');
  expect(await options.count()).toBeGreaterThan(folded);
  expect(await focused()).not.toMatch(/Enter opens them/);
  const before = await focused();
  await page.send([shown('resnet20', (i) => shares(i + 1))]);
  expect((await focused()).split(' ')[0]).toBe(before.split(' ')[0]);
  await page.page.getByRole('button', { name: /^These \d+ layers as one$/ }).press('Enter');
  expect(await options.count()).toBe(folded);
  expect(await focused()).toMatch(/Enter opens them/);
  await page.page.getByLabel('Repeated blocks as one').uncheck();
  expect(await options.count()).toBeGreaterThan(60);
  await key('Tab');
  await options.first().focus();
  await key('End');
  expect(await focused()).toContain('they are the outputs of the model');
  await page.page.getByRole('button', { name: 'Set budget...' }).first().click();
  expect((await page.posted()).at(-1)).toMatchObject({ type: 'action', action: 'budget' });
  await page.page.close();
});

test('the list has the same text for every layer, also when blocks are folded', async () => {
  const page = await openMonitor(browser, { name: 'model', width: 1024, height: 700 });
  const sent = shown('resnet20', shares);
  await page.send([sent]);
  await page.page.getByRole('button', { name: 'As a list' }).click();
  const items = await page.page.getByRole('list', { name: 'Layers as a list' }).getByRole('listitem').allInnerTexts();
  expect(items).toHaveLength(sent.model.layers.length);
  expect(items.filter((text) => /ties its units to those of/.test(text)).length).toBeGreaterThan(5);
  expect(await findings(page)).toEqual([]);
  await artifact(page.page, 'page-network-list');
  await page.page.close();
});

test('hundreds of layers: folded and whole, and news of a run write texts and colours alone', async () => {
  const page = await openMonitor(browser, { name: 'model', width: 1024, height: 900 });
  await page.send([shown('resnet110', shares)]);
  const options = page.page.getByRole('listbox').getByRole('option');
  expect(await options.count()).toBeLessThan(60);
  await artifact(page.page, 'page-network-resnet110');
  await page.page.getByLabel('Repeated blocks as one').uncheck();
  expect(await options.count()).toBe(shown('resnet110', null).model.layers.length);
  await artifact(page.page, 'page-network-resnet110-whole');
  const first = await options.first().elementHandle();
  await page.send([shown('resnet110', () => 0.5)]);
  // The boxes are the same ones: only texts and colours were written.
  expect(await options.first().evaluate((box, before) => box === before, first)).toBe(true);
  expect(page.problems).toEqual([]);
  await page.page.close();
});
