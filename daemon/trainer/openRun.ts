/** One run in a trainer process: opens its folder, executes the plan, logs everything. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { drawAlike } from '../engine/registry.js';
import { checkBudgets } from '../export/budgetChecks.js';
import { writeFileAtomic } from '../files/atomicWrite.js';
import { frontEndOf } from '../model/frontEnds/frontEndOf.js';
import { withWeights } from '../model/weights.js';
import { UserError } from '../protocol/errors.js';
import type { BudgetCheck, OtherOutput, RunEvent, UntimedRunEvent } from '../protocol/events.js';
import type { Budget } from '../protocol/plan.js';
import { continuation } from './continuation.js';
import { latestCheckpoint, tidyCheckpoints } from './checkpoint.js';
import { Stopped, type Control } from './process/control.js';
import { openEventWriter, type EventWriter } from './log/eventWriter.js';
import { primarySet } from './judge/evaluations.js';
import { execute, totalSteps } from './process/execute.js';
import { measureAtEnd } from './finish/atEnd.js';
import { judge } from './judge/findings.js';
import { settleRates } from './judge/rateTest.js';
import { countKept } from './kept.js';
import { holderText, takeLock, type LockHolder, type Program } from './process/lock.js';
import { countEvents, lastEndings } from './log/logEnd.js';
import { dropRequest } from './process/requestFile.js';
import { otherText } from './judge/otherOutputs.js';
import { writeReport } from './log/report.js';
import { writeModelInto, writePackageInto, writeResult } from './result.js';
import { readRunPlan, runPaths } from './process/runFolder.js';
import { devicesOf } from './devices.js';
import type { Assemble, Assembled } from './setup.js';
import { STATES, createRun } from './createRun.js';

export interface OpenedRun {
  readonly assembled: Assembled;
  /** Runs to the end. Resolves with the last event, logged: `done`, `stopped` or `failed`. Never rejects. */
  execute(): Promise<RunEvent>;
}

export interface RunProcess {
  readonly folder: string;
  readonly workspace: string;
  readonly resume: boolean;
  /** For a resumed run: the engine to continue with; null: its own. */
  readonly engine: string | null;
  /** The program that runs this trainer. */
  readonly program: Program;
  readonly assemble: Assemble;
  readonly control: Control;
  /** Is called with every event after it is in the log. */
  emit(event: RunEvent): void;
  /** Another trainer has taken the run over, after this one gave no sign of life for long: this one must not write to it any more. */
  lost(): void;
}

/** Converts errors for the user. An error that is not a UserError is a fault of this product; its stack goes to the log of the process. */
export function userMessage(error: unknown): { code: UserError['code']; message: string } {
  if (error instanceof UserError) {
    const { code, message } = error;
    // A full disk, a share that is away: what was trained since the last checkpoint is lost, no more.
    return { code, message: code === 'disk' ? `${message}; resume continues from the last checkpoint` : message };
  }
  console.error(error);
  const text = error instanceof Error ? error.message : String(error);
  if (/out of memory|allocation failed|Array buffer allocation/i.test(text)) {
    return {
      code: 'engine-failed',
      message: `not enough memory (${text}); use a smaller "training.batchSize" or another engine`,
    };
  }
  return { code: 'engine-failed', message: `the trainer failed: ${text}; resume continues from the last checkpoint` };
}

/**
 * Takes the run's lock, reads its plan and its last good checkpoint, loads model, data and engine.
 * @throws UserError if any of that is impossible; the lock is then released.
 */
