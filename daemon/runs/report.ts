import { join } from 'node:path';
import { renderReport, type ReportRun } from '../export/report.js';
import { writeFileAtomic } from '../model/atomicWrite.js';
import type { RunEvent } from '../protocol/events.js';
import { readEvents, readRunPlan } from './registry.js';

const WINDOW = 100_000;

async function reportRun(folder: string): Promise<ReportRun> {
  const plan = await readRunPlan(folder);
  const events: RunEvent[] = [];
  for (let from = 0, end = false; !end;) {
    const window = await readEvents(folder, from, WINDOW, 2);
    // Batches are the bulk of a log and no part of the report.
    events.push(...window.events.filter((event) => event.event !== 'batch'));
    from = window.next;
    end = window.end;
  }
  return { name: plan.name, plan, events };
}

/** Writes `result/report.md` and `result/report.html` of a finished run; `others` are the folders of runs shown beside it. */
export async function writeReport(folder: string, others: readonly string[] = []): Promise<void> {
  const { markdown, html } = renderReport(await Promise.all([folder, ...others].map(reportRun)));
  await writeFileAtomic(join(folder, 'result', 'report.md'), markdown);
  await writeFileAtomic(join(folder, 'result', 'report.html'), html);
}
