/** The built page of a plan's sensitivity: themes, accessibility, floors by pointer and keys, the sum, what it asks of its host. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Sensitivity } from '../../../daemon/protocol/layers/sensitivity.js';
import type { FromSensitivityPage, ToSensitivityPage } from '../../../webview/messages/sensitivity.js';
import { artifact, expectEventually } from '../expectEventually.js';
import { findings } from './accessibility.js';
import { launchBrowser, openMonitor, THEMES, type MonitorPage } from './openPage.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const shares = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
const layer = (name: string, weights: number, errors: (number | null)[], needed: number) => ({
  layer: name,
  weights,
  points: shares.map((share, i) => ({ share, error: errors[i]! })),
  needed,
});
const lenet: Sensitivity = {
  set: 'validation',
  samples: 6000,
  reference: 0.018,
  increase: 0.01,
  layers: [
    layer('fc1', 235_200, [0.018, 0.019, 0.021, 0.034, 0.21, 0.52], 0.1),
    layer('fc2', 30_000, [0.018, 0.018, 0.02, 0.026, 0.09, 0.3], 0.05),
    layer('fc3', 1000, [0.018, 0.025, 0.11, 0.4, null, 0.7], 0.2),
  ],
  budget: { keep: '5%', layers: { fc3: { floor: '20%', cap: '90%' } } },
  floors: { fc3: 0.2 },
  suggested: { fc1: 0.025, fc2: 0.0125, fc3: 0.05 },
  notes: ['The classes are read as the model answers them.'],
};
const messages = (sensitivity: Sensitivity): ToSensitivityPage[] => [
  { type: 'plan', name: 'lenet300.prune.json' },
  { type: 'sensitivity', sensitivity },
  { type: 'checked', turn: 1, text: '5% = 13,310 weights, about 40 kB sparse', kappa: 13_310, problem: null },
];
const posted = async (page: MonitorPage) => (await page.posted()) as unknown as FromSensitivityPage[];
const last = async (page: MonitorPage) => (await posted(page)).at(-1);

test.each(THEMES)('drawn, accessible, no violation, in theme %s', async (theme) => {
  const wide: Sensitivity = { ...lenet, layers: Array.from({ length: 12 }, (_, i) => ({ ...lenet.layers[i % 3]!, layer: `block${i}/conv` })) }; // prettier-ignore
  for (const [name, width, height, sent] of [
    ['page', 1024, 700, messages(lenet)],
    ['narrow', 360, 700, messages(lenet)],
    ['many', 1024, 700, messages(wide)],
    ['working', 1024, 400, [{ type: 'plan', name: 'a.prune.json' }, { type: 'progress', done: 7, total: 18 }]],
    ['problem', 1024, 400, [{ type: 'plan', name: 'a.prune.json' }, { type: 'problem', message: 'this plan trains its reference first' }]],
  ] as [string, number, number, ToSensitivityPage[]][]) {
    const page = await openMonitor(browser, { theme, name: 'sensitivity', width, height });
    await page.send(sent);
    await artifact(page.page, `page-sensitivity-${name}-${theme}`);
    expect(await findings(page), name).toEqual([]);
    expect(page.problems, name).toEqual([]);
    expect(await page.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), name).toBe(true);
    await page.page.close();
  }
}); // prettier-ignore

test('floors set by keys: the sum follows at once, the host gets one request, and the shown floors are written', async () => {
  const page = await openMonitor(browser, { name: 'sensitivity', width: 1024, height: 700 });
  await page.send(messages(lenet).slice(0, 2));
  const total = page.page.locator('.floors-total');
  expect(await total.innerText()).toBe('The floors hold 200 weights.');
  await expectEventually(async () => JSON.stringify(await last(page)), JSON.stringify({ type: 'check', turn: 1, floors: { fc3: 0.2 } })); // prettier-ignore
  await page.send(messages(lenet).slice(2));
  expect(await total.innerText()).toBe('The floors hold 200 of the 13,310 weights that the budget keeps (1.50%).');
  const knob = page.page.getByRole('slider', { name: 'Floor of fc1' });
  await knob.focus();
  expect(await knob.getAttribute('aria-valuetext')).toBe('No floor');
  for (const key of ['End', 'Home', 'PageUp', 'PageUp', 'ArrowRight', 'ArrowLeft']) await page.page.keyboard.press(key);
  const floor = Number(await knob.getAttribute('aria-valuenow')) / 100;
  expect(floor).toBeGreaterThan(0);
  expect(await knob.getAttribute('aria-valuetext')).toMatch(/^Floor .* weights · (alone there about .* error|not measured there)$/);
  expect(await total.innerText()).toContain(`hold ${(200 + Math.ceil(235_200 * floor - 1e-6)).toLocaleString('en')} of`);
  // The host is asked a moment after the last change; on a slow machine that moment may pass between two keys.
  const check = { type: 'check', turn: 7, floors: { fc1: floor, fc3: 0.2 } };
  await expectEventually(async () => JSON.stringify(await last(page)), JSON.stringify(check));
  const before = (await posted(page)).length;
  await knob.evaluate((at) => {
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowLeft', 'ArrowLeft'])
      at.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  });
  await expectEventually(async () => JSON.stringify(await last(page)), JSON.stringify({ ...check, turn: 11 }));
  expect((await posted(page)).length - before).toBe(1);
  // An answer to floors that have changed since is not shown.
  await page.send([{ type: 'checked', turn: 1, text: '', kappa: 1, problem: 'outdated' }]);
  expect(await page.page.getByText('outdated').count()).toBe(0);
  const now = (await last(page)) as Extract<FromSensitivityPage, { type: 'check' }>;
  await page.send([{ type: 'checked', turn: now.turn, text: '', kappa: null, problem: 'the floors keep more than the budget' }]);
  expect(await page.page.locator('.floors-checked').innerText()).toBe('the floors keep more than the budget');
  await page.page.getByRole('button', { name: 'Write floors into the plan' }).click();
  expect(await last(page)).toEqual({ type: 'write', floors: { fc1: floor, fc3: 0.2 } });
  await page.send([{ type: 'written' }]);
  expect(await page.page.locator('.floors-checked').innerText()).toContain('not saved yet');
  await page.page.close();
}); // prettier-ignore

test('floors set by dragging follow the pointer and end at the left edge; buttons set them all', async () => {
  const page = await openMonitor(browser, { name: 'sensitivity', width: 1024, height: 700 });
  await page.send(messages(lenet));
  const plot = page.page.getByRole('group', { name: 'Error against kept share of fc2' });
  const box = (await plot.boundingBox())!;
  const knob = page.page.getByRole('slider', { name: 'Floor of fc2' });
  const value = async () => Number(await knob.getAttribute('aria-valuenow'));
  // The axis runs from 0.1% at 52 to 100% at 276 of 288: 10% lies at two thirds.
  await page.page.mouse.move(box.x + 52, box.y + 60);
  await page.page.mouse.down();
  await page.page.mouse.move(box.x + 52 + (2 / 3) * 224, box.y + 60, { steps: 4 });
  expect(await value()).toBe(10);
  expect(await knob.getAttribute('aria-valuetext')).toBe(
    'Floor 10.00% = 3,000 weights · alone there about 2.00% error',
  );
  await page.page.mouse.move(box.x + 5, box.y + 60, { steps: 4 });
  expect(await value()).toBe(0);
  await page.page.mouse.up();
  await page.page.getByRole('button', { name: 'Suggested' }).click();
  expect(await value()).toBe(1.25);
  await page.page.getByRole('button', { name: 'None' }).click();
  expect(await page.page.locator('.floors-total').innerText()).toContain('The floors hold 0 of');
  await page.page.getByRole('button', { name: 'As in the plan' }).click();
  await page.page.getByRole('button', { name: 'Write floors into the plan' }).click();
  // A check of the floors that the last button set may come behind it.
  expect((await posted(page)).filter(({ type }) => type === 'write')).toEqual([
    { type: 'write', floors: { fc3: 0.2 } },
  ]);
  await page.page.close();
});

test('a plan with several tasks shows the curves, without floors; progress and cancel', async () => {
  const page = await openMonitor(browser, { name: 'sensitivity', width: 1024, height: 700 });
  await page.send([{ type: 'plan', name: 'a' }, { type: 'progress', done: 9, total: 18 }]); // prettier-ignore
  expect(await page.page.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('50');
  await page.page.getByRole('button', { name: 'Cancel' }).click();
  expect(await last(page)).toEqual({ type: 'cancel' });
  await page.send(messages({ ...lenet, budget: null, floors: {}, suggested: null }).slice(1, 2));
  expect(await page.page.getByRole('slider').count()).toBe(0);
  expect(await page.page.locator('.sensitivity-layer').count()).toBe(3);
  expect(await page.page.getByText('this one has several tasks').count()).toBe(1);
  await page.page.close();
});
