/** The built page of data that may be chosen, in a browser: themes, accessibility, CSP, keyboard, what it asks of its host. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DataPreview } from '../../../daemon/protocol/dataChoice.js';
import type { FromDataPage, ToDataPage } from '../../../webview/messages/data.js';
import { artifact } from '../expectEventually.js';
import { findings } from './accessibility.js';
import { launchBrowser, openMonitor, THEMES, type MonitorPage } from './openPage.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const wishes = { labels: null, inputs: null, scale: null, order: null };

const table: DataPreview = {
  data: 'iris.csv',
  source: 'iris.csv',
  about: '150 rows, 4 inputs + label "species" (3 classes)',
  notes: ['Labels are read from column "species".'],
  fields: {
    kind: 'columns',
    names: ['sepal length', 'sepal width', 'petal length', 'petal width', 'species'],
    inputs: [['sepal length', 'sepal width', 'petal length', 'petal width']],
    labels: ['species'],
  },
  classes: ['setosa', 'versicolor', 'virginica'],
  scale: 'as stored',
  order: 'sorted as text',
  orders: [
    { order: 'text', text: 'sorted as text' },
    { order: 'appearance', text: 'in order of first appearance' },
  ],
  inputs: [
    {
      name: 'flower',
      shape: [4],
      image: null,
      range: [0.1, 7.9],
      pictures: [],
      values: Array.from({ length: 16 }, (_, i) => [5.1 + i, 3.5, 1.4, null]),
    },
  ],
  answers: Array<string>(16).fill('setosa'),
  times: [
    { iterations: 40, epochs: 21, retrainEpochs: 140, seconds: 12, text: 'about 10 s: 40 iterations of 21 epochs' },
    { iterations: 40, epochs: 5, retrainEpochs: 35, seconds: 4, text: 'about 4 s: 40 iterations of 5 epochs' },
  ],
};

const pictures: DataPreview = {
  ...table,
  data: 'shots',
  about: '60 images, inputs of 2 x 2 x 3 + 2 classes: "cat", "dog"',
  fields: null,
  classes: ['cat', 'dog'],
  orders: [],
  inputs: [
    {
      name: 'shot',
      shape: [2, 2, 3],
      image: [2, 2, 3],
      range: [0, 1],
      // Red, green, blue, white.
      pictures: [Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]).toString('base64')],
      values: [],
    },
  ],
  answers: ['cat'],
  times: [],
};

const several: DataPreview = {
  ...pictures,
  fields: { kind: 'columns', names: ['age', 'fur', 'y'], inputs: [[], ['age', 'fur']], labels: ['y'] },
  inputs: [
    ...pictures.inputs,
    { name: 'facts', shape: [2], image: null, range: [2, 3], pictures: [], values: [[3, 2]] },
  ],
};

const reading: ToDataPage = { type: 'reading', name: 'iris.csv', model: 'model.json' };
const shown = (preview: DataPreview): ToDataPage[] => [reading, { type: 'preview', preview, wishes }];
const posted = async (page: MonitorPage): Promise<FromDataPage[]> => (await page.posted()) as unknown as FromDataPage[];

test.each(THEMES)('a table, pictures and a problem: drawn, accessible, no violation, in theme %s', async (theme) => {
  for (const [name, messages] of [
    ['table', shown(table)],
    ['pictures', shown(pictures)],
    ['several inputs', shown(several)],
    ['problem', [...shown(table), reading, { type: 'problem', message: 'iris.csv: line 2 is no number' }]],
  ] as [string, ToDataPage[]][]) {
    const page = await openMonitor(browser, { theme, name: 'data', height: 800 });
    await page.send(messages);
    await artifact(page.page, `page-data-${name.replace(' ', '-')}-${theme}`);
    expect(await findings(page), name).toEqual([]);
    expect(page.problems, name).toEqual([]);
    await page.page.close();
  }
});

test('the samples are those of the data: rows with their names, or pictures pixel by pixel', async () => {
  const page = await openMonitor(browser, { name: 'data' });
  await page.send(shown(table));
  const first = page.page.locator('.samples tbody tr').first();
  expect(await first.locator('th, td').allInnerTexts()).toEqual(['setosa', '5.1', '3.5', '1.4', 'not finite']);
  expect(await page.page.locator('.samples thead th').allInnerTexts()).toEqual(['Answer', ...table.fields!.inputs[0]!]);
  await page.send(shown(pictures));
  const corners = await page.page.locator('.pictures canvas').evaluate((canvas: HTMLCanvasElement) => {
    const context = canvas.getContext('2d')!;
    const at = (x: number, y: number) => [...context.getImageData(x, y, 1, 1).data];
    return [at(1, 1), at(canvas.width - 2, 1), at(1, canvas.height - 2), at(canvas.width - 2, canvas.height - 2)];
  });
  expect(corners).toEqual([
    [255, 0, 0, 255],
    [0, 255, 0, 255],
    [0, 0, 255, 255],
    [255, 255, 255, 255],
  ]);
  await page.page.close();
});

test('every input of a model is shown, by its name, beside the same answers', async () => {
  const page = await openMonitor(browser, { name: 'data' });
  await page.send(shown(several));
  expect(await page.page.locator('.data h3').allInnerTexts()).toEqual(['shot', 'facts']);
  expect(await page.page.locator('.data > .note').allInnerTexts()).toEqual([
    '[2, 2, 3], values from 0 to 1',
    '[2], values from 2 to 3',
  ]);
  expect(await page.page.getByRole('list', { name: 'Samples of shot' }).locator('figcaption').allInnerTexts()).toEqual(['cat']); // prettier-ignore
  const facts = page.page.getByRole('region', { name: 'Samples of facts' });
  expect(await facts.locator('th, td').allInnerTexts()).toEqual(['Answer', 'age', 'fur', 'cat', '3', '2']);
  await page.page.close();
});

test('Enter accepts the proposed data; a change is computed first, and cannot be accepted meanwhile', async () => {
  const page = await openMonitor(browser, { name: 'data' });
  const use = page.page.getByRole('button', { name: 'Use This Data' });
  expect(await use.isEnabled()).toBe(false);
  await page.send(shown(table));
  await page.page.keyboard.press('Enter');
  expect(await posted(page)).toEqual([{ type: 'ready' }, { type: 'use', time: 0 }]);
  await page.send(shown(table));
  await page.page.getByLabel('How long').selectOption('1');
  await page.page.getByLabel('Label', { exact: true }).selectOption('petal width');
  expect((await posted(page)).at(-1)).toEqual({ type: 'change', wishes: { ...wishes, labels: ['petal width'] } });
  await page.send([reading]);
  expect(await use.isEnabled()).toBe(false);
  await page.send([{ type: 'problem', message: 'species has "setosa" where a number is needed' }]);
  expect(await page.page.getByRole('alert').innerText()).toContain('setosa');
  // The way back is still there.
  await page.page.getByLabel('Label', { exact: true }).selectOption('species');
  await page.send(shown(table));
  await page.page.getByLabel('Scale of inputs').selectOption('standard');
  expect((await posted(page)).at(-1)).toEqual({ type: 'change', wishes: { ...wishes, scale: 'standard' } });
  expect(await page.page.getByLabel('Inputs', { exact: true }).locator('option:checked').allInnerTexts()).toEqual(table.fields!.inputs[0]); // prettier-ignore
  await page.page.getByLabel('Inputs', { exact: true }).selectOption(['sepal length', 'sepal width']);
  expect((await posted(page)).at(-1)).toMatchObject({ type: 'change', wishes: { inputs: ['sepal length', 'sepal width'] } }); // prettier-ignore
  await page.page.getByRole('button', { name: 'Other Data...' }).click();
  expect((await posted(page)).at(-1)).toEqual({ type: 'other' });
  await page.page.close();
});
