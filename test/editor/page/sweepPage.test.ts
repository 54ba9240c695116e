/** The built page of a sweep: themes, accessibility, curves with their intervals, the table, what a running sweep adds, and what the page asks of its host. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SweepResults, SweepRow } from '../../../daemon/protocol/runs/sweepResults.js';
import type { FromSweepPage, ToSweepPage } from '../../../webview/messages/sweep.js';
import { artifact } from '../expectEventually.js';
import { findings } from './accessibility.js';
import { launchBrowser, openMonitor, THEMES, type MonitorPage } from './openPage.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const PRUNABLE = 266_200;
const row = (share: number, method: string, mean: number | null, change: Partial<SweepRow> = {}): SweepRow => ({
  values: { 'budget.keep': `${100 * share}%` },
  method,
  runs: 5,
  folders: [0, 1, 2, 3, 4].map((seed) => `/w/.lcprune/runs/${method}-${share}-${seed}` as SweepRow['folders'][number]),
  kept: share * PRUNABLE,
  prunable: PRUNABLE,
  bytes: Math.round(share * PRUNABLE * 4.6),
  reference: { mean: 0.0178, deviation: 0.0004 },
  theta: { mean: mean === null ? null : 2 * mean, deviation: 0.01 },
  error: { mean, deviation: mean === null ? null : 0.001 },
  decision: { mean: null, deviation: null },
  seconds: 95,
  best: method === 'lc',
  ...change,
});
const lenet: SweepResults = {
  set: 'validation',
  rows: [0.1, 0.05, 0.02, 0.01].flatMap((share, i) => [
    row(share, 'lc', 0.0175 + 0.0006 * i),
    row(share, 'magnitude', 0.019 + 0.003 * i),
    row(share, 'gradual', 0.0185 + 0.002 * i),
  ]),
};
const messages = (results: SweepResults, progress = '3/4 done · running'): ToSweepPage[] => [
  { type: 'sweep', name: 'Sweep budgets Nov 30, 15:05', plan: 'models/lenet300.prune.json', progress, trusted: true },
  { type: 'results', results },
];
const posted = async (page: MonitorPage) => (await page.posted()) as unknown as FromSweepPage[];
const knob = ({ page }: MonitorPage) => page.getByRole('slider', { name: 'Row' });
const chosenText = ({ page }: MonitorPage) => page.locator('.path-text').innerText();
const selected = ({ page }: MonitorPage) => page.locator('tr.selected').allInnerTexts();

test.each(THEMES)('drawn, accessible, no violation, in theme %s', async (theme) => {
  const several = lenet.rows.flatMap((one) => [1.1, 1.5].map((a) => ({ ...one, values: { ...one.values, 'schedule.a': a }, error: { mean: one.error.mean! * a, deviation: 0.002 } }))); // prettier-ignore
  for (const [name, width, height, sent] of [
    ['page', 1024, 900, messages(lenet)],
    ['narrow', 360, 900, messages(lenet)],
    ['several', 1024, 1200, messages({ ...lenet, rows: several })],
    ['one', 1024, 600, messages({ ...lenet, rows: lenet.rows.slice(0, 1) })],
    ['none', 1024, 400, messages({ rows: [], set: null }, '0/4 done · running')],
    ['problem', 1024, 400, [...messages({ rows: [], set: null }), { type: 'problem', message: 'sweep.json is damaged' }]],
  ] as [string, number, number, ToSweepPage[]][]) {
    const page = await openMonitor(browser, { theme, name: 'sweep', width, height });
    await page.send(sent);
    await artifact(page.page, `page-sweep-${name}-${theme}`);
    expect(await findings(page), name).toEqual([]);
    expect(page.problems, name).toEqual([]);
    expect(await page.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), name).toBe(true);
    await page.page.close();
  }
}); // prettier-ignore

test('each interval is one deviation up and down from its mean, and the best rows have rings', async () => {
  const page = await openMonitor(browser, { name: 'sweep', width: 1024, height: 900 });
  const one = { ...lenet, rows: [...lenet.rows, row(0.005, 'lc', 0.02, { error: { mean: 0.02, deviation: null }, best: false })] }; // prettier-ignore
  await page.send(messages(one));
  expect(await page.page.locator('.sweep-plot path[fill="none"]').count()).toBe(3);
  expect(await page.page.locator('.sweep-interval').count()).toBe(12);
  expect(await page.page.locator('.sweep-best').count()).toBe(4);
  const drawn = await page.page.evaluate(() => {
    const middle = (node: Element) => {
      const { top, bottom } = node.getBoundingClientRect();
      return { y: (top + bottom) / 2, height: bottom - top };
    };
    const of = (name: string) => Array.from(document.querySelectorAll(name), middle);
    // The first row's marker is behind those of smaller budgets on its curve.
    return { bars: of('.sweep-interval'), reference: middle(document.querySelector('.sweep-plot .sweep-reference')!) };
  });
  // All bars have one height: two deviations of 0.1%. Their middles are the means: 1.93% is 1.5 deviations above the reference line at 1.78%.
  const [smallest] = drawn.bars;
  for (const { height } of drawn.bars) expect(height).toBeCloseTo(smallest!.height, 0);
  const perError = (smallest!.height - 1.25) / 0.002;
  expect((drawn.reference.y - smallest!.y) / perError).toBeCloseTo(0.0193 - 0.0178, 4);
  expect(await page.page.locator('.path-legend').innerText()).toMatch(/LC\s*Magnitude, retrained\s*Gradual magnitude, retrained\s*reference 1\.78%/); // prettier-ignore
  expect(await page.page.locator('main').innerText()).toContain('mean ± sample standard deviation over the seeds');
  await page.page.close();
});

test('a row is chosen by keys, by the pointer and in the table; its runs open in the monitor', async () => {
  const page = await openMonitor(browser, { name: 'sweep', width: 1024, height: 900 });
  await page.send(messages(lenet));
  expect(await chosenText(page)).toBe(
    'LC budget.keep=1%: 1.00% kept, 12 kB as a sparse package, validation error 1.93% ± 0.10% (5 runs, reference 1.78% ± 0.040%). No other row beats it.',
  );
  await knob(page).focus();
  for (const key of ['ArrowRight', 'ArrowUp']) await page.page.keyboard.press(key);
  expect(await knob(page).getAttribute('aria-valuetext')).toBe(await chosenText(page));
  expect(await chosenText(page)).toContain('LC budget.keep=5%');
  await page.page.keyboard.press('End');
  expect(await chosenText(page)).toContain('Gradual magnitude, retrained budget.keep=10%');
  expect(await knob(page).getAttribute('aria-valuenow')).toBe('11');
  await page.page.keyboard.press('Home');
  await page.page.keyboard.press('ArrowLeft');
  expect(await chosenText(page)).toContain('LC budget.keep=1%');
  expect(await selected(page)).toHaveLength(1);
  await page.page
    .getByRole('row', { name: /^2% magnitude/ })
    .getByRole('button')
    .press('Enter');
  expect(await chosenText(page)).toContain('Magnitude, retrained budget.keep=2%');
  const ring = (await page.page.locator('.sweep-best').first().boundingBox())!;
  await page.page.mouse.click(ring.x + ring.width / 2 + 3, ring.y + ring.height / 2);
  expect(await chosenText(page)).toContain('LC budget.keep=1%');
  await page.page.getByRole('button', { name: 'Show in the monitor' }).click();
  const runs = [0, 1, 2, 3, 4].map((seed) => `/w/.lcprune/runs/lc-0.01-${seed}`);
  await page.page.getByRole('button', { name: 'As Markdown' }).click();
  await page.page.getByRole('button', { name: 'As CSV' }).click();
  expect((await posted(page)).slice(1)).toEqual([
    { type: 'show', runs },
    { type: 'asText', format: 'markdown' },
    { type: 'asText', format: 'csv' },
  ]);
  await page.page.close();
});

test('rows come as runs finish: the chosen one stays, and so does the focus; one without an error is in the table alone', async () => {
  const page = await openMonitor(browser, { name: 'sweep', width: 1024, height: 900 });
  await page.send(messages({ rows: [], set: null }, '0/4 done · running'));
  expect(await page.page.getByText('No run of this sweep has finished yet').count()).toBe(1);
  const begun = row(0.1, 'lc', 0.0175, { runs: 1, folders: [], error: { mean: 0.0175, deviation: null } });
  await page.send(messages({ ...lenet, rows: [begun] }, '1/4 done · running'));
  expect(await page.page.locator('.sweep-interval').count()).toBe(0);
  expect(await page.page.getByRole('status').innerText()).toBe('1/4 done · running');
  await page.page.getByRole('row', { name: /^10%/ }).getByRole('button').press('Enter');
  const rows = [...lenet.rows, row(0.001, 'lc', null)];
  await page.send(messages({ ...lenet, rows }, '4/4 done'));
  expect(await chosenText(page)).toMatch(/^LC budget\.keep=10%.*\(5 runs/);
  expect(await page.page.evaluate(() => document.activeElement?.closest('tr')?.className)).toBe('selected');
  expect(await page.page.locator('tbody tr').count()).toBe(13);
  expect(await page.page.locator('.sweep-point').count()).toBe(12);
  const untrusted: ToSweepPage = { type: 'sweep', name: 'a', plan: 'b', progress: '4/4 done', trusted: false };
  await page.send([untrusted]);
  expect(await page.page.getByRole('button', { name: 'As CSV' }).isDisabled()).toBe(true);
  expect(page.problems).toEqual([]);
  await page.page.close();
});
