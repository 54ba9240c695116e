/**
 * A trainer process. It answers its supervisor, and outlives it for as long as a checkpoint takes, or, on request, until the run is done. Then the
 * process that looks after the run steers it through the run's folder.
 */
import { nextEngine } from '../../engine/registry.js';
import { UserError } from '../../protocol/errors.js';
import type { RunEvent } from '../../protocol/events.js';
import { endAbandonedPause } from './abandonedPause.js';
import { appendEvent } from '../log/appendEvent.js';
import { createControl } from './control.js';
import type { FromTrainer, ToTrainer, TrainerRequest } from './ipc.js';
import { openRun, userMessage, type OpenedRun } from '../openRun.js';
import { watchRequests } from './requestFile.js';
import { readRunPlan, runPaths } from './runFolder.js';
import type { Assemble } from '../setup.js';
import { LIMITS } from '../limits.js';

/** Serves one run over this process's IPC channel. Exits with 0 when the run is done or stopped, with 1 when it failed. */
export function serveTrainer(assemble: Assemble): void {
  const control = createControl();
  let opened: OpenedRun | null = null;
  /** The run's folder, from the request to start on. */
  let folder: string | null = null;
  let outlives = false;

  let sent = Promise.resolve();
  const send = (message: FromTrainer) => {
    if (!process.connected) return;
    // Messages are sent in order: the last callback means that all have left.
    sent = new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()));
  };
  const emit = (event: RunEvent) => send({ type: 'event', event });
  /** Exiting at once would lose the last messages. */
  const exit = (code: number) => void sent.then(() => process.exit(code));

  /** Without a checkpoint: the folder is another trainer's. */
  const lost = () => {
    const message = 'another process has taken this run over, because this one gave no sign of life for long';
    emit({ time: Date.now(), event: 'failed', code: 'run-invalid', message });
    exit(1);
  };

  async function start(request: Extract<TrainerRequest, { type: 'start' }>): Promise<void> {
    if (folder !== null) throw new UserError('run-invalid', `${request.folder}: this trainer has a run already`);
    ({ folder, outlives } = request);
    opened = await openRun({ ...request, assemble, control, emit, lost });
    const run = opened;
    const tellMemory = () => send({ type: 'memory', resident: process.memoryUsage.rss() });
    tellMemory();
    setInterval(tellMemory, LIMITS.memoryInterval).unref();
    watchRequests(runPaths(request.folder), answer, userMessage);
    // The answer comes first, then the events.
    setImmediate(() => void run.execute().then((last) => exit(last.event === 'failed' ? 1 : 0)));
  }

  async function next({ folder, workspace, after }: Extract<TrainerRequest, { type: 'next' }>): Promise<void> {
    const plan = await readRunPlan(folder);
    const engine = await nextEngine(
      after,
      async (candidate) => {
        send({ type: 'trying', engine: candidate });
        // A crash must not come before the message has left.
        await sent;
        await assemble({ ...plan, engine: candidate }, { workspace });
      },
      { folders: [workspace] },
    );
    send({ type: 'next', engine });
  }

  async function answer(request: TrainerRequest): Promise<void> {
    switch (request.type) {
      case 'start':
        return start(request);
      case 'next':
        return next(request);
      case 'pause':
        return control.pause();
      case 'resume':
        return control.resume();
      case 'stop':
        return control.stop(request.reason);
      case 'checkpoint':
        return control.checkpoint();
      case 'outlive':
        outlives = request.on;
        return;
      case 'setBudget':
        opened?.assembled.parts.tasks(request.budget);
        control.setBudget(request.budget);
        // The event is on disk before it is sent, so it survives a kill.
        return control.checkpoint();
    }
  }

  process.on('message', (message: ToTrainer) => {
    answer(message).then(
      () => send({ type: 'answer', id: message.id, error: null }),
      async (error: unknown) => {
        const told = userMessage(error);
        send({ type: 'answer', id: message.id, error: told });
        if (message.type !== 'start') return;
        // Without a supervisor, only the trainer can report why the run did not begin.
        if (!process.connected) await appendEvent(message.folder, { event: 'failed', ...told }).catch(() => undefined);
        exit(1);
      },
    );
  });

  process.once('disconnect', () => {
    if (folder !== null && outlives) return void endAbandonedPause(runPaths(folder).keeper, control);
    if (!opened) process.exit(1);
    control.stop('disconnect');
    setTimeout(() => process.exit(1), LIMITS.orphanTime).unref();
  });
  // Ctrl-C reaches the whole process group; the supervisor decides what it means.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => control.stop('shutdown'));
  process.on('SIGHUP', () => undefined);
  // A dead supervisor leaves a broken pipe; the checkpoint must still be written.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

  const crash = (error: unknown) => {
    emit({ time: Date.now(), event: 'failed', ...userMessage(error) });
    exit(1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}
