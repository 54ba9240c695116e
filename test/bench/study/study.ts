/** Runs the rows of a study through the product's own run supervisor: each row is a run folder, resumed when it was interrupted. */
import { join } from 'node:path';
import { createTerminal } from '../../../daemon/cli/terminal.js';
import { follow, type Done } from '../../../daemon/cli/follow.js';
import { readEvents } from '../../../daemon/runs/list/registry.js';
import { resumeRun, startRun } from '../../../daemon/runs/supervisor.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { Ledger } from './ledger.js';

export interface Entry {
  readonly folder: string;
  readonly done: Done | null;
}

export interface Study {
  /** Runs the plan under this id, or continues it, or returns what it gave. The same id with another plan starts anew. */
  run(id: string, plan: ResolvedPlan): Promise<Done & { readonly folder: string }>;
}

const keyOf = (id: string, plan: ResolvedPlan): string => `${id} ${JSON.stringify({ ...plan, name: '' })}`;

/** @param workspace the study's folder: run folders and the ledger live there. */
export async function openStudy(workspace: string): Promise<Study> {
  const ledger = await Ledger.open<Entry>(join(workspace, 'ledger.json'));
  const terminal = createTerminal(false);
  const finished = async (folder: string): Promise<Done | null> => {
    const { events } = await readEvents(folder, 0, Number.MAX_SAFE_INTEGER, 2).catch(() => ({ events: [] }));
    return (events.findLast((event) => event.event === 'done') as Done | undefined) ?? null;
  };
  return {
    async run(id, plan) {
      const key = keyOf(id, plan);
      const before = ledger.get(key);
      if (before?.done) return { ...before.done, folder: before.folder };
      const earlier = before && (await finished(before.folder));
      if (earlier) {
        await ledger.set(key, { folder: before.folder, done: earlier });
        return { ...earlier, folder: before.folder };
      }
      const handle = before
        ? await resumeRun(before.folder, { workspace })
        : await startRun({ ...plan, name: id }, { workspace });
      await ledger.set(key, { folder: handle.folder, done: null });
      terminal.note(`\n== ${id}`);
      const done = await follow(handle, terminal);
      if (!done) process.exit(130);
      await ledger.set(key, { folder: handle.folder, done });
      return { ...done, folder: handle.folder };
    },
  };
}