export async function openRun(process: RunProcess): Promise<OpenedRun> {
  const paths = runPaths(process.folder);
  const plan = await readRunPlan(process.folder);
  let takenFrom: LockHolder | null = null;
  const release = await takeLock(paths.lock, process.program, {
    takenOver: (from) => (takenFrom = from),
    lost: () => process.lost(),
  });
  let writer: EventWriter | null = null;
  try {
    await dropRequest(paths);
    const damaged: string[] = [];
    const checkpoint = process.resume ? await latestCheckpoint(paths.checkpoints, (file) => damaged.push(file)) : null;
    const log = checkpoint?.log ?? { bytes: 0, events: 0 };
    const devices = await devicesOf(paths.events, log.bytes);
    const engine = process.engine ?? plan.engine;
    const comparedOn = engine === plan.engine ? devices : [];
    const found = await process.assemble({ ...plan, engine }, { workspace: process.workspace, comparedOn });
    const engines = { from: plan.engine, to: found.plan.engine };
    const alike = await drawAlike(engines.from, engines.to, { folders: [process.workspace] });
    const endings = process.resume ? await lastEndings(paths.events) : [];
    const news = process.resume
      ? continuation({ ...engines, drawAlike: alike }, endings, checkpoint?.state.progress ?? null)
      : null;
    const continuations = [...(plan.continuations ?? []), ...(news ? [news] : [])];
    const assembled = continuations.length > 0 ? { ...found, plan: { ...found.plan, continuations } } : found;
    await tidyCheckpoints(paths.checkpoints, checkpoint?.file ?? null);
    if (JSON.stringify(plan) !== JSON.stringify(assembled.plan)) {
      await writeFileAtomic(paths.plan, `${JSON.stringify(assembled.plan, null, 2)}\n`);
    }
    writer = openEventWriter(paths.events, log, Date.now);
    return {
      assembled,
      async execute() {
        const own = writer!;
        const emit = (event: UntimedRunEvent): RunEvent => {
          const written = own.write(event);
          process.emit(written);
          return written;
        };
        try {
          if (takenFrom) {
            const message = `${holderText(takenFrom)} held this run and has given no sign of life for long; taken over from its last checkpoint`;
            emit({ event: 'warning', code: 'taken-over', message });
          }
          for (const file of damaged) {
            emit({
              event: 'warning',
              code: 'damaged-checkpoint',
              message: `${file} is damaged; going on from the one before`,
            });
          }
          // Continuations that the log had before it was truncated to the checkpoint are logged again.
          for (const one of continuations.slice(await countEvents(paths.events, 'engine')))
            emit({ event: 'engine', ...one });
          const [before, device] = [devices[0], assembled.engine.device];
          if (before && before !== device && continuations.every(({ from, to }) => from === to)) {
            const message = `the run started on "${before}" and goes on on "${device}": the last bits of its numbers may be others than without the break`;
            emit({ event: 'warning', code: 'other-device', message });
          }
          // Problems of the engine are logged if it was compared just now, on any device.
          const notes = checkpoint ? assembled.doubts : [...assembled.doubts, ...assembled.notes];
          for (const note of notes) emit({ event: 'warning', code: 'note', message: note });
          if (!checkpoint)
            for (const message of assembled.mapping) emit({ event: 'warning', code: 'reading', message });
          const settled = checkpoint ? assembled : await settle(process, assembled, emit);
          const run = createRun(process, settled, own, emit);
          const outcome = await execute(run, checkpoint?.state ?? null);
          emit({ event: 'phase', phase: 'export' });
          const { weights, statistics, reference, theta, retrained, decision, seconds, path } = outcome;
          const named = assembled.withWeights(weights, statistics);
          await writeModelInto(paths.result, assembled.model, named, assembled.inputScales);
          const budget = await verified(paths.result, assembled, named, outcome.budget);
          const others = await measuredOthers(assembled, named, emit);
          const { kept, perLayer } = countKept(assembled.parts.layers, weights);
          const findings = judge({ ...outcome, perLayer, budget }, assembled.parts);
          for (const { code, message } of findings) emit({ event: 'warning', code, message });
          const figures = { reference, theta, retrained, kept, prunable: assembled.prunable, perLayer, seconds };
          const inputs = assembled.inputScales.map(({ name, read }) => ({ name, read }));
          const more = {
            budget,
            ...(decision !== null && { decision }),
            ...(inputs.length > 0 && { inputs }),
            ...(path && { path }),
            ...(findings.length > 0 && { findings }),
            ...(others.length > 0 && { others }),
            ...(continuations.length > 0 && { continuations }),
          };
          const set = primarySet(assembled.parts.sets);
          const done = { event: 'done' as const, ...figures, folder: process.folder, set, ...more };
          await writeResult(paths.result, done);
          own.sync();
          const { folder, workspace } = process;
          const ended = { folder, workspace, weights, statistics, reference, retrained };
          const { measured, notes: unmeasured } = await measureAtEnd(settled, ended);
          for (const message of unmeasured) emit({ event: 'warning', code: 'unmeasured', message });
          await writeReport(folder, { workspace, done: { time: Date.now(), ...done }, measured }).catch(
            (error: unknown) => {
              const { message } = userMessage(error);
              emit({ event: 'warning', code: 'report', message: `the report was not written: ${message}` });
            },
          );
          const last = emit(done);
          await rm(join(paths.points, STATES), { recursive: true, force: true }).catch(() => undefined);
          return last;
        } catch (error) {
          return endOf(error, emit, process);
        } finally {
          own.close();
          await release();
        }
      },
    };
  } catch (error) {
    writer?.close();
    await release();
    throw error;
  }
}

