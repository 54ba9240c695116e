/** The result of a finished run, from its last event and from the measurements when it ended. Reads files only. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { machineText } from '../../export/machine.js';
import type { ExportFormat, LatencyFigures, MeasuredExports } from '../../protocol/exports.js';
import type { Finish } from '../../protocol/finish.js';
import { runPaths } from '../../trainer/process/runFolder.js';
import { lastEvents } from '../eventLog.js';
import { readRunPlan } from '../list/registry.js';
import { readExports } from './kept.js';

/** The smallest file that holds the whole network and is as good as the pruned one. Masks alone do not count. */
function smallest({ formats, reference }: MeasuredExports): Finish['size'] {
  const whole = formats.filter(
    (one) => (one.network !== null || one.extension === '.lcp') && one.faithful,
  );
  const best = whole.reduce<ExportFormat | null>((least, one) => (least && least.bytes <= one.bytes ? least : one), null);
  return best && { bytes: best.bytes, reference, format: best.name };
} // prettier-ignore

/** One sample at a time; null if the reference or every pruned network was not timed together with the others. */
export function fastest(latency: LatencyFigures | null, thisMachine: string): Finish['speed'] {
  const rows = latency?.rows.filter(({ batch }) => batch === 1) ?? [];
  const reference = rows.find(({ what }) => what === 'reference');
  let best: Finish['speed'] = null;
  for (const { what, microseconds } of rows) {
    if (!reference || what === 'reference' || !(microseconds > 0)) continue;
    const times = reference.microseconds / microseconds;
    if (!best || times > best.times) best = { times, what, machine: latency!.machine, here: latency!.machine === thisMachine };
  }
  return best;
} // prettier-ignore

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => null))?.isFile() ?? false;

/**
 * @returns null for a run that is not done, or pruned nothing. @throws UserError('run-missing'
 * 'run-invalid').
 */
export async function readFinish(folder: string): Promise<Finish | null> {
  const { method } = await readRunPlan(folder);
  const { state } = await lastEvents(folder);
  if (state?.event !== 'done' || method === 'reference') return null;
  const { reference, retrained, kept, prunable, set } = state;
  const measured = await readExports(folder);
  return {
    set: set ?? null,
    samples: retrained.samples,
    regression: retrained.absoluteError !== undefined,
    ...(retrained.target && { unlabelled: true }),
    error: retrained.error,
    referenceError: reference.error,
    kept,
    prunable,
    size: measured && smallest(measured),
    speed: fastest(measured?.latency ?? null, machineText()),
    notes: measured?.notes ?? [],
    report: await isFile(join(runPaths(folder).result, 'report.md')),
  };
}
