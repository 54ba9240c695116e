/** The path's curve on the built page: drawn, reachable, moved by keys and by the mouse, and exported from. */
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import type { PathPoint } from '../../../daemon/protocol/events.js';
import { artifact } from '../expectEventually.js';
import { fakeRun, hydration } from './fakeRun.js';
import { launchBrowser, openMonitor, THEMES, type MonitorPage } from './openPage.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

const SHARES = [0.1, 0.05, 0.02, 0.01, 0.005];
const points: PathPoint[] = SHARES.map((share, point) => {
  const evaluation = { loss: 0.1, error: 0.016 + 0.0001 / share, samples: 10_000 };
  return {
    point,
    budget: { keep: `${100 * share}%` },
    from: point === 0 ? null : point - 1,
    kept: Math.ceil(266_200 * share),
    prunable: 266_200,
    perLayer: [],
    bytes: Math.round(266_200 * share * 4.6),
    theta: evaluation,
    retrained: evaluation,
    decision: evaluation.error,
    epochs: 20,
    seconds: 60,
  };
});
const answer = { point: 3, set: 'test' as const, reference: 0.0178, maxErrorIncrease: 0.01, met: true };

/** A run that is a path, and the run of one budget beside it. */
function messages() {
  const path = fakeRun({ id: 'lenet300-path', iterations: 30, state: 'done' });
  Object.assign(path.view, { path: { points, total: points.length, answer } });
  return hydration([path, fakeRun({ id: 'lenet300', colour: 1, seed: 3, iterations: 30, state: 'done' })]);
}
const knob = ({ page }: MonitorPage) => page.locator('.path-knob');
const chosen = async (monitor: MonitorPage) => Number(await knob(monitor).getAttribute('data-point'));

test.each(THEMES)('is drawn in %s and accessible', async (theme) => {
  const monitor = await openMonitor(browser, { theme });
  await monitor.send(messages());
  await artifact(monitor.page, `page-path-${theme}`);
  expect(await monitor.page.locator('.path-card').isVisible()).toBe(true);
  await monitor.page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  const violations = await monitor.page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(where: string): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    const found = await axe.run('.path-card');
    return found.violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
  expect(violations).toEqual([]);
  expect(monitor.problems).toEqual([]);
  await monitor.page.close();
});

test('is not there without a path', async () => {
  const monitor = await openMonitor(browser);
  await monitor.send(hydration([fakeRun({ id: 'lenet300' })]));
  expect(await monitor.page.locator('.path-card').isVisible()).toBe(false);
  await monitor.page.close();
});

test('the operating point begins at the answer, moves by keys and by dragging, and its model is exported', async () => {
  const monitor = await openMonitor(browser);
  await monitor.send(messages());
  expect(await chosen(monitor)).toBe(3);
  const text = monitor.page.locator('.path-text');
  expect(await text.textContent()).toContain('The smallest within 1.00% of the reference, by the test part.');
  await knob(monitor).focus();
  await monitor.page.keyboard.press('ArrowRight');
  expect(await chosen(monitor)).toBe(2);
  expect(await knob(monitor).getAttribute('aria-valuetext')).toContain('2.00% kept: 5,324 weights');
  await monitor.page.keyboard.press('End');
  expect(await chosen(monitor)).toBe(0);
  await monitor.page.keyboard.press('ArrowRight');
  expect(await chosen(monitor)).toBe(0);
  await monitor.page.keyboard.press('Home');
  expect(await chosen(monitor)).toBe(4);
  expect(await text.textContent()).toContain('0.50% kept');

  const box = (await monitor.page.locator('.path-plot').boundingBox())!;
  await monitor.page.mouse.move(box.x + 0.1 * box.width, box.y + box.height / 2);
  await monitor.page.mouse.down();
  for (const share of [0.3, 0.6, 0.95])
    await monitor.page.mouse.move(box.x + share * box.width, box.y + box.height / 2);
  await monitor.page.mouse.up();
  expect(await chosen(monitor)).toBe(0);
  await monitor.page.mouse.move(box.x, box.y);
  expect(await chosen(monitor)).toBe(0);

  await knob(monitor).focus();
  await monitor.page.keyboard.press('ArrowLeft');
  await monitor.page.getByRole('button', { name: 'Export this point...' }).click();
  expect((await monitor.posted()).filter(({ type }) => type === 'exportPoint')).toEqual([
    { type: 'exportPoint', run: 'lenet300-path', point: 1 },
  ]);
  const range = monitor.page.getByRole('slider', { name: 'Budget' });
  expect(await range.inputValue()).toBe('3');
  await range.focus();
  await monitor.page.keyboard.press('ArrowLeft');
  expect(await chosen(monitor)).toBe(2);
  expect(await monitor.page.locator('.path-budget').textContent()).toMatch(/2%/);
  expect(await text.textContent()).toContain(
    '2.00% kept: 5,324 weights, 23.9 kB as a sparse package, test error 2.10%',
  );
  await monitor.page.keyboard.press('ArrowRight');
  // What was chosen survives new points; another run beside it changes nothing.
  await monitor.send(messages());
  expect(await chosen(monitor)).toBe(1);
  expect(monitor.problems).toEqual([]);
  await monitor.page.close();
});