/** Chooses the learning rates that the plan leaves open and writes them to `plan.json`. @throws Stopped. */
async function settle(
  { folder, control }: RunProcess,
  assembled: Assembled,
  emit: (event: UntimedRunEvent) => RunEvent,
): Promise<Assembled> {
  const { plan, notes } = await settleRates(assembled.plan, assembled.parts, control, totalSteps(assembled.parts));
  if (assembled.plan.openRates) await writeFileAtomic(runPaths(folder).plan, `${JSON.stringify(plan, null, 2)}\n`);
  for (const note of notes) emit({ event: 'warning', ...note });
  return { ...assembled, plan, parts: { ...assembled.parts, plan } };
}

/** The requirement of each budget, and the amount in the result's sparse package, read back from disk. */
async function verified(
  folder: string,
  { model, inputShapes, plan, parameters }: Assembled,
  weights: ReadonlyMap<string, Float32Array>,
  budget: Budget | null,
): Promise<BudgetCheck[]> {
  if (plan.method === 'reference') return [];
  const written = await writePackageInto(folder, withWeights(model, weights));
  const tasks = plan.tasks.map((task) => ({ ...task, budget: budget ?? task.budget }));
  return checkBudgets(frontEndOf(written.model).withInputSizes(inputShapes), tasks, written.bytes, (name) =>
    parameters.has(name),
  );
}

/** A warning for each untrained output; errors in them do not fail a run whose result is written. */
async function measuredOthers(
  { model, output, others }: Assembled,
  weights: ReadonlyMap<string, Float32Array>,
  emit: (event: UntimedRunEvent) => RunEvent,
): Promise<OtherOutput[]> {
  const warn = (message: string) => emit({ event: 'warning', code: 'other-output', message });
  try {
    const measured = await others(withWeights(model, weights));
    for (const one of measured) warn(otherText(one, output));
    return measured;
  } catch (error) {
    warn(`what became of the outputs other than "${output}" was not measured: ${userMessage(error).message}`);
    return [];
  }
}

/** The last event of a run that did not finish. A full disk may keep it out of the log; it is reported all the same. */
function endOf(error: unknown, emit: (event: UntimedRunEvent) => RunEvent, process: RunProcess): RunEvent {
  process.control.end(error);
  const last: UntimedRunEvent =
    error instanceof Stopped
      ? {
          event: 'stopped',
          step: error.step,
          reason: error.reason,
          resume: 'lc-prune resume',
          ...(error.paused && { paused: true }),
        }
      : { event: 'failed', ...userMessage(error) };
  try {
    return emit(last);
  } catch {
    const unlogged = { time: Date.now(), ...last } as RunEvent;
    process.emit(unlogged);
    return unlogged;
  }
}
