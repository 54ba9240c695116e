/** Names on the command line keep their meaning: plans, arrays and columns of `evaluate`, and the files of --out. */
import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lcPrune } from '../../fixtures/cli.js';
import { tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

let ws: TinyWorkspace;
beforeEach(async () => {
  ws = await tinyWorkspace();
});
afterEach(() => ws.remove());

const run = (...args: string[]) => lcPrune([...args, '--json'], { cwd: ws.folder });

describe('lc-prune evaluate', () => {
  it('takes a model and its data, or the plan that names both, and finds the same', async () => {
    const byModel = await run('evaluate', 'model.json', 'data.csv', '--scale', 'none');
    const byOption = await run('evaluate', 'model.json', '--data', 'data.csv', '--scale', 'none');
    expect(byModel.lines.at(-1)).toMatchObject({ samples: 240, loss: expect.any(Number) });
    expect(byOption.lines).toEqual(byModel.lines);
    await writeFile(ws.path('all.prune.json'), JSON.stringify({ model: 'model.json', data: { source: 'data.csv', preprocess: { scale: 'none' } }, budget: { keep: '50%' } })); // prettier-ignore
    expect((await run('evaluate', 'all.prune.json')).lines).toEqual(byModel.lines);
    expect((await run('evaluate', 'all.prune.json', 'data.csv')).lines.at(-1)!['message']).toMatch(/DATA is for a model; a plan has its own data/); // prettier-ignore
    expect((await run('evaluate', 'all.prune.json', '--y', 'kind')).lines.at(-1)!['message']).toMatch(/--y is for a model/); // prettier-ignore
    expect((await run('evaluate', 'model.json')).lines.at(-1)!['message']).toMatch(/the data is missing/);
  });

  it('takes the columns of inputs and labels from the options', async () => {
    const [header, ...rows] = (await readFile(ws.path('data.csv'), 'utf8')).trim().split('\n');
    const names = header!.split(',');
    const [inputs, label] = [names.slice(0, 4), names[4]!];
    const expected = await run('evaluate', 'model.json', 'data.csv', '--scale', 'none');
    // The labels first, and a column that is neither.
    const moved = [`${label},${inputs.join(',')},extra`, ...rows.map((row) => `${row.split(',')[4]!},${row.split(',').slice(0, 4).join(',')},7`)]; // prettier-ignore
    await writeFile(ws.path('moved.csv'), moved.join('\n'));
    const given = await run('evaluate', 'model.json', 'moved.csv', '--scale', 'none', '--x', inputs.join(','), '--y', label); // prettier-ignore
    expect(given.lines).toEqual(expected.lines);
    const byInput = await run('evaluate', 'model.json', 'moved.csv', '--scale', 'none', '--inputs', `fc1=${inputs.join(',')}`, '--y', label); // prettier-ignore
    expect(byInput.lines).toEqual(expected.lines);
    const wrong = await run('evaluate', 'model.json', 'moved.csv', '--inputs', `fc9=${inputs.join(',')}`, '--y', label);
    expect(wrong.lines.at(-1)!['message']).toMatch(/names the input "fc9", but the model has "fc1"/);
    expect((await run('evaluate', 'model.json', 'moved.csv', '--inputs', 'nothing')).lines.at(-1)!['message']).toMatch(/is not INPUT=NAMES/); // prettier-ignore
    expect((await run('evaluate', 'model.json', 'moved.csv', '--inputs', 'a=b', '--x', 'c')).code).toBe(2);
  });
});

describe('lc-prune evaluate, of a model with several outputs', () => {
  it("has the loss of each, and Keras's sum of them", async () => {
    const folder = 'test/fixtures/keras/two-heads';
    const keras = JSON.parse(await readFile(`${folder}/expected.json`, 'utf8')) as Record<string, number>;
    const evaluated = (...more: string[]) => lcPrune(['evaluate', `${folder}/model.keras`, `${folder}/data.npz`, '--engine', 'native-cpu', '--json', ...more], { cwd: '.' }); // prettier-ignore
    const reg = (await evaluated()).lines.at(-1)!;
    const cls = (await evaluated('--output', 'cls')).lines.at(-1)!;
    for (const [own, other, name] of [
      [reg, 'cls', 'reg'],
      [cls, 'reg', 'cls'],
    ] as const) {
      expect(own['loss']).toBeCloseTo(keras[`${name}_loss`]!, 4);
      expect(own['others']).toMatchObject([{ output: other, loss: expect.closeTo(keras[`${other}_loss`]!, 4) }]);
      expect(own['total']).toBeCloseTo(keras['loss']!, 4);
    }
    expect(cls['error']).toBeCloseTo(1 - keras['cls_accuracy']!, 6);
  });
});

describe('--out', () => {
  it('of train is written in the format of its name', async () => {
    const heads: readonly (readonly [string, string])[] = [
      ['a.keras', 'PK\x03\x04'],
      ['b.h5', '\x89HDF'],
      ['c/model.json', '{\n  "'],
    ];
    for (const [name, magic] of heads) {
      const { code, lines } = await run('train', 'tiny.prune.json', '--out', name);
      expect(code).toBe(0);
      expect(lines.at(-1)!['model']).toBe(ws.path(name));
      expect((await readFile(ws.path(name))).subarray(0, 4).toString('latin1')).toBe(magic.slice(0, 4));
      expect((await run('inspect', name)).code).toBe(0);
    }
  });

  it('with an unknown ending is refused before anything is trained', async () => {
    const before = await ws.listing();
    for (const name of ['x.pt', 'x.lcp', 'x.tflite']) {
      const { code, lines } = await run('train', 'tiny.prune.json', '--out', name);
      expect(code).toBe(2);
      expect(lines.at(-1)!['message']).toMatch(/no network is written as.*\.keras \(Keras 3\), \.h5 \(Keras HDF5\)/);
    }
    expect((await run('init', 'model.json', '--data', 'data.csv', '--out', 'x.keras')).lines.at(-1)!['message']).toMatch(/called NAME.prune.json/); // prettier-ignore
    expect((await run('preview', 'tiny.prune.json', '--out', 'x.png')).lines.at(-1)!['message']).toMatch(/NAME.html/);
    expect(await ws.listing()).toEqual(before);
  });

  it('of export determines the format, unless --format does', async () => {
    const { code, lines } = await run('export', 'model.json', '--out', 'x.onnx');
    expect({ code, format: lines.at(-1)!['format'] }).toEqual({ code: 0, format: 'onnx' });
    expect((await run('export', 'model.json', '--format', 'keras', '--out', 'x.h5')).code).toBe(2);
  });
});
