/** Builds the context of a run's loops from the assembled parts and the run's folder, which stores checkpoints, models and states. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSparsePackage } from '../export/sparse/sparsePackage.js';
import type { Model } from '../model/model.js';
import { withWeights } from '../model/weights.js';
import { UserError } from '../protocol/errors.js';
import type { RunEvent, UntimedRunEvent } from '../protocol/events.js';
import { latestCheckpoint, writeCheckpoint } from './checkpoint.js';
import type { EventWriter } from './log/eventWriter.js';
import { totalSteps } from './process/execute.js';
import { writeModelInto } from './result.js';
import type { Run } from './run.js';
import { readReference } from './runModels.js';
import { runPaths } from './process/runFolder.js';
import type { Control } from './process/control.js';
import type { Assembled } from './setup.js';

/** States from which later points of a path start; removed when the run is done. */
export const STATES = 'states';

/** @param emit writes an event to the log, and sends it to the supervisor. */
export function createRun(
  { folder, workspace, control }: { readonly folder: string; readonly workspace: string; readonly control: Control },
  assembled: Assembled,
  writer: EventWriter,
  emit: (event: UntimedRunEvent) => RunEvent,
): Run {
  const paths = runPaths(folder);
  const { engine, weights, prunable, plan } = assembled;
  const { teacher, ...parts } = assembled.parts;
  // It may be another process that has trained it.
  if (teacher && plan.reference.epochs > 0)
    teacher.reference = async () => assembled.flatWeights((await readReference(folder, workspace)) ?? assembled.model);
  return {
    ...parts,
    control,
    clock: () => performance.now(),
    log: emit,
    logStart(resumed) {
      emit({
        event: 'start',
        run: folder.split(/[\\/]/).at(-1)!,
        plan: plan.name,
        method: plan.method,
        engine: engine.id,
        device: engine.device,
        seed: plan.seed,
        weights,
        prunable,
        kappa: parts.tasks(null).kappa,
        totalSteps: totalSteps(parts),
        resumed,
      });
    },
    async save(state) {
      await lstat(folder).catch(() => {
        throw new UserError('run-missing', `${folder} is gone; the run cannot go on`, { file: folder });
      });
      writer.sync();
      const file = await writeCheckpoint(paths.checkpoints, state, writer.position);
      emit({ event: 'checkpoint', file, step: state.progress.totalStep });
    },
    keepReference: (values, statistics) =>
      writeModelInto(
        paths.reference,
        assembled.model,
        assembled.withWeights(values, statistics),
        assembled.inputScales,
      ),
    async keepPoint(point, values, statistics) {
      const named = assembled.withWeights(values, statistics);
      await writeModelInto(join(paths.points, String(point)), assembled.model, named, assembled.inputScales);
      return packageBytes(withWeights(assembled.model, named));
    },
    savePathState: async (name, state) =>
      void (await writeCheckpoint(join(paths.points, STATES, name), state, { bytes: 0, events: 0 })),
    async loadPathState(name) {
      const checkpoint = await latestCheckpoint(join(paths.points, STATES, name));
      if (checkpoint) return checkpoint.state;
      throw new UserError('run-invalid', `${folder}: the state "${name}" of its path is gone; start the plan anew`, {
        file: folder,
      });
    },
  };
}

/** Size of the sparse package that an export writes. */
function packageBytes(model: Model): number | null {
  try {
    return writeSparsePackage(model).length;
  } catch (error) {
    if (error instanceof UserError && error.code === 'model-unsupported') return null;
    throw error;
  }
}
