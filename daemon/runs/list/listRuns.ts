/** The current runs of a workspace folder, for a process that reads them once. */
import { join } from 'node:path';
import type { RunSummary } from '../../protocol/messages.js';
import { runsFolder } from '../../trainer/process/runFolder.js';
import { runNames } from './registry.js';
import { SummaryIndex } from './summaryIndex.js';

/** Folders read at the same time. */
const AT_ONCE = 16;

/** Newest first. A folder that cannot be read is listed as failed, with the reason. @throws UserError('disk' | 'path-outside-workspace'). */
export async function listRuns(workspace: string): Promise<RunSummary[]> {
  const runs = await runsFolder(workspace);
  const names = await runNames(runs);
  const index = new SummaryIndex(workspace);
  const found: (RunSummary | null)[] = [];
  for (let i = 0; i < names.length; i += AT_ONCE)
    found.push(...(await Promise.all(names.slice(i, i + AT_ONCE).map((name) => index.summary(join(runs, name))))));
  await index.save(new Set(names));
  return found.filter((summary) => summary !== null).sort((a, b) => b.started - a.started);
}
