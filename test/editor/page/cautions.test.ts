/** Warnings about a run's result at the top of its page; states and controls are visible in every theme. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { RunState } from '../../../daemon/protocol/events.js';
import { artifact } from '../expectEventually.js';
import { fakeRun, hydration } from './fakeRun.js';
import { launchBrowser, openMonitor, THEMES } from './openPage.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

const DIVERGED =
  'the batch loss rose from 0.0213 to 2.31 (a network that has learned nothing: 2.3; allowed here: 2.19) in L step 3; going on from its beginning with half the learning rate (0.05)';
const AT_CHANCE =
  'the reference is at chance (89.7% error; always answering the most frequent class has 88.7%): check "data.preprocess" and the order of the classes';
const MAPPING =
  'Input scale chosen by the reference\'s errors: x/255 (x/255: 1.90%; as stored: 85.30%; x/127.5-1: 6.12%); "data.preprocess" in the plan overrides it.';

function doubtful() {
  const run = fakeRun({ id: 'lenet300', iterations: 30, state: 'done', floor: 0.89 });
  run.view.mapping = [MAPPING];
  run.view.summary.cautions = [
    { code: 'at-chance', message: AT_CHANCE, serious: true },
    { code: 'diverged', message: DIVERGED, serious: true, rate: { section: 'training', value: 0.05 } },
    { code: 'support-changing', message: 'which weights stay was still changing', serious: false },
  ];
  return run;
}

/** Red, green and blue, and the contrast of two CSS colours on that background (WCAG 2.1). */
const contrastOn = (page: Page, colour: string, background: string): Promise<number> =>
  page.evaluate(
    ([colour, background]) => {
      const ctx = document.createElement('canvas').getContext('2d')!;
      const luminance = (...layers: string[]) => {
        for (const layer of layers) {
          ctx.fillStyle = layer;
          ctx.fillRect(0, 0, 1, 1);
        }
        const [r, g, b] = Array.from(ctx.getImageData(0, 0, 1, 1).data, (value) => {
          const v = value / 255;
          return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
      };
      const [a, b] = [luminance(background!, colour!), luminance(background!)];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    },
    [colour, background],
  );

describe.each(THEMES)('theme %s', (theme) => {
  test('a doubtful end is a banner at the top, in no colour of success', async () => {
    const monitor = await openMonitor(browser, { theme, height: 900 });
    await monitor.send(hydration([doubtful()]));
    await monitor.page.waitForTimeout(300);
    await artifact(monitor.page, `page-caution-${theme}`);
    const banner = monitor.page.locator('.caution.serious');
    expect(await banner.innerText()).toContain(AT_CHANCE.slice(1));
    expect(await banner.innerText()).toContain(DIVERGED.slice(1));
    const { y, height } = (await banner.boundingBox())!;
    expect(y + height).toBeLessThan(400);
    expect(await monitor.page.locator('.state').innerText()).toBe('Finished, with warnings');
    const green = await monitor.page.evaluate(() =>
      getComputedStyle(document.documentElement).getPropertyValue('--vscode-charts-green'),
    );
    for (const [selector, pseudo] of [
      ['.state', '::before'],
      ['.progress .bar-fill', undefined],
    ] as const)
      // prettier-ignore
      expect(
        await monitor.page.locator(selector).evaluate(
          (node, [pseudo, green]) => {
            const probe = document.createElement('i');
            document.body.append(probe);
            probe.style.color = green!;
            return getComputedStyle(node, pseudo).backgroundColor === getComputedStyle(probe).color;
          },
          [pseudo, green],
        ),
        selector,
      ).toBe(false);
    expect(await monitor.page.locator('.mapping').innerText()).toContain('x/255: 1.90%; as stored: 85.30%');
    expect(monitor.problems).toEqual([]);
    await monitor.page.close();
  });

  test('every state is seen, also where chart colours are nearly the background', async () => {
    const orange = 'rgba(128, 128, 128, 0.05)';
    const monitor = await openMonitor(browser, { theme, height: 500, colours: { '--vscode-charts-orange': orange } });
    for (const state of RunState.options) {
      await monitor.send(hydration([fakeRun({ id: 'a', state })]));
      const [colour, background] = await monitor.page
        .locator('.state')
        .evaluate((node) => [
          getComputedStyle(node, '::before').backgroundColor,
          getComputedStyle(document.body).backgroundColor,
        ]);
      expect(await contrastOn(monitor.page, colour!, background!), state).toBeGreaterThan(2.9);
    }
    await monitor.page.close();
  });

  test('the slider is seen, also where buttons have no colour of their own', async () => {
    const monitor = await openMonitor(browser, { theme, height: 900, colours: theme.startsWith('contrast') ? { '--vscode-button-background': theme === 'contrast' ? '#000000' : '#ffffff' } : {} }); // prettier-ignore
    await monitor.send(hydration([fakeRun({ id: 'a' })]));
    const slider = monitor.page.locator('#smoothing');
    const shot = await slider.screenshot();
    const thumb = await slider.evaluate((node: HTMLInputElement) => Number(node.value) / Number(node.max || 1));
    const [colour, background] = await monitor.page.evaluate(
      async ([base64, at]) => {
        const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(base64!), (c) => c.charCodeAt(0))]));
        const ctx = Object.assign(document.createElement('canvas'), {
          width: bitmap.width,
          height: bitmap.height,
        }).getContext('2d')!;
        ctx.drawImage(bitmap, 0, 0);
        const pixel = (x: number, y: number) => `rgb(${ctx.getImageData(x, y, 1, 1).data.slice(0, 3).join(' ')})`;
        const x = Math.round(7 + Number(at) * (bitmap.width - 14));
        return [pixel(x, bitmap.height >> 1), pixel(0, 0)];
      },
      [shot.toString('base64'), String(thumb)],
    );
    await artifact(monitor.page, `page-slider-${theme}`);
    expect(await contrastOn(monitor.page, colour!, background!)).toBeGreaterThan(3);
    await monitor.page.close();
  });
});

test('a banner offers another rate and the plan, but nothing in Restricted Mode', async () => {
  const monitor = await openMonitor(browser, { height: 900 });
  const messages = hydration([doubtful()]);
  await monitor.send(messages);
  const banner = monitor.page.locator('.caution');
  await banner.getByRole('button', { name: 'Run Again with "training.learningRate": 0.05' }).click();
  await banner.getByRole('button', { name: 'Open Plan' }).click();
  expect((await monitor.posted()).filter(({ type }) => type === 'control')).toEqual([
    { type: 'control', action: 'otherRate', run: 'lenet300' },
    { type: 'control', action: 'plan', run: 'lenet300' },
  ]);
  await monitor.send(messages.map((one) => (one.type === 'runs' ? { ...one, trusted: false } : one)));
  expect(await banner.getByRole('button', { name: /Run Again/ }).isDisabled()).toBe(true);
  await monitor.send(hydration([fakeRun({ id: 'fine', state: 'done' })]));
  expect(await banner.isHidden()).toBe(true);
  expect(await monitor.page.locator('.state').innerText()).toBe('Finished');
  await monitor.page.close();
});
