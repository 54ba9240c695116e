/** Paths on the command line, and plans that init writes. */
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, posix, win32 } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { writeTfjsModel } from '../../../daemon/model/files/writeTfjs.js';
import { planPath } from '../../../daemon/plan/planText.js';
import { lcPrune } from '../../fixtures/cli.js';
import { clusterCsv, tinyModel, tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

let ws: TinyWorkspace;
beforeEach(async () => {
  ws = await tinyWorkspace();
  await mkdir(ws.path('sub'));
});
afterEach(() => ws.remove());

const inside = (args: string[]) => lcPrune(args, { cwd: ws.path('sub') });

describe('a relative path on the command line', () => {
  it.each([
    ['inspect', '../model.json'],
    ['evaluate', '../model.json', '--data', '../data.csv', '--scale', 'none'],
    ['preview', '../tiny.prune.json'],
    ['sensitivity', '../tiny.prune.json', '--shares', '50%'],
    ['export', '../model.json', '--format', 'tfjs-layers', '--out', 'out.json'],
  ])('is relative to the current folder: %s %s', async (...args) => {
    const { code, stderr } = await inside([...args, '--json']);
    expect({ code, stderr }).toMatchObject({ code: 0 });
  });

  it("may be a link: the file is the user's choice, its own folder the workspace", async () => {
    await symlink(ws.path('model.json'), ws.path('sub', 'linked.json'));
    expect(await inside(['inspect', 'linked.json'])).toMatchObject({ code: 0 });
  });

  it('opens no more than the folder of its file: what a file there names outside is refused, with the way out', async () => {
    const { json, weights } = tinyModel();
    const manifest = json['weightsManifest'] as { paths: string[] }[];
    manifest[0]!.paths = ['../elsewhere.dat'];
    await mkdir(ws.path('net'));
    await writeFile(ws.path('net', 'model.json'), JSON.stringify(json));
    await writeFile(ws.path('elsewhere.dat'), weights);
    const refused = await inside(['inspect', '../net/model.json']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/"\.\.\/elsewhere\.dat" leads out of the workspace .*net; .*--workspace DIR/);
    expect(await inside(['inspect', '../net/model.json', '--workspace', '..'])).toMatchObject({ code: 0 });
    // A workspace that is named holds for the file itself, too.
    expect((await inside(['inspect', '../net/model.json', '--workspace', '.'])).stderr).toMatch(/leads out/);
  });
});

describe('lc-prune init', () => {
  it('writes nothing if the plan would be wrong, so that the corrected call works', async () => {
    const before = await ws.listing();
    const wrong = await lcPrune(['init', 'model.json', '--data', 'data.csv', '--keep', '500%'], { cwd: ws.folder });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/500%/);
    expect(await ws.listing()).toEqual(before);
    expect(await lcPrune(['init', 'model.json', '--data', 'data.csv', '--keep', '50%'], { cwd: ws.folder })).toMatchObject({ code: 0 }); // prettier-ignore
    expect(await ws.listing()).toEqual([...before, 'model.prune.json'].sort());
  });

  /** A plan that was written, without its comments. */
  const written = async (...names: string[]) =>
    JSON.parse((await readFile(ws.path(...names), 'utf8')).replace(/^\s*\/\/.*$/gm, '')) as object;

  it('makes the folder of --out, and reports why if it cannot be made or lies elsewhere', async () => {
    const init = (out: string) =>
      lcPrune(['init', 'model.json', '--data', 'data.csv', '--out', out], { cwd: ws.folder });
    const made = await init('plans/today/tiny.prune.json');
    expect(made).toMatchObject({ code: 0 });
    expect(await written('plans', 'today', 'tiny.prune.json')).toMatchObject({ model: '../../model.json', data: '../../data.csv' }); // prettier-ignore
    expect(await lcPrune(['preview', 'plans/today/tiny.prune.json'], { cwd: ws.folder })).toMatchObject({ code: 0 });
    const blocked = await init('data.csv/tiny.prune.json');
    expect(blocked).toMatchObject({ code: 2 });
    expect(blocked.stderr).toMatch(/data\.csv\/tiny\.prune\.json" goes through a file as if that were a folder/);
    // Nothing is left of a plan that is refused.
    expect(await lcPrune(['init', 'model.json', '--data', 'data.csv', '--keep', '500%', '--out', 'no/tiny.prune.json'], { cwd: ws.folder })).toMatchObject({ code: 2 }); // prettier-ignore
    expect(await ws.listing()).not.toContain('no');
    const outside = await init('../elsewhere/tiny.prune.json');
    expect(outside).toMatchObject({ code: 2 });
    expect(outside.stderr).toMatch(/--out: ".*elsewhere.*tiny\.prune\.json" is not in .*, where this command works; name a file there, or with --workspace DIR/); // prettier-ignore
  });

  it('takes the data file beside the model that fits it, and reports its name, the reason and the time', async () => {
    await writeFile(ws.path('other.csv'), 'a,b,label\n1,2,x\n3,4,y\n5,6,x\n');
    const { code, stderr } = await lcPrune(['init', 'model.json'], { cwd: ws.folder });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toMatch(
      /the data is "data\.csv" \(240 rows, 4 inputs \+ label "label" \(3 classes\)\).*--data names another/,
    );
    expect(stderr).toMatch(/the run takes about \d+ (s|min): 40 iterations of 3 epochs, 20 epochs of retraining/);
    expect(await written('model.prune.json')).toMatchObject({
      model: 'model.json',
      data: 'data.csv',
      schedule: { iterations: 40, epochs: 3 },
      retrain: { epochs: 20 },
    });
  });

  it('takes the likeliest of several, and names the others', async () => {
    await writeFile(ws.path('more.csv'), clusterCsv(60));
    const { code, stderr } = await lcPrune(['init', 'model.json'], { cwd: ws.folder });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toMatch(/the data is "data\.csv".*"more\.csv" fits, too/);
    expect(await written('model.prune.json')).toMatchObject({ data: 'data.csv' });
  });

  it('searches further if nothing beside the model fits, and only inside the workspace', async () => {
    await writeFile(ws.path('sub', 'model.json'), await readFile(ws.path('model.json')));
    await writeFile(ws.path('sub', 'weights.bin'), await readFile(ws.path('weights.bin')));
    await writeFile(ws.path('sub', 'wide.csv'), 'a,b,label\n1,2,x\n3,4,y\n5,6,x\n');
    expect((await inside(['init', 'model.json'])).stderr).toMatch(/none of the data files.*\[4\]: "wide\.csv"/);
    const { code, stderr } = await lcPrune(['init', join('sub', 'model.json')], { cwd: ws.folder });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await readFile(ws.path('sub', 'model.prune.json'), 'utf8')).toContain('"data": "../data.csv"');
  });

  it('names a built-in set that it takes, never in silence', async () => {
    await writeTfjsModel(buildArchitecture('lenet300', 3), ws.path('model.json'));
    const { code, stderr } = await lcPrune(['init', 'model.json'], { cwd: ws.folder });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toMatch(
      /the data is "mnist" \(built in: .*digits.*\), as it has the sizes of the model, and no file here fits; "fashion-mnist" fits, too; --data names another/,
    );
    expect(await written('model.prune.json')).toMatchObject({ data: 'mnist' });
  });

  it('reports what does not fit if nothing does', async () => {
    await writeFile(ws.path('sub', 'model.json'), await readFile(ws.path('model.json')));
    await writeFile(ws.path('sub', 'weights.bin'), await readFile(ws.path('weights.bin')));
    const none = await inside(['init', 'model.json']);
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/no built-in data set fits its input \[4\] and output \[3\].*--data/);
    await writeFile(ws.path('sub', 'wide.csv'), 'a,b,label\n1,2,x\n3,4,y\n5,6,x\n');
    expect((await inside(['init', 'model.json'])).stderr).toMatch(/none of the data files.*\[4\]: "wide\.csv" \(.*\).*--data/); // prettier-ignore
    expect((await inside(['init', 'model.json', '--data', 'typo.csv'])).stderr).toMatch(/"typo\.csv" is no file/);
    expect(await ws.listing()).not.toContain('sub/model.prune.json');
    // Data is named from the current folder, and written from the plan's.
    expect(await inside(['init', '../model.json', '--data', '../data.csv'])).toMatchObject({ code: 0 });
    expect(await readFile(ws.path('model.prune.json'), 'utf8')).toContain('"data": "data.csv"');
  });

  it('writes "/" whatever the platform\'s paths are', () => {
    expect(planPath('C:\\work\\plans', 'C:\\work\\nets\\a\\model.json', win32)).toBe('../nets/a/model.json');
    expect(planPath('/work/plans', '/work/nets/model.json', posix)).toBe('../nets/model.json');
    expect(planPath('/work', '/work', posix)).toBe('.');
  });
});
