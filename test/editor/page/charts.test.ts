/** The charts of the built monitor page in a browser: crosshair, help, zoom, legends, tables, exports, values that are not numbers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { artifact, expectEventually } from '../expectEventually.js';
import { fakeRun, hydration } from './fakeRun.js';
import { findings } from './accessibility.js';
import { launchBrowser, openMonitor, type MonitorPage } from './openPage.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

const one = () => hydration([fakeRun({ id: 'lenet300' })]);

describe('the charts', () => {
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

  test('the crosshair moves by keyboard, in every chart, and shows its values', async () => {
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

  test('keyboard users get the content of every chart; legends have plain words, their tooltips symbols', async () => {
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
    // Every figure of an error names its part of the data.
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
      const before = (await monitor.sent('save')).length;
      await monitor.page.locator('.card.error').getByRole('button', { name: 'SVG' }).click();
      await expectEventually(async () => (await monitor.sent('save')).length, before + 1);
      const svg = Buffer.from((await monitor.sent('save')).at(-1)!.data, 'base64').toString();
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
      // The cut at the start is a single point: the crosshair does not show it at other places.
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
    for (const { name, data } of await monitor.sent('save')) files.set(name, Buffer.from(data, 'base64'));
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
