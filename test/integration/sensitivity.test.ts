import { writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { lcPrune } from '../fixtures/cli.js';
import { tinyWorkspace, TINY_PLAN, type TinyWorkspace } from '../fixtures/tinyWorkspace.js';

describe('lc-prune sensitivity', { timeout: 120_000 }, () => {
  let ws: TinyWorkspace;
  afterEach(() => ws.remove());

  it('measures each layer alone and suggests floors that the plan takes', async () => {
    ws = await tinyWorkspace();
    const { code, lines, stderr } = await lcPrune(
      ['sensitivity', 'tiny.prune.json', '--shares', '100%,50%,10%', '--json'],
      { cwd: ws.folder },
    );
    expect(code, stderr).toBe(0);
    const layers = lines.filter(({ event }) => event === 'sensitivity') as unknown as {
      layer: string;
      reference: number;
      points: { share: number; error: number }[];
    }[];
    expect(layers.map(({ layer }) => layer)).toEqual(['fc1', 'fc2']);
    for (const { points, reference } of layers) {
      expect(points.map(({ share }) => share)).toEqual([1, 0.5, 0.1]);
      // The whole layer is the reference.
      expect(points[0]!.error).toBe(reference);
    }
    const { budget } = lines.find(({ event }) => event === 'floors') as { budget: object };
    await writeFile(ws.path('floors.prune.json'), JSON.stringify({ ...TINY_PLAN, budget }));
    const run = await lcPrune(['run', 'floors.prune.json'], { cwd: ws.folder });
    expect(run.code, run.stderr).toBe(0);
  });

  it('takes a model and its data, and reports what a model needs', async () => {
    ws = await tinyWorkspace();
    const { code, stdout, stderr } = await lcPrune(
      ['sensitivity', 'model.json', '--data', 'data.csv', '--keep', '20%'],
      { cwd: ws.folder },
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/fc1 +32/);
    const bare = await lcPrune(['sensitivity', 'model.json'], { cwd: ws.folder });
    expect(bare.code).toBe(2);
    expect(bare.stderr).toMatch(/add --data/);
  });
});
