/** The built page of what pruning changed, in a browser: themes, accessibility, CSP, keyboard, what it asks of its host. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WhatChanged } from '../../../daemon/protocol/whatChanged.js';
import type { FromChangedPage, ToChangedPage } from '../../../webview/messages/changed.js';
import { artifact } from '../expectEventually.js';
import { findings } from './accessibility.js';
import { digits, labels, manyClasses, prices } from './changedFixtures.js';
import { launchBrowser, openMonitor, THEMES, type MonitorPage } from './openPage.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const run: ToChangedPage = { type: 'run', name: 'lenet300' };
const shown = (changed: WhatChanged, tryIt = false): ToChangedPage[] => [run, { type: 'changed', changed, tryIt }];
const posted = async (page: MonitorPage): Promise<FromChangedPage[]> => (await page.posted()) as unknown as FromChangedPage[]; // prettier-ignore
const tried: ToChangedPage = {
  type: 'tried',
  answer: {
    inputs: digits.inputs,
    reference: { unit: 'share', answers: [{ name: 'zero', value: 0.9 }, { name: 'one', value: 0.1 }] },
    pruned: { unit: 'share', answers: [{ name: 'one', value: 0.6 }, { name: 'zero', value: 0.4 }] },
    notes: [],
  },
}; // prettier-ignore

test.each(THEMES)('every kind of answer: drawn, accessible, no violation, in theme %s', async (theme) => {
  for (const [name, messages] of [
    ['digits', [...shown(digits), tried]],
    ['prices', shown(prices)],
    ['many', shown(manyClasses)],
    ['labels', shown(labels)],
    ['working', [run, { type: 'progress', done: 400, total: 1000 }]],
    ['problem', [run, { type: 'problem', message: 'the data has changed since this run started' }]],
  ] as [string, ToChangedPage[]][]) {
    const page = await openMonitor(browser, { theme, name: 'changed', width: 1024, height: 1300 });
    await page.send(messages);
    await artifact(page.page, `page-changed-${name}-${theme}`);
    expect(await findings(page), name).toEqual([]);
    expect(page.problems, name).toEqual([]);
    await page.page.close();
  }
});

test('the matrix shows the selected network, or the difference; its figures name their part of the data', async () => {
  const page = await openMonitor(browser, { name: 'changed' });
  await page.send(shown(digits));
  expect(await page.page.locator('.page-header .subtitle').innerText()).toBe('All of it is of the 30 samples of the test part.'); // prettier-ignore
  const cells = () => page.page.locator('.matrix tbody td').allInnerTexts();
  expect(await cells()).toEqual(['7', '3', '', '', '10', '', '1', '1', '8']);
  await page.page.getByLabel('Reference', { exact: true }).check();
  expect(await cells()).toEqual(['9', '1', '', '1', '9', '', '', '', '10']);
  await page.page.getByLabel('Difference', { exact: true }).check();
  expect(await cells()).toEqual(['−2', '+2', '', '−1', '+1', '', '+1', '+1', '−2']);
  const figures = await page.page.getByRole('region', { name: 'Figures' }).locator('td').allInnerTexts();
  expect(figures.slice(0, 3)).toEqual(['6.67%', '16.67%', '+10 points']);
  // The class that lost most comes first.
  const first = page.page.locator('.classes tbody tr').first();
  expect(await first.locator('th, td').allInnerTexts()).toEqual(['zero', '10', '10.00%', '30.00%', '+2']);
  await page.page.close();
});

test('samples are pictures, or rows, and are filtered by their verdict with the keyboard', async () => {
  const page = await openMonitor(browser, { name: 'changed' });
  await page.send(shown(digits));
  const captions = () => page.page.locator('.sample figcaption').allInnerTexts();
  expect((await captions()).map((text) => text.split('\n'))).toEqual([
    ['now wrong', 'label zero', 'reference zero (95%)', 'pruned one (87%)'],
    ['now right', 'label one', 'reference zero (95%)', 'pruned one (87%)'],
  ]);
  await page.page.getByLabel('All 5').focus();
  await page.page.keyboard.press('ArrowDown');
  await page.page.keyboard.press('ArrowDown');
  expect(await captions()).toHaveLength(1);
  expect((await captions())[0]).toContain('now right');
  await page.send(shown(prices));
  const first = page.page.locator('.samples tbody tr').first();
  expect(await first.locator('th, td').allInnerTexts()).toEqual(['0', '21.4', '20.1', '14.9', 'further from the target', '1', '2', 'not finite']); // prettier-ignore
  await page.page.close();
});

test('a drawn digit gets the value range of the data; a typed row is checked first', async () => {
  const page = await openMonitor(browser, { name: 'changed' });
  await page.send(shown(digits, true));
  const pad = page.page.locator('.draw-pad');
  await page.page.getByRole('button', { name: 'Ask Both' }).click();
  expect(await page.page.locator('.try').innerText()).toContain('Draw something first.');
  // With the keyboard alone: Shift draws.
  await pad.focus();
  await page.page.keyboard.press('Shift+ArrowRight');
  await page.page.keyboard.press('Shift+ArrowRight');
  await page.page.getByRole('button', { name: 'Ask Both' }).click();
  const asked = (await posted(page)).at(-1)!;
  if (asked.type !== 'tryValues') throw new Error(asked.type);
  expect(asked.inputs[0]).toHaveLength(64);
  expect(Math.max(...asked.inputs[0]!)).toBeGreaterThan(100);
  // Background where nothing was drawn.
  expect(asked.inputs[0]!.slice(0, 8)).toEqual(Array(8).fill(0));
  await page.send([tried]);
  const sides = await page.page.locator('.answer').allInnerTexts();
  expect(sides.map((text) => text.split('\n').slice(0, 3))).toEqual([
    ['Reference', 'zero', '90.00%'],
    ['Pruned', 'one', '60.00%'],
  ]);
  await page.send(shown(prices, true));
  const row = page.page.getByLabel('Values, as they are stored');
  expect(await row.inputValue()).toBe('1, 2, 3');
  await row.fill('1, 2');
  await page.page.getByRole('button', { name: 'Ask Both' }).click();
  expect(await page.page.locator('.try [role="alert"]').innerText()).toBe('house takes 3 numbers, these are 2');
  await row.fill('1 2.5; -3e2');
  await page.page.getByRole('button', { name: 'Ask Both' }).click();
  expect((await posted(page)).at(-1)).toEqual({ type: 'tryValues', inputs: [[1, 2.5, -300]] });
  await page.page.close();
});

test('what takes long shows how far it is and can be ended; a failure can be tried again', async () => {
  const page = await openMonitor(browser, { name: 'changed' });
  await page.send([run, { type: 'progress', done: 400, total: 1000 }]);
  expect(await page.page.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('40');
  await page.page.getByRole('button', { name: 'Cancel' }).click();
  await page.send([{ type: 'problem', message: 'It was cancelled.' }]);
  expect(await page.page.getByRole('alert').innerText()).toBe('It was cancelled.');
  await page.page.keyboard.press('Enter');
  expect((await posted(page)).map(({ type }) => type)).toEqual(['ready', 'cancel', 'compute']);
  await page.page.close();
});
