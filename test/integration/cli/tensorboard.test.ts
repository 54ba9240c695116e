/** A real run's event file, beside its log. */
import { readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lcPrune } from '../../fixtures/cli.js';
import { tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

let ws: TinyWorkspace;
beforeEach(async () => {
  ws = await tinyWorkspace();
});
afterEach(() => ws.remove());

describe('lc-prune tensorboard', () => {
  it('writes what the log has, for one run and for all, and the same bytes again', async () => {
    expect((await lcPrune(['tensorboard'], { cwd: ws.folder })).stderr).toContain('no run here');
    const { lines } = await lcPrune(['run', 'tiny.prune.json', '--json'], { cwd: ws.folder });
    const folder = lines.at(-1)!['folder'] as string;
    const run = basename(folder);
    const one = await lcPrune(['tensorboard', run, '--logdir', 'tb', '--json'], { cwd: ws.folder });
    expect({ code: one.code, stderr: one.stderr }).toEqual({ code: 0, stderr: '' });
    const log = (await readFile(join(folder, 'events.jsonl'), 'utf8')).trim().split('\n');
    const events = log.map((line) => JSON.parse(line) as { event: string });
    const shown = events.filter(({ event }) => ['batch', 'evaluation', 'iteration', 'done'].includes(event));
    expect(one.lines[0]).toMatchObject({ event: 'tensorboard', events: shown.length, folder: ws.path('tb', run) });
    const [file, ...others] = await readdir(ws.path('tb', run));
    expect(others).toEqual([]);
    expect(file).toMatch(/^events\.out\.tfevents\.\d{10}\.lc-prune$/);
    const bytes = await readFile(ws.path('tb', run, file!));
    expect((await lcPrune(['tensorboard'], { cwd: ws.folder })).stdout).toContain('tensorboard --logdir .lcprune/tensorboard'); // prettier-ignore
    expect(await readFile(ws.path('.lcprune', 'tensorboard', run, file!))).toEqual(bytes);
    expect(await lcPrune(['tensorboard', 'nothing'], { cwd: ws.folder })).toMatchObject({ code: 2 });
  });
});
