/** The built monitor page in a browser: themes, accessibility, CSP, keyboard, exports, states. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { artifact, expectEventually } from '../expectEventually.js';
import { fakeRun, hydration } from './fakeRun.js';
import { findings } from './accessibility.js';
import { launchBrowser, openMonitor, THEMES, type MonitorPage } from './openPage.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

const one = () => hydration([fakeRun({ id: 'lenet300' })]);
const several = () =>
  hydration(
    [
      fakeRun({ id: 'lenet300-1%', iterations: 30, state: 'done' }),
      fakeRun({ id: 'lenet300-2%', kept: 0.02, colour: 1, seed: 3, iterations: 30, state: 'done' }),
      fakeRun({
        id: 'magnitude-1%',
        colour: 2,
        seed: 4,
        method: 'magnitude',
        iterations: 30,
        state: 'done',
        floor: 0.03,
        broken: 900,
      }),
    ],
    [{ setting: 'method', values: ['lc', 'lc', 'magnitude'] }],
  );

describe.each(THEMES)('theme %s', (theme) => {
  test('one run, several runs, none: drawn, accessible, no violation', async () => {
    for (const [name, messages] of [
      ['run', one()],
      ['compare', several()],
      ['empty', hydration([])],
    ] as const) {
      const monitor = await openMonitor(browser, { theme });
      await monitor.send(messages);
      await monitor.page.waitForTimeout(300);
      await artifact(monitor.page, `page-${name}-${theme}`);
      expect(await findings(monitor), name).toEqual([]);
      expect(monitor.problems, name).toEqual([]);
      const plots = () => monitor.page.locator('.plot canvas').count();
      if (name !== 'empty') await expectEventually(async () => (await plots()) >= 7, true);
      await monitor.page.close();
    }
  });
});

describe('the page', () => {
  test('four runs with long names are compared within its width: chips wrap, and the table of settings scrolls', async () => {
    const names = [1, 2, 3, 4].map((i) => `keep-5-gradual 5% · Nov 29, 13:41:1${i}`);
    const runs = names.map((id, colour) => fakeRun({ id, colour, state: 'done' }));
    const { page, send } = await openMonitor(browser, { width: 1012, height: 700 });
    await send(hydration(runs, [{ setting: 'method', values: names.map(() => 'gradual') }]));
    await page.locator('.chip').nth(3).waitFor();
    const right = await page.locator('.chip').evaluateAll((all) => Math.max(...all.map((chip) => chip.getBoundingClientRect().right)));
    expect(right).toBeLessThanOrEqual(1012);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1012);
    await page.close();
  }); // prettier-ignore

  test('names a run at once while it starts, and then shows it', async () => {
    const page = await openMonitor(browser);
    await page.send([{ type: 'runs', runs: [], primary: null, starting: 'lenet300', difference: [], trusted: true }]);
    expect(await page.page.locator('section.empty:visible').innerText()).toContain('Starting lenet300');
    expect(await findings(page)).toEqual([]);
    await page.page.getByRole('button', { name: 'Cancel' }).click();
    expect((await page.posted()).map(({ type }: { type: string }) => type)).toEqual(['ready', 'cancelStart']);
    await page.send(one());
    expect(await page.page.locator('section.empty:visible').count()).toBe(0);
    await page.page.locator('.card.loss canvas').waitFor();
    expect(page.problems).toEqual([]);
    await page.page.close();
  });

  let monitor: MonitorPage;

  beforeAll(async () => {
    monitor = await openMonitor(browser);
    await monitor.send(one());
    await monitor.page.waitForTimeout(300);
  });
  afterAll(async () => {
    expect(monitor.problems).toEqual([]);
    await monitor.page.close();
  });

  test('says ready once, and asks once for the picture of the first layer', async () => {
    expect(await monitor.sent('ready')).toHaveLength(1);
    expect(await monitor.sent('picture')).toEqual([{ type: 'picture', run: 'lenet300', layer: 'fc1' }]);
  });

  test('its buttons steer the run', async () => {
    for (const name of ['Pause', 'Stop', 'Budget...', 'Compare...'])
      await monitor.page.getByRole('button', { name, exact: true }).click();
    expect((await monitor.sent('control')).map(({ action, run }) => `${action} ${run}`)).toEqual([
      'pause lenet300',
      'stop lenet300',
      'budget lenet300',
      'compare lenet300',
    ]);
  });

  test('confirms a pressed button at once, until the run has reacted', async () => {
    const own = await openMonitor(browser);
    const [runs, ...rest] = one();
    if (runs?.type !== 'runs') throw new Error('no runs');
    await own.send([runs, ...rest]);
    const state = own.page.locator('.run-header .state');
    await own.page.getByRole('button', { name: 'Pause', exact: true }).waitFor();
    const within = await own.page.evaluate(async () => {
      const state = document.querySelector('.run-header .state')!;
      const began = performance.now();
      [...document.querySelectorAll<HTMLButtonElement>('.run-header button')].find((one) => one.innerText.trim() === 'Pause')!.click(); // prettier-ignore
      while (state.textContent !== 'Pausing...' && performance.now() - began < 1000) await new Promise((done) => setTimeout(done, 1)); // prettier-ignore
      return performance.now() - began;
    });
    expect(within).toBeLessThan(100);
    const [view] = runs.runs;
    await own.send([{ type: 'run', view: { ...view!, asked: 'Budget 2% from the next iteration on' } }]);
    expect(await state.innerText()).toBe('Budget 2% from the next iteration on');
    await own.send([{ type: 'run', view: { ...view!, summary: { ...view!.summary, state: 'paused' } } }]);
    await expectEventually(() => state.innerText(), 'Paused');
    await own.page.close();
  });

  test('a pause, an end and a failure show their own controls', async () => {
    for (const [state, visible, hidden] of [
      ['paused', 'Resume', 'Pause'],
      ['done', 'Export...', 'Stop'],
      ['interrupted', 'Resume', 'Continue on Another Engine'],
      ['crashed', 'Continue on Another Engine', 'Pause'],
    ] as const) {
      const { view } = fakeRun({ id: 'lenet300' });
      await monitor.send([{ type: 'run', view: { ...view, summary: { ...view.summary, state } } }]);
      expect(await monitor.page.getByRole('button', { name: visible, exact: true }).isVisible(), state).toBe(true);
      expect(await monitor.page.getByRole('button', { name: hidden, exact: true }).isVisible(), state).toBe(false);
    }
    const { view } = fakeRun({ id: 'lenet300' });
    await monitor.send([
      {
        type: 'run',
        view: { ...view, summary: { ...view.summary, state: 'failed', message: 'The engine ran out of memory.' } },
      },
    ]);
    expect(await monitor.page.locator('.message').innerText()).toContain('out of memory');
  });

  test('text of a run cannot become markup', async () => {
    const { view } = fakeRun({ id: 'lenet300' });
    const evil = '<img src=x onerror=alert(1)>';
    await monitor.send([
      {
        type: 'run',
        view: {
          ...view,
          name: evil,
          summary: { ...view.summary, message: evil, model: evil },
          warnings: [{ time: 0, message: evil }],
        },
      },
    ]);
    expect(await monitor.page.locator('.run-header h1').textContent()).toBe(evil);
    expect(await monitor.page.locator('img').count()).toBe(0);
  });
});

test('a page that comes back shows what it showed', async () => {
  const monitor = await openMonitor(browser, {
    state: { axis: 'time', smoothing: 0.9, hidden: ['w/test'], layer: 'fc2' },
  });
  await monitor.send(one());
  expect(await monitor.page.locator('#axis-time').isChecked()).toBe(true);
  expect(await monitor.page.locator('#smoothing').inputValue()).toBe('0.9');
  expect(await monitor.page.locator('.card.error [data-kind="w/test"]').getAttribute('aria-pressed')).toBe('false');
  expect(await monitor.page.locator('tr.selected').innerText()).toContain('fc2');
  await monitor.page.close();
});
