/** Marks that users set on a run: they are stored with it, every watching process gets them, and none is lost. */
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listRuns } from '../../../daemon/runs/list/listRuns.js';
import { changeMarks, readMarks } from '../../../daemon/runs/list/marks.js';
import { renameRun, runFolder } from '../../../daemon/runs/list/registry.js';
import { WatchedRuns } from '../../../daemon/runs/watchedRuns.js';
import { createRunFolder, runPaths } from '../../../daemon/trainer/process/runFolder.js';
import { PLAN } from '../trainer/fakeRun.js';

let workspace: string;
let folder: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'marks-'));
  folder = await createRunFolder(workspace, PLAN, Date.UTC(2026, 0, 2, 12));
  const evaluation = { loss: 0.5, error: 0.25, samples: 100 };
  const done = { event: 'done', time: 2, reference: evaluation, theta: evaluation, retrained: evaluation, kept: 8, prunable: 80, perLayer: [], seconds: 60, folder: '.' }; // prettier-ignore
  await writeFile(runPaths(folder).events, `${JSON.stringify(done)}\n`);
});
afterEach(() => rm(workspace, { recursive: true }));

/** Makes all files look old. */
async function age(): Promise<void> {
  const past = new Date(Date.UTC(2026, 0, 2, 13));
  for (const path of [runPaths(folder).plan, runPaths(folder).events, folder, join(folder, '..')])
    await utimes(path, past, past);
}

it('changes what is named and keeps the rest, several changes at once among them', async () => {
  await Promise.all([
    changeMarks(folder, { star: true }),
    changeMarks(folder, { tags: ['a', 'b'] }),
    changeMarks(folder, { note: 'x' }),
  ]);
  expect(await readMarks(folder)).toEqual({ star: true, tags: ['a', 'b'], note: 'x' });
  expect((await listRuns(workspace))[0]!.marks).toEqual({ star: true, tags: ['a', 'b'], note: 'x' });
  expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  await changeMarks(folder, { star: false, tags: [], note: '' });
  expect(await readdir(folder)).not.toContain('marks.json');
  expect((await listRuns(workspace))[0]).not.toHaveProperty('marks');
});

it('goes with a run that gets another name', async () => {
  await changeMarks(folder, { tags: ['a'] });
  const renamed = await renameRun(workspace, basename(folder), 'best');
  expect(await readMarks(await runFolder(workspace, renamed))).toMatchObject({ tags: ['a'] });
});

it('a damaged file is named and never overwritten; the run is still listed', async () => {
  const file = runPaths(folder).marks;
  for (const text of ['{"star": true, "note": "mine', '{"star": "yes", "tags": [], "note": ""}']) {
    await writeFile(file, text);
    await expect(changeMarks(folder, { star: true })).rejects.toMatchObject({ code: 'run-invalid', message: expect.stringContaining(file) }); // prettier-ignore
    expect(await readFile(file, 'utf8')).toBe(text);
    expect(await listRuns(workspace)).toMatchObject([{ state: 'done' }]);
  }
});

it('who watches a finished run learns of it, also of a second change', async () => {
  await age();
  const seen: unknown[] = [];
  const watched = new WatchedRuns(workspace, {
    supervised: () => [],
    onChange: (_run, summary) => seen.push(summary?.marks),
  });
  await watched.list();
  await watched.look();
  expect(seen).toEqual([]);
  await changeMarks(folder, { star: true });
  await watched.look();
  expect(seen).toEqual([{ star: true, tags: [], note: '' }]);
  await changeMarks(folder, { note: 'second' });
  await watched.look();
  expect(seen.at(-1)).toEqual({ star: true, tags: [], note: 'second' });
});
