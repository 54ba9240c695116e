/** Writes the results of a sweep, as far as there are any, into its folder. */
import { writeFileAtomic } from '../../files/atomicWrite.js';
import type { SweepRecord } from '../../protocol/runs/sweep.js';
import type { SweepResults } from '../../protocol/runs/sweepResults.js';
import { sweepResults } from './results.js';
import { sweepFiles } from './sweepFolder.js';
import { sweepCsv, sweepMarkdown } from './table.js';

/** @param folder of the sweep, absolute. @returns what was written: results.md and results.csv. @throws UserError('disk'). */
export async function writeResults(folder: string, record: SweepRecord, workspace: string): Promise<SweepResults> {
  const results = await sweepResults(record, workspace);
  const { markdown, csv } = sweepFiles(folder);
  await writeFileAtomic(markdown, sweepMarkdown(`${record.name}: ${record.planPath}`, results));
  await writeFileAtomic(csv, sweepCsv(results));
  return results;
}
