/** The card of a finished run: one sentence of measured figures under the caution banner, and what can be done with it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { artifact } from '../expectEventually.js';
import { findings } from './accessibility.js';
import { finish } from './changedFixtures.js';
import { fakeRun, hydration } from './fakeRun.js';
import { launchBrowser, openMonitor, THEMES } from './openPage.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const done = () => fakeRun({ id: 'lenet300', iterations: 30, state: 'done' });
const SENTENCE =
  '100x fewer weights, 26 kB instead of 1.02 MB, 13x faster here, 0.24 points better than the reference (test)';

test.each(THEMES)('the sentence stands at the top, under what must be known before, in theme %s', async (theme) => {
  const monitor = await openMonitor(browser, { theme, width: 1024, height: 700 });
  const run = done();
  run.view.summary.cautions = [{ code: 'at-chance', message: 'the reference is at chance', serious: true }];
  await monitor.send([...hydration([run]), { type: 'finish', run: 'lenet300', finish }]);
  await monitor.page.waitForTimeout(300);
  await artifact(monitor.page, `page-finish-caution-${theme}`);
  const [caution, card] = [monitor.page.locator('.caution'), monitor.page.locator('.finish')];
  expect(await card.locator('.finish-text').innerText()).toBe(SENTENCE);
  const [above, below] = [(await caution.boundingBox())!, (await card.boundingBox())!];
  expect(below.y).toBeGreaterThanOrEqual(above.y + above.height);
  await monitor.send([...hydration([done()]), { type: 'finish', run: 'lenet300', finish }]);
  await artifact(monitor.page, `page-finish-${theme}`);
  expect((await card.boundingBox())!.y).toBeLessThan(150);
  expect(await findings(monitor)).toEqual([]);
  expect(monitor.problems).toEqual([]);
  await monitor.page.close();
});

test('the page requests it once, when the run is done; each button has its own action; Tab reaches all of them', async () => {
  const monitor = await openMonitor(browser);
  await monitor.send(hydration([fakeRun({ id: 'lenet300', state: 'running' })]));
  expect(await monitor.page.locator('.finish').isHidden()).toBe(true);
  const messages = hydration([done()]);
  await monitor.send(messages);
  await monitor.send(messages);
  const asked = async () => (await monitor.posted()).filter(({ type }) => type === 'finish');
  expect(await asked()).toEqual([{ type: 'finish', run: 'lenet300' }]);
  await monitor.send([{ type: 'finish', run: 'lenet300', finish }]);
  const card = monitor.page.locator('.finish');
  await card.getByRole('button', { name: 'Export...' }).focus();
  for (let i = 0; i < 5; i++) {
    await monitor.page.keyboard.press('Enter');
    await monitor.page.keyboard.press('Tab');
  }
  const actions = (await monitor.posted()).flatMap((message) => (message.type === 'control' ? [message.action] : []));
  expect(actions).toEqual(['export', 'whatChanged', 'tryIt', 'report', 'runAgain']);
  // Figures that were not measured are left out, and the page lists them.
  await monitor.send([{ type: 'finish', run: 'lenet300', finish: { ...finish, size: null, speed: null, report: false } }]);
  expect(await card.locator('.finish-text').innerText()).toBe('100x fewer weights, 0.24 points better than the reference (test)'); // prettier-ignore
  expect(await card.innerText()).toContain('Size: not measured; speed beside the reference: not measured');
  expect(await card.getByRole('button', { name: 'Open Report' }).count()).toBe(0);
  await monitor.send(messages.map((one) => (one.type === 'runs' ? { ...one, trusted: false } : one)));
  expect(await card.getByRole('button', { name: 'Run Again' }).isDisabled()).toBe(true);
  await monitor.page.close();
}); // prettier-ignore
