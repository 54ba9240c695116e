/** The built monitor page in a browser: themes, accessibility, CSP, keyboard, exports, states. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { AbsolutePath } from '../../../daemon/protocol/paths.js';
import type { ToHost } from '../../../webview/messages/monitor.js';
import type { ToModelPage } from '../../../webview/messages/model.js';
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
      if (name !== 'empty') expect(await monitor.page.locator('.plot canvas').count()).toBeGreaterThanOrEqual(7);
      await monitor.page.close();
    }
  });
});

const free = (count: number) => ({ count, staying: 0, causes: [], goWith: [], tiedBy: [] });

/** What a Keras file of LeNet300 says, after a run that kept 1%. */
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

describe('a model file that is no text', () => {
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

  test('what is no model says why, with the log at hand', async () => {
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

  test('says at once what is being started, and makes room for its run', async () => {
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
  const sent = async <T extends ToHost['type']>(type: T) =>
    (await monitor.posted()).filter((message): message is Extract<ToHost, { type: T }> => message.type === type);

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
    expect(await sent('ready')).toHaveLength(1);
    expect(await sent('picture')).toEqual([{ type: 'picture', run: 'lenet300', layer: 'fc1' }]);
  });

  test('its buttons steer the run', async () => {
    for (const name of ['Pause', 'Stop', 'Budget...', 'Compare...'])
      await monitor.page.getByRole('button', { name, exact: true }).click();
    expect((await sent('control')).map(({ action, run }) => `${action} ${run}`)).toEqual([
      'pause lenet300',
      'stop lenet300',
      'budget lenet300',
      'compare lenet300',
    ]);
  });

  test('the crosshair moves by keyboard, in every chart, and tells its values', async () => {
    const plot = monitor.page.locator('.card.error .plot');
    await plot.focus();
    await monitor.page.keyboard.press('Home');
    for (let i = 0; i < 6; i++) await monitor.page.keyboard.press('ArrowRight');
    const live = await monitor.page.locator('.card.error [aria-live]').textContent();
    expect(live).toMatch(/^Step [\d,]+.*test · pruned weights \d+\.\d+%/);
    // For eyes, at the crosshair: the same, in this chart alone.
    const label = monitor.page.locator('.card.error .cursor-label');
    expect(await label.innerText()).toMatch(/^Step [\d,]+\n[^]*pruned weights\s+\d+\.\d+%/);
    expect(await monitor.page.locator('.cursor-label:visible').count()).toBe(1);
    const others = await monitor.page.locator('.card.loss .u-cursor-x').evaluate((line) => line.className);
    expect(others).not.toContain('u-off');
    await monitor.page.keyboard.press('Escape');
    expect(await monitor.page.locator('.card.error [aria-live]').textContent()).toBe('');
    expect(await label.isVisible()).toBe(false);
  });

  test('every chart says by keyboard what it shows; plain words in the legends, symbols in their tooltips', async () => {
    for (const card of ['loss', 'error', 'kept', 'distance', 'throughput', 'learningRate', 'histogram']) {
      const root = monitor.page.locator(`.card.${card}`);
      const help = root.getByRole('button', { name: /^Help on / });
      expect(await help.getAttribute('aria-expanded')).toBe('false');
      await help.focus();
      await monitor.page.keyboard.press('Enter');
      expect((await root.locator('.chart-help').innerText()).length, card).toBeGreaterThan(60);
      expect(await help.getAttribute('aria-expanded')).toBe('true');
    }
    await artifact(monitor.page, 'page-help-dark');
    expect(await findings(monitor)).toEqual([]);
    for (const help of await monitor.page.getByRole('button', { name: /^Help on / }).all()) await help.press('Enter');
    expect(await monitor.page.locator('.chart-help:visible').count()).toBe(0);
    const legend = await monitor.page.locator('.grid .legend, .grid h2').allInnerTexts();
    expect(legend.join(' ')).not.toMatch(/[θμλη‖]/u);
    const titles = await monitor.page.locator('.card.error .legend-item').evaluateAll((all) => all.map((one) => (one as HTMLElement).title)); // prettier-ignore
    expect(titles.join(' ')).toMatch(/θ: what the budget leaves/);
    expect(titles.join(' ')).toMatch(/w: all weights/);
    // Every figure of an error says which part of the data it is of.
    for (const text of await monitor.page.locator('.card.error .legend-label').allInnerTexts())
      expect(text).toMatch(/training|validation|test/);
    expect(await monitor.page.locator('.run-header dt').allInnerTexts()).toContain('Error, pruned weights (test)');
  });

  test('the end of the error curve has the height; one press shows the whole, and is remembered', async () => {
    const top = async () => {
      await monitor.page
        .locator('.card.error')
        .getByRole('button', { name: /as a chart/ })
        .isVisible();
      const ticks = await monitor.page.evaluate(() => document.querySelectorAll('.card.error canvas').length);
      expect(ticks).toBe(1);
      await monitor.page.locator('.card.error summary').click();
      const before = (await sent('save')).length;
      await monitor.page.locator('.card.error').getByRole('button', { name: 'SVG' }).click();
      await expectEventually(async () => (await sent('save')).length, before + 1);
      const svg = Buffer.from((await sent('save')).at(-1)!.data, 'base64').toString();
      const labels = [...svg.matchAll(/text-anchor="end">([\d.]+)%</g)].map(([, percent]) => Number(percent));
      return Math.max(...labels);
    };
    const end = monitor.page.locator('.card.error').getByRole('button', { name: 'end', exact: true });
    expect(await end.getAttribute('aria-pressed')).toBe('true');
    const cut = await top();
    await end.click();
    await expectEventually(() => end.getAttribute('aria-pressed'), 'false');
    const whole = await top();
    expect(whole).toBeGreaterThan(4 * cut);
    await end.click();
  });

  test('says at once what was pressed, until the run does it', async () => {
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

  test.each([
    ['early', 'light', 1280, 800, 6],
    ['mid', 'contrast', 1024, 700, 18],
    ['narrow', 'contrast-light', 420, 900, 18],
  ] as const)('has room for the label at the crosshair: %s', async (name, theme, width, height, iterations) => {
    const own = await openMonitor(browser, { theme, width, height });
    await own.send(hydration([fakeRun({ id: 'lenet300', iterations })]));
    const plot = own.page.locator('.card.error .plot');
    await plot.locator('canvas').waitFor();
    await plot.scrollIntoViewIfNeeded();
    const box = (await plot.boundingBox())!;
    const label = own.page.locator('.card.error .cursor-label');
    for (const share of [0.3, 0.6, 0.95]) {
      await own.page.mouse.move(box.x + box.width * share, box.y + 100);
      await label.waitFor();
      const at = (await label.boundingBox())!;
      expect(at.x).toBeGreaterThanOrEqual(0);
      expect(at.x + at.width).toBeLessThanOrEqual(width);
      // The cut at the start is a single point: it is not said of other places.
      expect(await label.innerText()).not.toContain('cut once');
    }
    await artifact(own.page, `page-cursor-${name}`);
    const overflow = await own.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(await findings(own)).toEqual([]);
    await own.page.close();
  });

  test('zooms and resets', async () => {
    await monitor.page.locator('.card.error .plot').focus();
    await monitor.page.keyboard.press('+');
    const reset = monitor.page.getByRole('button', { name: 'Reset zoom' });
    await reset.waitFor();
    await reset.click();
    await reset.waitFor({ state: 'hidden' });
  });

  test('every chart has a table with the same numbers', async () => {
    for (const card of ['loss', 'error', 'kept', 'distance', 'throughput', 'learningRate', 'histogram']) {
      const root = monitor.page.locator(`.card.${card}`);
      await root.getByRole('button', { name: /as a table/ }).click();
      expect(await root.locator('.data-table tbody tr').count(), card).toBeGreaterThan(10);
      await root.getByRole('button', { name: /as a chart/ }).click();
    }
  });

  test('exports PNG, SVG and CSV', async () => {
    const files = new Map<string, Buffer>();
    for (const kind of ['PNG', 'SVG', 'CSV']) {
      await monitor.page.locator('.card.error summary').click();
      await monitor.page.locator('.card.error').getByRole('button', { name: kind }).click();
      await monitor.page.waitForTimeout(200);
    }
    for (const { name, data } of await sent('save')) files.set(name, Buffer.from(data, 'base64'));
    expect([...files.keys()].sort()).toEqual(['lenet300-error.csv', 'lenet300-error.png', 'lenet300-error.svg']);
    expect(files.get('lenet300-error.png')!.subarray(1, 4).toString()).toBe('PNG');
    const csv = files.get('lenet300-error.csv')!.toString().trim().split('\n');
    expect(csv[0]).toBe('series,Step,value');
    // 18 iterations at theta and w on two sets, and direct compression.
    expect(csv.length).toBe(1 + 4 * 18 + 1);
    const svg = files.get('lenet300-error.svg')!.toString();
    const parsed = await monitor.page.evaluate((text) => {
      const root = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
      return { name: root.nodeName, paths: root.querySelectorAll('path').length };
    }, svg);
    expect(parsed.name).toBe('svg');
    expect(parsed.paths).toBeGreaterThan(20);
  });

  test('a legend entry hides its line, and the page remembers it', async () => {
    const entry = monitor.page.locator('.card.error .legend-item[data-kind="w/test"]');
    await entry.click();
    await expectEventually(() => entry.getAttribute('aria-pressed'), 'false');
    await entry.click();
    await expectEventually(() => entry.getAttribute('aria-pressed'), 'true');
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

test('values that are not numbers are marked, and their neighbours stay', async () => {
  const clean = await openMonitor(browser);
  await clean.send(hydration([fakeRun({ id: 'a' })]));
  const broken = await openMonitor(browser);
  await broken.send(hydration([fakeRun({ id: 'a', broken: 2000 })]));
  const red = ({ page }: MonitorPage) =>
    page.locator('.card.loss canvas').evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      // charts.red of the dark theme
      for (let i = 0; i < data.length; i += 4) if (data[i]! > 220 && data[i + 1]! < 100 && data[i + 2]! < 100) count++;
      return count;
    });
  await clean.page.waitForTimeout(300);
  await broken.page.waitForTimeout(300);
  expect(await red(clean)).toBe(0);
  expect(await red(broken)).toBeGreaterThan(20);
  await clean.page.close();
  await broken.page.close();
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
