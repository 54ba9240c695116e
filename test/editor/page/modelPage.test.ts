/** The built page of a binary model file, in a browser: themes, accessibility, CSP, keyboard. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { AbsolutePath } from '../../../daemon/protocol/paths.js';
import type { ToModelPage } from '../../../webview/messages/model.js';
import { artifact } from '../expectEventually.js';
import { findings } from './accessibility.js';
import { launchBrowser, openMonitor, THEMES } from './openPage.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

const free = (count: number) => ({ count, staying: 0, causes: [], goWith: [], tiedBy: [] });

/** The content of a Keras file of LeNet300 after a run that kept 1%. */
const modelFile: ToModelPage = {
  type: 'model',
  run: 'lenet300 09:30:00',
  model: {
    path: AbsolutePath.parse('/workspace/lenet300.h5'),
    format: 'keras-h5',
    name: 'lenet300',
    params: 266_610,
    prunable: 266_200,
    bytes: 1_066_440,
    flops: 533_220,
    zeros: 0,
    layers: [
      { name: 'flatten', className: 'Flatten', outputShape: [null, 784], params: 0, prunable: 0, flops: 0, zeros: 0, frozen: false, reads: [], units: null },
      { name: 'fc1', className: 'Dense', outputShape: [null, 300], params: 235_500, prunable: 235_200, flops: 470_700, zeros: 0, frozen: false, reads: ['flatten'], units: free(300) },
      { name: 'fc2', className: 'Dense', outputShape: [null, 100], params: 30_100, prunable: 30_000, flops: 60_100, zeros: 0, frozen: false, reads: ['fc1'], units: free(100) },
      { name: 'fc3', className: 'Dense', outputShape: [null, 10], params: 1010, prunable: 1000, flops: 2010, zeros: 0, frozen: false, reads: ['fc2'], units: { ...free(10), staying: 10, causes: [{ why: 'output', layer: null }] } },
    ], // prettier-ignore
    notes: ['The optimizer of the file is not used.'],
  },
  kept: [{ layer: 'fc1', weights: 235_200, kept: 1294 }],
};

describe('a binary model file', () => {
  test.each(THEMES)('is a table with actions, accessible, without a violation, in theme %s', async (theme) => {
    const model = await openMonitor(browser, { theme, name: 'model', height: 600 });
    expect(await model.page.getByRole('status').innerText()).toContain('Reading');
    await model.send([modelFile]);
    await artifact(model.page, `page-model-${theme}`);
    expect(await findings(model)).toEqual([]);
    const cells = await model.page.locator('tbody tr').nth(1).locator('th, td').allInnerTexts();
    expect(cells.slice(0, 7)).toEqual(['fc1', 'Dense', '? × 300', '235,200', '88.35%', '470,700', '0.55%']);
    // A layer without weights has no budget.
    expect(await model.page.locator('tbody tr').first().getByRole('button').count()).toBe(0);
    expect(model.problems).toEqual([]);
    await model.page.close();
  });

  test('keyboard: every action can be reached, and stays focused when a run brings news', async () => {
    const model = await openMonitor(browser, { name: 'model' });
    await model.send([modelFile]);
    await model.page.getByRole('region', { name: 'Layers' }).focus();
    await model.page.keyboard.press('Tab');
    await model.page.keyboard.press('Enter');
    await model.send([{ ...modelFile, kept: [{ layer: 'fc1', weights: 235_200, kept: 1000 }] }]);
    await model.page.keyboard.press('Enter');
    const action = { type: 'action', action: 'budget', layer: 'fc1' };
    expect(await model.posted()).toEqual([{ type: 'ready' }, action, action]);
    await model.page.close();
  });

  test('a file that is not a model shows the reason and a link to the log', async () => {
    const model = await openMonitor(browser, { name: 'model' });
    await model.send([{ type: 'problem', message: 'data.h5: no model_config; it is not a Keras model.' }]);
    expect(await model.page.getByRole('status').innerText()).toContain('not a Keras model');
    expect(await findings(model)).toEqual([]);
    await model.page.getByRole('button', { name: 'Show Log' }).click();
    expect((await model.posted()).map(({ type }: { type: string }) => type)).toEqual(['ready', 'log']);
    expect(model.problems).toEqual([]);
    await model.page.close();
  });
});
