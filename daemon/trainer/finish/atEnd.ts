/** Measures a result after it is written: the figures of the finish, and what changed. */
import { readResult } from '../../export/exportModel.js';
import type { Evaluation } from '../../protocol/events.js';
import { readReference } from '../runModels.js';
import type { Assembled } from '../setup.js';
import { changedFile } from '../process/runFolder.js';
import { whatChanged } from '../whatChanged/whatChanged.js';
import { fileErrors } from './fileErrors.js';
import { forgetMeasured, keepChanged, keepExports, measureResult, type Measured } from './measureResult.js';

interface Ended {
  readonly folder: string;
  readonly workspace: string;
  readonly weights: Float32Array;
  readonly statistics: Float32Array;
  readonly reference: Evaluation;
  readonly retrained: Evaluation;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message.split('\n')[0]! : String(error));

/**
 * Writes `exports.json` and `changed.json`. Never rejects: a failed measurement is a note, and is repeated on request.
 * @returns the measurements of the files, for the report.
 */
export async function measureAtEnd(
  assembled: Assembled,
  { folder, workspace, weights, statistics, reference, retrained }: Ended,
): Promise<{ measured?: Measured; notes: string[] }> {
  const { plan } = assembled;
  if (plan.method === 'reference') return { notes: [] };
  const notes: string[] = [];
  const attempt = async <T>(what: string, measure: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await measure();
    } catch (error) {
      notes.push(`${what}: ${reasonOf(error)}`);
      return undefined;
    }
  };
  await attempt('Figures of an earlier result are still there', () => forgetMeasured(folder));
  await attempt('What changed was not computed', async () => {
    const before = plan.reference.epochs > 0 ? await readReference(folder, workspace) : assembled.model;
    const networks = { reference: assembled.flatWeights(before ?? assembled.model), pruned: { weights, statistics } };
    const changed = await whatChanged(assembled, networks, { reported: { reference, pruned: retrained } });
    await keepChanged(changedFile(folder), changed);
  });
  const measured = await attempt('Size and speed of the result were not measured', async () => {
    const model = await readResult(folder);
    const judge = fileErrors(assembled, { model, error: retrained.error }, workspace);
    const found = await measureResult(model, await readReference(folder, workspace), { error: retrained.error, judge });
    await keepExports(folder, found.exports);
    return found;
  });
  return { ...(measured && { measured }), notes };
}
