/** Commands on data of other kinds: labels in an order of the model's, weighted classes, a regression. */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lcPrune } from '../../fixtures/cli.js';
import { tinyModel, tinyWorkspace, TINY_PLAN, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

let ws: TinyWorkspace;
beforeEach(async () => {
  ws = await tinyWorkspace();
});
afterEach(() => ws.remove());

describe('labels in an order that only the model knows', () => {
  it("are read by its loss, with the figures, alike by preview, evaluate and run, or by the plan's setting", async () => {
    const trained = await lcPrune(['train', 'tiny.prune.json', '--out', 'trained/model.json'], { cwd: ws.folder });
    expect(trained.code).toBe(0);
    // The model's classes are blue, green, red. As text, "k10" is before "k9"; first in the file is "z".
    const name: Record<string, string> = { blue: 'k9', green: 'k10', red: 'z' };
    const table = await readFile(ws.path('data.csv'), 'utf8');
    const renamed = table.replace(/(blue|green|red)$/gm, (label) => name[label]!);
    await writeFile(ws.path('renamed.csv'), renamed);
    const plan = (classes: object) => ({
      ...TINY_PLAN,
      model: 'trained/model.json',
      data: { source: 'renamed.csv', preprocess: { scale: 'none' }, ...classes },
    });
    const read = /Labels read by the reference's loss: sorted, numbers by value .* alike: 0\.\d+; sorted as text: \d/;

    const evaluated = await lcPrune(
      ['evaluate', 'trained/model.json', '--data', 'renamed.csv', '--scale', 'none', '--json'],
      { cwd: ws.folder },
    );
    expect(evaluated.stderr).toMatch(read);
    expect(evaluated.lines.at(-1)!['error']).toBeLessThan(0.1);
    const wrong = ['--classes', 'k10,k9,z', '--scale', 'none', '--json'];
    const stated = await lcPrune(['evaluate', 'trained/model.json', '--data', 'renamed.csv', ...wrong], {
      cwd: ws.folder,
    });
    expect(stated.lines.at(-1)!['error']).toBeGreaterThan(0.5);

    await writeFile(ws.path('plan.prune.json'), JSON.stringify(plan({})));
    const shown = await lcPrune(['preview', 'plan.prune.json', '--samples', '240', '--json'], { cwd: ws.folder });
    const { notes } = shown.lines.at(-1) as { notes: string[] };
    expect(notes.join(' ')).toMatch(read);
    expect(notes.join(' ')).toContain('outputs: "k9", "k10", "z"');

    const run = await lcPrune(['run', 'plan.prune.json', '--json'], { cwd: ws.folder });
    const done = run.lines.at(-1) as { folder: string; reference: { error: number } };
    expect(done.reference.error).toBeLessThan(0.1);
    expect(run.lines.some(({ message }) => typeof message === 'string' && read.test(message))).toBe(true);
    const resolved = JSON.parse(await readFile(resolve(done.folder, 'plan.json'), 'utf8')) as { data: object };
    expect(resolved.data).toMatchObject({ classes: 'value' });

    await writeFile(ws.path('text.prune.json'), JSON.stringify(plan({ classes: ['k10', 'k9', 'z'] })));
    const listed = await lcPrune(['run', 'text.prune.json', '--json'], { cwd: ws.folder });
    expect((listed.lines.at(-1) as typeof done).reference.error).toBeGreaterThan(0.5);
    await writeFile(ws.path('odd.prune.json'), JSON.stringify(plan({ classes: ['k10', 'k9', 'y'] })));
    expect(await lcPrune(['run', 'odd.prune.json'], { cwd: ws.folder })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/labels that "classes" does not list: "z"; it lists "k10", "k9", "y"/),
    });
  });
});

