import { launchBrowser, openMonitor, THEMES } from './openPage.ts';
import { fakeRun, hydration } from './fakeRun.ts';
import { mkdirSync } from 'node:fs';
const b = await launchBrowser();
mkdirSync('/tmp/shots', { recursive: true });
for (const theme of THEMES) {
  const m = await openMonitor(b, { theme });
  await m.send(hydration([fakeRun({ id: 'lenet300-1%' })]));
  await m.page.waitForTimeout(500);
  await m.page.screenshot({ path: `/tmp/shots/${theme}.png`, fullPage: true });
  console.log(theme, m.problems, (await m.posted()).map((x) => x.type).join());
  await m.page.close();
}
const m = await openMonitor(b, { theme: 'dark' });
await m.send(
  hydration(
    [
      fakeRun({ id: 'lenet300-1%', iterations: 30, state: 'done' }),
      fakeRun({ id: 'lenet300-2%', kept: 0.02, colour: 1, seed: 3, iterations: 30, state: 'done', floor: 0.0185 }),
      fakeRun({
        id: 'magnitude-1%',
        kept: 0.01,
        colour: 2,
        seed: 4,
        method: 'magnitude',
        iterations: 30,
        state: 'done',
        floor: 0.035,
      }),
      fakeRun({
        id: 'magnitude-2%',
        kept: 0.02,
        colour: 3,
        seed: 5,
        method: 'magnitude',
        iterations: 30,
        state: 'done',
        floor: 0.027,
        broken: 900,
      }),
    ],
    [
      { setting: 'budget', values: ['keep 1%', 'keep 2%', 'keep 1%', 'keep 2%'] },
      { setting: 'method', values: ['lc', 'lc', 'magnitude', 'magnitude'] },
    ],
  ),
);
await m.page.waitForTimeout(500);
await m.page.screenshot({ path: `/tmp/shots/compare.png`, fullPage: true });
console.log(m.problems);
await b.close();
