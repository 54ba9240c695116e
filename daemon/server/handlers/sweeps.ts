/** Sweeps as groups of runs. */
import type { Context } from '../context.js';
import type { Handlers } from '../connection/dispatch.js';

type SweepHandlers = Pick<Handlers<Context>, 'lc/sweeps' | 'lc/stopSweep' | 'lc/sweepResults' | 'lc/sweepTable'>;

export const sweepHandlers: SweepHandlers = {
  async 'lc/sweeps'(_params, { workspace, backend }) {
    await workspace.settled();
    const { listSweeps } = await backend.sweeps();
    const lists = await Promise.all(workspace.folders.map(listSweeps));
    return lists
      .flat()
      .sort((a, b) => b.started - a.started)
      .map((one) => ({
        ...one,
        sweep: workspace.asNamed(one.sweep),
        workspace: workspace.asNamed(one.workspace),
        points: one.points.map((point) => ({ ...point, run: point.run && workspace.asNamed(point.run) })),
      }));
  },

  async 'lc/stopSweep'({ sweep }, { workspace, backend, running }) {
    const { folder, path } = await workspace.contain(sweep);
    await (await backend.sweeps()).stopSweep(path, folder);
    await running.look(folder);
    return null;
  },

  async 'lc/sweepResults'({ sweep }, { workspace, backend }) {
    const { folder, path } = await workspace.contain(sweep);
    const { readRecord, sweepResults } = await backend.sweeps();
    const { rows, set } = await sweepResults(await readRecord(path), folder);
    return { rows: rows.map((row) => ({ ...row, folders: row.folders.map((one) => workspace.asNamed(one)) })), set };
  },

  async 'lc/sweepTable'({ sweep }, { workspace, backend }) {
    workspace.requireTrust('Writing a table');
    const { folder, path } = await workspace.contain(sweep);
    const { readRecord, sweepFiles, writeResults } = await backend.sweeps();
    const { rows } = await writeResults(path, await readRecord(path), folder);
    const { markdown, csv } = sweepFiles(path);
    return { markdown: workspace.asNamed(markdown), csv: workspace.asNamed(csv), rows: rows.length };
  },
};