describe('class weights', () => {
  const plan = (classWeights: unknown) => ({
    ...TINY_PLAN,
    reference: { epochs: 10, batchSize: 16 },
    data: { source: 'data.csv', preprocess: { scale: 'none' }, classWeights },
  });

  it('weigh the training loss, are noted, and leave the reported error as it is', async () => {
    await writeFile(ws.path('red.prune.json'), JSON.stringify(plan({ green: 0, blue: 0 })));
    const { lines, code } = await lcPrune(['train', 'red.prune.json', '--out', 'red/model.json', '--json'], {
      cwd: ws.folder,
    });
    expect(code).toBe(0);
    const note =
      'Classes weigh in the training loss: "blue" 0, "green" 0, "red" 1. The reported loss and error are unweighted.';
    expect(lines).toContainEqual(expect.objectContaining({ event: 'warning', code: 'note', message: note }));
    // Only red has weight: the model learns to answer red, and is wrong two times out of three.
    const evaluated = await lcPrune(['evaluate', 'red/model.json', '--data', 'data.csv', '--scale', 'none', '--json'], {
      cwd: ws.folder,
    });
    expect(evaluated.lines.at(-1)!['error']).toBeCloseTo(2 / 3, 2);
    const reference = lines.filter(({ at, set }) => at === 'reference' && set === 'test').at(-1)!;
    expect(reference['error']).toBeGreaterThan(0.4);
  });

  it('of a label that the data lacks are an error that lists both sides', async () => {
    await writeFile(ws.path('odd.prune.json'), JSON.stringify(plan({ purple: 2 })));
    expect(await lcPrune(['train', 'odd.prune.json'], { cwd: ws.folder })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /labels that the data does not have: "purple"; its labels are "blue", "green", "red"/,
      ),
    });
  });
});

describe('a regression', () => {
  it('has errors in shares of the variance, and its mean absolute error beside them', async () => {
    const { json } = tinyModel((topology) => {
      const { layers } = topology['config'] as { layers: { config: Record<string, unknown> }[] };
      layers.at(-1)!.config['activation'] = 'linear';
    });
    await writeFile(ws.path('linear.json'), JSON.stringify(json));
    const rows = Array.from({ length: 300 }, (_, i) => {
      const [a, b, c, d] = [1, 2, 3, 4].map((k) => Math.sin(i * k));
      return [a, b, c, d, 100 * a! + 50 * b!, 20 * c!, 5 * d!].map((x) => x!.toFixed(4)).join(',');
    });
    await writeFile(ws.path('numbers.csv'), ['a,b,c,d,u,v,w', ...rows].join('\n'));
    const plan = {
      ...TINY_PLAN,
      model: 'linear.json',
      data: { source: 'numbers.csv', preprocess: { scale: 'none' } },
      reference: { epochs: 30, learningRate: 0.001, batchSize: 16 },
      training: { batchSize: 16, learningRate: 0.0005 },
      retrain: { epochs: 2, learningRate: 0.0005 },
      budget: { keep: '50%' },
    };
    await writeFile(ws.path('numbers.prune.json'), JSON.stringify(plan));
    const { code, lines } = await lcPrune(['run', 'numbers.prune.json', '--json'], { cwd: ws.folder });
    expect(code).toBe(0);
    const done = lines.at(-1) as { reference: { error: number; loss: number; absoluteError: number } };
    expect(done.reference.error).toBeLessThan(0.3);
    expect(done.reference.error).toBeGreaterThan(0);
    // In the targets' own unit, of which the largest varies by 80.
    expect(done.reference.absoluteError).toBeGreaterThan(0.1);
    expect(done.reference.loss).toBeGreaterThan(done.reference.error);
    expect(lines.some(({ message }) => /1 - R\^2/.test(String(message)))).toBe(true);
    const evaluated = await lcPrune(['evaluate', 'linear.json', '--data', 'numbers.csv', '--scale', 'none'], {
      cwd: ws.folder,
    });
    expect(evaluated.stdout).toMatch(/% of the variance unexplained, mean absolute error \d+\.?\d* on 300 samples/);
  });
});
