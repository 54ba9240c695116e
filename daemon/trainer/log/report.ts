/** Writes the report of a finished run. The trainer does it, because the size of exports is measured by writing them. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readResult } from '../../export/exportModel.js';
import { renderReport } from '../../export/report.js';
import type { ReportExport, ReportRun } from '../../export/reportTables.js';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import type { RunEvent } from '../../protocol/events.js';
import { measureResult, type Measured } from '../finish/measureResult.js';
import { readRunPlan, runPaths } from '../process/runFolder.js';
import { readReference } from '../runModels.js';

/** Batches are the bulk of a log and do not appear in the report. */
const BATCH = /"event":"batch"/;

async function reportRun(folder: string): Promise<ReportRun & { folder: string }> {
  const plan = await readRunPlan(folder);
  const events: RunEvent[] = [];
  const lines = createInterface({ input: createReadStream(runPaths(folder).events, 'utf8'), crlfDelay: Infinity });
  for await (const line of lines) if (line !== '' && !BATCH.test(line)) events.push(JSON.parse(line) as RunEvent);
  return { name: plan.name, plan, events, folder };
}

/** A run that only trains the reference has nothing to compare with. */
async function exportedOf(
  { plan, folder }: ReportRun & { folder: string },
  workspace: string,
  measured: Measured | undefined,
): Promise<ReportExport | undefined> {
  if (plan.method === 'reference') return undefined;
  const { sizes, thinned, latency } =
    measured ?? (await measureResult(await readResult(folder), await readReference(folder, workspace)));
  return { sizes, thinned, ...(latency && { latency }) };
}

/**
 * Writes `result/report.md` and `result/report.html` of a run whose result is written.
 * @param workspace of the run, where its reference may be. @param done its last event, if that is not in the log yet.
 * @param others folders of finished runs shown beside it. @param measured of its result; without it, it is measured here.
 * @throws UserError('disk'
 * 'run-invalid').
 */
export async function writeReport(
  folder: string,
  { workspace, done, others = [], measured }: { workspace: string; done?: RunEvent; others?: readonly string[]; measured?: Measured | undefined }, // prettier-ignore
): Promise<void> {
  const [run, ...beside] = await Promise.all([folder, ...others].map(reportRun));
  const first = { ...run!, events: [...run!.events, ...(done ? [done] : [])] };
  const { markdown, html } = renderReport([first, ...beside], await exportedOf(first, workspace, measured));
  const { result } = runPaths(folder);
  await writeFileAtomic(join(result, 'report.md'), markdown);
  await writeFileAtomic(join(result, 'report.html'), html);
}
