/** The report of a finished run: written by the trainer, because what exports take on disk is measured by making them. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { measureModel, readResult } from '../export/exportModel.js';
import { measureLatency } from '../export/latency.js';
import { renderReport, type ReportExport, type ReportRun } from '../export/report.js';
import { thin } from '../export/thin.js';
import { writeFileAtomic } from '../model/atomicWrite.js';
import type { RunEvent } from '../protocol/events.js';
import { readRunPlan, runPaths } from './runFolder.js';
import { readReference } from './runModels.js';

/** Batches are the bulk of a log and no part of the report. */
const BATCH = /"event":"batch"/;

async function reportRun(folder: string): Promise<ReportRun & { folder: string }> {
  const plan = await readRunPlan(folder);
  const events: RunEvent[] = [];
  const lines = createInterface({ input: createReadStream(runPaths(folder).events, 'utf8'), crlfDelay: Infinity });
  for await (const line of lines) if (line !== '' && !BATCH.test(line)) events.push(JSON.parse(line) as RunEvent);
  return { name: plan.name, plan, events, folder };
}

/** A reference alone has nothing to compare with. */
async function exportedOf(
  { plan, folder }: ReportRun & { folder: string },
  workspace: string,
): Promise<ReportExport | undefined> {
  if (plan.method === 'reference') return undefined;
  const model = await readResult(folder);
  const latency = await measureLatency(model, await readReference(folder, workspace), { rounds: 9, roundMs: 8 });
  return { sizes: await measureModel(model), thinned: thin(model), latency };
}

/**
 * Writes `result/report.md` and `result/report.html` of a run whose result is written.
 * @param workspace of the run, where its reference may be. @param done its last event, where that is not in the log yet.
 * @param others folders of finished runs shown beside it.
 * @throws UserError('disk' | 'run-invalid').
 */
export async function writeReport(
  folder: string,
  { workspace, done, others = [] }: { workspace: string; done?: RunEvent; others?: readonly string[] },
): Promise<void> {
  const [run, ...beside] = await Promise.all([folder, ...others].map(reportRun));
  const first = { ...run!, events: [...run!.events, ...(done ? [done] : [])] };
  const { markdown, html } = renderReport([first, ...beside], await exportedOf(first, workspace));
  const { result } = runPaths(folder);
  await writeFileAtomic(join(result, 'report.md'), markdown);
  await writeFileAtomic(join(result, 'report.html'), html);
}
