/** The prediction of a run before it starts, compared with an explicit forward pass. */
import { realpath, truncate, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../daemon/runs/limits.js';
import { outlook } from '../../daemon/runs/outlook.js';
import { planTime } from '../../daemon/runs/planTime.js';
import { outlookParts } from '../../daemon/protocol/outlookText.js';
import { clusterCsv, tinyModel, tinyWorkspace, TINY_PLAN, type TinyWorkspace } from '../fixtures/tinyWorkspace.js';

/** All 240 rows are the training part: a test file is named, and nothing is held out. */
const DATA = { source: 'data.csv', labels: 'label', test: 'data.csv', classes: ['red', 'green', 'blue'], preprocess: { scale: 'none' as const } }; // prettier-ignore

/** Share of wrong answers of the 4-8-3 perceptron with only its `kept` largest kernel weights. */
function errorOf(kept: number): number {
  const { weights } = tinyModel();
  const all = new Float32Array(weights.buffer, weights.byteOffset, weights.byteLength / 4);
  const [w1, b1, w2, b2] = [all.slice(0, 32), all.slice(32, 40), all.slice(40, 64), all.slice(64, 67)];
  const sizes = [...w1, ...w2].map(Math.abs).sort((a, b) => b - a);
  const threshold = kept >= sizes.length ? 0 : sizes[kept - 1]!;
  const pruned = (w: Float32Array) => w.map((x) => (Math.abs(x) >= threshold ? x : 0));
  const [p1, p2] = [pruned(w1), pruned(w2)];
  const rows = clusterCsv().split('\n').slice(1);
  const wrong = rows.filter((row) => {
    const cells = row.split(',');
    const x = cells.slice(0, 4).map(Number);
    const hidden = [...b1].map((bias, j) =>
      Math.max(
        0,
        x.reduce((sum, value, i) => sum + value * p1[i * 8 + j]!, bias),
      ),
    );
    const output = [...b2].map((bias, k) => hidden.reduce((sum, value, j) => sum + value * p2[j * 3 + k]!, bias));
    return DATA.classes[output.indexOf(Math.max(...output))] !== cells[4];
  });
  return wrong.length / rows.length;
}

describe('the outlook of a run', { timeout: 60_000 }, () => {
  let ws: TinyWorkspace;
  let folder: string;
  beforeEach(async () => {
    ws = await tinyWorkspace({ ...TINY_PLAN, data: DATA });
    folder = await realpath(ws.folder);
  });
  afterEach(() => ws.remove());

  it('has the error of every cut, the whole network’s beside it, and a time; a search has a time only, a longer one', async () => {
    const budgets = ['75%', '50%', '25%', '10%'];
    const goals = [...budgets.map((keep) => ({ budget: { keep } })), { bound: { maxErrorIncrease: '1%' } }];
    const before = await ws.listing();
    const found = await outlook(goals, { planFile: `${folder}/tiny.prune.json` }, folder);
    expect(found).toMatchObject({ set: 'train', samples: 240, note: null });
    expect(found.reference).toBeCloseTo(errorOf(56), 6);
    const expected = budgets.map((keep) => errorOf(Math.ceil((56 * parseFloat(keep)) / 100)));
    expect(new Set(expected).size).toBeGreaterThan(2);
    found.goals.slice(0, 4).forEach(({ cut }, i) => expect(cut, budgets[i]).toBeCloseTo(expected[i]!, 6));
    const [first, , , , search] = found.goals;
    expect(search!.cut).toBeNull();
    expect(search!.seconds!).toBeGreaterThan(first!.seconds!);
    expect(outlookParts(found, 0).cut).toMatch(/^cut once, without training: [\d.]+% error \(240 training samples; the whole network [\d.]+%\)$/); // prettier-ignore
    expect(outlookParts(found, 0).cost).toMatch(/^about \d+ s on this CPU$/);
    expect(await ws.listing()).toEqual(before);
  });

  it('of a model and data without a plan is that of the plan which would be written', async () => {
    const { test: _test, ...data } = { ...DATA, validation: 0.25 };
    const length = { iterations: 3, epochs: 1, retrainEpochs: 1 };
    const short = await outlook([{ budget: { keep: '25%' } }], { model: `${folder}/model.json`, data, length }, folder);
    expect(short.set).toBe('validation');
    const long = await outlook(
      [{ budget: { keep: '25%' } }],
      { model: `${folder}/model.json`, data, length: { ...length, iterations: 300_0, epochs: 300 } },
      folder,
    );
    expect(long.goals[0]!.seconds!).toBeGreaterThan(10 * short.goals[0]!.seconds!);
  });

  it('neither a budget that cannot be met nor a reference that is trained first has a cut, and a note gives the reason', async () => {
    const impossible = await outlook([{ budget: { weights: 57 } }, { budget: { keep: '50%' } }], { planFile: `${folder}/tiny.prune.json` }, folder); // prettier-ignore
    expect(impossible.goals.map(({ cut }) => cut === null)).toEqual([true, false]);
    await writeFile(ws.path('own.prune.json'), JSON.stringify({ ...TINY_PLAN, data: DATA, reference: { epochs: 3 } }));
    const untrained = await outlook([{ budget: { keep: '50%' } }], { planFile: `${folder}/own.prune.json` }, folder);
    expect(untrained).toMatchObject({ reference: null, goals: [{ cut: null }] });
    expect(untrained.note).toMatch(/trained first/);
  });

  it('is not computed on data that takes long to open, nor is the time of a plan', async () => {
    const file = `${folder}/tiny.prune.json`;
    expect((await planTime(file, { workspace: folder })).time?.seconds).toBeGreaterThan(0);
    // A hole: it takes no disk.
    await truncate(ws.path('data.csv'), LIMITS.triedData + 1);
    const large = 'the data is too large to try';
    expect(await planTime(file, { workspace: folder })).toEqual({ time: null, notes: [large] });
    expect(await outlook([{ budget: { keep: '25%' } }], { planFile: file }, folder)).toMatchObject({ note: large });
  });
});
