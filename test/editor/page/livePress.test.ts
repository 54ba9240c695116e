/** Events of runs during the press of a button do not cancel the press or move the focus. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser, Locator, Page } from 'playwright-core';
import { expectEventually } from '../expectEventually.js';
import { fakeRun, hydration } from './fakeRun.js';
import { fakeRuns } from './fakeRuns.js';
import { launchBrowser, openMonitor } from './openPage.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

/** Presses the middle of a target, lets `meanwhile` happen, and releases. */
async function press(page: Page, target: Locator, meanwhile: () => Promise<void>): Promise<void> {
  const box = (await target.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await meanwhile();
  await page.waitForTimeout(100);
  await page.mouse.up();
}

const both = (error: number) => {
  const runs = ['first', 'second'].map((id, colour) => fakeRun({ id, colour, iterations: 5 }));
  return hydration(runs.map((run) => ({ ...run, view: { ...run.view, summary: { ...run.view.summary, error } } })));
};

test('a run is taken out of the comparison although its error changes between press and release', async () => {
  const { page, send, posted } = await openMonitor(browser);
  await send(both(0.05));
  const remove = page.getByRole('button', { name: /^Remove second/ });
  await remove.waitFor();
  await press(page, remove, () => send(both(0.04)));
  await expectEventually(async () => (await posted()).filter(({ type }) => type === 'remove').length, 1);
  await page.close();
});

test('a chip keeps the focus, and its text follows the run', async () => {
  const { page, send } = await openMonitor(browser);
  await send(both(0.05));
  const chip = page.locator('.chip-name').nth(1);
  await chip.focus();
  await send(both(0.0312));
  await expectEventually(() => chip.locator('small').innerText().then((text) => text.includes('3.12%')), true); // prettier-ignore
  expect(await chip.evaluate((one) => one === document.activeElement)).toBe(true);
  await page.close();
});

test('a run is starred in the table although it brings news between press and release', async () => {
  const { page, send, posted } = await openMonitor(browser, { name: 'runs', width: 1024, height: 700 });
  const runs = fakeRuns(4);
  await send([{ type: 'runs', runs, trusted: true }] as never);
  const star = page.locator('.body [role=row] .star-button').first();
  await star.waitFor();
  const news = runs.map((run) => ({ ...run, error: 0.5, star: false }));
  await press(page, star, () => send([{ type: 'runs', runs: news, trusted: true }] as never));
  await expectEventually(async () => (await posted()).filter(({ type }) => (type as string) === 'star').length, 1);
  await page.close();
});
